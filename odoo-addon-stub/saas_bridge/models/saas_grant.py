from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..const import PERIOD_UNITS, UNIT_DAYS


# An extension by days is a quantity of days.
LARGEST = 3650


class SaasGrant(models.Model):
    _name = "saas.grant"
    _description = "Granted SaaS Time"
    _order = "date desc, id desc"
    _rec_name = "reason"

    instance_id = fields.Many2one("saas.instance", required=True, index=True, ondelete="restrict")
    quantity = fields.Float(required=True, default=1)
    period_count = fields.Integer(string="Period", required=True, default=1)
    period_unit = fields.Selection(PERIOD_UNITS, string="Period Unit", required=True, default="month")
    # As they were when the time was granted: what the instance or the price list becomes later changes nothing.
    plan_id = fields.Many2one(
        "product.template",
        string="Plan",
        compute="_compute_plan_id",
        store=True,
        precompute=True,
        readonly=False,
        ondelete="restrict",
        domain="[('saas_plan', '=', True)]",
        help="Another plan than the instance has changes its plan; that may be granted without time (quantity 0).",
    )
    unit_price = fields.Float(
        compute="_compute_unit_price",
        store=True,
        precompute=True,
        digits=0,
        help="What one period is worth by the price list, without taxes, in the company's currency.",
    )
    date = fields.Datetime(required=True, default=fields.Datetime.now, help="From when the time counts.")
    reason = fields.Char(required=True)
    user_id = fields.Many2one("res.users", string="Granted By", readonly=True, default=lambda self: self.env.user)
    active = fields.Boolean(default=True, help="An archived grant is cancelled: its time goes.")
    company_id = fields.Many2one(related="instance_id.company_id", store=True)

    _write_date_idx = models.Index("(write_date)")

    @api.depends("instance_id")
    def _compute_plan_id(self):
        for grant in self:
            grant.plan_id = grant.plan_id or grant.instance_id.plan_id

    @api.depends("plan_id", "period_count", "period_unit")
    def _compute_unit_price(self):
        for grant in self:
            plan_days = grant.plan_id.saas_period_count * UNIT_DAYS.get(grant.plan_id.saas_period_unit, 0.0)
            days = grant.period_count * UNIT_DAYS.get(grant.period_unit, 0.0)
            grant.unit_price = grant.plan_id._saas_net_list_price(grant.instance_id.company_id) * days / plan_days if plan_days else 0.0

    @api.constrains("quantity", "period_count")
    def _check_amount(self):
        for grant in self:
            smallest_missed = grant.quantity < 0 if grant._changes_plan() else grant.quantity <= 0
            if smallest_missed or grant.quantity > LARGEST or not 0 < grant.period_count <= LARGEST:
                raise ValidationError(_("Quantity and period of a grant must be between 1 and %s.", LARGEST))

    @api.constrains("instance_id", "plan_id")
    def _check_plan(self):
        for grant in self:
            if not grant.plan_id:
                raise ValidationError(_("Choose the plan of %s first.", grant.instance_id.name))

    def _changes_plan(self):
        return bool(self.plan_id) and self.plan_id != self.instance_id.plan_id

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
