"""Money given back for documents that sell other things beside a plan: which of them it takes back."""

from odoo import Command
from odoo.tests import tagged

from .test_office import OfficeCommon


@tagged("post_install", "-at_install")
class TestRefundsBesideOthers(OfficeCommon):
    """A refund names no line: what was spent last goes back first."""

    def _both(self, plan_first, quantity=2, pay=True):
        """An order of a plan (10 a period) and consulting (70)."""
        order = self._order(quantity=quantity, confirm=False)
        line = order.order_line
        line.sequence = 10
        self._add(order, self.consulting, sequence=20 if plan_first else 5)
        order.action_confirm()
        # As a new request reads them: in their order.
        self.env.flush_all()
        order.invalidate_recordset(["order_line"])
        return order, line, self._transaction(order) if pay else None

    def _refund(self, order, transaction, amount):
        self._child(transaction, -amount, "done")
        self.env.flush_all()

    def test_the_last_lines_go_first(self):
        # By the place of the plan: what was refunded until then, and the periods that stay.
        for plan_first, steps in ((True, ((70, 2), (5, 2), (5, 1), (10, 0))), (False, ((9, 2), (1, 1), (10, 0), (70, 0)))):
            for asked in (True, False):
                with self.subTest(plan_first=plan_first, asked=asked):
                    order, line, transaction = self._both(plan_first)
                    if asked:
                        self.assertEqual(self._paid(line), 2)
                    for amount, left in steps:
                        self._refund(order, transaction, amount)
                        if asked:
                            self.assertEqual(self._paid(line), left, amount)
                            self.assertEqual(self._paid(line), left, "the same when asked again")
                    self.assertEqual(self._paid(line), 0)

    def test_known_with_the_refund_only(self):
        for plan_first, left in ((True, 2), (False, 1)):
            order, line, transaction = self._both(plan_first)
            self._refund(order, transaction, 10)
            self.assertEqual(self._paid(line), left)
            self.assertEqual(self._paid(line), left)

    def test_an_edit_does_not_move_what_was_refunded(self):
        order, line, transaction = self._both(True)
        self._purchase(line)
        self._refund(order, transaction, 10)
        before = self._purchase(line)["parts"]
        self._add(order, self.consulting, sequence=1)
        line.sequence = 99
        self.assertEqual(self._purchase(line)["parts"], before)

    def test_credit_note_of_the_other_line_and_the_refund_for_it(self):
        for plan_first in (True, False):
            with self.subTest(plan_first=plan_first):
                order, line, transaction = self._both(plan_first)
                invoice = self._booked(order, transaction)
                before = self._parts(line)
                self._credit(invoice, self.consulting)
                self.assertEqual(self._parts(line), before)
                self._refund(order, transaction, 70)
                self.assertEqual(self._parts(line), before, "that is the same money")
                self._refund(order, transaction, 10)
                self.assertEqual(self._paid(line), 1)

    def test_credit_note_of_the_plan_and_the_refund_for_it(self):
        for plan_first in (True, False):
            with self.subTest(plan_first=plan_first):
                order, line, transaction = self._both(plan_first)
                invoice = self._booked(order, transaction)
                self.assertEqual(self._paid(line), 2)
                self._credit(invoice, line.product_id, quantity=1)
                self.assertEqual(self._paid(line), 1)
                self._refund(order, transaction, 10)
                self.assertEqual(self._paid(line), 1)

    def test_refund_of_what_paid_an_invoice(self):
        for ordered in (True, False):
            for plan_first, left in ((True, 2), (False, 1)):
                with self.subTest(ordered=ordered, plan_first=plan_first):
                    if ordered:
                        order, line, _none = self._both(plan_first, pay=False)
                        invoice = self._invoice_order(order, pay=False)
                    else:
                        invoice = self._invoice(post=False, quantity=2)
                        line = invoice.invoice_line_ids
                        line.sequence = 10
                        invoice.invoice_line_ids = [Command.create({"product_id": self.consulting.id, "sequence": 20 if plan_first else 5})]
                        invoice.action_post()
                    transaction = self._online(invoice)
                    self.assertEqual((invoice.amount_total, self._paid(line)), (90, 2))
                    self._child(transaction, -10, "done")
                    self.assertEqual(self._paid(line), left)

    def test_refund_of_a_discounted_invoice(self):
        """The discount on all of it is in the price of each period."""
        order = self._order(quantity=12, confirm=False)
        self.env["sale.order.discount"].create(
            {"sale_order_id": order.id, "discount_type": "so_discount", "discount_percentage": 0.5}
        ).action_apply_discount()
        order.action_confirm()
        line = order.order_line[0]
        transaction = self._online(self._invoice_order(order, pay=False))
        self.assertEqual(self._paid(line), 12)
        self._child(transaction, -10, "done")
        self.assertEqual(self._paid(line), 10)

    def test_credit_note_of_an_amount(self):
        """It is on no line of the invoice: a free text, or a product for such cases."""
        for ordered in (True, False):
            for amount, left in ((9, 2), (10, 1), (20, 0)):
                with self.subTest(ordered=ordered, amount=amount):
                    order = self._order(quantity=2)
                    invoice = self._invoice_order(order) if ordered else self._invoice(quantity=2)
                    line = order.order_line if ordered else invoice.invoice_line_ids
                    if not ordered:
                        self._pay(invoice)
                    self.assertEqual(self._paid(line), 2)
                    cursor = self._since_now()
                    credit = invoice._reverse_moves()
                    credit.invoice_line_ids = [
                        Command.clear(), Command.create({"name": "Goodwill", "quantity": 1, "price_unit": amount, "tax_ids": [Command.clear()]})
                    ]
                    credit.action_post()
                    row = self._purchase(line, cursor)
                    self.assertEqual(sum(part["quantity"] for part in row["parts"] if part["paid_on"]), left)
                    self.assertEqual(self._paid(line), left)

    def test_refund_of_an_order_that_odoo_invoiced_by_itself(self):
        """The invoice stays paid, and it is the same money."""
        for asked in (True, False):
            for amounts, left in (((10,), 1), ((10, 80), 0), ((90,), 0)):
                with self.subTest(asked=asked, amounts=amounts):
                    order, line, transaction = self._both(False)
                    invoice = self._booked(order, transaction)
                    if asked:
                        self.assertEqual(self._paid(line), 2)
                    for amount in amounts:
                        self._refund(order, transaction, amount)
                    self.assertEqual((invoice.payment_state in ("paid", "in_payment"), self._paid(line)), (True, left))
                    self.assertEqual(self._paid(line), left)

    def _booked(self, order, transaction):
        """The invoice that an online payment pays, as Odoo books it."""
        invoice = self._invoice_order(order)
        self.assertIn(transaction, invoice.transaction_ids)
        invoice.matched_payment_ids.payment_transaction_id = transaction
        return invoice

    def _credit(self, invoice, product, **values):
        """A posted credit note of the lines of one product."""
        credit = invoice._reverse_moves()
        credit.invoice_line_ids.filtered(lambda line: line.product_id != product).unlink()
        credit.invoice_line_ids.write(values)
        credit.action_post()
        return credit

    def _online(self, invoice):
        transaction = self._transaction(
            self.env["sale.order"], amount=invoice.amount_total, currency_id=invoice.currency_id.id, partner_id=invoice.partner_id.id,
            reference=f"pay-{invoice.id}", invoice_ids=[Command.set(invoice.ids)],
        )
        self._pay(invoice)
        invoice.matched_payment_ids.payment_transaction_id = transaction
        return transaction
