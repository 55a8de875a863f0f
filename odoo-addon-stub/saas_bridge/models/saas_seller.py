"""Who sells: sender, name, shop and language are those of the company of the instance, whichever company sorts first."""

import re

from odoo import api, models

PURCHASE_KEY = re.compile(r"(sol|aml|grant):[0-9]{1,9}")


class SaasBridge(models.AbstractModel):
    _inherit = "saas.bridge"

    @api.model
    def _seller_row(self, record):
        """Who sells the instance, or what is on an order or invoice: `{"id", "name", "shop_url", "lang"}`."""
        company = record.company_id
        url = record.get_base_url() or ""
        return {
            "id": company.id,
            "name": company.name or "",
            "shop_url": url if url.startswith(("http://", "https://")) else "",
            "lang": company.partner_id.lang or "",
        }

    @api.model
    def _selling_companies(self):
        """The companies that have instances or plans of their own; all, as long as none has."""
        instances = self.env["saas.instance"].sudo()._read_group([("state", "!=", "deleted")], ["company_id"])
        plans = self.env["product.template"].sudo().search([("saas_plan", "=", True), ("company_id", "!=", False)])
        companies = plans.company_id.union(*(company for [company] in instances))
        return (companies or self.env["res.company"].sudo().search([])).sorted("id")

    @api.model
    def _for_company(self, company):
        """What follows is work of the company, in its language."""
        if not company:
            return self
        return self.with_company(company).with_context(lang=company.partner_id.lang or self.env.context.get("lang"))

    @api.model
    def _company_of(self, operation):
        """The company whose records an operation of the daemon is about; none where it is about none."""
        if operation.get("instance_key"):
            instance = self.env["saas.instance"].search([("key", "=", operation["instance_key"])], limit=1)
            values = operation.get("values") or {}
            keys = [] if instance else [operation["instance_key"], *(values.get("purchase_keys") or [])]
            return instance.company_id or self._company_of_purchases(keys)
        if operation.get("purchase_key"):
            return self._company_of_purchases([operation["purchase_key"]])
        if operation.get("command_id"):
            return self.env["saas.command"].browse(int(operation["command_id"])).exists().company_id
        return self.env["res.company"]

    @api.model
    def _company_of_purchases(self, keys):
        for record in self._purchases([key for key in keys if PURCHASE_KEY.fullmatch(str(key))]):
            return record.company_id
        return self.env["res.company"]
