from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import SaasCommon
from .test_portal import PASSWORD, PortalCase


@tagged("post_install", "-at_install")
class TestFirstPassword(SaasCommon):
    def _given(self):
        self._push_instance(state="running", admin_login="ana@acme.example", admin_password="s3cret", url="http://a.example")
        instance = self.env["saas.instance"].search([("key", "=", "sol:900")])
        self.assertEqual(instance._first_password(), "s3cret")
        return instance

    def _assert_gone(self, instance):
        self.assertFalse(instance.admin_password or instance._first_password())
        self._push_instance(state=instance.state, admin_login="ana@acme.example", admin_password="s3cret")
        self.assertFalse(instance.admin_password, "the daemon says it with all the rest, and it stays away")

    def test_first_login_clears_it(self):
        instance = self._given()
        self._push_instance(first_login_on="2026-01-02 03:04:05")
        self._assert_gone(instance)

    def test_deletion_clears_it(self):
        for state in ("deleting", "deleted"):
            with self.subTest(state=state):
                instance = self._given()
                self._push_instance(state=state)
                self._assert_gone(instance)
                instance.write({"password_cleared_on": False, "state": "running"})

    def test_fourteen_days_clear_it(self):
        instance = self._given()
        instance.password_set_on = fields.Datetime.now() - timedelta(days=13, hours=23)
        self.env["saas.instance"]._gc_passwords()
        self.assertEqual(instance.admin_password, "s3cret")
        instance.password_set_on = fields.Datetime.now() - timedelta(days=14, hours=1)
        self.assertEqual(instance._first_password(), "", "also before the night has cleared it")
        self.env["saas.instance"]._gc_passwords()
        self._assert_gone(instance)


@tagged("post_install", "-at_install")
class TestKeptColumns(SaasCommon):
    """What the daemon and the addon say is written by no person, whatever their groups."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = "saas_bridge.group_manager,sales_team.group_sale_manager,account.group_account_manager,base.group_system"
        cls.everything = new_test_user(cls.env, "t-all", groups=groups, context={"no_reset_password": True})

    def _refused(self, record, values):
        for user in (self.saas_user, self.saas_manager, self.everything):
            with self.subTest(user=user.login, model=record._name, values=values), self.assertRaises(AccessError):
                record.with_user(user).write(values)

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_instance(self):
        instance = self._instance(requested=True, state="running")
        for values in (
            {"mrr": 1000},
            {"subscribed": True},
            {"provision_seconds": 1},
            {"seller_id": self.saas_user.id},
            {"state": "running"},
            {"paid_until": "2099-01-01 00:00:00"},
            {"url": "http://evil.example"},
            {"admin_login": "x"},
            {"admin_password": "x"},
            {"first_login_on": False},
            {"password_cleared_on": False},
            {"former_email": "victim@elsewhere.example"},
        ):
            self._refused(instance, values)
        self._refused(self.acme, {"saas_instance_ids": [(1, instance.id, {"mrr": 1})]})

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_documents(self):
        order, invoice = self._order(), self._invoice()
        for values in ({"saas_period_count": 1200}, {"saas_period_unit": "year"}, {"saas_list_price": 1}, {"saas_keep_plan": True}):
            self._refused(order.order_line, values)
            self._refused(invoice.invoice_line_ids, values)
        self._refused(order, {"saas_confirmed_on": "2020-01-01 00:00:00"})
        self._refused(order, {"order_line": [(1, order.order_line.id, {"saas_period_count": 1200})]})
        self._refused(invoice, {"saas_paid_on": "2020-01-01 00:00:00"})
        self._refused(invoice, {"saas_paid_before": "2020-01-01 00:00:00"})

    def test_import(self):
        partner, plan = self.acme.id, self.plan.id
        rows = self.env["saas.instance"].with_user(self.saas_manager)
        for fname, value in (("mrr", "1000"), ("url", "http://evil.example"), ("state", "running"), ("paid_until", "2099-01-01 00:00:00")):
            with self.subTest(fname=fname):
                result = rows.load(["name", "partner_id/.id", "plan_id/.id", fname], [["imported", str(partner), str(plan), value]])
                self.assertFalse(result["ids"])
                self.assertIn("kept by the daemon", str(result["messages"]))
        orders = self.env["sale.order"].with_user(self.salesman)
        result = orders.load(["partner_id/.id", "saas_confirmed_on"], [[str(partner), "2020-01-01 00:00:00"]])
        self.assertFalse(result["ids"])

    def test_form_and_mass_edit(self):
        instances = self._instance(requested=True, state="running") | self._instance(name="beta", requested=True, state="running")
        order = self._order()
        for record, values in (
            (instances, {"mrr": 1000}),
            (instances[0], {"paid_until": "2099-01-01 00:00:00"}),
            (order, {"saas_confirmed_on": "2020-01-01 00:00:00"}),
            (order, {"order_line": [(1, order.order_line.id, {"saas_list_price": 0.01})]}),
        ):
            for save in (
                lambda: record.with_user(self.everything).web_save(values, {}),  # noqa: B023
                lambda: record.with_user(self.everything).web_save_multi([values] * len(record), {}),  # noqa: B023
            ):
                with self.subTest(model=record._name, values=values), self.assertRaises(AccessError), self.env.cr.savepoint():
                    save()
        rows = self.env["saas.instance"].with_user(self.everything)
        result = rows.load([".id", "mrr"], [[str(instances[0].id), "1000"]])
        self.assertIn("kept by the daemon", str(result["messages"]))

    def _action(self, model, state, **values):
        return self.env["ir.actions.server"].create(
            {"name": "test", "model_id": self.env["ir.model"]._get_id(model), "state": state, **values}
        )

    def _press(self, action, record, user=None):
        """Somebody presses the button, or an automation or a scheduled action does."""
        action = action.with_user(user) if user else action.sudo()
        return action.with_context(active_model=record._name, active_id=record.id, active_ids=record.ids).run()

    @mute_logger("odoo.addons.base.models.ir_actions")
    def test_server_actions_that_update_a_record(self):
        instance, order = self._instance(requested=True, state="running"), self._order()
        invoice = self._invoice()
        self._pay(invoice)
        self._purchase(invoice.invoice_line_ids)
        part = invoice.invoice_line_ids.saas_part_ids
        for record, path, value in (
            (instance, "mrr", "1000"),
            (instance, "url", "http://evil.example"),
            (instance, "name", "other"),
            (instance, "partner_id.saas_instance_ids.mrr", "1000"),
            (order, "saas_confirmed_on", "2020-01-01 00:00:00"),
            (order, "order_line.saas_period_count", "1200"),
            (invoice, "saas_paid_on", "2020-01-01 00:00:00"),
            (invoice, "invoice_line_ids.saas_part_ids.quantity", "1200"),
            (part, "quantity", "1200"),
        ):
            action = self._action(record._name, "object_write", update_path=path, value=value)
            for user in (self.everything, None):
                with self.subTest(path=path, user=bool(user)), self.assertRaises(UserError), self.env.cr.savepoint():
                    self._press(action, record, user)
                    self.env.flush_all()
        nested = self._action(
            "res.partner", "object_write", update_path="saas_instance_ids", evaluation_type="equation", value=f"[(1, {instance.id}, {{'mrr': 1}})]"
        )
        with self.assertRaises(AccessError):
            self._press(nested, self.acme, self.everything)
        copied = self._action("res.partner", "object_copy", crud_model_id=self.env["ir.model"]._get_id("saas.part"), resource_ref=f"saas.part,{part.id}")
        with self.assertRaises(AccessError):
            self._press(copied, self.acme, self.everything)

    def test_server_actions_that_people_need(self):
        order, instance = self._order(), self._instance(requested=True, state="running")
        self._press(self._action("sale.order", "object_write", update_path="order_line.product_uom_qty", value="3"), order, self.everything)
        self.assertEqual(self._quantity(self._purchase(order.order_line)), 3)
        self._press(self._action("res.partner", "object_write", update_path="email", value="new@acme.example"), self.acme, self.everything)
        bigger = self.env["res.partner"].create({"name": "Holding", "is_company": True})
        move = self._action("res.partner", "object_write", update_path="parent_id", resource_ref=f"res.partner,{bigger.id}")
        self.acme.is_company = False
        self._press(move, self.acme, self.everything)
        self.assertEqual(instance.partner_id, self.acme.commercial_partner_id, "instances follow")
        stop = self._action("saas.instance", "code", code="record.action_stop()")
        self._press(stop, instance, self.everything)
        self.assertEqual(instance.command_ids.mapped("command"), ["stop"])

    @mute_logger("odoo.addons.base.models.ir_actions")
    def test_server_actions_with_code(self):
        """The code runs with the rights of who presses the button. An administrator who writes sudo() means it."""
        instance, order = self._instance(requested=True, state="running"), self._order()
        for record, code in (
            (instance, "record.write({'mrr': 1})"),
            (instance, "env['saas.instance'].browse(record.id).write({'paid_until': '2099-01-01 00:00:00'})"),
            (order, "record.order_line.write({'saas_period_count': 1200})"),
        ):
            with self.subTest(code=code), self.assertRaises(AccessError):
                self._press(self._action(record._name, "code", code=code), record, self.everything)

    def test_people_work_on_as_before(self):
        order = self._order(confirm=False)
        order.with_user(self.salesman).order_line.product_uom_qty = 2
        order.with_user(self.salesman).action_confirm()
        self.assertTrue(order.saas_confirmed_on)
        copied = order.with_user(self.salesman).copy()
        self.assertEqual((copied.order_line.saas_period_count, copied.saas_confirmed_on), (1, False))
        invoice = self._invoice(post=False)
        invoice.with_user(self.saas_user).action_post()
        self.env["account.payment.register"].with_user(self.saas_user).with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({}).action_create_payments()
        self.assertTrue(invoice.saas_paid_on)
        reversal = self.env["account.move.reversal"].with_user(self.saas_user).with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        reversal.create({"reason": "x", "journal_id": invoice.journal_id.id}).modify_moves()
        self.assertTrue(invoice.saas_paid_before)


@tagged("post_install", "-at_install")
class TestAccessAgain(SaasCommon):
    def _running(self):
        self.ana.email = "ana@acme.exmaple"
        instance = self._instance(
            requested=True, state="running", url="http://a.example", admin_login="ana@acme.exmaple", admin_password="s3cret", contact_id=self.ana.id
        )
        instance.message_ids.unlink()
        return instance

    def _wizard(self, instance, **values):
        action = instance.with_user(self.saas_user).action_send_access()
        return self.env[action["res_model"]].with_user(self.saas_user).with_context(**action["context"]).create(values)

    def test_to_a_corrected_address(self):
        instance = self._running()
        wizard = self._wizard(instance)
        self.assertEqual((wizard.email, wizard.with_password), ("ana@acme.exmaple", True))
        wizard.email = "ana@acme.example"
        wizard.action_confirm()
        mail = self.env["mail.mail"].search([("email_to", "=", "ana@acme.example")])
        for text in ("http://a.example", "ana@acme.exmaple", "s3cret"):
            self.assertIn(text, mail.body_html)
        self.assertEqual(self.ana.email, "ana@acme.example")
        self.assertIn("ana@acme.example", instance.message_ids[0].body)
        self.assertNotIn("s3cret", "".join(instance.message_ids.mapped("body")))

    def test_without_the_password_that_was_used(self):
        instance = self._running()
        instance.first_login_on = fields.Datetime.now()
        self._wizard(instance, email="ana@acme.example").action_confirm()
        mail = self.env["mail.mail"].search([("email_to", "=", "ana@acme.example")])
        self.assertNotIn("s3cret", mail.body_html)
        self.assertIn("the one you chose", mail.body_html)

    def test_in_the_language_of_the_customer(self):
        self.env["res.lang"]._activate_lang("es_ES")
        instance = self._running()
        self.ana.lang = "es_ES"
        self._wizard(instance, email="ana@acme.example").action_confirm()
        self.assertIn("Contraseña temporal: s3cret", self.env["mail.mail"].search([("email_to", "=", "ana@acme.example")]).body_html)

    def test_refused(self):
        instance = self._running()
        with self.assertRaises(UserError):
            self._wizard(instance, email="nonsense").action_confirm()
        with self.assertRaises(AccessError):
            instance.with_user(self.salesman).action_send_access()
        instance.state = "deleted"
        with self.assertRaises(UserError):
            instance.with_user(self.saas_user).action_send_access()


class TestSecretsInThePortal(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        users = cls.env(context=dict(cls.env.context, no_reset_password=True))
        cls.colleague = new_test_user(users, "t-colleague", groups="base.group_portal", password="t-colleague")
        cls.colleague.partner_id.write({"parent_id": cls.acme.id, "email": "colleague@acme.example"})

    def test_password_is_for_who_has_the_login(self):
        self.assertEqual(self._post(f"{self.url}/password").json(), {"password": PASSWORD})
        self.assertIn(f"{self.url}/password", self._get(self.url).text)
        self.assertEqual(self._post(f"{self.url}/password", "t-colleague").json(), {"password": ""})
        self.assertNotIn(f"{self.url}/password", self._get(self.url, "t-colleague").text)

    def test_who_takes_the_address_of_the_login_gets_nothing(self):
        """Customers change the address of their own contact by themselves."""
        self.colleague.partner_id.email = "admin@acme.example"
        self.assertEqual(self._post(f"{self.url}/password", "t-colleague").json(), {"password": ""})
        self.assertIn("message=no_access", self._post(f"{self.url}/access", "t-colleague").headers["Location"])

    def test_password_after_the_first_login(self):
        self._set(first_login_on=fields.Datetime.now())
        self.assertEqual(self._post(f"{self.url}/password").json(), {"password": ""})

    def test_access_again(self):
        self.assertIn(f"{self.url}/access", self._get(self.url).text)
        self.assertNotIn(f"{self.url}/access", self._get(self.url, "t-colleague").text)
        self.assertIn("message=access_sent", self._post(f"{self.url}/access").headers["Location"])
        mail = self.env["mail.mail"].search([("email_to", "=", "admin@acme.example")])
        self.assertIn(PASSWORD, mail.body_html)
        self._post(f"{self.url}/access", "t-other")
        self.assertEqual(self._post(f"{self.url}/access", "t-other").status_code, 404)
        self._set(state="deleted")
        self.assertIn("message=no_access", self._post(f"{self.url}/access").headers["Location"])

    def test_posts_are_limited(self):
        for path, most in (("password", 20), ("renew", 20), ("plan", 20), ("restart", 10), ("message", 10), ("access", 3)):
            with self.subTest(path=path):
                self.env.cr.execute("DELETE FROM saas_limit")
                codes = [self._post(f"{self.url}/{path}", body="x").status_code for _again in range(most + 2)]
                self.assertNotIn(429, codes[:most])
                self.assertEqual(codes[most:], [429, 429])
        self.assertIn("wait some minutes", self._post(f"{self.url}/access").text)
        self.assertEqual(len(self.instance.message_ids.filtered(lambda message: message.body == "<p>x</p>")), 10)
