from odoo import api, fields, models


class SaasCommand(models.Model):
    _name = "saas.command"
    _description = "SaaS Command"
    _order = "id desc"
    _rec_name = "command"

    instance_id = fields.Many2one("saas.instance", required=True, readonly=True, index=True, ondelete="cascade")
    command = fields.Selection(
        [("start", "Start"), ("stop", "Stop"), ("restart", "Restart"), ("retry", "Retry")], required=True, readonly=True
    )
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
            "retry": ("error",),
        }
