from odoo.modules.migration import load_script
from odoo.tests import new_test_user, tagged
from odoo.tools import file_path

from .common import SaasCommon


@tagged("post_install", "-at_install")
class TestMigrations(SaasCommon):
    """On a database as an older version left it."""

    def _migrate(self, script):
        load_script(file_path(f"saas_bridge/migrations/{script}"), "script").migrate(self.env.cr, "19.0.2.1.0")

    def test_the_daemons_user_becomes_the_addons(self):
        self.env["ir.model.data"].search([("module", "=", "saas_bridge"), ("name", "=", "user_bridge")]).unlink()
        self._migrate("19.0.3.2.0/post-user.py")
        self.assertFalse(self.env.ref("saas_bridge.user_bridge", raise_if_not_found=False), "a user that people made")
        users = self.env(context=dict(self.env.context, no_reset_password=True))
        user = new_test_user(users, "saas-bridge", groups="saas_bridge.group_bridge")
        for _again in range(2):
            self._migrate("19.0.3.2.0/post-user.py")
            self.assertEqual(self.env.ref("saas_bridge.user_bridge"), user)

    def test_the_daemons_user_is_the_addons_when_it_is_made(self):
        self.bridge_user.group_ids -= self.env.ref("saas_bridge.group_bridge")
        user = self.env["saas.bridge.connect"]._create_bridge_user()
        self.assertEqual(self.env.ref("saas_bridge.user_bridge"), user)
        names = self.env["ir.model.data"].search([("module", "=", "saas_bridge"), ("name", "=", "user_bridge")])
        self.assertTrue(names.noupdate, "an upgrade leaves it")
