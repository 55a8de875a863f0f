import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import SaasCommon


def text(moment):
    return fields.Datetime.to_string(moment)


class PartsCommon(SaasCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.consulting = cls.env["product.product"].create(
            {"name": "Consulting", "type": "service", "list_price": 70, "taxes_id": [(5,)], "invoice_policy": "order"}
        )

    def _date(self, days, orders=None, invoices=None):
        """Sets the documents' own dates back, as if all of it had happened so many days ago."""
        self.env.flush_all()
        orders, invoices = orders or self.env["sale.order"], invoices or self.env["account.move"]
        for table, columns, ids in (
            ("sale_order", ("date_order", "saas_confirmed_on"), orders.ids),
            ("payment_transaction", ("last_state_change",), orders.transaction_ids.ids),
            ("account_move", ("saas_paid_on",), (invoices | orders.invoice_ids).ids),
        ):
            if ids:
                values = ", ".join(f"{column} = {column} - interval '{days} days'" for column in columns)
                self.env.cr.execute(f"UPDATE {table} SET {values} WHERE id IN %s", [tuple(ids)])
        self.env.invalidate_all()

    def _add(self, order, product, **values):
        return self.env["sale.order.line"].create({"order_id": order.id, "product_id": product.id, **values})

    def _invoice_order(self, order, quantity=None, pay=True):
        invoice = order._create_invoices()
        if quantity is not None:
            invoice.invoice_line_ids.quantity = quantity
        invoice.action_post()
        if pay:
            self._pay(invoice)
        return invoice

    def _payment_lines(self, invoice):
        return invoice.matched_payment_ids.move_id.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    def _unreconcile(self, invoice):
        payments = self._payment_lines(invoice)
        invoice.line_ids.remove_move_reconcile()
        return payments

    def _reconcile(self, invoice, payments):
        invoice.js_assign_outstanding_line(payments[0].id)

    def _todos(self, document):
        return document.activity_ids.filtered(lambda todo: "no longer there" in (todo.note or ""))


@tagged("post_install", "-at_install")
class TestEdits(PartsCommon):
    """Time is taken away only when money is given back: D3, D4, D5, D8."""

    def _paid_online(self, days=10, **values):
        order = self._order(**values)
        self._transaction(order)
        self._date(days, order)
        return order

    def test_line_added_to_a_paid_order(self):
        for place in (5, 50):
            with self.subTest(sequence=place):
                order = self._paid_online()
                line = order.order_line
                line.sequence = 10
                before = self._purchase(line)["parts"]
                self.assertTrue(before[0]["paid_on"])
                self._add(order, self.consulting, sequence=place)
                self.assertEqual(self._purchase(line)["parts"], before)

    def test_line_added_before_anybody_asked(self):
        """The daemon was away while it was paid and edited."""
        order = self._paid_online()
        self._add(order, self.consulting, sequence=1)
        self.assertTrue(self._paid_on(self._purchase(order.order_line.filtered("saas_part_ids"))))

    def test_quantity_raised_after_an_online_payment(self):
        order = self._paid_online()
        line = order.order_line
        line.product_uom_qty = 2
        paid, owed = self._purchase(line)["parts"]
        since = text(order.saas_confirmed_on)
        self.assertEqual((paid["quantity"], paid["starts_on"], bool(paid["paid_on"])), (1, since, True))
        self.assertEqual((owed["key"], owed["quantity"], owed["paid_on"]), ("ordered:2", 1, False))
        self.assertGreater(owed["starts_on"], text(fields.Datetime.now() - timedelta(minutes=5)))
        self._transaction(order, amount=10)
        first, second = self._purchase(line)["parts"]
        self.assertEqual(first, paid)
        self.assertEqual((second["quantity"], second["starts_on"]), (1, owed["starts_on"]))
        self.assertGreaterEqual(second["paid_on"], owed["starts_on"])

    def test_quantity_raised_after_a_paid_invoice(self):
        order = self._order()
        self._invoice_order(order)
        self._date(10, order)
        before = self._purchase(order.order_line)["parts"]
        order.order_line.product_uom_qty = 2
        parts = self._purchase(order.order_line)["parts"]
        self.assertEqual((parts[:1], len(parts), parts[1]["paid_on"]), (before, 2, False))
        self._invoice_order(order)
        parts = self._purchase(order.order_line)["parts"]
        self.assertEqual((parts[:1], len(parts), bool(parts[1]["paid_on"])), (before, 2, True))

    def test_edits_of_price_and_order_of_the_lines(self):
        order = self._paid_online()
        line = order.order_line
        before = self._purchase(line)["parts"]
        for values in ({"price_unit": 25}, {"price_unit": 0}, {"discount": 40}, {"sequence": 99}, {"discount": 0}):
            line.write(values)
            self.assertEqual(self._purchase(line)["parts"], before, values)

    def test_quantity_lowered_under_what_was_paid(self):
        order = self._paid_online(quantity=3)
        before = self._purchase(order.order_line)["parts"]
        for quantity in (1, 0):
            order.order_line.product_uom_qty = quantity
            row = self._purchase(order.order_line)
            self.assertEqual((row["state"], self._quantity(row), row["parts"][0]["paid_on"]), ("open", 3, before[0]["paid_on"]))

    def test_product_of_a_paid_line_stays(self):
        order = self._paid_online()
        dear = self._plan("Large", "t-large", list_price=60)
        with self.assertRaisesRegex(UserError, "add a line"):
            order.order_line.product_id = dear.product_variant_id
        unpaid = self._order()
        unpaid.order_line.product_id = dear.product_variant_id
        self.assertEqual(self._purchase(unpaid.order_line)["plan_id"], dear.id)

    def test_a_part_of_the_order_is_invoiced(self):
        order = self._order(quantity=12)
        invoice = self._invoice_order(order, quantity=3)
        paid_on = text(invoice.saas_paid_on)
        self.assertEqual(
            self._parts(order.order_line),
            [(f"inv:{invoice.invoice_line_ids.id}", 3, paid_on, False), ("ordered:1", 9, False, False)],
        )

    def test_cancelled_and_confirmed_again(self):
        order = self._paid_online(days=20)
        before = self._purchase(order.order_line)
        order._action_cancel()
        self.assertEqual((self._purchase(order.order_line)["state"], self._purchase(order.order_line)["parts"]), ("cancelled", []))
        order.action_draft()
        self.assertEqual(self._purchase(order.order_line)["state"], "cancelled")
        order.action_confirm()
        self.assertEqual(self._purchase(order.order_line), before)

    def test_cancelled_and_confirmed_again_with_a_paid_invoice(self):
        order = self._order(quantity=2)
        self._invoice_order(order)
        self._date(20, order)
        before = self._purchase(order.order_line)
        order._action_cancel()
        order.action_draft()
        order.action_confirm()
        self.assertEqual(self._purchase(order.order_line)["parts"], before["parts"])


@tagged("post_install", "-at_install")
class TestVanished(PartsCommon):
    """An accountant at work: D6, D7. Nothing is lost at once, and nothing at all when the money comes again."""

    def _paid(self, ordered, days=20):
        if not ordered:
            invoice = self._invoice()
            self._pay(invoice)
            line = invoice.invoice_line_ids
            self._date(days, invoices=invoice)
        else:
            order = self._order()
            invoice, line = self._invoice_order(order), order.order_line
            self._date(days, order)
        return invoice, line

    def test_reconciliation_undone_and_done_again(self):
        for ordered in (False, True):
            with self.subTest(ordered=ordered):
                invoice, line = self._paid(ordered)
                cursor = self._since_now()
                payments = self._unreconcile(invoice)
                row = self._purchase(line, cursor)
                [part] = row["parts"]
                self.assertEqual((row["state"], part["paid_on"]), ("open", text(invoice.saas_paid_on)))
                self.assertGreater(part["vanished_on"], text(fields.Datetime.now() - timedelta(minutes=5)))
                document = line.order_id if ordered else invoice
                self.assertEqual(len(self._todos(document)), 1)
                vanished = part["vanished_on"]
                self.assertEqual(self._purchase(line)["parts"][0]["vanished_on"], vanished)
                self.assertEqual(len(self._todos(document)), 1, "once")
                self._reconcile(invoice, payments)
                [again] = self._purchase(line)["parts"]
                self.assertEqual(again, {**part, "vanished_on": False})
                self.assertFalse(self._todos(document))

    def test_undone_and_done_again_before_anybody_asked(self):
        invoice, line = self._paid(False)
        self._reconcile(invoice, self._unreconcile(invoice))
        self.assertEqual(self._parts(line), [(f"inv:{line.id}", 1, text(invoice.saas_paid_on), False)])
        self.assertLess(invoice.saas_paid_on, fields.Datetime.now() - timedelta(days=19))

    def test_reset_to_draft_and_posted(self):
        for ordered in (False, True):
            with self.subTest(ordered=ordered):
                invoice, line = self._paid(ordered)
                before = self._purchase(line)["parts"]
                payments = self._payment_lines(invoice)
                invoice.button_draft()
                [part] = self._purchase(line)["parts"]
                self.assertTrue(part["vanished_on"])
                invoice.action_post()
                if invoice.payment_state not in ("paid", "in_payment"):
                    self._reconcile(invoice, payments)
                self.assertEqual(self._purchase(line)["parts"], before)

    def test_more_of_it_after_the_correction(self):
        invoice, line = self._paid(False)
        payments = self._payment_lines(invoice)
        invoice.button_draft()
        line.quantity = 2
        invoice.action_post()
        if invoice.payment_state == "not_paid":
            self._reconcile(invoice, payments)
        self.assertEqual(invoice.payment_state, "partial")
        self.assertEqual(self._parts(line), [(f"inv:{line.id}", 1, text(invoice.saas_paid_on), False)])

    def test_invoice_made_anew(self):
        invoice, line = self._paid(True)
        first = text(invoice.saas_paid_on)
        payments = self._payment_lines(invoice)
        invoice.button_draft()
        invoice.button_cancel()
        self.assertTrue(self._purchase(line)["parts"][0]["vanished_on"])
        again = self._invoice_order(line.order_id, pay=False)
        self._reconcile(again, payments)
        self.assertEqual(self._parts(line), [(f"inv:{again.invoice_line_ids.id}", 1, first, False)])

    def test_reversed_and_made_anew_without_an_order(self):
        invoice, line = self._paid(False)
        first, payments = text(invoice.saas_paid_on), self._payment_lines(invoice)
        self.env["account.move.reversal"].with_context(active_model="account.move", active_ids=invoice.ids).create(
            {"journal_id": invoice.journal_id.id, "reason": "test"}
        ).modify_moves()
        self.assertEqual(self._parts(line), [(f"inv:{line.id}", 1, first, False)], "nothing was given back")
        again = invoice.saas_replacement_ids
        again.action_post()
        self._reconcile(again, payments)
        self.assertEqual(self._purchase(line)["state"], "cancelled")
        self.assertEqual(self._parts(again.invoice_line_ids), [(f"inv:{again.invoice_line_ids.id}", 1, first, False)])

    def test_charge_back_after_the_reconciliation_was_undone(self):
        for ordered in (False, True):
            with self.subTest(ordered=ordered):
                invoice, line = self._paid(ordered)
                self._purchase(line)
                self._unreconcile(invoice)
                self.assertTrue(self._purchase(line)["parts"][0]["vanished_on"])
                cursor = self._since_now()
                invoice.matched_payment_ids.action_draft()
                invoice.matched_payment_ids.action_cancel()
                row = self._purchase(line, cursor)
                self.assertFalse([part for part in row["parts"] if part["paid_on"]])

    def test_credit_note_acts_at_once(self):
        invoice, line = self._paid(False)
        self._purchase(line)
        invoice._reverse_moves().action_post()
        self.assertEqual(self._purchase(line)["state"], "cancelled")
        self.assertFalse(self._todos(invoice))

    def test_paid_again_after_the_money_was_given_back_starts_anew(self):
        order = self._order()
        first = self._transaction(order)
        self._date(40, order)
        self._purchase(order.order_line)
        self._transaction(order, amount=-10, operation="refund", source_transaction_id=first.id, sale_order_ids=False)
        self.assertEqual(self._parts(order.order_line), [("ordered:1", 1, False, False)])
        second = self._transaction(order)
        self.assertEqual(self._parts(order.order_line), [(f"tx:{second.id}", 1, text(second.last_state_change), False)])


@tagged("post_install", "-at_install")
class TestMoney(PartsCommon):
    """The same fold for all the ways in which money comes: D18, D19 and their kind."""

    def test_two_invoices_of_one_line(self):
        order = self._order()
        first = self._invoice_order(order)
        self._date(30, order)
        second = first.copy()
        second.invoice_line_ids.sale_line_ids = order.order_line
        second.action_post()
        self._pay(second)
        self.assertEqual(
            self._parts(order.order_line),
            [
                (f"inv:{first.invoice_line_ids.id}", 1, text(first.saas_paid_on), False),
                (f"inv:{second.invoice_line_ids.id}", 1, text(second.saas_paid_on), False),
            ],
        )
        second._reverse_moves().action_post()
        self.assertEqual(self._parts(order.order_line), [(f"inv:{first.invoice_line_ids.id}", 1, text(first.saas_paid_on), False)])

    def test_monthly_invoices_of_a_yearly_order(self):
        order = self._order(quantity=12)
        for month in range(3):
            self._invoice_order(order, quantity=1)
            parts = self._parts(order.order_line)
            self.assertEqual([part[1] for part in parts], [1] * (month + 1) + [11 - month])
            self.assertEqual(parts[-1], ("ordered:1", 11 - month, False, False))

    def test_one_payment_for_two_orders(self):
        first, second = self._order(), self._order()
        transaction = self._transaction(first, amount=10, sale_order_ids=[(6, 0, (first | second).ids)])
        self.assertEqual([part[0] for part in self._parts(second.order_line)], ["ordered:1"])
        self.assertEqual([part[0] for part in self._parts(first.order_line)], [f"tx:{transaction.id}"])
        both = self._order(), self._order(quantity=2)
        transaction = self._transaction(both[0], amount=30, sale_order_ids=[(6, 0, (both[0] | both[1]).ids)])
        self.assertEqual([self._parts(order.order_line)[0][:2] for order in both], [(f"tx:{transaction.id}", 1), (f"tx:{transaction.id}", 2)])

    def test_one_payment_goes_to_the_lines_in_their_order(self):
        order = self._order(quantity=2)
        other = self._plan("Other", "t-other", list_price=30)
        last = self._add(order, other.product_variant_id, sequence=50)
        transaction = self._transaction(order, amount=35)
        self.assertEqual(self._parts(order.order_line[0])[0][:2], (f"tx:{transaction.id}", 2))
        self.assertEqual([part[:2] for part in self._parts(last)], [(f"tx:{transaction.id}", 0.5), ("ordered:1", 0.5)])

    def test_other_currency_is_converted(self):
        other = self.env.ref("base.CHF")
        other.active = True
        other.rate_ids.unlink()
        self.env["res.currency.rate"].create(
            {"currency_id": other.id, "name": "2020-01-01", "rate": 2, "company_id": self.company.id}
        )
        for amount, periods in ((10, 0.5), (20, 1)):
            order = self._order()
            transaction = self._transaction(order, amount=amount, currency_id=other.id)
            self.assertEqual(self._parts(order.order_line)[0][:2], (f"tx:{transaction.id}", periods))

    def test_taxes_discounts_and_global_discounts(self):
        for included in ("tax_included", "tax_excluded"):
            tax = self.env["account.tax"].create(
                {"name": included, "amount": 21, "price_include_override": included, "company_id": self.company.id}
            )
            with self.subTest(included=included):
                order = self._order(quantity=3, confirm=False, discount=25, tax_ids=[(6, 0, tax.ids)])
                self._discount(order, "so_discount", discount_percentage=0.5)
                order.action_confirm()
                transaction = self._transaction(order)
                self.assertEqual(self._parts(order.order_line[0]), [(f"tx:{transaction.id}", 3, text(transaction.last_state_change), False)])
                half = self._order(quantity=3, confirm=False, discount=25, tax_ids=[(6, 0, tax.ids)])
                self._discount(half, "so_discount", discount_percentage=0.5)
                half.action_confirm()
                self._transaction(half, amount=half.amount_total / 3)
                self.assertAlmostEqual(self._parts(half.order_line[0])[0][1], 1, 2)

    def test_price_of_an_order_that_was_discounted_as_a_whole(self):
        order = self._order(confirm=False)
        self._discount(order, "so_discount", discount_percentage=1.0)
        order.action_confirm()
        self.assertEqual(order.amount_total, 0)
        row = self._purchase(order.order_line[0])
        self.assertEqual((row["unit_price"], row["list_price"]), (0, 10))
        self.assertEqual(self._parts(order.order_line[0]), [(f"free:{order.order_line[0].id}", 1, text(order.saas_confirmed_on), False)])
        half = self._order(confirm=False)
        self._discount(half, "amount", discount_amount=5)
        self.assertAlmostEqual(self._purchase_price(half), 5)

    def test_free_line_beside_one_that_costs(self):
        order = self._order(price_unit=0)
        line = order.order_line
        self.assertTrue(self._paid_on(self._purchase(line)))
        self._add(order, self.consulting)
        self.assertTrue(self._paid_on(self._purchase(line)), "what was given stays given")
        both = self._order(confirm=False, price_unit=0)
        self._add(both, self.consulting)
        both.action_confirm()
        self.assertFalse(self._paid_on(self._purchase(both.order_line[0])))
        self._transaction(both)
        self.assertTrue(self._paid_on(self._purchase(both.order_line[0])))

    def test_down_payment(self):
        order = self._order(quantity=10)
        down = self._down_payment(order, 30)
        [paid, owed] = self._parts(order.order_line.filtered(lambda line: line._saas_plan()))
        self.assertEqual((paid[:2], owed[1]), ((f"down:{down.id}", 3), 7))
        final = order._create_invoices(final=True)
        final.action_post()
        self.assertEqual(final.amount_total, 70)
        self._pay(final)
        parts = self._parts(order.order_line.filtered(lambda line: line._saas_plan()))
        self.assertEqual([part[1] for part in parts], [3, 7])
        self.assertTrue(all(part[2] for part in parts))

    def test_online_payment_and_its_invoice_are_one(self):
        order = self._order(quantity=2)
        transaction = self._transaction(order)
        invoice = self._invoice_order(order)
        self.assertIn(transaction, invoice.transaction_ids)
        part = (f"tx:{transaction.id}", 2, text(transaction.last_state_change), False)
        self.assertEqual(self._parts(order.order_line), [part])
        credit = invoice._reverse_moves()
        credit.invoice_line_ids.quantity = 1
        credit.action_post()
        self.assertEqual(self._parts(order.order_line), [(f"tx:{transaction.id}", 1, *part[2:])])

    def test_paid_twice_is_one_period(self):
        order = self._order()
        transaction = self._transaction(order)
        invoice = order._create_invoices()
        invoice.transaction_ids = False
        invoice.action_post()
        self._pay(invoice)
        self.assertEqual(self._quantity(self._purchase(order.order_line)), 1)
        self._transaction(order, amount=-10, operation="refund", source_transaction_id=transaction.id, sale_order_ids=False)
        self.assertEqual([part[:2] for part in self._parts(order.order_line)], [(f"inv:{invoice.invoice_line_ids.id}", 1)])

    def test_refund_of_one_of_two_periods(self):
        order = self._order(quantity=2)
        transaction = self._transaction(order)
        for amount, left in ((4, 2), (6, 1), (5, 1), (5, 0)):
            self._transaction(order, amount=-amount, operation="refund", source_transaction_id=transaction.id, sale_order_ids=False)
            paid = [part[1] for part in self._parts(order.order_line) if part[2]]
            self.assertEqual(sum(paid), left)

    def test_quantity_lowered_and_credited(self):
        order = self._order(quantity=3)
        self._invoice_order(order)
        order.order_line.product_uom_qty = 2
        credit = order._create_invoices(final=True)
        credit.action_post()
        self.assertEqual(credit.move_type, "out_refund")
        self.assertEqual([part[1] for part in self._parts(order.order_line)], [2])

    def _discount(self, order, kind, **values):
        self.env["sale.order.discount"].create({"sale_order_id": order.id, "discount_type": kind, **values}).action_apply_discount()

    def _purchase_price(self, order):
        order.action_confirm()
        return self._purchase(order.order_line[0])["unit_price"]

    def _down_payment(self, order, percentage):
        self.env["sale.advance.payment.inv"].create(
            {"sale_order_ids": [(6, 0, order.ids)], "advance_payment_method": "percentage", "amount": percentage}
        ).create_invoices()
        order.invoice_ids.action_post()
        self._pay(order.invoice_ids)
        return order.invoice_ids


@tagged("post_install", "-at_install")
class TestUnits(PartsCommon):
    """Quantities are in the plan's own unit: D2, and D1 where staff do it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dozen = cls.env.ref("uom.product_uom_dozen")
        cls.minute = cls.env.ref("uom.product_uom_hour").copy({"name": "Minutes of a test"})

    def test_dozen(self):
        order = self._order(confirm=False)
        order.order_line.product_uom_id = self.dozen
        order.order_line.price_unit = 120
        order.action_confirm()
        row = self._purchase(order.order_line)
        self.assertEqual((self._quantity(row), row["unit_price"]), (12, 10))
        invoice = self._invoice_order(order)
        self.assertEqual(invoice.amount_total, 120)
        self.assertEqual([part[1] for part in self._parts(order.order_line) if part[2]], [12])
        direct = self._invoice(post=False)
        direct.invoice_line_ids.write({"product_uom_id": self.dozen.id, "price_unit": 120})
        direct.action_post()
        self._pay(direct)
        row = self._purchase(direct.invoice_line_ids)
        self.assertEqual((self._quantity(row), row["unit_price"]), (12, 10))

    def test_unit_without_a_common_reference(self):
        order = self._order(confirm=False)
        with self.assertRaisesRegex(UserError, "cannot be counted"), self.env.cr.savepoint():
            order.order_line.product_uom_id = self.minute
            self.env.flush_all()
        with self.assertRaisesRegex(UserError, "cannot be counted"), self.env.cr.savepoint():
            self._order(product_uom_id=self.minute.id)
        invoice = self._invoice(post=False)
        with self.assertRaisesRegex(UserError, "cannot be counted"), self.env.cr.savepoint():
            invoice.invoice_line_ids.product_uom_id = self.minute
            self.env.flush_all()

    def test_line_that_became_a_plan_afterwards(self):
        product = self.env["product.product"].create({"name": "Plain", "type": "service", "uom_id": self.minute.id})
        order = self._order(plan=product.product_tmpl_id, confirm=False)
        invoice = self._invoice(product=product, post=False)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE product_template SET saas_plan = true, uom_id = %s WHERE id = %s", [self.plan.uom_id.id, product.product_tmpl_id.id]
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "cannot be counted"):
            order.action_confirm()
        with self.assertRaisesRegex(UserError, "cannot be counted"):
            invoice.action_post()


@tagged("post_install", "-at_install")
class TestCost(PartsCommon):
    """A page costs the same for any number of rows: D25."""

    # Company, cursor, heartbeat, one search for each kind; then one query for each table that a row is made of.
    MOST = 50

    def _sell(self, count, of_two=0):
        """Orders of one line, the first ones of two. Nobody follows them: that takes most of the time."""
        line = (0, 0, {"product_id": self.plan.product_variant_id.id, "product_uom_qty": 2})
        order = {"partner_id": self.ana.id, "user_id": self.salesman.id}
        quietly = self.env["sale.order"].with_context(tracking_disable=True)
        orders = quietly.create([{**order, "order_line": [line] * (2 if number < of_two else 1)} for number in range(count)])
        orders.action_confirm()
        orders = orders.with_context(tracking_disable=False)
        for order in orders[: count // 10]:
            self._transaction(order)
        invoices = orders[count // 10 : count // 5]._create_invoices(grouped=True)
        invoices.action_post()
        for invoice in invoices[: count // 20]:
            self._pay(invoice)
        return orders

    def _cost(self, cursor, limit=500):
        """Queries of one poll, and the rows that it brought."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        reply = self.bridge.poll(cursor, limit=limit)
        self.assertFalse([row for row in reply["purchases"] if "problem" in row])
        return self.env.cr.sql_log_count - before, len(reply["purchases"])

    def _cursor_of(self, orders):
        """A cursor after which only these changed."""
        cursor = self._since_now()
        self.env.cr.execute("UPDATE sale_order SET write_date = now() AT TIME ZONE 'UTC' WHERE id IN %s", [tuple(orders.ids)])
        return cursor

    def test_full_page_and_many_changes(self):
        orders = self._sell(300, of_two=200)
        self._poll(limit=2000)
        cursor = self._since_now()
        nothing, rows = self._cost(cursor)
        self.assertLessEqual((nothing, rows), (15, 0))
        few, rows = self._cost(self._cursor_of(orders[::30]))
        self.assertEqual(rows, 17)
        many, rows = self._cost(self._cursor_of(orders))
        self.assertEqual(rows, 500)
        page, rows = self._cost(json.dumps({"since": False, "kind": "sol", "after": orders.order_line[0].id - 1}))
        self.assertEqual(rows, 500)
        for cost in (few, many, page):
            self.assertLessEqual(cost, self.MOST)
        self.assertLessEqual(max(many, page) - few, 3, "no more for more rows")

    def test_first_time(self):
        """What is written down for the first time costs one query a part, and only once."""
        orders = self._sell(50)
        cost, rows = self._cost(self._cursor_of(orders))
        self.assertEqual(rows, 50)
        self.assertLessEqual(cost, self.MOST)
