from odoo import _, api, fields, models
from odoo.exceptions import UserError


class SaasHandoverWizard(models.TransientModel):
    """Who gets an instance from its customer, and why. Opened by the button of the instance."""

    _name = "saas.handover.wizard"
    _description = "Hand Over a SaaS Instance"

    instance_id = fields.Many2one("saas.instance", required=True, readonly=True, ondelete="cascade")
    partner_id = fields.Many2one(related="instance_id.partner_id", string="Customer")
    contact_id = fields.Many2one(
        "res.partner", string="New Customer", help="Who gets the instance, and the e-mails about it. Of a contact the company gets it."
    )
    reason = fields.Char()
    mail_hint = fields.Char(compute="_compute_mail_hint")

    @api.depends("contact_id", "instance_id")
    def _compute_mail_hint(self):
        for wizard in self:
            sides = [wizard.instance_id.sudo()._live_contact()]
            sides += [wizard.contact_id.sudo()._saas_live_contact()] if wizard.contact_id else []
            silent = [partner.display_name for partner in sides if not partner._saas_email()]
            wizard.mail_hint = _("%s has no e-mail address: tell them yourself.", ", ".join(silent)) if silent else False

    def action_confirm(self):
        self.ensure_one()
        reason = (self.reason or "").strip()
        if not reason:
            raise UserError(_("Write the reason."))
        if not self.contact_id:
            raise UserError(_("Choose the customer first."))
        self.instance_id._hand_over(self.contact_id, reason)
        return {"type": "ir.actions.act_window_close"}
