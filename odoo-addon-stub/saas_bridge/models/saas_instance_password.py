"""The first password: for who has the login, until they have used it."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import email_normalize

PASSWORD_DAYS = 14
GONE = ("deleting", "deleted")


class SaasInstance(models.Model):
    _inherit = "saas.instance"

    first_login_on = fields.Datetime(
        string="First Login", readonly=True, copy=False, help="When somebody logged in with the first login, as far as it was looked at."
    )
    password_set_on = fields.Datetime(readonly=True, copy=False)
    password_cleared_on = fields.Datetime(string="Password Cleared", readonly=True, copy=False)

    @api.model_create_multi
    def create(self, vals_list):
        now = fields.Datetime.now()
        return super().create([{"password_set_on": now, **vals} if vals.get("admin_password") else vals for vals in vals_list])

    def write(self, vals):
        if vals.get("admin_password"):
            vals = {"password_set_on": fields.Datetime.now(), **vals}
        result = super().write(vals)
        if vals.get("first_login_on") or vals.get("state") in GONE:
            self._clear_password()
        return result

    def _clear_password(self):
        if kept := self.sudo().filtered("admin_password"):
            kept.write({"admin_password": False, "password_cleared_on": fields.Datetime.now()})

    @api.autovacuum
    def _gc_passwords(self):
        """Nobody who has not used it in so long will: the welcome e-mail is found by others by then."""
        kept = self.search([("admin_password", "!=", False)])
        kept.filtered(lambda instance: not instance._first_password())._clear_password()

    def _without_spent_password(self, vals):
        """The daemon derives the password and sends it again with what else it says: once cleared, it stays so.

        It says when somebody logged in last; the first time is kept.
        """
        spent = {"admin_password"} if self.password_cleared_on else set()
        if self.first_login_on:
            spent.add("first_login_on")
        return {fname: value for fname, value in vals.items() if fname not in spent}

    def _first_password(self):
        """The password while it is to be had; "" afterwards."""
        self.ensure_one()
        sudo = self.sudo()
        since = sudo.password_set_on or sudo.started_on or sudo.create_date
        spent = sudo.first_login_on or sudo.state in GONE or since < fields.Datetime.now() - timedelta(days=PASSWORD_DAYS)
        return "" if spent else sudo.admin_password or ""

    def _is_login_of(self, user):
        """Whether the administrator's login is this person's.

        Customers change the address of their own contact by themselves: it counts for the contact of the instance only.
        """
        self.ensure_one()
        login = email_normalize(self.admin_login or "")
        if not login:
            return False
        own = user.partner_id == self.contact_id and user.partner_id._saas_email() == login
        return own or email_normalize(user.login) == login
