from datetime import timedelta

from freezegun import freeze_time

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import AccessError
from odoo.sql_db import db_connect
from odoo.tests import new_test_user, tagged
from odoo.tools import html2plaintext, mute_logger

from .common import SaasCommon


@tagged("post_install", "-at_install")
class TestHeartbeat(SaasCommon):
    def setUp(self):
        super().setUp()
        self.beats = self.env["saas.bridge.heartbeat"]
        self.beats.search([]).unlink()

    def test_polls_are_written_down_once_a_minute(self):
        begin = fields.Datetime.now()
        for seconds, count in ((0, 1), (2, 1), (58, 1), (61, 2), (63, 2), (3600, 3)):
            with self.subTest(seconds=seconds), freeze_time(begin + timedelta(seconds=seconds)):
                self.bridge.poll()
                self.assertEqual(self.beats.search_count([]), count)

    def test_other_calls_are_no_sign_of_life(self):
        """`saas-bridge check` says hello too."""
        self.bridge.hello()
        self.bridge.push([])
        self.assertFalse(self.beats.search([]))

    def test_poll_that_fails_was_not_heard_of(self):
        def fail(*_args):
            raise ValueError

        self.patch(type(self.bridge), "_poll", fail)
        with self.assertRaises(ValueError), self.env.cr.savepoint():
            self.bridge.poll()
        self.assertFalse(self.beats.search([]))

    def test_quiet_polls_write_nothing(self):
        self.bridge.poll()
        self.env.flush_all()

        def written():
            self.env.cr.execute("SELECT n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables WHERE relname = %s", ["saas_bridge_heartbeat"])
            return self.env.cr.fetchone()[0]

        before = written()
        for _poll in range(5):
            self.bridge.poll()
        self.assertEqual(written(), before)

    def test_two_polls_at_a_time_do_not_wait(self):
        """With connections of their own, that write nothing for good."""
        connection = db_connect(self.env.cr.dbname)
        with freeze_time(fields.Datetime.now() + timedelta(days=1)), connection.cursor() as one, connection.cursor() as two:
            for cr in (one, two):
                cr.execute("SET LOCAL lock_timeout = '1s'")
                # Both have seen what there was before either wrote.
                cr.execute("SELECT count(*) FROM saas_bridge_heartbeat")
            for cr in (one, two):
                api.Environment(cr, SUPERUSER_ID, {})["saas.bridge"]._hear()
                cr.execute("SELECT count(*) FROM saas_bridge_heartbeat WHERE heard_on > now() AT TIME ZONE 'UTC' + interval '1 hour'")
                self.assertEqual(cr.fetchone()[0], 1)
            for cr in (one, two):
                cr.rollback()

    def test_clock_that_was_set_back(self):
        self.beats.create({"heard_on": fields.Datetime.now() + timedelta(hours=5)})
        self.bridge.poll()
        self.assertEqual(self.beats.search_count([]), 2)
        self.assertLessEqual(self.bridge.sudo()._daemon_heard_on(), fields.Datetime.now())

    def test_words(self):
        bridge = self.env["saas.bridge"].with_context(tz="UTC", lang="en_US")
        self.assertEqual(bridge._daemon_state(), "never")
        self.assertEqual(bridge._daemon_words(), "Never heard of")
        self.assertIn("never heard of", bridge._daemon_silence())
        with freeze_time("2024-05-07 10:00:00"):
            self.bridge.poll()
        for moment, state, words in (
            ("2024-05-07 10:00:02", "connected", "Connected, last heard of less than a minute ago"),
            ("2024-05-07 10:01:02", "connected", "Connected, last heard of less than a minute ago"),
            ("2024-05-07 10:04:00", "connected", "Connected, last heard of 4 minutes ago"),
            ("2024-05-07 10:06:00", "silent", "Not heard of since 5/7/24, 10:00\u202fAM"),
        ):
            with self.subTest(moment=moment), freeze_time(moment):
                self.assertEqual(bridge._daemon_state(), state)
                self.assertEqual(bridge._daemon_words(), words)
                self.assertEqual(bool(bridge._daemon_silence()), state == "silent")
        with freeze_time("2024-05-07 10:06:00"):
            self.assertIn("12:00", bridge.with_context(tz="Europe/Madrid")._daemon_silence())

    def test_old_ones_go_and_the_last_one_stays(self):
        self.beats.create([{"heard_on": "2024-05-07 10:00:00"}, {"heard_on": "2024-05-07 10:01:00"}])
        self.beats._gc_heartbeats()
        self.assertEqual(self.beats.search([]).mapped("heard_on"), [fields.Datetime.to_datetime("2024-05-07 10:01:00")])

    def test_order_and_invoice_say_that_the_daemon_is_silent(self):
        self._daemon_heard()
        order, invoice = self._order().with_user(self.salesman), self._invoice().with_user(self.saas_user)
        self._pay(invoice.sudo())
        self.assertEqual((order.saas_status, invoice.saas_status), ("preparing", "preparing"))
        self._daemon_heard(minutes=6)
        for document in (order, invoice):
            document.invalidate_recordset()
            self.assertEqual(document.saas_status, "late")
            self.assertIn("has not been heard of since", document.saas_status_html)
        self.beats.search([]).unlink()
        order.invalidate_recordset()
        self.assertIn("was never heard of", order.saas_status_html)
        self._push_instance(purchase_keys=[f"sol:{order.order_line.id}"], state="provisioning")
        order.sudo().order_line.saas_instance_id.requested = True
        order.invalidate_recordset()
        self.assertEqual(order.saas_status, "late")
        self.assertIn("was never heard of", order.saas_status_html)
        self._push_instance(purchase_keys=[f"sol:{order.order_line.id}"], state="running")
        order.invalidate_recordset()
        self.assertEqual(order.saas_status, "running")

    def test_unpaid_order_says_it_too(self):
        self._daemon_heard()
        order = self._order()
        with freeze_time(fields.Datetime.now() + timedelta(hours=1)):
            order.invalidate_recordset()
            self.assertEqual(order.saas_status, "unpaid")
            self.assertIn("has not been heard of since", order.saas_status_html)
            self._daemon_heard()
            order.invalidate_recordset()
            self.assertNotIn("heard of", order.saas_status_html)

    def test_late_order_of_a_daemon_that_runs(self):
        order = self._order()
        self._transaction(order)
        with freeze_time(fields.Datetime.now() + timedelta(hours=1)):
            self._daemon_heard()
            order.invalidate_recordset()
            self.assertEqual(order.saas_status, "late")
            self.assertIn("although the server&#39;s daemon runs", order.saas_status_html)

    def test_instance_says_that_the_daemon_is_silent(self):
        instance = self._instance(state="provisioning", requested=True)
        self.env.flush_all()
        self.env.cr.execute("UPDATE saas_instance SET write_date = write_date - interval '1 hour' WHERE id = %s", [instance.id])
        instance.invalidate_recordset()
        self._daemon_heard()
        for user in (self.saas_user, self.saas_manager):
            mine = instance.with_user(user)
            mine.invalidate_recordset()
            self.assertFalse(mine.daemon_silence)
            self.assertEqual(mine.attention, "Still being made")
        self._daemon_heard(hours=2)
        for user in (self.saas_user, self.saas_manager):
            mine = instance.with_user(user)
            mine.invalidate_recordset()
            self.assertIn("has not been heard of since", mine.daemon_silence)
            self.assertIn("The server's daemon has not been heard of since", mine.attention)


@tagged("post_install", "-at_install")
class TestOutage(SaasCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.outages = cls.env["saas.bridge.outage"]

    def _watch(self, minutes_ago=10):
        lastcall = minutes_ago and fields.Datetime.now() - timedelta(minutes=minutes_ago)
        self.outages.with_user(SUPERUSER_ID).with_context(lastcall=lastcall or None)._watch()
        return self.outages.search([])

    def _messages(self, outage, user):
        return self.env["mail.message"].search(
            [("model", "=", outage._name), ("res_id", "=", outage.id), ("notified_partner_ids", "in", user.partner_id.ids)]
        )

    def test_nothing_to_tell(self):
        self.assertFalse(self._watch())
        self._daemon_heard(minutes=14)
        self.assertFalse(self._watch())
        self.env["saas.bridge.heartbeat"].search([]).unlink()
        self.assertFalse(self._watch(), "one that was never connected is no outage")

    def test_managers_are_told_once_and_once_more_when_it_is_back(self):
        since = self._daemon_heard(minutes=16)
        outage = self._watch()
        self.assertEqual(outage.since, since)
        todo = outage.activity_ids
        self.assertEqual(len(todo), 1)
        self.assertIn("has not been heard of since", html2plaintext(todo.note))
        self.assertEqual(len(self._messages(outage, self.saas_manager)), 1)
        self.assertFalse(self._messages(outage, self.saas_user))
        for _run in range(3):
            self.assertEqual(self._watch(), outage)
        self.assertEqual(outage.activity_ids, todo)
        self.assertEqual(len(self._messages(outage, self.saas_manager)), 1)
        self.bridge.poll()
        self._watch()
        self.assertFalse(outage.activity_ids)
        self.assertTrue(since < outage.until <= fields.Datetime.now())
        self.assertEqual(len(self._messages(outage, self.saas_manager)), 2)
        self._watch()
        self.assertEqual(len(self._messages(outage, self.saas_manager)), 2)
        self.assertEqual(self.outages.search_count([]), 1)

    def test_each_reads_it_in_their_language(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.env["ir.module.module"]._load_module_terms(["saas_bridge"], ["es_ES"])
        spanish = new_test_user(self.env, "t-es", groups="saas_bridge.group_manager", lang="es_ES", tz="Europe/Madrid")
        with freeze_time("2024-05-07 10:16:00"):
            self.env["saas.bridge.heartbeat"].search([]).unlink()
            self.env["saas.bridge.heartbeat"].create({"heard_on": "2024-05-07 10:00:00"})
            outage = self._watch()
        self.assertIn("7/5/24, 12:00", self._messages(outage, spanish).body)
        self.assertIn("since 5/7/24", self._messages(outage, self.saas_manager).body)

    def test_second_outage(self):
        self._daemon_heard(minutes=60)
        first = self._watch()
        self._daemon_heard(minutes=20)
        self.assertEqual(self._watch(), first)
        self.assertTrue(first.until)
        self.assertEqual(len(self._watch()), 2)

    def test_to_do_may_be_done_by_hand(self):
        self._daemon_heard(minutes=60)
        outage = self._watch()
        outage.activity_ids.user_id = self.saas_manager
        outage.activity_ids.with_user(self.saas_manager).action_feedback(feedback="Restarted")
        self.assertEqual(self._watch(), outage)
        self.assertFalse(outage.activity_ids)
        self._daemon_heard()
        self._watch()
        self.assertTrue(outage.until)

    def test_master_that_was_down_itself_waits(self):
        self._daemon_heard(hours=5)
        self.assertFalse(self._watch(minutes_ago=None))
        self.assertFalse(self._watch(minutes_ago=280))
        self.assertFalse(self._watch(minutes_ago=1))
        self.assertTrue(self._watch(minutes_ago=9))

    def test_poll_asks_for_the_run_that_ends_it(self):
        cron = self.env.ref("saas_bridge.ir_cron_watch_daemon")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self._daemon_heard(minutes=2)
        self.bridge.poll()
        self.assertEqual(self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]), triggers)
        self._daemon_heard(minutes=60)
        self._watch()
        self.bridge.poll()
        self.assertEqual(len(self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]) - triggers), 1)

    def test_cron_runs_it(self):
        self._daemon_heard(minutes=60)
        cron = self.env.ref("saas_bridge.ir_cron_watch_daemon")
        lastcall = fields.Datetime.now() - timedelta(minutes=10)
        cron.with_context(lastcall=lastcall).ir_actions_server_id.run()
        self.assertEqual(len(self.outages.search([])), 1, "what Odoo tells the job of its last run arrives")

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_staff_read_outages_and_nobody_writes_them(self):
        self._daemon_heard(minutes=60)
        outage = self._watch()
        for user in (self.saas_user, self.saas_manager):
            mine = outage.with_user(user)
            self.assertTrue(mine.since)
            with self.assertRaises(AccessError):
                mine.write({"until": fields.Datetime.now()})
            with self.assertRaises(AccessError):
                mine.unlink()
        self.assertTrue(self.env["saas.bridge.heartbeat"].with_user(self.saas_manager).search([]).heard_on)
        for user in (self.salesman, self.bridge_user):
            for model in ("saas.bridge.outage", "saas.bridge.heartbeat"):
                with self.assertRaises(AccessError):
                    self.env[model].with_user(user).search([])
