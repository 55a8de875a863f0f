from odoo import api, fields, models


class SaasCommand(models.Model):
    _name = "saas.command"
    _description = "SaaS Command"
    _order = "id desc"
    _rec_name = "command"

    instance_id = fields.Many2one("saas.instance", required=True, readonly=True, index=True, ondelete="cascade")
    command = fields.Selection(
        [
            ("start", "Start"),
            ("stop", "Stop"),
            ("restart", "Restart"),
            ("suspend", "Suspend"),
            ("resume", "Resume"),
            ("extend", "Extend"),
            ("change_plan", "Change Plan"),
            ("rebuild", "Rebuild"),
            ("delete", "Delete"),
            ("retry", "Retry"),
        ],
        required=True,
        readonly=True,
    )
    days = fields.Integer(readonly=True, help="By how many days the instance is extended.")
    plan_id = fields.Many2one("product.template", string="New Plan", readonly=True, ondelete="restrict")
    reason = fields.Char(readonly=True)
    state = fields.Selection(
        [("pending", "Pending"), ("done", "Done"), ("refused", "Refused"), ("failed", "Failed")],
        required=True,
        readonly=True,
        default="pending",
        index=True,
    )
    requested_by = fields.Many2one("res.users", required=True, readonly=True, default=lambda self: self.env.user)
    requested_on = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    done_on = fields.Datetime(readonly=True)
    message = fields.Char(readonly=True)
    company_id = fields.Many2one(related="instance_id.company_id", store=True)

    # Two clicks, or two people, are one command.
    _pending_unique = models.UniqueIndex(
        "(instance_id, command) WHERE state = 'pending'", "This command is already on its way."
    )

    @api.model
    def _allowed_states(self):
        return {
            "start": ("stopped", "suspended"),
            "stop": ("provisioning", "running", "error"),
            "restart": ("running", "error"),
            "suspend": ("provisioning", "running", "error"),
            "resume": ("stopped", "suspended"),
            "extend": ("provisioning", "running", "suspended", "stopped", "error"),
            "change_plan": ("running", "suspended", "stopped", "error"),
            "rebuild": ("running", "suspended", "stopped", "error"),
            "delete": ("provisioning", "running", "suspended", "stopped", "error"),
            "retry": ("error",),
        }

    def _apply(self):
        """What the daemon agreed to becomes a grant: it reads time and plan from there. The rest it does itself."""
        self.ensure_one()
        grant = {"instance_id": self.instance_id.id, "user_id": self.requested_by.id}
        if self.command == "extend":
            grant.update(quantity=self.days, period_count=1, period_unit="day", reason=self.reason)
        elif self.command == "change_plan":
            grant.update(
                quantity=0,
                plan_id=self.plan_id.id,
                period_count=self.plan_id.saas_period_count,
                period_unit=self.plan_id.saas_period_unit,
                reason=self.reason,
            )
        else:
            return self.env["saas.grant"]
        return self.env["saas.grant"].sudo().create(grant)
