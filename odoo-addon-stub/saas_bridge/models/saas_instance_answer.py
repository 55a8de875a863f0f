"""The column by which salespeople and accountants say which instance a line is for.

They have no access to instances: a record rule filters rows, not columns. They see names, of one customer at a time.
"""

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

# Whoever works with a kind of document has the column there.
ANSWERERS = {"sale.order": "sales_team.group_sale_salesman", "account.move": "account.group_account_invoice"}


class SaasInstance(models.Model):
    _inherit = "saas.instance"

    @api.model
    def _may_only_choose(self):
        user = self.env.user
        return not self.env.su and not self.has_access("read") and any(user.has_group(group) for group in ANSWERERS.values())

    @api.model
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        if not self._may_only_choose():
            return super().name_search(name, domain, operator, limit)
        # As the superuser any other condition would tell of columns that are not theirs.
        asked = list(Domain(domain or Domain.TRUE).iter_conditions())
        if not asked or any(condition.field_expr != "partner_id" for condition in asked):
            raise AccessError(self.env._("Only a SaaS manager or a user of SaaS with the right to it may do this."))
        domain = Domain(domain) & Domain("company_id", "in", self.env.companies.ids) & Domain("state", "!=", "draft")
        return super(SaasInstance, self.sudo()).name_search(name, domain, operator, limit)


class SaasBridge(models.AbstractModel):
    _inherit = "saas.bridge"

    @api.model
    def _can_answer(self, user, document):
        """Whether the document shows the user the column in which the daemon's questions are answered."""
        group = ANSWERERS.get(document._name)
        return user.has_group("saas_bridge.group_user") or bool(group and user.has_group(group))
