from odoo import _, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.saas_bridge.models.saas_bridge_poll import EMAIL


class SaasAccessWizard(models.TransientModel):
    """Where the access of an instance is sent to once more. A corrected address is the contact's from then on."""

    _name = "saas.access.wizard"
    _description = "Send the Access of a SaaS Instance"

    instance_id = fields.Many2one("saas.instance", required=True, readonly=True, ondelete="cascade")
    contact_id = fields.Many2one("res.partner", compute="_compute_contact")
    email = fields.Char(string="E-mail", compute="_compute_contact", store=True, readonly=False, precompute=True)
    with_password = fields.Boolean(compute="_compute_contact")

    @api.depends("instance_id")
    def _compute_contact(self):
        for wizard in self:
            instance = wizard.instance_id.sudo()
            wizard.contact_id = instance._person()
            wizard.email = instance._person()._saas_email()
            wizard.with_password = bool(instance._first_password())

    def action_confirm(self):
        self.ensure_one()
        instance = self.instance_id
        instance._check_saas_group("saas_bridge.group_user")
        instance._check_can_send_access()
        email = (self.email or "").strip()
        if not EMAIL.fullmatch(email):
            raise UserError(_("%s is no e-mail address.", email))
        contact = instance.sudo()._person()
        if email.lower() != contact._saas_email():
            contact.email = email
        instance.sudo()._send_access(contact)
        return {"type": "ir.actions.act_window_close"}
