import psycopg2

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.saas_bridge.const import LOG_LENGTH

from .common import SaasCommon

HOSTILE = (
    "Acme",
    "acme corp",
    "acme'; DROP TABLE saas_instance; --",
    'ac"me',
    "acme\n",
    "acme\nevil: true",
    "acme\r\n",
    "a" * 41,
    "a" * 300,
    "../../etc/passwd",
    "$(reboot)",
    "`id`",
    "acme\U0001f600",
    "äcme",
    "аcme",
    "a--b",
    "xn--acme",
    "-acme",
    "acme-",
    "1acme",
    "acme.example",
    "acme_1",
    " acme",
    "${HOME}",
    "{{7*7}}",
    "www",
    "postgres",
    "admin",
)


@tagged("post_install", "-at_install")
class TestInstance(SaasCommon):
    def test_hostile_names_are_refused(self):
        for name in HOSTILE:
            with self.subTest(name=name), self.assertRaises(ValidationError):
                self._instance(name)

    def test_good_names(self):
        for name in ("a", "acme", "acme-2", "a" * 40, "a1-b2-c3"):
            self._instance(name)

    @mute_logger("odoo.sql_db")
    def test_names_and_keys_are_unique(self):
        self._instance("twin", key="sol:1")
        with self.assertRaises(psycopg2.errors.UniqueViolation), self.env.cr.savepoint():
            self._instance("twin")
        with self.assertRaises(psycopg2.errors.UniqueViolation), self.env.cr.savepoint():
            self._instance("twin-2", key="sol:1")

    def test_free_name(self):
        free = self.env["saas.instance"]._free_name
        self.assertEqual(free("Peña & Hijos, S.L."), "pena-hijos-s-l")
        self.assertEqual(free("2 Brothers"), "c2-brothers")
        self.assertEqual(free("日本"), "cliente")
        self.assertEqual(free("admin"), "admin-2")
        self.assertEqual(free("'; DROP TABLE x --"), "drop-table-x")
        self._instance("pena-hijos-s-l")
        self.assertEqual(free("Peña & Hijos, S.L."), "pena-hijos-s-l-2")
        for wanted in (*HOSTILE, "", False, "x" * 500, "-" * 80):
            self._instance(free(wanted))

    def test_company_is_the_customer(self):
        instance = self._instance(partner_id=self.ana.id)
        self.assertEqual(instance.partner_id, self.acme)
        self.assertEqual(instance.contact_id, self.ana)

    def test_contact_of_another_customer_is_refused(self):
        with self.assertRaises(ValidationError):
            self._instance(contact_id=self.env["res.partner"].create({"name": "Mallory"}).id)

    def test_line_of_another_customer_is_refused(self):
        instance = self._instance()
        order = self._order(partner=self.env["res.partner"].create({"name": "Mallory"}))
        with self.assertRaises(ValidationError):
            order.order_line.saas_instance_id = instance

    def test_linked_lines_and_orders_stay(self):
        order = self._order()
        order.order_line.saas_instance_id = self._instance()
        order._action_cancel()
        order.action_draft()
        with self.assertRaises(UserError):
            order.order_line.unlink()
        with self.assertRaises(UserError):
            order.unlink()

    def test_log_keeps_the_newest_whole_lines(self):
        instance = self._instance()
        instance._append_log(["first"])
        for number in range(300):
            instance._append_log([f"{number:04d} " + "x" * 60])
        self.assertLessEqual(len(instance.log), LOG_LENGTH)
        self.assertGreater(len(instance.log), LOG_LENGTH - 70)
        lines = instance.log.split("\n")
        self.assertTrue(all(len(line) == 65 for line in lines))
        self.assertTrue(lines[-1].startswith("0299"))
        instance._append_log(["y" * (LOG_LENGTH + 5)])
        self.assertEqual(instance.log, "y" * LOG_LENGTH)

    def test_commands(self):
        instance = self._instance(state="running")
        manager = instance.with_user(self.saas_manager)
        self.assertTrue(manager.action_stop())
        self.assertTrue(manager.action_stop())
        self.assertEqual(instance.command_ids.mapped("command"), ["stop"])
        self.assertEqual(instance.command_ids.requested_by, self.saas_manager)
        self.assertEqual(
            self._poll()["commands"],
            [
                {
                    "id": instance.command_ids.id,
                    "created_on": self._made_on(instance.command_ids),
                    "instance_key": instance.key,
                    "command": "stop",
                    "requested_by": self.saas_manager.name,
                    "plan_id": False,
                }
            ],
        )
        self.assertTrue(manager.action_restart())
        with self.assertRaises(UserError):
            manager.action_start()
        with self.assertRaises(UserError):
            manager.action_retry()
        instance.state = "stopped"
        self.assertTrue(manager.action_start())
        with self.assertRaises(UserError):
            manager.action_stop()

    def test_commands_of_a_user(self):
        instance = self._instance(state="error")
        mine = instance.with_user(self.saas_user)
        for action in (mine.action_stop, mine.action_restart):
            with self.assertRaises(AccessError):
                action()
        self.assertTrue(mine.action_retry())
        with self.assertRaises(AccessError):
            instance.with_user(self.salesman).action_retry()
        with self.assertRaises(AccessError):
            self.env["saas.command"].with_user(self.saas_manager).create(
                {"instance_id": instance.id, "command": "stop"}
            )

    @mute_logger("odoo.sql_db")
    def test_two_pending_commands_of_a_kind_cannot_be(self):
        instance = self._instance()
        values = {"instance_id": instance.id, "command": "stop"}
        self.env["saas.command"].create(values)
        with self.assertRaises(psycopg2.errors.UniqueViolation), self.env.cr.savepoint():
            self.env["saas.command"].create(values)

    def test_form(self):
        with Form(self.env["saas.instance"].with_user(self.saas_user)) as form:
            form.partner_id = self.ana
            self.assertEqual(form.partner_id, self.acme)
            self.assertEqual(form.contact_id, self.ana)
            self.assertEqual(form.name, "acme-s-a")
            form.plan_id = self.plan
        self.assertEqual(form.record.state, "draft")

    def test_open(self):
        instance = self._instance(state="running")
        with self.assertRaises(UserError):
            instance.action_open_url()
        instance.url = "http://acme.example"
        self.assertEqual(instance.action_open_url()["url"], "http://acme.example")
        self.assertEqual(self.acme.with_user(self.saas_user).saas_instance_count, 1)
        self.assertEqual(self.ana.with_user(self.saas_user).action_view_saas_instances()["res_id"], instance.id)

    def test_over_limit(self):
        fits = self._instance("fits", users_used=3, storage_used_mb=2048)
        users = self._instance("users", users_used=4)
        storage = self._instance("storage", storage_used_mb=2048.5)
        none = self._instance("none", plan_id=False, users_used=1000)
        all_four = fits | users | storage | none
        search = self.env["saas.instance"].with_user(self.saas_user).search
        over = search([("over_limit", "=", True), ("id", "in", all_four.ids)])
        self.assertEqual(over, storage | users)
        self.assertEqual(search([("over_limit", "=", False), ("id", "in", all_four.ids)]), fits | none)
        self.assertEqual(search([("over_limit", "!=", True), ("id", "in", all_four.ids)]), fits | none)
        self.assertEqual(all_four.filtered("over_limit"), storage | users)
        # Also of a plan that is not sold any more.
        self.plan.active = False
        self.assertEqual(search([("over_limit", "=", True), ("id", "in", all_four.ids)]), storage | users)

    def test_plan_misfit(self):
        instance = self._instance(users_used=4, storage_used_mb=3000)
        self.assertEqual(
            instance._plan_misfit(self.plan),
            "acme has 4 active users and the plan Basic allows 3: archive some of them first."
            " acme uses 2.9 GB of storage and the plan Basic allows 2 GB: delete data first.",
        )
        self.assertIn("4 active users", instance.with_user(self.salesman)._plan_misfit(self.plan))
        self.assertEqual(instance._plan_misfit(self._plan("Big", "t-big", saas_max_users=4, saas_storage_gb=3)), "")

    def test_open_renewal(self):
        order = self._order(confirm=False)
        instance = self._instance(renewal_order_id=order.id)
        self.assertEqual(instance.action_view_renewal()["res_id"], order.id)
        self.assertEqual(instance.with_user(self.saas_user).renewal_order_name, order.name)
