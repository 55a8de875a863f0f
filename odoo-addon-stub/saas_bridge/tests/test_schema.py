from odoo.tests import BaseCase, tagged

from .schema import operation_problems, problems, reply_problems

PROBLEM = {"op": "todo", "key": "p", "purchase_key": "sol:1", "message": {"code": "trial_used", "params": {"document": "S1"}}}


@tagged("post_install", "-at_install")
class TestSchema(BaseCase):
    """That the check itself finds what is wrong."""

    def test_what_fits(self):
        self.assertEqual(operation_problems(PROBLEM), [])
        self.assertEqual(operation_problems({**PROBLEM, "keep_plan": True}), [])
        values = {"name": "acme", "plan_id": False, "paid_until": "2026-01-16 23:30:00"}
        self.assertEqual(operation_problems({"op": "instance", "key": "i", "instance_key": "sol:1", "values": values}), [])

    def test_what_does_not(self):
        for operation in (
            {**PROBLEM, "op": "riddle"},
            {**PROBLEM, "key": ""},
            {**PROBLEM, "key": 7},
            {**PROBLEM, "more": 1},
            {**PROBLEM, "keep_plan": 1},
            {**PROBLEM, "message": {"code": "trial_used", "params": {}}},
            {**PROBLEM, "message": {"code": "trial_used", "params": {"document": "S1", "more": "x"}}},
            {"op": "instance", "key": "i", "instance_key": "sol:1", "values": {"plan_id": None}},
            {"op": "instance", "key": "i", "instance_key": "sol:1", "values": {"plan_id": 0}},
            {"op": "instance", "key": "i", "instance_key": "sol:1", "values": {"paid_until": "tomorrow"}},
        ):
            with self.subTest(operation=operation):
                self.assertTrue(operation_problems(operation))
        self.assertTrue(reply_problems("renewal", {"protocol": 2, "url": False, "amount": ""}))
        self.assertTrue(reply_problems("push", [{"key": "a", "status": "well", "message": ""}]))

    def test_a_keyword_that_is_not_checked_is_an_error(self):
        with self.assertRaises(NotImplementedError):
            problems(1, {"multipleOf": 2})
