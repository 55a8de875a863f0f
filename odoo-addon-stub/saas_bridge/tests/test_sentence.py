import re

from odoo.tests import new_test_user, tagged

from .common import SaasCommon
from .schema import messages


@tagged("post_install", "-at_install")
class TestSentence(SaasCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("es_ES")
        cls.env["res.lang"]._activate_lang("fr_FR")
        cls.reader = cls.env["res.partner"].create({"name": "R", "lang": "es_ES", "tz": "Europe/Madrid"})

    def _say(self, code, lang="es_ES", **params):
        self.reader.lang = lang
        return self.env["saas.bridge"]._say({"code": code, "params": params}, self.reader)

    def test_every_code_of_the_protocol_has_its_sentence(self):
        sentences = self.env["saas.bridge"]._sentences()
        self.assertEqual(sentences.keys(), messages().keys())
        for code, params in messages().items():
            with self.subTest(code=code):
                self.assertEqual(set(re.findall(r"%\((\w+)\)s", sentences[code])), params)

    def test_it_is_in_the_language_of_the_reader(self):
        self.assertEqual(self._say("time_added", "en_US"), "The time was added.")
        self.assertEqual(self._say("time_added"), "Se ha ampliado el plazo.")

    def test_another_language_reads_english_until_it_has_a_translation(self):
        self.assertEqual(self._say("time_added", "fr_FR"), "The time was added.")

    def test_dates_numbers_and_lists_are_written_as_the_reader_writes_them(self):
        self.assertIn("16 de enero de 2026", self._say("deletion_unannounced", instance="acme", day="2026-01-16"))
        self.assertIn("January 16, 2026", self._say("deletion_unannounced", "en_US", instance="acme", day="2026-01-16"))
        # Midnight in Madrid, one hour before in Greenwich.
        self.assertIn("17/1/26, 0:30", self._say("down_unpaid", paid_until="2026-01-16 23:30:00"))
        self.assertIn("17/1/26, 0:30", self._say("still_failing", instance="acme", since="2026-01-16 23:30:00", reason="x"))
        self.assertIn("(uno, dos)", self._say("instance_ambiguous", document="S1", instances=["uno", "dos"]))

    def test_what_is_too_much_for_a_plan_is_part_of_a_sentence(self):
        users = {"code": "users_over_plan", "params": {"used": 4, "limit": 2, "plan": "Basic"}}
        storage = {"code": "storage_over_plan", "params": {"used_gb": 3.26, "limit_gb": 2, "plan": "Basic"}}
        self.assertEqual(
            self._say("plan_misfit", "en_US", instance="acme", plan="Basic", misfits=[users, storage]),
            "acme does not fit into Basic. It has 4 active users, and Basic includes 2."
            " It uses 3.3 GB, and Basic includes 2 GB.",
        )
        self.assertIn("Ocupa 3,3 GB", self._say("plan_misfit", instance="acme", plan="Basic", misfits=[storage]))

    def test_what_a_newer_daemon_sends_is_shown_all_the_same(self):
        said = self._say("sun_eclipsed", instance="acme", count=2)
        for word in ("sun_eclipsed", "instance acme", "count 2"):
            self.assertIn(word, said)
        self.assertIn("trial_used", self._say("trial_used"), "a sentence without its parameters")
        self.assertIn("ayer", self._say("deletion_unannounced", instance="acme", day="ayer"))
        self.assertIn("7", self._say("plan_misfit", instance="acme", plan="Basic", misfits=7))

    def test_parameters_are_data(self):
        said = self._say("verbatim", text="100 % %(secret)s %s\n{code}  x")
        self.assertEqual(said, "100 % %(secret)s %s {code} x")
        self.assertEqual(len(self._say("verbatim", text="x" * 100_000)), 1000)
        names = [f"n{number}" for number in range(5000)]
        self.assertLess(len(self._say("instance_ambiguous", document="S1", instances=names)), 500)

    def test_chatter_is_in_the_language_of_the_company_and_the_to_do_in_that_of_its_person(self):
        self.company.partner_id.lang = "es_ES"
        self.salesman.lang = "en_US"
        order = self._order()
        message = {"code": "trial_used", "params": {"document": "<S1>"}}
        operation = {"key": "p:1", "op": "todo", "purchase_key": f"sol:{order.order_line.id}", "message": message}
        self.assertEqual(self._push(operation)[0]["status"], "done")
        self.assertIn("&lt;S1&gt;: la prueba gratuita", order.message_ids[0].body)
        self.assertIn("&lt;S1&gt;: the free trial", order.activity_ids.note)

    def test_a_message_that_is_none_is_refused_and_uses_up_no_key(self):
        order = self._order()
        operation = {"key": "p:1", "op": "todo", "purchase_key": f"sol:{order.order_line.id}"}
        for message in ({}, {"code": 7}, {"params": {}}, "trial_used", False):
            with self.subTest(message=message):
                self.assertEqual(self._push({**operation, "message": message})[0]["status"], "refused")
        self.assertEqual(self._push(operation)[0]["status"], "refused")
        message = {"code": "trial_used", "params": {"document": "S1"}}
        self.assertEqual(self._push({**operation, "message": message})[0]["status"], "done")

    def test_the_answer_to_a_command_is_in_the_language_of_who_asked(self):
        manager = new_test_user(self.env, "t-es", groups="saas_bridge.group_manager", lang="es_ES")
        instance = self._instance(state="running")
        instance.with_user(manager).action_stop()
        command = instance.command_ids
        message = {"code": "now_stopped", "params": {}}
        self._push({"key": "c:1", "op": "command", "command_id": command.id, "result": "done", "message": message})
        self.assertEqual(command.message, "La instancia está detenida.")
