from odoo.tests import tagged

from .common import SaasCommon


@tagged("post_install", "-at_install")
class TestWatch(SaasCommon):
    """Nothing is silent."""

    def _watch(self):
        self.env.flush_all()
        self.env["saas.bridge"]._watch_documents()

    def _note(self, document):
        return " ".join(document.activity_ids.mapped("note"))

    def test_paid_twice_online(self):
        order = self._order(confirm=False)
        self._transaction(order)
        order.action_confirm()
        self._watch()
        self.assertFalse(order.activity_ids)
        self._transaction(order)
        self._watch()
        self._watch()
        self.assertEqual(len(order.activity_ids), 1)
        self.assertIn("paid more than once", self._note(order))
        self.assertEqual(order.activity_ids.user_id, self.salesman)

    def test_paid_online_and_at_the_bank(self):
        order = self._order(confirm=False)
        self._transaction(order)
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.action_post()
        self._pay(invoice)
        self._watch()
        self.assertIn("paid more than once", self._note(order))

    def test_paid_once_says_nothing(self):
        order = self._order()
        invoice = order._create_invoices()
        invoice.action_post()
        self._pay(invoice)
        self._watch()
        self.assertFalse(order.activity_ids or invoice.activity_ids)

    def test_paid_in_part_online(self):
        order = self._order(quantity=6, confirm=False)
        self._transaction(order, amount=20)
        self._watch()
        self.assertIn("paid in part", self._note(order))
        self._transaction(order, amount=40)
        self._watch()
        self.assertEqual(len(order.activity_ids), 1)

    def test_payment_on_its_way_is_waited_for(self):
        order = self._order(quantity=2, confirm=False)
        self._transaction(order, amount=10)
        self._transaction(order, amount=10, state="pending")
        self._watch()
        self.assertFalse(order.activity_ids)

    def _pay_part(self, invoice, amount):
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids).create(
            {"amount": amount, "payment_difference_handling": "open"}
        ).action_create_payments()

    def test_invoice_paid_in_part(self):
        order, alone = self._order(quantity=6), self._invoice(quantity=6)
        invoice = order._create_invoices()
        invoice.action_post()
        for move in invoice | alone:
            self._pay_part(move, 20)
        self._watch()
        self.assertIn("paid in part", self._note(order))
        self.assertIn("paid in part", self._note(alone))

    def test_given_back_says_nothing(self):
        order = self._order(confirm=False)
        first = self._transaction(order)
        order.action_confirm()
        self._transaction(order)
        self._transaction(order, operation="refund", source_transaction_id=first.id, amount=-10, sale_order_ids=[(5,)])
        self._watch()
        self.assertFalse(order.activity_ids)

    def test_other_orders_are_nobodys_business(self):
        product = self.env["product.template"].create({"name": "Hour", "type": "service", "list_price": 5})
        order = self._order(plan=product, confirm=False)
        for _twice in range(2):
            self._transaction(order)
        self._watch()
        self.assertFalse(order.activity_ids)

    def test_policy_that_never_invoices(self):
        self.assertFalse(self.plan.saas_plan_warnings)
        self.plan.invoice_policy = "delivery"
        self.assertIn("never invoiced", self.plan.saas_plan_warnings)
        self.assertIn("never invoiced", " ".join(self.bridge.hello()["warnings"]))
        order = self._order(confirm=False)
        order.with_user(self.salesman).action_confirm()
        self.assertIn("never invoiced", self._note(order))
        order._action_cancel()
        order.action_draft()
        order.action_confirm()
        self.assertEqual(len(order.activity_ids), 1)

    def test_fields_of_apps_that_are_not_there(self):
        template = type(self.plan)
        for fname, word in (("available_in_pos", "point of sale"), ("recurring_invoice", "recurring")):
            with self.subTest(fname=fname):
                self.patch(template, "_saas_is_set", lambda product, asked, fname=fname: asked == fname)
                self.plan.invalidate_recordset()
                self.assertIn(word, self.plan.saas_plan_warnings)
                self.assertIn(word, " ".join(self.bridge.hello()["warnings"]))
        self.assertIn("recurring", self._note(self._order()))

    def test_archived_salesperson_gets_none(self):
        order = self._order(confirm=False)
        self._transaction(order, amount=4)
        self.salesman.active = False
        self._watch()
        self.assertTrue(order.activity_ids.user_id.active)
