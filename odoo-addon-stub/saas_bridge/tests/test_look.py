from odoo.tests import tagged

from .common import SaasCommon
from .schema import reply_problems


@tagged("post_install", "-at_install")
class TestLook(SaasCommon):
    """A fresh look at one instance, before its data goes: what was bought for it or may be, and nobody else's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._order()
        cls.instance = cls._instance(key=f"sol:{cls.order.order_line.id}", contact_id=cls.ana.id)
        cls.order.order_line.saas_instance_id = cls.instance
        other = cls.env["res.partner"].create({"name": "Otra", "email": "otra@x.example"})
        cls._order(partner=other)
        cls._invoice(partner=other)
        cls._instance("otra", partner_id=other.id)

    def _look(self, *known):
        self.env.flush_all()
        reply = self.bridge.look(self.instance.key, list(known))
        self._assert_no_none(reply)
        self.assertEqual(reply_problems("look", reply), [])
        return reply

    def _keys(self, *known):
        return sorted(row["key"] for row in self._look(*known)["purchases"])

    def test_gives_the_record_its_plan_and_what_was_bought_for_it(self):
        reply = self._look()
        self.assertEqual([row["key"] for row in reply["instances"]], [self.instance.key])
        self.assertEqual([row["id"] for row in reply["plans"]], [self.plan.id])
        self.assertEqual([row["key"] for row in reply["purchases"]], [self.instance.key])

    def test_says_the_same_as_a_poll(self):
        rows = self._look()["purchases"]
        self.assertEqual(rows, [self._purchase(self.order.order_line)])

    def test_gives_what_its_customer_bought_that_is_for_no_instance_yet(self):
        order, invoice = self._order(partner=self.acme), self._invoice()
        keys = {f"sol:{order.order_line.id}", f"aml:{invoice.invoice_line_ids.id}", self.instance.key}
        self.assertEqual(set(self._keys()), keys)
        order.order_line.saas_instance_id = self._instance("acme-2")
        self.assertEqual(set(self._keys()), keys - {f"sol:{order.order_line.id}"})

    def test_gives_a_grant_and_a_command(self):
        grant = self.env["saas.grant"].create(
            {"instance_id": self.instance.id, "quantity": 1, "period_count": 1, "period_unit": "month", "reason": "sorry"}
        )
        command = self.env["saas.command"].create({"instance_id": self.instance.id, "command": "stop"})
        reply = self._look()
        self.assertIn(f"grant:{grant.id}", [row["key"] for row in reply["purchases"]])
        self.assertIn(command.id, [row["id"] for row in reply["commands"]])

    def test_gives_what_the_daemon_takes_for_its_whoever_bought_it(self):
        other = self._order(partner=self.env["res.partner"].create({"name": "Tercera"}))
        self.assertIn(f"sol:{other.order_line.id}", self._keys(f"sol:{other.order_line.id}"))
        self.assertNotIn(f"sol:{other.order_line.id}", self._keys())

    def test_confirms_what_was_paid_a_moment_ago(self):
        order = self._order(confirm=False)
        transaction = self._transaction(order)
        transaction.last_state_change = "2026-01-01 00:00:00"
        [row] = [row for row in self._look()["purchases"] if row["key"] == f"sol:{order.order_line.id}"]
        self.assertEqual((order.state, row["state"]), ("sale", "open"))

    def test_gives_a_payment_that_is_on_its_way(self):
        order = self._order(confirm=False)
        self._transaction(order, state="pending")
        [row] = [row for row in self._look()["purchases"] if row["key"] == f"sol:{order.order_line.id}"]
        self.assertEqual(row["state"], "pending")

    def test_of_an_instance_that_has_no_record_gives_what_is_asked_for(self):
        self.env.flush_all()
        key = f"sol:{self.order.order_line.id}"
        reply = self.bridge.look("sol:987654", [key])
        self.assertEqual(reply["instances"], [])
        self.assertEqual([row["key"] for row in reply["purchases"]], [key])
