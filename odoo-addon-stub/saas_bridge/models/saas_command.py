from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

# Ten years.
MOST_DAYS = 3650


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
            ("back_up", "Back up now"),
            ("restore", "Restore"),
            ("delete", "Delete"),
            ("delete_without_copy", "Delete without a Copy"),
            ("retry", "Retry"),
        ],
        required=True,
        readonly=True,
    )
    days = fields.Integer(readonly=True, help="By how many days the instance is extended.")
    plan_id = fields.Many2one("product.template", string="New Plan", readonly=True, ondelete="restrict")
    moment = fields.Datetime(
        string="State Of", readonly=True, help="The last backup at or before this moment is restored; empty: the last one."
    )
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
    message = fields.Char(string="Result", readonly=True)
    details = fields.Char(compute="_compute_details")
    company_id = fields.Many2one(related="instance_id.company_id", store=True)

    # Two clicks, or two people, are one command.
    _pending_unique = models.UniqueIndex(
        "(instance_id, command) WHERE state = 'pending'", "This command is already on its way."
    )

    @api.depends("command", "days", "plan_id")
    def _compute_details(self):
        for command in self:
            if command.command == "extend":
                command.details = _("1 day") if command.days == 1 else _("%s days", command.days)
            else:
                command.details = command.plan_id.name

    @api.constrains("command", "days", "plan_id", "reason")
    def _check_arguments(self):
        for command in self:
            if command.command in ("suspend", "extend", "restore") and not command.reason:
                raise ValidationError(_("Write the reason."))
            if command.command == "extend" and not 1 <= command.days <= MOST_DAYS:
                raise ValidationError(_("An instance can be extended by 1 to %s days.", MOST_DAYS))
            if command.command == "change_plan":
                command._check_new_plan()

    def _check_new_plan(self):
        instance, plan = self.instance_id, self.plan_id
        if not plan:
            raise ValidationError(_("Choose the new plan."))
        if not plan.saas_plan or not plan.active or plan.saas_trial:
            raise ValidationError(_("%s is not a plan that an instance can change to.", plan.name))
        if plan == instance.plan_id:
            raise ValidationError(_("%(instance)s has the plan %(plan)s already.", instance=instance.name, plan=plan.name))
        misfit = instance._plan_misfit(plan)
        if misfit:
            raise ValidationError(misfit)

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
            "rebuild": ("running", "error"),
            "back_up": ("running", "suspended", "stopped"),
            "restore": ("running", "error"),
            "delete": ("provisioning", "running", "suspended", "stopped", "error"),
            "delete_without_copy": ("suspended", "stopped", "error", "deleting"),
            "retry": ("error",),
        }

    def _apply(self):
        """What the daemon agreed to becomes a grant: it reads time and plan from there. The rest it does itself."""
        self.ensure_one()
        grant = {"instance_id": self.instance_id.id, "user_id": self.requested_by.id}
        if self.command == "extend":
            grant.update(quantity=self.days, period_count=1, period_unit="day", reason=self.reason)
        # The customer may have bought the plan meanwhile: then there is nothing left to change.
        elif self.command == "change_plan" and self.plan_id != self.instance_id.plan_id:
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
