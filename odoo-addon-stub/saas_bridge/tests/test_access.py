from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.saas_bridge.const import PROTOCOL

from .common import SaasCommon
from .schema import reply_problems

# What Odoo itself opens to every account; nothing of a customer, a document or a setting.
OPEN_TO_ALL = (("account.root", "search"),)


class Reached(Exception):
    """Undoes what should have been refused."""


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
        for model in (
            "saas.grant",
            "saas.command",
            "saas.command.wizard",
            "saas.bridge.effect",
            "saas.bridge.connect",
            "saas.bridge.heartbeat",
            "saas.bridge.generation",
            "saas.bridge.outage",
            "res.config.settings",
            "res.users",
            "mail.mail",
        ):
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(self.bridge_user).search([]).read(["id", "display_name"])
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(self.bridge_user).create({})

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule", "odoo.models", "odoo.sql_db")
    def test_bridge_user_is_refused_by_every_model_of_the_database(self):
        """Whatever is installed: a stolen key reads, makes, changes and deletes nothing."""
        self._order()
        self._invoice()
        self._instance()
        self.env.flush_all()
        opened, asked, models = [], 0, 0
        for name in sorted(self.env.registry):
            model = self.env[name]
            if model._abstract:
                continue
            models += 1
            mine = model.with_user(self.bridge_user)
            for right in ("read", "write", "create", "unlink"):
                if mine.has_access(right):
                    opened.append((name, right))
            record = self._any_record(model).with_user(self.bridge_user)
            calls = [("search", lambda: mine.search([], limit=1)), ("create", lambda: mine.create({}))]  # noqa: B023
            if record:
                calls += [
                    ("read", lambda: record.read(["display_name"])),  # noqa: B023
                    ("write", lambda: record.write({"write_date": False})),  # noqa: B023
                    ("unlink", record.unlink),
                ]
            for operation, call in calls:
                asked += 1
                if self._succeeds(call):
                    opened.append((name, operation))
        self.assertGreater(models, 200, "the registry was walked through")
        self.assertGreater(asked, 3 * models)
        self.assertEqual([one for one in opened if one not in OPEN_TO_ALL], [])

    def _any_record(self, model):
        try:
            with self.env.cr.savepoint():
                return model.sudo().with_context(active_test=False).search([], limit=1)
        except Exception:  # noqa: BLE001
            # Some of Odoo's own answer nobody, not even the superuser.
            return model

    def _succeeds(self, call):
        """Whether the call does something; what it did is undone."""
        try:
            with self.env.cr.savepoint():
                raise Reached(call())
        except Reached as reached:
            return bool(reached.args[0])
        except Exception:  # noqa: BLE001
            return False

    def test_the_bridge_has_four_methods_and_no_more(self):
        """Public methods of the model itself; those of every model (read, write, …) are refused by rights."""
        common = set(dir(self.env["base"]))
        public = {
            name
            for name in dir(self.env["saas.bridge"])
            if not name.startswith("_") and name not in common and callable(getattr(type(self.env["saas.bridge"]), name, None))
        }
        self.assertEqual(public, {"hello", "leave", "look", "poll", "push", "renewal", "resume"})

    def test_bridge_user_orders_nothing_by_public_methods(self):
        order, invoice, instance = self._order(confirm=False), self._invoice(post=False), self._instance(state="running")
        wizard = self.env["saas.command.wizard"].create({"instance_id": instance.id, "command": "suspend", "reason": "x"})
        for record, method in (
            (order, "action_confirm"),
            (order, "message_post"),
            (invoice, "action_post"),
            (instance, "action_stop"),
            (instance, "action_delete"),
            (instance, "action_delete_without_copy"),
            (instance, "action_provision"),
            (instance, "action_open_url"),
            (instance, "message_post"),
            (wizard, "action_confirm"),
        ):
            with self.subTest(model=record._name, method=method), self.assertRaises(AccessError):
                getattr(record.with_user(self.bridge_user), method)()
        with self.assertRaises(AccessError):
            self.env["ir.config_parameter"].with_user(self.bridge_user).get_param("database.secret")
        with self.assertRaises(AccessError):
            self.env["ir.config_parameter"].with_user(self.bridge_user).set_param("web.base.url", "http://evil.example")

    def test_portal_user_reaches_nothing_of_saas(self):
        instance = self._instance(admin_password="s3cret")
        portal = new_test_user(self.env, "t-portal", groups="base.group_portal")
        portal.partner_id.parent_id = self.acme
        for name in sorted(self.env.registry):
            if not name.startswith("saas.") or self.env[name]._abstract:
                continue
            mine = self.env[name].with_user(portal)
            for call in (lambda: mine.search([]), lambda: mine.create({}), lambda: mine.search_count([])):  # noqa: B023
                with self.subTest(model=name), self.assertRaises(AccessError):
                    call()
        mine = instance.with_user(portal)
        for call in (
            lambda: mine.read(["name"]),
            lambda: mine.write({"name": "mine"}),
            mine.unlink,
            mine.action_stop,
            mine.action_restart,
            mine.action_retry,
            mine.action_rebuild,
            mine.action_provision,
            mine.action_delete,
            mine.action_delete_without_copy,
            mine.action_extend,
        ):
            with self.subTest(call=str(call)), self.assertRaises(AccessError):
                call()

    def test_salesperson_sees_and_managers_act(self):
        instance = self._instance(state="running", url="http://acme.example")
        mine = instance.with_user(self.saas_user)
        self.assertEqual(mine.name, "acme")
        mine.message_post(body="Called the customer")
        mine.activity_schedule("mail.mail_activity_data_todo", user_id=self.saas_user.id)
        self.assertEqual(mine.action_open_url()["url"], "http://acme.example")
        for action in ("start", "stop", "restart", "suspend", "resume", "extend", "change_plan", "rebuild", "delete", "delete_without_copy"):
            with self.subTest(action=action), self.assertRaises(AccessError):
                getattr(mine, f"action_{action}")()
        with self.assertRaises(AccessError):
            self.env["saas.command"].with_user(self.saas_user).create({"instance_id": instance.id, "command": "stop"})
        with self.assertRaises(AccessError):
            self.env["saas.command"].with_user(self.saas_manager).create({"instance_id": instance.id, "command": "stop"})
        instance.with_user(self.saas_manager).action_stop()
        self.assertEqual(instance.command_ids.requested_by, self.saas_manager)
        instance.state = "error"
        mine.action_retry()

    def test_only_the_bridge_group_calls_the_bridge(self):
        portal = new_test_user(self.env, "t-portal", groups="base.group_portal")
        for user in (self.saas_manager, self.saas_user, self.salesman, portal, self.env.ref("base.public_user")):
            bridge = self.env["saas.bridge"].with_user(user)
            asked = (lambda: bridge.push([]), lambda: bridge.renewal("sol:1"), lambda: bridge.look("sol:1", []))  # noqa: B023
            for call in (bridge.hello, bridge.poll, *asked):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    call()

    def test_administrator_without_the_group_is_refused_and_superuser_is_not(self):
        with self.assertRaises(AccessError):
            self.env["saas.bridge"].with_user(self.env.ref("base.user_admin")).hello()
        self.assertEqual(self.env["saas.bridge"].sudo().hello()["protocol"], PROTOCOL)

    def test_hello(self):
        reply = self.bridge.hello()
        self.assertEqual(reply_problems("hello", reply), [])
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

    def test_hello_warns_of_a_webhook_that_believes_everybody(self):
        stripe = self.env["payment.provider"].search([("code", "=", "stripe")], limit=1)
        keys = {"stripe_publishable_key": "pk_test", "stripe_secret_key": "sk_test"}
        stripe.write({"state": "test", "stripe_webhook_secret": False, **keys})
        self.assertIn("no webhook signing secret", " ".join(self.bridge.hello()["warnings"]))
        stripe.stripe_webhook_secret = "whsec_test"
        self.assertNotIn("webhook signing secret", " ".join(self.bridge.hello()["warnings"]))

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
        self.assertRegex(instance.key, rf"^rec:{instance.id}\.\d+$")
        self.assertEqual((instance.state, instance.hold), ("draft", "none"))
        self.assertFalse(instance.requested or instance.paid_until or instance.admin_login or instance.url)
        self.assertFalse(instance.delete_on or instance.users_used)

    def test_people_make_drafts(self):
        instance = self.saas_create()
        self.assertRegex(instance.key, rf"^rec:{instance.id}\.\d+$")
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
        grant = self.env["saas.grant"].create({"instance_id": instance.id, "reason": "gift"})
        command = self.env["saas.command"].create({"instance_id": instance.id, "command": "stop"})
        movement = self.env["saas.movement"].create({"instance_id": instance.id, "kind": "failed"})
        self.env.flush_all()
        report = self.env["saas.report"].search([("instance_id", "=", instance.id)])
        for record in (instance, grant, command, movement, report):
            with self.subTest(model=record._name):
                self.assertTrue(record.with_user(self.saas_manager).search([("id", "in", record.ids)]))
                self.assertFalse(record.with_user(user).search([("id", "in", record.ids)]))
                with self.assertRaises(AccessError):
                    record.with_user(user).read(["display_name"])
        with self.assertRaises(AccessError):
            instance.with_user(user).action_stop()
        with self.assertRaises(AccessError):
            self.env["saas.grant"].with_user(user).create({"instance_id": instance.id, "reason": "gift"})

    def test_connect_makes_a_key_for_the_bridge_user_only(self):
        with self.assertRaises(AccessError):
            self.env["saas.bridge.connect"].with_user(self.saas_manager).create({})
        wizard = self.env["saas.bridge.connect"].with_user(self.env.ref("base.user_admin")).create({})
        self.assertTrue(wizard.user_id.has_group("saas_bridge.group_bridge"))
        action = type(wizard).action_generate.__wrapped__(wizard)
        key = action["context"]["default_key"]
        uid = self.env["res.users.apikeys"]._check_credentials(scope="rpc", key=key)
        self.assertEqual(uid, wizard.user_id.id)
