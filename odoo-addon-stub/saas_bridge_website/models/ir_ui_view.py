from odoo import _, api, models
from odoo.http import request

from .ir_qweb import without_live_parts

SNIPPETS = ("s_saas_plans", "s_saas_compare", "s_saas_trial", "s_saas_start", "s_saas_company")


class IrUiView(models.Model):
    _inherit = "ir.ui.view"

    def save(self, value, xpath=None):
        """Prices of today do not belong into a page, only the place where they appear."""
        return super().save(without_live_parts(value), xpath=xpath)

    @api.model
    def save_snippet(self, name, arch, *args, **kwargs):
        return super().save_snippet(name, without_live_parts(arch), *args, **kwargs)

    @api.model
    def _copy_custom_snippet_translations(self, record, html_field):
        """The words around our blocks are there in all languages at once, as those of an own block of the website."""
        super()._copy_custom_snippet_translations(record, html_field)
        for name in SNIPPETS:
            if f'data-snippet="{name}"' in (record[html_field] or ""):
                snippet = self.env.ref(f"saas_bridge_website.{name}")
                self._copy_field_terms_translations(snippet, "arch_db", record, html_field)

    def _default_website_meta(self):
        """The shop's own page is a template with an English name and no description."""
        meta = super()._default_website_meta()
        if self.key == "website_sale.products":
            title = f"{_('Shop')} | {request.website.name}"
            text = _("Your own Odoo, ready to use: plans, free trial and help of %s.", request.website.name)
            meta["default_meta_description"] = text
            for tags, prefix in ((meta["default_opengraph"], "og"), (meta["default_twitter"], "twitter")):
                tags |= {f"{prefix}:title": title, f"{prefix}:description": text}
        return meta
