from odoo import _
from odoo.exceptions import UserError
from odoo.http import request, route

from odoo.addons.auth_signup.controllers.main import AuthSignupHome

from ..persons import person_of


class SaasSignup(AuthSignupHome):
    """Each account and each forgotten password is a mail to an address that anybody may type in: nobody sends many."""

    def do_signup(self, qcontext, do_login=True):
        # Whoever has a link was invited, or asked for it: that was counted.
        if not qcontext.get("token") and not self._saas_within("signups", qcontext.get("login")):
            raise UserError(_("Many accounts were made from here within the last hour. Please try again later, or write to us."))
        return super().do_signup(qcontext, do_login=do_login)

    @route()
    def web_auth_reset_password(self, *args, **kw):
        if request.httprequest.method == "POST":
            qcontext = self.get_auth_signup_qcontext()
            asks = qcontext.get("reset_password_enabled") and not qcontext.get("token") and "error" not in qcontext
            if asks and not self._saas_within("resets", qcontext.get("login")):
                qcontext["error"] = _(
                    "Such an e-mail was asked for several times within the last hour. Please look for it, in the junk mail too, or try again later."
                )
                return request.render("auth_signup.reset_password", qcontext, status=429)
        return super().web_auth_reset_password(*args, **kw)

    def _saas_within(self, what, login):
        login = login if isinstance(login, str) else ""
        return request.env["saas.limit"].sudo()._within(what, person_of(login) or login.strip().lower()[:200])
