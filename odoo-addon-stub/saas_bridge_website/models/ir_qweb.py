import lxml.html
from lxml import etree
from markupsafe import Markup

from odoo import models
from odoo.http import request

# What an element with this `data-saas-live` shows: whatever the plans are when somebody looks.
LIVE = {
    "plans": "saas_bridge_website.plan_cards",
    "compare": "saas_bridge_website.plan_table",
    "trial": "saas_bridge_website.trial_facts",
    "trial-button": "saas_bridge_website.trial_button",
    "start": "saas_bridge_website.start_buttons",
    "account": "saas_bridge_website.account_hint",
    "company": "saas_bridge_website.company_card",
}


class IrQweb(models.AbstractModel):
    """Fills the live parts of pages on the server: no flicker, no further request, and search engines read them."""

    _inherit = "ir.qweb"

    def _compile_node(self, el, compile_context, level):
        template = LIVE.get(el.get("data-saas-live"))
        if template:
            empty(el)
            etree.SubElement(el, "t", {"t-call": template})
        return super()._compile_node(el, compile_context, level)


class IrQwebFieldHtml(models.AbstractModel):
    """The same for blocks in the text of a product or an article, which is no template."""

    _inherit = "ir.qweb.field.html"

    def value_to_html(self, value, options):
        shown = super().value_to_html(value, options)
        if "data-saas-live" not in shown or not getattr(request, "is_frontend", False):
            return shown
        body = lxml.html.fragment_fromstring(shown, create_parent="body")
        qweb = self.env["ir.qweb"].with_context(inherit_branding=False, inherit_branding_auto=False)
        for el in body.xpath("//*[@data-saas-live]"):
            empty(el)
            if template := LIVE.get(el.get("data-saas-live")):
                live = lxml.html.fragment_fromstring(qweb._render(template), create_parent="div")
                el.text = live.text
                el.extend(live)
        return Markup(lxml.html.tostring(body, encoding="unicode")[len("<body>") : -len("</body>")])


def empty(el):
    """Take out of the element what is in it."""
    del el[:]
    el.text = None


def without_live_parts(text):
    """Edited HTML as it is to be saved: the live parts are there, but empty."""
    if "data-saas-live" not in text:
        return text
    root = lxml.html.fromstring(text, parser=lxml.html.HTMLParser(encoding="utf-8"))
    for el in root.xpath("//*[@data-saas-live]"):
        empty(el)
        el.attrib.pop("contenteditable", None)
    return lxml.html.tostring(root, encoding="unicode", with_tail=False)
