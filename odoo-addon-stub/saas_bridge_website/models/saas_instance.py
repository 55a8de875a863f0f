import re
import unicodedata

from odoo import _, api, fields, models

from odoo.addons.saas_bridge.const import NAME_LENGTH, RESERVED_NAMES

LONGEST_INPUT = 200
LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d"}


class SaasInstance(models.Model):
    _inherit = "saas.instance"

    website_id = fields.Many2one("website", related="sale_order_id.website_id", help="Where it was sold: its customer's shop.")

    def _portal_plan_domain(self):
        """Two shops sell side by side, each its own plans."""
        sites = self.website_id or self.env["website"].search([("company_id", "=", self.company_id.id)])
        own = ["|", ("website_id", "in", (False, *sites.ids)), ("id", "=", self.plan_id.id)]
        return [*super()._portal_plan_domain(), *own]

    @api.model
    def _shop_name(self, text, line=None):
        """A free name for what a visitor typed, the order line being filled in aside.

        `{"name", "status", "message"}`; the status is `empty`, `free`, `changed` (written differently) or `other`: then the
        name is another one, which is free. Whether somebody has the name, or nobody may, is not said.
        """
        typed = (text or "").strip()[:LONGEST_INPUT].lower()
        stem = self._shop_slug(typed)
        if not stem:
            return {"name": "", "status": "empty", "message": _("Write letters or numbers.") if typed else ""}
        taken = self._shop_taken_names(stem, line)
        name = self._shop_first_free(stem, taken | RESERVED_NAMES)
        if name == typed:
            return {"name": name, "status": "free", "message": _("%s is free.", name)}
        called = _("It will be called %s.", name)
        if name == stem:
            return {"name": name, "status": "changed", "message": called}
        return {"name": name, "status": "other", "message": _("%s cannot be chosen.", stem) + " " + called}

    @api.model
    def _shop_slug(self, text):
        """Small letters, digits and single hyphens, a letter first; the rules of the daemon (src/instance/naming.ts)."""
        for letter, plain in LETTERS.items():
            text = text.replace(letter, plain)
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().replace("'", "").replace("`", "")
        stem = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        if stem[:1].isdigit():
            stem = f"c{stem}"
        return stem[:NAME_LENGTH].strip("-")

    @api.model
    def _shop_taken_names(self, stem, line=None):
        """Names of instances, and those wanted in orders that have none yet or in the same cart."""
        start = stem[: NAME_LENGTH - 5]
        taken = set(self.sudo().with_context(active_test=False).search([("name", "=like", f"{start}%")]).mapped("name"))
        # In a cart nobody has paid for, a name belongs to nobody yet.
        domain = [("saas_wanted_name", "=like", f"{start}%"), ("saas_instance_id", "=", False)]
        domain += ["|", ("order_id.state", "in", ("sale", "done")), ("order_id", "=", line.order_id.id if line else 0)]
        lines = self.env["sale.order.line"].sudo().search([*domain, ("id", "!=", line.id if line else 0)])
        return taken | set(lines.mapped("saas_wanted_name"))

    @api.model
    def _shop_first_free(self, stem, taken):
        name, number = stem, 2
        while name in taken:
            suffix = f"-{number}"
            name, number = stem[: NAME_LENGTH - len(suffix)].strip("-") + suffix, number + 1
        return name
