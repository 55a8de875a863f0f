from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..const import PERIOD_UNITS


class SaasGrant(models.Model):
    _name = "saas.grant"
    _description = "Granted SaaS Time"
    _order = "date desc, id desc"
    _rec_name = "reason"

    instance_id = fields.Many2one("saas.instance", required=True, index=True, ondelete="restrict")
    quantity = fields.Float(required=True, default=1)
    period_count = fields.Integer(string="Period", required=True, default=1)
    period_unit = fields.Selection(PERIOD_UNITS, string="Period Unit", required=True, default="month")
    date = fields.Datetime(required=True, default=fields.Datetime.now, help="From when the time counts.")
    reason = fields.Char(required=True)
    user_id = fields.Many2one("res.users", string="Granted By", readonly=True, default=lambda self: self.env.user)
    active = fields.Boolean(default=True, help="An archived grant is cancelled: its time goes.")
    company_id = fields.Many2one(related="instance_id.company_id", store=True)

    _write_date_idx = models.Index("(write_date)")

    @api.constrains("quantity", "period_count")
    def _check_amount(self):
        for grant in self:
            if not 0 < grant.quantity <= 1200 or not 0 < grant.period_count <= 1200:
                raise ValidationError(_("Quantity and period of a grant must be between 1 and 1200."))

    @api.constrains("instance_id")
    def _check_plan(self):
        for grant in self:
            if not grant.instance_id.plan_id:
                raise ValidationError(_("Choose the plan of %s first.", grant.instance_id.name))

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            vals_list = [dict(vals, user_id=self.env.uid) for vals in vals_list]
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su and vals.keys() - {"active", "reason"}:
            raise UserError(_("What was granted stays as it is: archive it and grant anew."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        # One that vanishes cannot be told from one not yet read: cancelling must be seen by the daemon.
        raise UserError(_("A grant is not deleted. Archive it: that cancels it."))
