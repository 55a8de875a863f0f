"""The user that an older version made for the daemon becomes the addon's own, so that it goes with it."""

from odoo import SUPERUSER_ID, api

from odoo.addons.saas_bridge.models.saas_bridge_connect import BRIDGE_USER, LOGIN


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})
    group = env.ref("saas_bridge.group_bridge")
    user = env["res.users"].search([("login", "=", LOGIN), ("group_ids", "in", group.ids)])
    if user and not env.ref(BRIDGE_USER, raise_if_not_found=False):
        env["saas.bridge.connect"]._own_bridge_user(user)
