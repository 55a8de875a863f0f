from odoo import _, models
from odoo.exceptions import UserError

from .saas_instance_password import GONE


class SaasInstance(models.Model):
    """The e-mail with address and login once more: for who lost it, or never got it."""

    _inherit = "saas.instance"

    def action_send_access(self):
        self.ensure_one()
        self._check_saas_group("saas_bridge.group_user")
        self._check_can_send_access()
        return {
            "type": "ir.actions.act_window",
            "name": _("Send the access again"),
            "res_model": "saas.access.wizard",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_instance_id": self.id},
        }

    def _can_send_access(self):
        self.ensure_one()
        return bool(self.url and self.admin_login) and self.state not in GONE

    def _check_can_send_access(self):
        self.check_access("read")
        if not self._can_send_access():
            raise UserError(_("%s has no address and login to send.", self.name))

    def _send_access(self, partner):
        """Send address and login, and the first password while it is kept, to a contact of the customer."""
        self.ensure_one()
        mail = self._mail_customer(partner, lambda instance: instance._access_text())
        if not mail:
            raise UserError(_("%s has no e-mail address.", partner.display_name))
        self.message_post(body=_("%(person)s sent the access again to %(to)s", person=self.env.user.name, to=mail.email_to))

    def _access_text(self):
        lines = [_("Address of your Odoo: %s", self.url), _("Login: %s", self.admin_login)]
        if password := self._first_password():
            lines.append(_("Temporary password: %s", password))
            lines.append(_("Change this password when you log in for the first time."))
        else:
            lines.append(_("The password is the one you chose. If nobody can log in any more, answer this e-mail."))
        return _("Access to your Odoo %s", self.name), "\n".join(lines)
