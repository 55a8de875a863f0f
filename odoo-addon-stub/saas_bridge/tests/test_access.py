from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.saas_bridge.const import PROTOCOL

from .common import SaasCommon


@tagged("post_install", "-at_install")
class TestAccess(SaasCommon):
    def test_bridge_user_reaches_nothing_but_the_bridge(self):
        order = self._order()
        invoice = self._invoice()
        instance = self._instance()
        for record in (order, order.order_line, invoice, invoice.line_ids[0], self.acme, self.plan, instance):
            with self.subTest(model=record._name):
                mine = record.with_user(self.bridge_user)
                with self.assertRaises(AccessError):
                    mine.read(["id", "display_name"])
                with self.assertRaises(AccessError):
                    mine.search([])
                with self.assertRaises(AccessError):
                    mine.write({"write_date": False})
                with self.assertRaises(AccessError):
                    mine.unlink()
        for model in ("saas.grant", "saas.command", "saas.command.wizard", "saas.bridge.effect", "saas.bridge.connect", "res.users", "mail.mail"):
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(self.bridge_user).search([]).read(["id", "display_name"])
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(self.bridge_user).create({})

    def test_only_the_bridge_group_calls_the_bridge(self):
        portal = new_test_user(self.env, "t-portal", groups="base.group_portal")
        for user in (self.saas_manager, self.saas_user, self.salesman, portal, self.env.ref("base.public_user")):
            bridge = self.env["saas.bridge"].with_user(user)
            for call in (bridge.hello, bridge.poll, lambda: bridge.push([]), lambda: bridge.renewal("sol:1")):  # noqa: B023
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    call()

    def test_administrator_without_the_group_is_refused_and_superuser_is_not(self):
        with self.assertRaises(AccessError):
            self.env["saas.bridge"].with_user(self.env.ref("base.user_admin")).hello()
        self.assertEqual(self.env["saas.bridge"].sudo().hello()["protocol"], PROTOCOL)

    def test_hello(self):
        reply = self.bridge.hello()
        self._assert_no_none(reply)
        self.assertEqual(reply["protocol"], PROTOCOL)
        self.assertRegex(reply["server_time"], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
        self.assertTrue(reply["database_uuid"] and reply["addon_version"] and reply["odoo_version"])

    def test_hello_warns_in_words(self):
        self.env["ir.mail_server"].search([]).unlink()
        self.env["product.template"].search([("saas_plan", "=", True)]).saas_plan = False
        warnings = " ".join(self.bridge.hello()["warnings"])
        self.assertIn("No outgoing mail server", warnings)
        self.assertIn("No product is a SaaS plan", warnings)

    def test_daemon_columns_are_closed_to_people(self):
        instance = self._instance()
        for user in (self.saas_user, self.saas_manager):
            mine = instance.with_user(user)
            for values in (
                {"state": "running"},
                {"subscription_state": "active"},
                {"hold": "stopped"},
                {"paid_until": "2099-01-01 00:00:00"},
                {"key": "sol:1"},
                {"requested": True},
                {"url": "http://evil.example"},
                {"log": "x"},
                {"http_port": 1},
                {"renewal_order_id": False},
                {"delete_on": False},
                {"users_used": 1},
                {"storage_used_mb": 1},
                {"modules_installed": "crm"},
                {"measured_on": False},
                {"storage_over_since": False},
            ):
                with self.subTest(user=user.login, values=values), self.assertRaises(UserError):
                    mine.write(values)
        with self.assertRaises(UserError):
            self.saas_create(state="running")

    def saas_create(self, **values):
        return (
            self.env["saas.instance"]
            .with_user(self.saas_user)
            .create({"name": "other", "partner_id": self.acme.id, "plan_id": self.plan.id, **values})
        )

    def test_defaults_do_not_reach_the_daemon_columns(self):
        context = {
            "default_key": "sol:1",
            "default_state": "running",
            "default_hold": "stopped",
            "default_requested": True,
            "default_paid_until": "2099-01-01 00:00:00",
            "default_admin_login": "mallory",
            "default_delete_on": "2099-01-01 00:00:00",
            "default_users_used": 1,
        }
        self.env["ir.default"].set("saas.instance", "url", "http://evil.example", user_id=self.saas_user.id)
        Instance = self.env["saas.instance"].with_user(self.saas_user).with_context(**context)
        instance = Instance.create({"name": "other", "partner_id": self.acme.id, "plan_id": self.plan.id})
        self.assertEqual(instance.key, f"rec:{instance.id}")
        self.assertEqual((instance.state, instance.hold), ("draft", "none"))
        self.assertFalse(instance.requested or instance.paid_until or instance.admin_login or instance.url)
        self.assertFalse(instance.delete_on or instance.users_used)

    def test_people_make_drafts(self):
        instance = self.saas_create()
        self.assertEqual(instance.key, f"rec:{instance.id}")
        self.assertFalse(instance.requested)
        instance.name = "renamed"
        instance.sudo().requested = True
        with self.assertRaises(UserError):
            instance.name = "again"
        with self.assertRaises(UserError):
            instance.plan_id = False
        with self.assertRaises(UserError):
            instance.unlink()
        instance.contact_id = self.ana
        self.assertEqual(instance.contact_id, self.ana)

    def test_password_is_for_managers(self):
        instance = self._instance(admin_password="s3cret")
        self.assertEqual(instance.with_user(self.saas_manager).admin_password, "s3cret")
        with self.assertRaises(AccessError):
            instance.with_user(self.saas_user).read(["admin_password"])

    def test_others_have_no_access(self):
        instance = self._instance()
        portal = new_test_user(self.env, "t-portal", groups="base.group_portal")
        for user in (portal, self.salesman):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                instance.with_user(user).read(["name"])

    def test_salesperson_works_with_orders_of_instances(self):
        order = self._order(confirm=False)
        self._push_instance(purchase_keys=[f"sol:{order.order_line.id}"])
        mine = order.with_user(self.salesman)
        mine.order_line.product_uom_qty = 3
        mine.action_confirm()
        self.assertEqual(mine.saas_instance_count, 1)

    def test_grants_are_kept(self):
        instance = self._instance()
        with self.assertRaises(AccessError):
            self.env["saas.grant"].with_user(self.saas_user).create({"instance_id": instance.id, "reason": "gift"})
        grant = self.env["saas.grant"].with_user(self.saas_manager).create(
            {"instance_id": instance.id, "reason": "gift", "user_id": self.saas_user.id}
        )
        self.assertEqual(grant.user_id, self.saas_manager)
        with self.assertRaises(UserError):
            grant.quantity = 12
        with self.assertRaises(AccessError):
            grant.unlink()
        with self.assertRaises(UserError):
            grant.sudo().unlink()
        grant.active = False

    def test_other_company_sees_nothing(self):
        company = self.env["res.company"].create({"name": "Other"})
        user = new_test_user(
            self.env, "t-other", groups="saas_bridge.group_manager", company_id=company.id, company_ids=[(6, 0, company.ids)]
        )
        instance = self._instance(company_id=self.company.id)
        self.assertFalse(self.env["saas.instance"].with_user(user).search([("id", "=", instance.id)]))

    def test_connect_makes_a_key_for_the_bridge_user_only(self):
        with self.assertRaises(AccessError):
            self.env["saas.bridge.connect"].with_user(self.saas_manager).create({})
        wizard = self.env["saas.bridge.connect"].with_user(self.env.ref("base.user_admin")).create({})
        self.assertTrue(wizard.user_id.has_group("saas_bridge.group_bridge"))
        action = type(wizard).action_generate.__wrapped__(wizard)
        key = action["context"]["default_key"]
        uid = self.env["res.users.apikeys"]._check_credentials(scope="rpc", key=key)
        self.assertEqual(uid, wizard.user_id.id)
