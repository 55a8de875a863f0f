from unittest.mock import patch

import psycopg2

from odoo import fields
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import SaasCommon

NOTICES = (
    "welcome",
    "reminder",
    "renewed",
    "plan_changed",
    "plan_refused",
    "suspended",
    "reactivated",
    "storage_over",
    "rebuilt",
    "deletion_warning",
    "deleted",
)
NIGHT = {
    "code": "night",
    "params": {"day": "2026-01-16", "suspended": 1, "reminded": 0, "warned": 0, "deleted": 2, "failed": 0},
}


@tagged("post_install", "-at_install")
class TestPush(SaasCommon):
    def setUp(self):
        super().setUp()
        self.ana.email = "ana@acme.example"

    def _instances(self, key="sol:900"):
        return self.env["saas.instance"].search([("key", "=", key)])

    def test_exception_of_a_third_addon_spoils_its_operation_only(self):
        self._push_instance()
        push_log = type(self.bridge)._push_log

        def fail(bridge, operation):
            if operation["lines"] == ["bad"]:
                self.env.cr.execute("CREATE TABLE saas_test_left ()")
                raise RuntimeError("broken by a third addon")
            return push_log(bridge, operation)

        self.patch(type(self.bridge), "_push_log", fail)
        logs = [{"key": f"log:{line}", "op": "log", "instance_key": "sol:900", "lines": [line]} for line in ("a", "bad", "b")]
        with mute_logger("odoo.addons.saas_bridge.models.saas_bridge_push"):
            results = self._push(*logs)
        self.assertEqual([row["status"] for row in results], ["done", "refused", "done"])
        self.assertIn("broken by a third addon", results[1]["message"])
        self.env.cr.execute("SELECT to_regclass('saas_test_left')")
        self.assertEqual(self.env.cr.fetchone(), (None,), "what it did is undone")

    def test_nothing_is_written_with_the_rights_of_the_caller(self):
        self.env.flush_all()
        self.env.registry.clear_cache()
        self.env.invalidate_all()
        transaction = self.env.transaction
        self.addCleanup(setattr, transaction, "default_env", transaction.default_env)
        # As in a call from outside, where the caller's is the first environment.
        transaction.default_env = self.bridge.env
        for state, subscription in (("provisioning", "draft"), ("running", "active")):
            self.env.invalidate_all()
            result = self._push_instance(state=state, subscription_state=subscription)
            self.assertEqual((result["status"], result["message"]), ("done", ""))

    def test_instance_is_made_and_linked(self):
        order = self._order()
        invoice = self._invoice()
        self._pay(invoice)
        key = f"sol:{order.order_line.id}"
        result = self._push_instance(
            key,
            purchase_keys=[key, f"aml:{invoice.invoice_line_ids.id}"],
            order_id=order.id,
            state="provisioning",
            subscription_state="active",
            paid_until="2030-01-01 00:00:00.123456",
            http_port=20000,
        )
        self.assertEqual(result["status"], "done", result)
        instance = self._instances(key)
        self.assertEqual(order.order_line.saas_instance_id, instance)
        self.assertEqual(invoice.invoice_line_ids.saas_instance_id, instance)
        self.assertEqual(instance.sale_order_id, order)
        self.assertEqual(instance.invoice_ids, invoice)
        self.assertEqual(instance.partner_id, self.acme)
        self.assertEqual(instance.company_id, order.company_id)
        self.assertTrue(instance.requested)
        self.assertEqual(str(instance.paid_until), "2030-01-01 00:00:00")

    def test_same_values_are_not_written(self):
        values = {
            "state": "running",
            "url": "http://acme.example",
            "paid_until": "2030-01-01 00:00:00",
            "http_port": 20000,
            "error_message": False,
            "invoice_ids": [],
        }
        self._push_instance(**values)
        instance = self._instances()
        cursor = self._since_now()
        messages = len(instance.message_ids)
        self._push_instance(**values)
        self.assertFalse(self._poll(cursor)["instances"], "a push of equal values must not come back")
        self.assertEqual(len(instance.message_ids), messages)
        self._push_instance(**{**values, "url": "http://other.example"})
        self.assertEqual(len(self._poll(cursor)["instances"]), 1)

    def test_invoices_that_staff_linked_stay(self):
        mine, theirs = self._invoice(), self._invoice()
        self._push_instance(name="acme", customer_id=self.acme.id)
        instance = self.env["saas.instance"].search([("key", "=", "sol:900")])
        instance.sudo().invoice_ids = [(4, mine.id)]
        self._push_instance(invoice_ids=[])
        self._push_instance(invoice_ids=[theirs.id])
        self.assertEqual(instance.invoice_ids, mine | theirs)

    def test_null_clears_and_absent_leaves(self):
        self._push_instance(url="http://acme.example", error_message="x", state="error")
        self._push_instance(error_message=False, state="running")
        instance = self._instances()
        self.assertFalse(instance.error_message)
        self.assertEqual(instance.url, "http://acme.example")

    def test_order_hears_of_running_and_error(self):
        order = self._order()
        key = f"sol:{order.order_line.id}"
        before = len(order.message_ids)
        self._push_instance(key, purchase_keys=[key], state="provisioning")
        self.assertEqual(len(order.message_ids), before)
        for _again in range(2):
            self._push_instance(key, state="running", url="http://acme.example")
        self.assertEqual(len(order.message_ids), before + 1)
        self.assertIn("http://acme.example", order.message_ids[0].body)
        self._push_instance(key, state="error", error_message="<b>no room</b>")
        self.assertIn("&lt;b&gt;no room", order.message_ids[0].body)

    def test_idle_draft_gives_its_name(self):
        draft = self._instance("acme")
        self.assertEqual(self._push_instance()["status"], "done")
        self.assertEqual(draft.name, "acme-2")
        self.assertIn("Renamed", "".join(draft.message_ids.mapped("body")))
        self.assertEqual(self._instances().name, "acme")

    def test_holder_without_containers_gives_its_name(self):
        for number, values in enumerate(({"requested": True}, {"state": "provisioning"}, {"state": "deleted", "odoo_container": "x"})):
            with self.subTest(values=values):
                name = f"taken-{number}"
                holder = self._instance(name, **values)
                self.assertEqual(self._push_instance(f"sol:{910 + number}", name=name)["status"], "done")
                self.assertEqual(self._instances(f"sol:{910 + number}").name, name)
                self.assertEqual(holder.name, f"{name}-2")

    def test_holder_on_the_server_keeps_its_name(self):
        holder = self._instance("taken", state="running")
        for _again in range(2):
            self.assertEqual(self._push_instance(name="taken", state="running")["status"], "done")
        instance = self._instances()
        self.assertEqual((holder.name, instance.name, instance.state), ("taken", "taken-2", "running"))
        self.assertEqual(len(instance.message_ids.filtered(lambda message: "are named taken," in message.body)), 1)
        self.assertEqual(len(instance.activity_ids), 1)
        self.assertTrue(instance.activity_ids.user_id.has_group("saas_bridge.group_manager"))
        holder.write({"state": "deleted"})
        self._push_instance(name="taken", state="running")
        self.assertEqual((holder.name, instance.name), ("taken-3", "taken"))

    def test_bad_instances_are_refused(self):
        for number, values in enumerate(
            (
                {"name": "Bad Name"},
                {"name": "x\ny"},
                {"name": False},
                {"customer_id": 999999999},
                {"plan_id": 999999999},
                {"state": "flying"},
                {"paid_until": "tomorrow"},
                {"shoe_size": 43},
                {"purchase_keys": ["user:1"]},
                {"purchase_keys": ["sol:1; DROP TABLE x"]},
                {"url": "x\x00y"},
            )
        ):
            with self.subTest(values=values), mute_logger("odoo.sql_db"):
                result = self._push_instance(f"sol:{800 + number}", **values)
                self.assertEqual(result["status"], "refused", result)
                self.assertTrue(result["message"])
                self.assertFalse(self._instances(f"sol:{800 + number}"))

    def test_line_that_staff_gave_elsewhere_stays(self):
        order = self._order()
        other = self._instance("other")
        order.order_line.saas_instance_id = other
        result = self._push_instance(purchase_keys=[f"sol:{order.order_line.id}"])
        self.assertEqual(result["status"], "done")
        self.assertIn("other", result["message"])
        self.assertEqual(order.order_line.saas_instance_id, other)

    def test_a_refused_operation_does_not_hurt_the_others(self):
        self._push_instance()
        results = self._push(
            {"key": "log:1", "op": "log", "instance_key": "sol:900", "lines": ["one"]},
            {"key": "bad:1", "op": "instance", "instance_key": "sol:901", "values": {"name": "Bad!"}},
            {"key": "bad:2", "op": "delete_everything"},
            {"key": "bad:3", "op": "log", "instance_key": "sol:999", "lines": ["x"]},
            {"key": "bad:4", "op": "log"},
            {"key": "bad:5", "op": "one", "instance_key": "sol:900"},
            {"key": "log:2", "op": "log", "instance_key": "sol:900", "lines": ["two"]},
        )
        self.assertEqual([row["status"] for row in results], ["done"] + ["refused"] * 5 + ["done"])
        self.assertEqual(self._instances().log, "one\ntwo")

    def test_serialization_failures_go_up(self):
        bridge = self.bridge.sudo()

        def fail(_self, _operation):
            raise psycopg2.errors.SerializationFailure("again")

        self.patch(type(bridge), "_push_log", fail)
        with self.assertRaises(psycopg2.errors.SerializationFailure):
            bridge.push([{"key": "log:1", "op": "log"}])

    def test_log_once(self):
        self._push_instance()
        operation = {"key": "log:1", "op": "log", "instance_key": "sol:900", "lines": ["a", "b"]}
        self.assertEqual([self._push(operation)[0]["status"] for _again in range(2)], ["done", "duplicate"])
        self.assertEqual(self._instances().log, "a\nb")

    def test_old_log_keys_go(self):
        self._push_instance()
        self._push({"key": "log:1", "op": "log", "instance_key": "sol:900", "lines": ["a"]})
        self._push({"key": "log:2", "op": "log", "instance_key": "sol:900", "lines": ["b"]})
        self.env.cr.execute("UPDATE saas_bridge_effect SET create_date = create_date - interval '91 days' WHERE key != 'log:2'")
        self.env.invalidate_all()
        self.env["saas.bridge.effect"]._gc_log_keys()
        keys = self.env["saas.bridge.effect"].search([]).mapped("key")
        self.assertIn("log:2", keys)
        self.assertNotIn("log:1", keys)
        self.assertIn("instance:sol:900", keys)

    def _notice(self, **values):
        return {
            "key": "notice:1",
            "op": "notice",
            "instance_key": "sol:900",
            "notice": "welcome",
            "to": "ana@acme.example",
            "contact_id": self.ana.id,
            "lang": "es_ES",
            "subject": "Welcome\r\nBcc: evil@example.com",
            "html": "<p>Password: s3cret-pw</p>",
            "text": "Password: s3cret-pw",
            **values,
        }

    def test_notice_once_and_no_password_in_any_message(self):
        self._push_instance(admin_password="s3cret-pw", state="running")
        instance = self._instances()
        mails = self.env["mail.mail"].search([])
        trigger = self.env["ir.cron.trigger"].search_count([])
        with patch("odoo.addons.mail.models.mail_mail.MailMail.send_after_commit") as send:
            statuses = [self._push(self._notice())[0]["status"] for _again in range(2)]
        self.assertEqual(statuses, ["done", "duplicate"])
        self.assertEqual(send.call_count, 1)
        mail = self.env["mail.mail"].search([]) - mails
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.email_to, "ana@acme.example")
        self.assertEqual(mail.subject, "Welcome Bcc: evil@example.com")
        self.assertTrue(mail.auto_delete)
        self.assertTrue(mail.email_from)
        self.assertIn("s3cret-pw", mail.body_html)
        self.assertFalse(mail.model or mail.res_id)
        self.assertGreater(self.env["ir.cron.trigger"].search_count([]), trigger)
        self.assertIn("ana@acme.example", instance.message_ids[0].body)
        self.env.cr.execute("SELECT count(*) FROM mail_message WHERE body LIKE '%s3cret%' OR subject LIKE '%s3cret%'")
        self.assertEqual(self.env.cr.fetchone()[0], 0)
        self.env.cr.execute(
            "SELECT count(*) FROM mail_tracking_value WHERE old_value_char LIKE '%s3cret%' OR new_value_char LIKE '%s3cret%'"
        )
        self.assertEqual(self.env.cr.fetchone()[0], 0)

    def test_notice_that_is_sent_at_once_is_left_alone_by_the_queue_until_later(self):
        """Both would send it: Odoo's queue locks nothing before it sends."""
        self._push_instance(state="running")
        with patch("odoo.addons.mail.models.mail_mail.MailMail.send_after_commit"):
            self._push(self._notice())
        mail = self.env["saas.bridge.effect"].search([("key", "=", "notice:1")]).mail_id
        self.assertEqual(mail.state, "outgoing")
        taken = []

        def take(mails, **_kwargs):
            taken.extend(mails.ids)

        with patch("odoo.addons.mail.models.mail_mail.MailMail.send", take):
            self.env["mail.mail"].process_email_queue([mail.id])
            self.assertEqual(taken, [], "not while somebody else sends it")
            mail.scheduled_date = fields.Datetime.subtract(mail.scheduled_date, minutes=2, seconds=1)
            self.env["mail.mail"].process_email_queue([mail.id])
        self.assertEqual(taken, mail.ids, "what did not go, later")
        # The queue is asked to come then.
        cron = self.env.ref("mail.ir_cron_mail_scheduler_action")
        at = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)], order="call_at desc", limit=1).call_at
        self.assertGreater(at, fields.Datetime.add(mail.scheduled_date, minutes=2))

    def test_failed_notice_is_sent_again_and_given_up_in_the_end(self):
        self._push_instance(state="running")
        with patch("odoo.addons.mail.models.mail_mail.MailMail.send_after_commit"):
            self._push(self._notice())
        effect = self.env["saas.bridge.effect"].search([("key", "=", "notice:1")])
        mail, tries = effect.mail_id, 0
        other = self.env["mail.mail"].create({"email_to": "x@y.example", "state": "exception"})

        def fail_and_retry(**ago):
            mail.write({"state": "exception", "failure_reason": "Connection refused"})
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE mail_mail SET write_date = %s WHERE id = %s",
                [fields.Datetime.subtract(fields.Datetime.now(), **ago), mail.id],
            )
            self.env.invalidate_all()
            effect._send_failed_notices()

        fail_and_retry(minutes=5)
        self.assertEqual(mail.state, "exception", "not at once")
        while mail.exists():
            fail_and_retry(days=1)
            if mail.exists():
                self.assertEqual(mail.state, "outgoing")
                tries += 1
        self.assertEqual(tries, 20)
        instance = self._instances()
        self.assertIn("Connection refused", instance.activity_ids.note)
        self.assertTrue(instance.activity_ids.user_id.has_group("saas_bridge.group_manager"))
        self.assertEqual(other.state, "exception", "other mails are Odoo's")
        effect._send_failed_notices()
        self.assertEqual(len(instance.activity_ids), 1)

    def test_bad_notices_are_refused(self):
        self._push_instance()
        for values in (
            {"to": ""},
            {"to": False},
            {"to": "nobody"},
            {"to": "a@b.example, c@d.example"},
            {"notice": "spam"},
            {"instance_key": "sol:999"},
        ):
            with self.subTest(values=values):
                self.assertEqual(self._push(self._notice(**values))[0]["status"], "refused")
        self.assertEqual(self._push(self._notice())[0]["status"], "done", "a refusal uses up no key")

    def _problem(self, line, key="problem:1"):
        kind = "sol" if line._name == "sale.order.line" else "aml"
        return {
            "key": key,
            "op": "todo",
            "purchase_key": f"{kind}:{line.id}",
            "message": {"code": "instance_not_made", "params": {"instance": "acme", "reason": "No <room> left"}},
        }

    def test_what_waits_for_a_lock_faults_so_that_it_can_be_sent_alone(self):
        def meets_a_lock(*_args):
            raise psycopg2.errors.LockNotAvailable()

        self.patch(type(self.env["saas.bridge"]), "_push_todo", meets_a_lock)
        with self.assertRaisesRegex(Exception, "problem:1 waits for a lock"):
            self._push(self._problem(self._order().order_line))

    def test_problem_once(self):
        order = self._order()
        statuses = [self._push(self._problem(order.order_line))[0]["status"] for _again in range(2)]
        self.assertEqual(statuses, ["done", "duplicate"])
        activity = order.activity_ids
        self.assertEqual(len(activity), 1)
        self.assertEqual(activity.user_id, self.salesman)
        self.assertIn("No &lt;room&gt; left", activity.note)
        self.assertEqual(len([m for m in order.message_ids if "room" in m.body]), 1)

    def test_problem_in_spanish(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.salesman.lang = "es_ES"
        order = self._order()
        self._push(self._problem(order.order_line))
        self.assertIn("No se ha podido crear la instancia acme: No &lt;room&gt; left", order.activity_ids.note)

    def test_problem_without_salesperson_goes_to_a_manager(self):
        order = self._order()
        order.user_id = False
        self.saas_manager.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        self._push(self._problem(order.order_line))
        self.assertTrue(order.activity_ids.user_id.has_group("saas_bridge.group_manager"))

    def test_problem_on_an_invoice(self):
        invoice = self._invoice()
        self._push(self._problem(invoice.invoice_line_ids))
        self.assertIn("room", invoice.message_ids[0].body)

    def test_use_and_deletion(self):
        values = {
            "delete_on": "2030-02-01 00:00:00",
            "users_used": 2,
            "storage_used_mb": 431,
            "modules_installed": "base,crm",
            "measured_on": "2030-01-01 03:00:00",
            "storage_over_since": "2029-12-01 03:00:00.5",
            "hold": "deleted",
        }
        self._push_instance(**values)
        instance = self._instances()
        self.assertEqual((instance.users_used, instance.storage_used_mb, instance.modules_installed), (2, 431, "base,crm"))
        self.assertEqual(str(instance.delete_on), "2030-02-01 00:00:00")
        self.assertEqual(str(instance.measured_on), "2030-01-01 03:00:00")
        self.assertEqual(instance.hold, "deleted")
        [row] = [row for row in self._poll(limit=2000)["instances"] if row["id"] == instance.id]
        self.assertEqual((row["hold"], row["storage_over_since"]), ("deleted", "2029-12-01 03:00:00"))
        cursor = self._since_now()
        self._push_instance(**values)
        self.assertFalse(self._poll(cursor)["instances"])
        self._push_instance(delete_on=False, storage_over_since=False, users_used=0)
        self.assertFalse(instance.delete_on or instance.storage_over_since or instance.users_used)

    def test_every_notice_has_its_line(self):
        self._push_instance()
        instance = self._instances()
        lines = set()
        for number, notice in enumerate(NOTICES):
            with patch("odoo.addons.mail.models.mail_mail.MailMail.send_after_commit"):
                operation = self._notice(key=f"notice:{number}", notice=notice)
                self.assertEqual([self._push(operation)[0]["status"] for _again in range(2)], ["done", "duplicate"])
            self.assertIn("ana@acme.example", instance.message_ids[0].body)
            lines.add(instance.message_ids[0].body)
        self.assertEqual(len(lines), len(NOTICES))

    def test_problem_keeps_the_plan(self):
        order, invoice = self._order(), self._invoice()
        self._push(self._problem(order.order_line, "problem:1"))
        self.assertFalse(self._purchase(order.order_line)["keep_plan"])
        cursor = self._since_now()
        for number, line in enumerate((order.order_line, invoice.invoice_line_ids)):
            self._push({**self._problem(line, f"problem:keep:{number}"), "keep_plan": True})
            row = self._purchase(line, cursor)
            self.assertIs(row["keep_plan"], True)
        order.order_line.saas_keep_plan = False
        self._push({**self._problem(order.order_line, "problem:keep:0"), "keep_plan": True})
        self.assertFalse(order.order_line.saas_keep_plan, "staff decided otherwise")

    def _managers_speak(self):
        """Two managers, one in Spanish; nobody else."""
        self.env["res.lang"]._activate_lang("es_ES")
        group = self.env.ref("saas_bridge.group_manager")
        (group.all_user_ids - self.saas_manager).write({"group_ids": [(3, group.id)]})
        spanish = new_test_user(
            self.env(context=dict(self.env.context, no_reset_password=True)),
            "t-manager-es",
            groups="saas_bridge.group_manager",
            lang="es_ES",
        )
        (self.saas_manager | spanish).notification_type = "inbox"
        return self.saas_manager, spanish

    def test_alert_once(self):
        self._push_instance()
        instance = self._instances()
        english, spanish = self._managers_speak()
        operation = {
            "key": "alert:1",
            "op": "todo",
            "instance_key": "sol:900",
            "message": {"code": "storage_over", "params": {"instance": "<acme>", "plan": "Basic"}},
        }
        self.assertEqual([self._push(operation)[0]["status"] for _again in range(2)], ["done", "duplicate"])
        self.assertEqual(len(instance.activity_ids), 1)
        self.assertEqual(instance.activity_ids.user_id, english)
        self.assertIn("&lt;acme&gt; uses more storage than Basic", instance.activity_ids.note)
        self.assertEqual(len([m for m in instance.message_ids if "&lt;acme&gt; uses more storage than Basic" in m.body]), 1)
        english.active = False
        self._push({**operation, "key": "alert:2"})
        mine = instance.activity_ids.filtered(lambda activity: activity.user_id == spanish)
        self.assertIn("&lt;acme&gt; ocupa más espacio del que incluye Basic", mine.note)
        self.assertEqual(self._push({**operation, "key": "alert:3", "instance_key": "sol:999"})[0]["status"], "refused")

    def test_summary_to_every_manager_in_their_language(self):
        english, spanish = self._managers_speak()
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        spanish.write({"company_ids": [(6, 0, elsewhere.ids)], "company_id": elsewhere.id})
        operation = {"key": "summary:1", "op": "summary", "message": NIGHT}
        before = self.env["mail.notification"].search([])
        self.assertEqual([self._push(operation)[0]["status"] for _again in range(2)], ["done", "duplicate"])
        sent = self.env["mail.notification"].search([]) - before
        self.assertEqual(
            {(one.res_partner_id, "deleted 2" in one.mail_message_id.body) for one in sent},
            {(english.partner_id, True), (spanish.partner_id, False)},
        )
        self.assertIn("Noche del 16 de enero de 2026: suspendidas 1", sent.filtered(lambda one: one.res_partner_id == spanish.partner_id).mail_message_id.body)
        self.assertEqual(set(sent.mapped("notification_type")), {"inbox"})

    def test_summary_without_managers(self):
        group = self.env.ref("saas_bridge.group_manager")
        group.all_user_ids.write({"group_ids": [(3, group.id)]})
        operation = {"key": "summary:1", "op": "summary", "message": NIGHT}
        self.assertEqual(self._push(operation)[0]["status"], "done")

    def _command(self, command="extend", name="acme", **values):
        instance = self._instance(name, state="running")
        values = {"requested_by": self.saas_manager.id, "reason": "Sorry", **values}
        return self.env["saas.command"].create({"instance_id": instance.id, "command": command, **values})

    def _answer(self, command, result, key="command:1"):
        message = {"code": "plan_misfit", "params": {"instance": "<acme>", "plan": "Basic", "misfits": []}}
        return self._push({"key": key, "op": "command", "command_id": command.id, "result": result, "message": message})[0]

    def test_done_command_is_applied_once(self):
        command = self._command(days=12)
        self.assertEqual(self._answer(command, "done")["status"], "done")
        self.assertEqual(self._answer(command, "done", "command:2")["status"], "duplicate")
        grant = command.instance_id.grant_ids
        self.assertEqual((grant.quantity, grant.period_count, grant.period_unit, grant.reason), (12, 1, "day", "Sorry"))
        self.assertEqual(grant.user_id, self.saas_manager)

    def test_refused_command_is_not_applied_and_told(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.saas_manager.write({"lang": "es_ES", "notification_type": "inbox"})
        for result in ("refused", "failed"):
            with self.subTest(result=result):
                command = self._command(name=f"acme-{result}", days=12)
                self._answer(command, result)
                self.assertEqual(command.state, result)
                self.assertEqual(command.message, "<acme> no cabe en Basic.")
                self.assertFalse(command.instance_id.grant_ids)
                message = command.instance_id.message_ids[0]
                self.assertIn("&lt;acme&gt; no cabe en Basic.", message.body)
                self.assertIn(self.saas_manager.partner_id, message.notification_ids.res_partner_id)

    def test_command_that_became_impossible_fails(self):
        command = self._command(days=12)
        command.instance_id.plan_id = False
        self.assertEqual(self._answer(command, "done")["status"], "done")
        self.assertEqual(command.state, "failed")
        self.assertTrue(command.message)
        self.assertFalse(command.instance_id.grant_ids)
        self.assertFalse(self._poll()["commands"])

    def test_command_once(self):
        instance = self._instance(state="running")
        instance.with_user(self.saas_manager).action_stop()
        command = instance.command_ids
        operation = {"key": "command:1", "op": "command", "command_id": command.id, "result": "done", "message": {"code": "now_stopped", "params": {}}}
        self.assertEqual(self._push(operation)[0]["status"], "done")
        self.assertTrue(command.done_on)
        self.assertEqual(self._push({**operation, "key": "command:2", "result": "failed"})[0]["status"], "duplicate")
        self.assertEqual(command.state, "done")
        self.assertFalse(self._poll()["commands"])
        self.assertEqual(self._push({**operation, "command_id": 999999})[0]["status"], "refused")
        self.assertEqual(self._push({**operation, "result": "maybe"})[0]["status"], "refused")

    def test_strange_calls(self):
        self.assertEqual(self.bridge.push([]), [])
        self.assertEqual(self.bridge.push(False), [])
        self.assertEqual(self.bridge.push([{}])[0]["status"], "refused")
        self.assertEqual(self.bridge.push(["x"])[0]["status"], "refused")
