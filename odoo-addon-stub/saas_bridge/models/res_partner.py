from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    saas_instance_ids = fields.One2many(
        "saas.instance", "partner_id", string="SaaS Instances", groups="saas_bridge.group_user"
    )
    saas_instance_count = fields.Integer(compute="_compute_saas_instance_count", groups="saas_bridge.group_user")

    def _compute_saas_instance_count(self):
        for partner in self:
            partner.saas_instance_count = len(partner.commercial_partner_id.saas_instance_ids)

    def action_view_saas_instances(self):
        return self.commercial_partner_id.saas_instance_ids._action_open()
