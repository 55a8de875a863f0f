from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import html2plaintext, mute_logger

from .common import SaasCommon


@tagged("post_install", "-at_install")
class TestSettings(SaasCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = new_test_user(
            cls.env, "t-admin", groups="base.group_system,saas_bridge.group_manager", context={"no_reset_password": True}
        )
        cls.Settings = cls.env["res.config.settings"].with_user(cls.admin)

    def _save(self, **values):
        settings = self.Settings.create(values)
        settings.execute()
        return settings

    def _new_plan(self):
        """As the page of the plans makes one."""
        return Form(self.env["product.template"].with_context(default_saas_plan=True, default_type="service"))

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_only_administrators_open_it(self):
        for user in (self.bridge_user, self.saas_user, self.saas_manager, self.salesman):
            with self.subTest(user=user.login):
                settings = self.env["res.config.settings"].with_user(user)
                with self.assertRaises(AccessError):
                    settings.create({})
                with self.assertRaises(AccessError):
                    settings.search([])
        menus = self.env.ref("saas_bridge.menu_saas_settings") | self.env.ref("saas_bridge.menu_saas_configuration")
        self.assertEqual(menus.with_user(self.admin)._filter_visible_menus(), menus)
        self.assertFalse(menus.with_user(self.saas_manager)._filter_visible_menus())

    def test_page_tells_of_the_daemon(self):
        with Form(self.Settings) as page:
            self.assertEqual(page.saas_daemon_state, "connected")
            self.assertIn("Connected", page.saas_daemon_words)
        self._daemon_heard(minutes=10)
        with Form(self.Settings) as page:
            self.assertEqual(page.saas_daemon_state, "silent")
            self.assertIn("Not heard of since", page.saas_daemon_words)
        self.env["saas.bridge.heartbeat"].search([]).unlink()
        with Form(self.Settings) as page:
            self.assertEqual((page.saas_daemon_state, page.saas_daemon_words), ("never", "Never heard of"))

    def test_page_warns_of_what_keeps_customers_from_being_served(self):
        company = self.env.company
        company.email = False
        company.name = "A & B"
        warnings = self.Settings.create({}).saas_warnings
        self.assertIn("The company A &amp; B has no e-mail address to send from.", warnings)
        company.email = "shop@example.com"
        self.env["ir.mail_server"].create({"name": "Mail", "smtp_host": "mail.example.com"})
        self.env["product.template"].search([("saas_plan", "=", True)]).filtered(lambda plan: not plan.sale_ok).active = False
        self.assertFalse(self.Settings.create({}).saas_warnings)

    def test_new_plans_begin_with_what_was_saved(self):
        with self._new_plan() as plan:
            plan.name, plan.saas_plan_code = "First", "t-first"
            given = (plan.saas_period_count, plan.saas_period_unit, plan.saas_max_users, plan.saas_storage_gb)
            self.assertEqual((*given, plan.saas_grace_days, plan.saas_retention_days), (1, "month", 3, 2, 0, 30))
        self._save()
        model = self.env["ir.model"]._get("product.template")
        kept = self.env["ir.default"].search([("field_id.model_id", "=", model.id), ("field_id.name", "like", "saas_%")])
        self.assertFalse(kept, "what nobody changed stays with the addon")
        self._save(
            default_saas_period_count=2,
            default_saas_period_unit="year",
            default_saas_max_users=7,
            default_saas_storage_gb=9,
            default_saas_grace_days=0,
            default_saas_retention_days=0,
        )
        with self._new_plan() as plan:
            plan.name, plan.saas_plan_code = "Second", "t-second"
            given = (plan.saas_period_count, plan.saas_period_unit, plan.saas_max_users, plan.saas_storage_gb)
            self.assertEqual((*given, plan.saas_grace_days, plan.saas_retention_days), (2, "year", 7, 9, 0, 0))
        self.assertEqual(self.plan.saas_period_unit, "month")
        self.assertEqual(self.Settings.create({}).default_saas_retention_days, 0)

    def test_defaults_that_no_plan_may_have_are_refused(self):
        for fname, value in (("period_count", 0), ("max_users", 0), ("storage_gb", 0), ("grace_days", -1), ("retention_days", 4000)):
            with self.subTest(field=fname), self.assertRaises(ValidationError):
                self._save(**{f"default_saas_{fname}": value})


@tagged("post_install", "-at_install")
class TestWhoIsTold(SaasCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.helper = new_test_user(
            cls.env, "t-helper", groups="saas_bridge.group_user,sales_team.group_sale_salesman_all_leads"
        )
        admin = new_test_user(cls.env, "t-admin", groups="base.group_system,saas_bridge.group_manager")
        cls.env["res.config.settings"].with_user(admin).create({"saas_user_id": cls.helper.id}).execute()

    def _alert(self, instance, key="a1"):
        self._push({"key": key, "op": "todo", "instance_key": instance.key, "message": {"code": "instance_rebuilt", "params": {"instance": "a"}}})
        return instance.activity_ids.user_id

    def test_it_is_of_the_company(self):
        self.assertEqual(self.company.saas_user_id, self.helper)
        other = self.env["res.company"].create({"name": "Other"})
        self.assertFalse(other.saas_user_id)
        bridge = self.env["saas.bridge"]
        self.assertEqual(bridge._saas_staff(other), bridge._saas_managers(other))

    def test_to_dos(self):
        self.assertEqual(self._alert(self._instance()), self.helper)
        order = self._order()
        order.user_id = False
        message = {"code": "verbatim", "params": {"text": "x"}}
        problem = {"key": "p1", "op": "todo", "purchase_key": f"sol:{order.order_line.id}", "message": message}
        self._push(problem)
        self.assertEqual(order.activity_ids.user_id, self.helper)
        seller = self._order()
        self._push({**problem, "key": "p2", "purchase_key": f"sol:{seller.order_line.id}"})
        self.assertEqual(seller.activity_ids.user_id, self.salesman, "who is known goes first")

    def test_who_may_not_read_a_document_is_followed_by_the_managers(self):
        invoice = self._invoice()
        invoice.invoice_user_id = False
        self.env.ref("saas_bridge.group_manager").user_ids.group_ids = [(4, self.env.ref("account.group_account_invoice").id)]
        self.company.saas_user_id = outsider = new_test_user(self.env, "t-outsider", groups="saas_bridge.group_user")
        self.assertFalse(invoice.with_user(outsider).has_access("read"))
        key = f"aml:{invoice.invoice_line_ids.id}"
        self._push({"key": "p3", "op": "todo", "purchase_key": key, "message": {"code": "verbatim", "params": {"text": "x"}}})
        self.assertIn(invoice.activity_ids.user_id, self.env["saas.bridge"]._saas_managers(self.company))

    def test_messages_of_customers(self):
        instance = self._instance()
        self.assertEqual(instance._portal_helpers(), self.helper)
        instance.partner_id.user_id = self.salesman
        self.assertEqual(instance._portal_helpers(), self.salesman)

    def test_who_left_is_told_nothing(self):
        bridge = self.env["saas.bridge"]
        managers = bridge._saas_managers(self.company)
        self.helper.group_ids -= self.env.ref("saas_bridge.group_user")
        self.assertEqual(bridge._saas_staff(self.company), managers)
        self.helper.group_ids += self.env.ref("saas_bridge.group_user")
        self.assertEqual(bridge._saas_staff(self.company), self.helper)
        self.helper.active = False
        self.assertEqual(bridge._saas_staff(self.company), managers)

    def test_outage(self):
        self._daemon_heard(minutes=60)
        lastcall = fields.Datetime.subtract(fields.Datetime.now(), minutes=10)
        self.env["saas.bridge.outage"].with_context(lastcall=lastcall)._watch()
        outage = self.env["saas.bridge.outage"].search([])
        self.assertEqual(outage.activity_ids.user_id, self.helper)
        self.assertIn("has not been heard of", html2plaintext(outage.activity_ids.note))
