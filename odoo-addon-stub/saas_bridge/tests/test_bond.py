from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import SaasCommon
from .schema import reply_problems


@tagged("post_install", "-at_install")
class TestBond(SaasCommon):
    """Which daemon serves this database, and what both know of each other."""

    def setUp(self):
        super().setUp()
        self.env["saas.bridge.heartbeat"].search([]).unlink()
        self.env["saas.bridge.generation"].search([]).unlink()
        self.uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")

    def _caller(self, **changes):
        return {"daemon": "d1", "host": "h1", "database": self.uuid, "generation": 0, "answered": 0, **changes}

    def _line(self):
        return [{"op": "summary", "key": f"summary:{id(self)}", "message": {"code": "now_running", "params": {}}}]

    def _refused(self, reply):
        self.assertEqual(reply_problems("refusal", reply), [])
        return reply["refused"]

    def test_generation_grows_with_every_push(self):
        self.assertEqual(self.bridge.hello()["generation"], 0)
        for number in (1, 2):
            self.assertIsInstance(self.bridge.push([], self._caller(generation=number)), list)
        reply = self.bridge.poll(False, 10, self._caller(generation=2, answered=2))
        self.assertEqual((reply["generation"], reply["database_uuid"]), (2, self.uuid))
        self.env["saas.bridge.generation"]._gc_generations()
        self.assertEqual(self.env["saas.bridge.generation"].search([]).mapped("number"), [2])

    def test_database_that_went_back_takes_nothing(self):
        self.bridge.push([], self._caller(generation=5))
        caller = self._caller(generation=9, answered=8)
        for reply in (
            self.bridge.poll(False, 10, caller),
            self.bridge.push(self._line(), caller),
            self.bridge.look("sol:1", [], caller),
        ):
            self.assertEqual(self._refused(reply), "gone_back")
        self.assertFalse(self.env["saas.bridge.effect"].search([("key", "=", self._line()[0]["key"])]))
        self.assertEqual(self.bridge.hello()["generation"], 5)
        reply = self.bridge.resume(caller)
        self.assertEqual(reply_problems("resume", reply), [])
        self.assertEqual(reply["generation"], 9)
        self.assertIn("cursor", self.bridge.poll(False, 10, caller))

    def test_push_whose_answer_was_lost_is_no_step_back(self):
        self.bridge.push([], self._caller(generation=5))
        self.assertIn("cursor", self.bridge.poll(False, 10, self._caller(generation=9, answered=4)))

    def test_daemon_that_is_behind(self):
        self.bridge.push([], self._caller(generation=5))
        self.assertEqual(self._refused(self.bridge.poll(False, 10, self._caller(generation=4, answered=4))), "daemon_behind")
        self.assertIn("cursor", self.bridge.poll(False, 10, self._caller(generation=False)))

    def test_other_database(self):
        self.assertEqual(self._refused(self.bridge.poll(False, 10, self._caller(database="x"))), "other_database")
        self.assertIn("cursor", self.bridge.poll(False, 10, self._caller(database=False)))

    def test_only_one_daemon_serves_it(self):
        self.bridge.poll(False, 10, self._caller())
        other = self._caller(daemon="d2", host="h2")
        for reply in (self.bridge.poll(False, 10, other), self.bridge.push(self._line(), other)):
            self.assertEqual(self._refused(reply), "leased")
            self.assertEqual(reply["host"], "h1")
        self.assertIn("cursor", self.bridge.poll(False, 10, self._caller()))
        self.assertEqual(self.env["saas.bridge.heartbeat"].search_count([]), 1)
        # A command that only reads says no name.
        self.assertIn("cursor", self.bridge.poll())

    def test_other_daemon_takes_over(self):
        other = self._caller(daemon="d2", host="h2")
        self.bridge.poll(False, 10, self._caller())
        self.env["saas.bridge.heartbeat"].search([]).write({"heard_on": fields.Datetime.now() - timedelta(minutes=4)})
        self.assertIn("cursor", self.bridge.poll(False, 10, other))
        self.assertEqual(self._refused(self.bridge.poll(False, 10, self._caller())), "leased")

    def test_daemon_that_stops_makes_room(self):
        self.bridge.poll(False, 10, self._caller())
        self.assertTrue(self.bridge.leave(self._caller()))
        self.assertIn("cursor", self.bridge.poll(False, 10, self._caller(daemon="d2")))

    def _alarms(self):
        return self.env["mail.message"].search([("subject", "=", "The SaaS daemon waits for an administrator")])

    def test_managers_are_told_once_that_it_went_back(self):
        self.bridge.push([], self._caller(generation=5))
        caller = self._caller(generation=9, answered=8)
        for _time in range(3):
            self.bridge.poll(False, 10, caller)
            self.bridge.push(self._line(), caller)
        alarm = self._alarms()
        self.assertEqual(len(alarm), 1)
        self.assertIn("reconcile-master", alarm.body)
        self.assertIn(self.saas_manager.partner_id, alarm.notified_partner_ids)
        self.assertNotIn(self.saas_user.partner_id, alarm.notified_partner_ids)
        self.bridge.resume(caller)
        self.bridge.poll(False, 10, caller)
        self.env["saas.bridge.generation"].search([]).unlink()
        self.bridge.poll(False, 10, self._caller(generation=12, answered=11))
        self.assertEqual(len(self._alarms()), 2, "once for each time")

    def test_copy_of_the_data_folder(self):
        first, copy = self._caller(run="r1"), self._caller(run="r2", host="h2")
        self.bridge.poll(False, 10, first)
        self.assertIn("cursor", self.bridge.poll(False, 10, copy), "or it was restarted")
        self.assertFalse(self._alarms())
        for reply in (self.bridge.poll(False, 10, first), self.bridge.push(self._line(), first)):
            self.assertEqual(self._refused(reply), "copied")
            self.assertEqual(reply["host"], "h2")
        self.assertEqual(len(self._alarms()), 1)
        self.assertIn("h2", self._alarms().body)
        self.assertIn("cursor", self.bridge.poll(False, 10, copy))
        # The wrong one is stopped, and the other one restarted.
        self.bridge.leave(copy)
        self.assertIn("cursor", self.bridge.poll(False, 10, self._caller(run="r3")))
        self.assertIn("cursor", self.bridge.poll(False, 10, self._caller()), "a daemon of before says no process")

    def test_restarts_are_no_copies(self):
        for run in ("r1", "r2", "r3"):
            for _poll in range(2):
                self.assertIn("cursor", self.bridge.poll(False, 10, self._caller(run=run)))
        self.assertEqual(self.env["saas.bridge.heartbeat"].search_count([]), 3)

    def test_line_that_only_has_the_number_is_not_linked(self):
        line = self._order().order_line
        made = int(line.create_date.timestamp())
        for moment, linked in ((made - 3600, False), (made, True)):
            self._push_instance(f"sol:{line.id}", f"instance:{moment}", purchase_keys=[f"sol:{line.id}.{moment}"])
            self.assertEqual(line.saas_instance_id.key or False, linked and f"sol:{line.id}")
        result = self._push_instance("sol:901", "instance:x", purchase_keys=[f"sol:{line.id}.x"])
        self.assertEqual(result["status"], "refused")

    def test_instance_is_made_for_no_other_customer(self):
        made = fields.Datetime.to_string(self.acme.create_date)
        before = fields.Datetime.to_string(self.acme.create_date - timedelta(hours=1))
        result = self._push_instance("sol:902", customer_created_on=before)
        self.assertEqual(result["status"], "refused")
        self.assertIn("does not exist", result["message"])
        self.assertFalse(self.env["saas.instance"].search([("key", "=", "sol:902")]))
        self.assertEqual(self._push_instance("sol:902", customer_created_on=made)["status"], "done")

    def test_rows_say_when_their_records_were_made(self):
        order = self._order()
        instance = self._instance()
        row = self._purchase(order.order_line)
        self.assertEqual(row["created_on"], self._made_on(order.order_line))
        self.assertEqual(row["customer"]["created_on"], self._made_on(self.acme))
        self.assertRegex(instance.key, rf"^rec:{instance.id}\.\d+$")
