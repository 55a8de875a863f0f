from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import formatLang


class SaasCommandWizard(models.TransientModel):
    """What a command needs to be told before it is asked for. Opened by the buttons of an instance."""

    _name = "saas.command.wizard"
    _description = "Ask for a SaaS Command"

    instance_id = fields.Many2one("saas.instance", required=True, readonly=True, ondelete="cascade")
    command = fields.Selection(
        [
            ("suspend", "Suspend"),
            ("extend", "Extend"),
            ("change_plan", "Change Plan"),
            ("restore", "Restore"),
            ("delete", "Delete"),
            ("delete_without_copy", "Delete without a Copy"),
        ],
        required=True,
        readonly=True,
    )
    reason = fields.Char()
    days = fields.Integer(default=30)
    moment = fields.Datetime(string="State Of")
    backup_on = fields.Datetime(related="instance_id.backup_on")
    plan_id = fields.Many2one("product.template", string="New Plan")
    confirm_name = fields.Char(string="Confirm the Name")

    partner_id = fields.Many2one(related="instance_id.partner_id", string="Customer")
    company_id = fields.Many2one(related="instance_id.company_id")
    paid_until = fields.Datetime(related="instance_id.paid_until")
    current_plan_id = fields.Many2one(related="instance_id.plan_id", string="Current Plan")
    users_comparison = fields.Char(string="Users", compute="_compute_comparison")
    storage_comparison = fields.Char(string="Storage", compute="_compute_comparison")
    misfit = fields.Text(compute="_compute_comparison")

    @api.depends("instance_id", "plan_id")
    def _compute_comparison(self):
        for wizard in self:
            instance, plan = wizard.instance_id, wizard.plan_id
            wizard.users_comparison = _(
                "%(used)s in use; %(limit)s in the new plan", used=instance.users_used, limit=plan.saas_max_users
            )
            wizard.storage_comparison = _(
                "%(used)s GB in use; %(limit)s GB in the new plan",
                used=formatLang(self.env, instance.storage_used_gb, digits=1),
                limit=plan.saas_storage_gb,
            )
            wizard.misfit = instance._plan_misfit(plan) if plan else ""

    def action_confirm(self):
        self.ensure_one()
        values = {"reason": (self.reason or "").strip()}
        if self.command == "extend":
            values["days"] = self.days
        elif self.command == "restore":
            values["moment"] = self.moment
        elif self.command == "change_plan":
            values["plan_id"] = self.plan_id.id
            values["reason"] = values["reason"] or _(
                "Plan changed from %(old)s to %(new)s", old=self.current_plan_id.name, new=self.plan_id.name
            )
        elif self.command in ("delete", "delete_without_copy") and (self.confirm_name or "").strip() != self.instance_id.name:
            raise UserError(_("Write the name of the instance, %s, to delete it.", self.instance_id.name))
        action = self.instance_id._request_command(self.command, **values)
        # Closing the dialog reloads the form behind it.
        action["params"]["next"] = {"type": "ir.actions.act_window_close"}
        return action
