"""What an accountant does in a week that is neither a payment nor a refund, and what looks like one."""

from datetime import timedelta

from odoo import Command, fields
from odoo.tests import tagged

from .test_office import OfficeCommon
from .test_parts import text


@tagged("post_install", "-at_install")
class TestAccountant(OfficeCommon):
    def _both(self, days=20):
        """A paid order and a paid invoice without one: (line, invoice) of each."""
        order, direct = self._order(quantity=2), self._invoice(quantity=2)
        invoice = self._invoice_order(order)
        self._pay(direct)
        self._date(days, order, direct)
        return [(order.order_line, invoice), (direct.invoice_line_ids, direct)]

    def test_credit_note_by_mistake(self):
        """Posted, seen, and reset to draft: nobody was given money, and the time begins where it began."""
        for line, invoice in self._both():
            for quantity in (2, 1):
                with self.subTest(model=line._name, quantity=quantity):
                    before = self._parts(line)
                    credit = invoice._reverse_moves()
                    credit.invoice_line_ids.quantity = quantity
                    self.assertEqual(self._parts(line), before, "a draft gives nothing back")
                    credit.action_post()
                    self.assertEqual(self._paid(line), 2 - quantity)
                    credit.button_draft()
                    self.assertEqual(self._parts(line), before)
                    credit.button_cancel()
                    self.assertEqual(self._parts(line), before)

    def test_two_lines_of_one_plan(self):
        """The credit note says which of them; a refund takes the last."""
        product = self.plan.product_variant_id
        for how in ("credit", "refund"):
            with self.subTest(how=how):
                order = self._order(confirm=False)
                first, second = order.order_line, self._add(order, product, sequence=50)
                order.action_confirm()
                if how == "credit":
                    credit = self._invoice_order(order)._reverse_moves()
                    credit.invoice_line_ids.filtered(lambda one: one.sale_line_ids == second).unlink()  # noqa: B023
                    credit.action_post()
                    self.assertEqual((self._paid(first), self._paid(second)), (0, 1))
                else:
                    transaction = self._transaction(order)
                    self.assertEqual((self._paid(first), self._paid(second)), (1, 1))
                    self._child(transaction, -10, "done")
                    self.assertEqual((self._paid(first), self._paid(second)), (1, 0))

    def test_refund_of_one_payment_of_two_orders(self):
        orders = self._order(), self._order(quantity=2)
        transaction = self._transaction(orders[0], amount=30, sale_order_ids=[Command.set((orders[0] | orders[1]).ids)])
        lines = [order.order_line for order in orders]
        self.assertEqual([self._paid(line) for line in lines], [1, 2])
        for amount, left in ((10, [1, 1]), (10, [1, 0]), (10, [0, 0])):
            self._child(transaction, -amount, "done")
            self.assertEqual([self._paid(line) for line in lines], left)

    def test_instalments(self):
        """Half now, half in a month: it is paid when all of it is; what is taken off again is missed, and no more."""
        half = [Command.create({"value": "percent", "value_amount": 50, "nb_days": days}) for days in (0, 30)]
        term = self.env["account.payment.term"].create({"name": "halves", "line_ids": half})
        for ordered in (True, False):
            with self.subTest(ordered=ordered):
                order = self._order(quantity=2)
                invoice = order._create_invoices() if ordered else self._invoice(quantity=2, post=False)
                line = order.order_line if ordered else invoice.invoice_line_ids
                invoice.invoice_payment_term_id = term
                invoice.action_post()
                due = invoice.line_ids.filtered(lambda one: one.account_type == "asset_receivable")
                self.assertEqual(len(due), 2)
                for amount, paid in ((10, 0), (10, 2)):
                    self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids).create(
                        {"amount": amount, "payment_difference_handling": "open"}
                    ).action_create_payments()
                    self.assertEqual(self._paid(line), paid)
                before = self._parts(line)
                payments = invoice.matched_payment_ids.move_id.line_ids.filtered(lambda one: one.account_type == "asset_receivable")
                due[1].remove_move_reconcile()
                self.assertEqual(self._paid(line), 1)
                self._reconcile(invoice, payments.filtered(lambda one: not one.reconciled))
                self.assertEqual(self._parts(line), before)

    def test_merged_invoice_that_is_paid_in_part(self):
        orders = self._order(), self._order(quantity=2)
        invoice = (orders[0] | orders[1])._create_invoices()
        invoice.action_post()
        for amount, paid in ((10, [0, 0]), (20, [1, 2])):
            self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids).create(
                {"amount": amount, "payment_difference_handling": "open"}
            ).action_create_payments()
            self.assertEqual([self._paid(order.order_line) for order in orders], paid)

    def test_invoice_cancelled_and_duplicated(self):
        order = self._order(quantity=2)
        invoice = self._invoice_order(order)
        self._date(20, order)
        before = self._parts(order.order_line)
        payments = self._payment_lines(invoice)
        invoice.button_draft()
        invoice.button_cancel()
        again = invoice.copy()
        again.invoice_line_ids.sale_line_ids = order.order_line
        again.action_post()
        self._reconcile(again, payments)
        self.assertEqual([part[1:] for part in self._parts(order.order_line)], [part[1:] for part in before])

    def test_order_duplicated(self):
        order = self._order(quantity=2)
        self._transaction(order)
        self.assertEqual(self._paid(order.order_line), 2)
        again = order.copy()
        again.action_confirm()
        self.assertEqual(self._parts(again.order_line), [("ordered:1", 2, False, False)])

    def test_closed_books(self):
        """The month is closed, and its invoice is paid and credited afterwards."""
        for ordered in (True, False):
            with self.subTest(ordered=ordered):
                order = self._order(quantity=2)
                invoice = order._create_invoices() if ordered else self._invoice(quantity=2, post=False)
                line = order.order_line if ordered else invoice.invoice_line_ids
                invoice.invoice_date = fields.Date.today() - timedelta(days=40)
                invoice.action_post()
                self.company.fiscalyear_lock_date = fields.Date.today() - timedelta(days=10)
                self._pay(invoice)
                self.assertEqual(self._paid(line), 2)
                first = self._parts(line)
                self._reconcile(invoice, self._unreconcile(invoice))
                self.assertEqual(self._parts(line), first)
                credit = invoice._reverse_moves([{"invoice_date": fields.Date.today(), "date": fields.Date.today()}])
                credit.invoice_line_ids.quantity = 1
                credit.action_post()
                self.assertEqual(self._paid(line), 1)
                self.company.fiscalyear_lock_date = False

    def test_sections_notes_and_analytic_accounts(self):
        order = self._order(quantity=2, confirm=False)
        line = order.order_line
        values = [{"display_type": kind, "name": kind, "sequence": place} for kind, place in (("line_section", 1), ("line_note", 99))]
        order.order_line = [Command.create(one) for one in values]
        plan = self.env["account.analytic.plan"].create({"name": "Projects"})
        account = self.env["account.analytic.account"].create({"name": "A", "plan_id": plan.id})
        line.analytic_distribution = {str(account.id): 100}
        order.action_confirm()
        transaction = self._transaction(order)
        self.assertEqual(self._paid(line), 2)
        invoice = self._invoice_order(order)
        invoice.matched_payment_ids.payment_transaction_id = transaction
        before = self._parts(line)
        invoice.invoice_line_ids.filtered(lambda one: one.display_type == "product").analytic_distribution = False
        self.assertEqual(self._parts(line), before)
        self._child(transaction, -10, "done")
        self.assertEqual(self._paid(line), 1)

    def test_combo(self):
        """A plan in a combo: the price of all is shared by what is in it."""
        combo = self.env["product.combo"].create(
            {"name": "Choice", "combo_item_ids": [Command.create({"product_id": self.plan.product_variant_id.id})]}
        )
        product = self.env["product.product"].create(
            {"name": "Bundle", "type": "combo", "list_price": 30, "taxes_id": [Command.clear()], "combo_ids": [Command.set(combo.ids)]}
        )
        order = self.env["sale.order"].create({"partner_id": self.ana.id})
        head = self._add(order, product, product_uom_qty=3)
        line = self._add(
            order, self.plan.product_variant_id, product_uom_qty=3, linked_line_id=head.id, combo_item_id=combo.combo_item_ids.id, sequence=11
        )
        order.action_confirm()
        self.assertEqual(order.amount_total, 90)
        self._transaction(order, amount=30)
        self.assertEqual(self._paid(line), 1)
        self._transaction(order, amount=60)
        self.assertEqual((self._paid(line), self._purchase(line)["unit_price"]), (3, 30))

    def test_payment_corrected(self):
        """The wrong date: reset to draft, corrected, confirmed and matched again."""
        for line, invoice in self._both():
            with self.subTest(model=line._name):
                before = self._parts(line)
                payment = invoice.matched_payment_ids
                payment.action_draft()
                self.assertEqual([part[:3] for part in self._parts(line)], [part[:3] for part in before], "somebody is at work")
                payment.date = fields.Date.today() - timedelta(days=3)
                payment.action_post()
                if invoice.payment_state not in ("paid", "in_payment"):
                    self._reconcile(invoice, payment.move_id.line_ids.filtered(lambda one: one.account_type == "asset_receivable"))
                self.assertEqual(self._parts(line), before)

    def test_a_cent_too_little(self):
        """Two thirds, and the cent that rounding loses: the bank's difference is written off."""
        invoice = self._invoice(quantity=3, post=False)
        invoice.invoice_line_ids.price_unit = 3.3333
        invoice.action_post()
        account = self.env["account.account"].search([("account_type", "=", "expense")], limit=1)
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids).create(
            {"amount": invoice.amount_total - 0.01, "payment_difference_handling": "reconcile", "writeoff_account_id": account.id}
        ).action_create_payments()
        self.assertEqual(self._paid(invoice.invoice_line_ids), 3)
        order = self._order(quantity=3, price_unit=3.3333)
        for part in (3.33, 3.33, order.amount_total - 6.66):
            self._transaction(order, amount=part)
        self.assertEqual(self._paid(order.order_line), 3)

    def test_currency_changed_on_the_draft_invoice(self):
        franc = self.env.ref("base.CHF")
        franc.active = True
        franc.rate_ids.unlink()
        self.env["res.currency.rate"].create({"currency_id": franc.id, "name": "2020-01-01", "rate": 2, "company_id": self.company.id})
        order = self._order(quantity=2)
        invoice = order._create_invoices()
        invoice.currency_id = franc
        invoice.action_post()
        self._pay(invoice)
        part = (f"inv:{invoice.invoice_line_ids.id}", 2, text(invoice.saas_paid_on), False)
        self.assertEqual(self._parts(order.order_line), [part])
        credit = invoice._reverse_moves()
        credit.invoice_line_ids.quantity = 1
        credit.action_post()
        self.assertEqual(self._paid(order.order_line), 1)

    def test_negative_line(self):
        """What the office takes off by a negative quantity is a discount on the rest, and no instance's time."""
        order = self._order(quantity=3, confirm=False)
        line = order.order_line
        less = self._add(order, self.consulting, product_uom_qty=-1, price_unit=10, sequence=50)
        order.action_confirm()
        self.assertEqual(order.amount_total, 20)
        self._transaction(order)
        self.assertEqual((self._paid(line), round(self._purchase(line)["unit_price"], 2)), (3, 6.67))
        self.assertIsNone(self._purchase(less))
        back = self._order(quantity=-1)
        self.assertEqual(self._quantity(self._purchase(back.order_line)), 0)
