from dateutil.relativedelta import relativedelta

from odoo import _, api, fields, models
from odoo.exceptions import AccessError

from odoo.addons.base.models.res_users import check_identity

LOGIN = "saas-bridge"
BRIDGE_USER = "saas_bridge.user_bridge"


class SaasBridgeConnect(models.TransientModel):
    """Makes the daemon's API key.

    Odoo lets people make keys for themselves only, and the daemon's user has no password and no pages to do it on.
    """

    _name = "saas.bridge.connect"
    _description = "Connect the SaaS Daemon"

    user_id = fields.Many2one(
        "res.users",
        string="User",
        readonly=True,
        default=lambda self: self._bridge_user(),
        help="The daemon signs in as this user. Without one it is made together with the key.",
    )
    validity = fields.Selection(
        [("12", "1 year"), ("3", "3 months"), ("0", "Until removed")], required=True, default="12"
    )

    @check_identity
    def action_generate(self):
        self.ensure_one()
        if not self.env.is_system():
            raise AccessError(_("Only an administrator may connect the daemon."))
        user = self._bridge_user() or self._create_bridge_user()
        months = int(self.validity)
        expiration = fields.Datetime.now() + relativedelta(months=months) if months else None
        key = self.env["res.users.apikeys"].with_user(user).sudo()._generate("rpc", _("SaaS daemon"), expiration)
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.users.apikeys.show",
            "name": _("API key of %s", user.login),
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_key": key},
        }

    def _bridge_user(self):
        group = self.env.ref("saas_bridge.group_bridge")
        return self.env["res.users"].sudo().search([("group_ids", "in", group.ids)], order="id", limit=1)

    def _create_bridge_user(self):
        user = (
            self.env["res.users"]
            .sudo()
            .with_context(no_reset_password=True)
            .create(
                {
                    "name": "SaaS bridge",
                    "login": LOGIN,
                    "group_ids": [(6, 0, self.env.ref("saas_bridge.group_bridge").ids)],
                    "company_ids": [(6, 0, self.env["res.company"].sudo().search([]).ids)],
                }
            )
        )
        self._own_bridge_user(user)
        return user

    @api.model
    def _own_bridge_user(self, user):
        """The user that the addon made goes with it; one that people made for the daemon is theirs."""
        self.env["ir.model.data"].sudo()._update_xmlids([{"xml_id": BRIDGE_USER, "record": user, "noupdate": True}])
