"""What offices really do with orders, invoices and payments, beyond the cases of test_parts."""

from datetime import timedelta

from odoo import Command, fields
from odoo.tests import tagged

from .test_parts import PartsCommon, text


class OfficeCommon(PartsCommon):
    def _paid(self, record):
        """Periods whose money is here."""
        return round(sum(part[1] for part in self._parts(record) if part[2] and not part[3]), 4)

    def _child(self, transaction, amount, state, **values):
        """What a capture, a void or a refund of a transaction is in Odoo."""
        child = transaction._create_child_transaction(abs(amount), is_refund=amount < 0, **values)
        getattr(child, f"_set_{state}")()
        return child


@tagged("post_install", "-at_install")
class TestCaptures(OfficeCommon):
    """A payment that is captured later: each capture is a transaction of its own, which names no order."""

    def _authorized(self, quantity):
        order = self._order(quantity=quantity)
        transaction = self._transaction(order, state="draft")
        self._authorize(transaction)
        self._date(2, order)
        return order, transaction

    def test_captured_in_full(self):
        order, transaction = self._authorized(3)
        self.assertEqual(self._paid(order.order_line), 0)
        child = self._child(transaction, 30, "done")
        self.assertEqual(transaction.state, "done")
        self.assertEqual(self._paid(order.order_line), 3)
        self.assertEqual(self._paid_on(self._purchase(order.order_line)), text(child.last_state_change))

    def test_captured_in_part_and_the_rest_voided(self):
        order, transaction = self._authorized(3)
        cursor = self._since_now()
        child = self._child(transaction, 10, "done")
        first = self._purchase(order.order_line, cursor)["parts"][0]
        self.assertEqual((first["quantity"], first["paid_on"]), (1, text(child.last_state_change)))
        self.env.cr.execute("UPDATE payment_transaction SET last_state_change = last_state_change - interval '1 day' WHERE id = %s", [child.id])
        self.env.invalidate_all()
        self._child(transaction, 20, "canceled")
        self.assertEqual(transaction.state, "done")
        self.assertEqual(self._paid(order.order_line), 1)
        self.assertEqual(self._purchase(order.order_line)["parts"][0]["paid_on"], text(child.last_state_change))

    def test_captured_bit_by_bit(self):
        order, transaction = self._authorized(3)
        for amount, periods in ((10, 1), (5, 1.5), (15, 3)):
            self._child(transaction, amount, "done")
            self.assertEqual(self._paid(order.order_line), periods)

    def test_voided(self):
        order, transaction = self._authorized(1)
        self._child(transaction, 10, "canceled")
        self.assertEqual(transaction.state, "cancel")
        self.assertEqual(self._parts(order.order_line), [("ordered:1", 1, False, False)])
        self.assertFalse(self._purchase(order.order_line)["pending_since"])

    def test_refund_of_a_capture(self):
        order, transaction = self._authorized(3)
        child = self._child(transaction, 30, "done")
        self.assertEqual(self._paid(order.order_line), 3)
        cursor = self._since_now()
        self._child(child, -10, "done")
        self.assertEqual(sum(part["quantity"] for part in self._purchase(order.order_line, cursor)["parts"] if part["paid_on"]), 2)
        self._child(child, -20, "done")
        self.assertEqual(self._paid(order.order_line), 0)


@tagged("post_install", "-at_install")
class TestInvoicesOfPayments(OfficeCommon):
    def test_invoice_that_a_part_payment_made(self):
        """Odoo invoices a down payment for it: one money, one part."""
        order = self._order(quantity=2)
        transaction = self._transaction(order, amount=10)
        self.assertEqual(self._paid(order.order_line), 1)
        down = order._generate_downpayment_invoices()
        transaction.invoice_ids = down
        down.action_post()
        self._pay(down)
        line = order.order_line.filtered(lambda line: line._saas_plan())
        self.assertEqual(self._paid(line), 1)
        second = self._transaction(order, amount=10)
        final = order._create_invoices(final=True)
        second.invoice_ids = final
        final.action_post()
        self._pay(final)
        self.assertEqual(self._paid(line), 2)

    def test_invoice_that_a_part_payment_made_before_anybody_asked(self):
        order = self._order(quantity=2)
        transaction = self._transaction(order, amount=10)
        down = order._generate_downpayment_invoices()
        transaction.invoice_ids = down
        down.action_post()
        self._pay(down)
        self.assertEqual(self._paid(order.order_line.filtered(lambda line: line._saas_plan())), 1)

    def test_down_payment_given_back(self):
        order = self._order(quantity=10)
        self.env["sale.advance.payment.inv"].create(
            {"sale_order_ids": [(6, 0, order.ids)], "advance_payment_method": "fixed", "fixed_amount": 40}
        ).create_invoices()
        down = order.invoice_ids
        down.action_post()
        self._pay(down)
        line = order.order_line.filtered(lambda line: line._saas_plan())
        self.assertEqual(self._paid(line), 4)
        down._reverse_moves().action_post()
        self.assertEqual(self._paid(line), 0)

    def _online(self, invoice):
        transaction = self._transaction(
            self.env["sale.order"], amount=invoice.amount_total, currency_id=invoice.currency_id.id, partner_id=invoice.partner_id.id,
            reference=f"pay-{invoice.id}", invoice_ids=[Command.set(invoice.ids)],
        )
        self._pay(invoice)
        return transaction

    def test_refund_of_what_paid_an_invoice(self):
        """Odoo leaves the invoice paid."""
        for ordered in (False, True):
            with self.subTest(ordered=ordered):
                if ordered:
                    order = self._order(quantity=3)
                    invoice, line = self._invoice_order(order, pay=False), order.order_line
                else:
                    invoice = self._invoice(quantity=3)
                    line = invoice.invoice_line_ids
                transaction = self._online(invoice)
                self.assertEqual(self._paid(line), 3)
                for amount, left in ((-4, 3), (-6, 2), (-20, 0)):
                    cursor = self._since_now()
                    self._child(transaction, amount, "done")
                    row = self._purchase(line, cursor)
                    self.assertEqual(sum(part["quantity"] for part in row["parts"] if part["paid_on"]), left, amount)

    def test_one_invoice_for_two_orders(self):
        orders = self._order(), self._order(quantity=2)
        invoice = (orders[0] | orders[1])._create_invoices()
        self.assertEqual(len(invoice), 1)
        invoice.action_post()
        self._pay(invoice)
        self.assertEqual([self._paid(order.order_line) for order in orders], [1, 2])
        credit = invoice._reverse_moves()
        credit.invoice_line_ids.filtered(lambda line: line.quantity == 2).unlink()
        credit.action_post()
        self.assertEqual([self._paid(order.order_line) for order in orders], [0, 2])

    def test_one_payment_for_two_invoices(self):
        invoices = self._invoice() | self._invoice(quantity=2)
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoices.ids).create(
            {"group_payment": True}
        ).action_create_payments()
        self.assertEqual([self._paid(invoice.invoice_line_ids) for invoice in invoices], [1, 2])
        payment = invoices.matched_payment_ids
        self.assertEqual(len(payment), 1)
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual([self._paid(invoice.invoice_line_ids) for invoice in invoices], [0, 0])

    def test_bank_statement(self):
        for ordered in (False, True):
            with self.subTest(ordered=ordered):
                order = self._order()
                invoice = self._invoice_order(order, pay=False) if ordered else self._invoice()
                line = order.order_line if ordered else invoice.invoice_line_ids
                journal = self.env["account.journal"].search([("type", "=", "bank"), ("company_id", "=", self.company.id)], limit=1)
                statement = self.env["account.bank.statement.line"].create(
                    {"journal_id": journal.id, "amount": 10, "payment_ref": "x", "partner_id": self.acme.id, "date": fields.Date.today()}
                )
                due = invoice.line_ids.filtered(lambda one: one.account_type == "asset_receivable")
                _liquidity, suspense, _other = statement._seek_for_lines()
                suspense.with_context(skip_account_move_synchronization=True, check_move_validity=False).account_id = due.account_id
                (suspense | due).reconcile()
                self.assertEqual(self._paid(line), 1)
                first = text(invoice.saas_paid_on)
                cursor = self._since_now()
                due.remove_move_reconcile()
                self.assertTrue(self._purchase(line, cursor)["parts"][0]["vanished_on"])
                (suspense | due).reconcile()
                self.assertEqual([part[1:] for part in self._parts(line)], [(1, first, False)])

    def test_early_payment_discount_and_write_off(self):
        whole = Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})
        term = self.env["account.payment.term"].create(
            {"name": "2/10", "early_discount": True, "discount_percentage": 2, "discount_days": 10, "line_ids": [whole]}
        )
        for kind in ("discount", "write-off"):
            with self.subTest(kind=kind):
                invoice = self._invoice(post=False, quantity=2)
                if kind == "discount":
                    invoice.invoice_payment_term_id = term
                invoice.action_post()
                values = {}
                if kind == "write-off":
                    account = self.env["account.account"].search([("account_type", "=", "expense")], limit=1)
                    values = {"amount": 18.5, "payment_difference_handling": "reconcile", "writeoff_account_id": account.id}
                wizard = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids).create(values)
                self.assertLess(wizard.amount, 20)
                wizard.action_create_payments()
                self.assertEqual(self._paid(invoice.invoice_line_ids), 2)
                before = self._parts(invoice.invoice_line_ids)
                payments = self._unreconcile(invoice)
                self.assertTrue(self._parts(invoice.invoice_line_ids)[0][3])
                self._reconcile(invoice, payments)
                self._purchase(invoice.invoice_line_ids)
                if invoice.payment_state == "partial":
                    self._pay(invoice)
                self.assertEqual(self._parts(invoice.invoice_line_ids), before)

    def test_paid_in_parts_in_two_currencies(self):
        franc = self.env.ref("base.CHF")
        franc.active = True
        franc.rate_ids.unlink()
        self.env["res.currency.rate"].create({"currency_id": franc.id, "name": "2020-01-01", "rate": 2, "company_id": self.company.id})
        invoice = self._invoice(quantity=2)
        line = invoice.invoice_line_ids

        def pay(amount, currency):
            self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids).create(
                {"amount": amount, "currency_id": currency.id, "payment_difference_handling": "open"}
            ).action_create_payments()

        pay(10, self.company.currency_id)
        self.assertEqual(self._paid(line), 0)
        pay(10, franc)
        self.assertEqual(self._paid(line), 0)
        pay(10, franc)
        self.assertEqual(self._paid(line), 2)
        order = self._order(quantity=2)
        self._transaction(order, amount=10)
        self._transaction(order, amount=10, currency_id=franc.id)
        self.assertEqual(self._paid(order.order_line), 1.5)

    def test_invoice_in_another_currency_whose_rate_changes(self):
        franc = self.env.ref("base.CHF")
        franc.active = True
        franc.rate_ids.unlink()
        rate = self.env["res.currency.rate"].create({"currency_id": franc.id, "name": "2020-01-01", "rate": 2, "company_id": self.company.id})
        pricelist = self.env["product.pricelist"].create({"name": "CHF", "currency_id": franc.id})
        order = self._order(quantity=2, confirm=False)
        order.pricelist_id = pricelist
        order._recompute_prices()
        order.action_confirm()
        self._transaction(order, amount=order.amount_total / 2)
        before = self._parts(order.order_line)
        self.assertEqual(before[0][1], 1)
        invoice = self._invoice(post=False, quantity=2)
        invoice.currency_id = franc
        invoice.action_post()
        self._pay(invoice)
        rate.rate = 5
        self.env.invalidate_all()
        self.assertEqual(self._parts(order.order_line), before)
        self._transaction(order, amount=order.amount_total / 2)
        self.assertEqual((self._paid(order.order_line), self._paid(invoice.invoice_line_ids)), (2, 2))

    def test_cash_rounding(self):
        rounding = self.env["account.cash.rounding"].create(
            {
                "name": "5",
                "rounding": 5,
                "strategy": "add_invoice_line",
                "rounding_method": "UP",
                "profit_account_id": self.env["account.account"].search([("account_type", "=", "income")], limit=1).id,
                "loss_account_id": self.env["account.account"].search([("account_type", "=", "expense")], limit=1).id,
            }
        )
        order = self._order(quantity=3, price_unit=7)
        invoice = order._create_invoices()
        invoice.invoice_cash_rounding_id = rounding
        invoice.action_post()
        self.assertEqual(invoice.amount_total, 25)
        self._pay(invoice)
        self.assertEqual([part[1] for part in self._parts(order.order_line)], [3])
        self.assertEqual(self._purchase(order.order_line)["unit_price"], 7)


@tagged("post_install", "-at_install")
class TestCredits(OfficeCommon):
    """Credit notes, and what is bought with them."""

    def test_credited_and_invoiced_again_before_anybody_asked(self):
        """The daemon was away. What is bought anew begins when it is paid anew."""
        for ordered in (False, True):
            with self.subTest(ordered=ordered):
                order = self._order()
                first = self._invoice_order(order) if ordered else self._invoice()
                if not ordered:
                    self._pay(first)
                self._date(20, order, first)
                line = order.order_line if ordered else first.invoice_line_ids
                self._purchase(line)
                first._reverse_moves().action_post()
                again = self._invoice_order(order) if ordered else self._invoice()
                if not ordered:
                    self._pay(again)
                    self.assertEqual(self._purchase(line)["state"], "cancelled")
                    line = again.invoice_line_ids
                paid = [part for part in self._parts(line) if part[2]]
                self.assertEqual([part[1:] for part in paid], [(1, text(again.saas_paid_on), False)])

    def test_credit_of_something_else_pays_an_invoice(self):
        """Odoo calls such an invoice reversed, and it was paid with the customer's own money."""
        for ordered in (False, True):
            with self.subTest(ordered=ordered):
                old = self._invoice(product=self.consulting)
                self._pay(old)
                credit = old._reverse_moves()
                credit.action_post()
                order = self._order()
                invoice = self._invoice_order(order, pay=False) if ordered else self._invoice()
                line = order.order_line if ordered else invoice.invoice_line_ids
                cursor = self._since_now()
                due = credit.line_ids.filtered(lambda one: one.account_type == "asset_receivable")
                invoice.js_assign_outstanding_line(due.id)
                self.assertEqual(invoice.payment_state, "reversed")
                row = self._purchase(line, cursor)
                self.assertEqual([(part["quantity"], bool(part["paid_on"])) for part in row["parts"]], [(1, True)])
                first = row["parts"][0]["paid_on"]
                invoice.line_ids.remove_move_reconcile()
                self.assertEqual([part[1:] for part in self._parts(line)], [(1, first, True)])

    def test_credit_of_the_same_plan_pays_the_next_invoice(self):
        old = self._invoice()
        self._pay(old)
        credit = old._reverse_moves()
        credit.action_post()
        self.assertEqual(self._paid(old.invoice_line_ids), 0)
        invoice = self._invoice()
        invoice.js_assign_outstanding_line(credit.line_ids.filtered(lambda one: one.account_type == "asset_receivable").id)
        self.assertEqual(self._paid(invoice.invoice_line_ids), 1)
        self.assertEqual(self._paid(old.invoice_line_ids), 0)

    def test_credit_of_the_invoice_itself_pays_nothing(self):
        invoice = self._invoice()
        invoice._reverse_moves(cancel=True)
        self.assertEqual(invoice.payment_state, "reversed")
        self.assertEqual(self._paid(invoice.invoice_line_ids), 0)
        by_hand = self._invoice()
        credit = self.env["account.move"].create(
            {
                "move_type": "out_refund",
                "partner_id": by_hand.partner_id.id,
                "invoice_line_ids": [Command.create({"product_id": self.plan.product_variant_id.id, "quantity": 1, "price_unit": 10, "tax_ids": False})],
            }
        )
        credit.action_post()
        by_hand.js_assign_outstanding_line(credit.line_ids.filtered(lambda one: one.account_type == "asset_receivable").id)
        self.assertEqual(by_hand.payment_state, "reversed")
        self.assertEqual(self._paid(by_hand.invoice_line_ids), 0)

    def test_credit_for_one_of_two_lines(self):
        other = self._plan("Other", "t-other", list_price=30)
        order = self._order()
        second = self._add(order, other.product_variant_id)
        transaction = self._transaction(order, amount=40)
        invoice = self._invoice_order(order, pay=False)
        transaction.invoice_ids = invoice
        self.assertEqual([self._paid(line) for line in order.order_line], [1, 1])
        credit = invoice._reverse_moves()
        credit.invoice_line_ids.filtered(lambda line: line.product_id == self.plan.product_variant_id).unlink()
        credit.action_post()
        self.assertEqual([self._paid(line) for line in (order.order_line - second, second)], [1, 0])
        self._child(transaction, -30, "done")
        self.assertEqual([self._paid(line) for line in (order.order_line - second, second)], [1, 0])

    def test_reversed_payment(self):
        """The bank took it back: the entry of the payment is reversed."""
        for ordered in (False, True):
            with self.subTest(ordered=ordered):
                order = self._order()
                invoice = self._invoice_order(order) if ordered else self._invoice()
                if not ordered:
                    self._pay(invoice)
                line = order.order_line if ordered else invoice.invoice_line_ids
                self._purchase(line)
                cursor = self._since_now()
                invoice.matched_payment_ids.move_id._reverse_moves(cancel=True)
                self.assertEqual(invoice.payment_state, "not_paid")
                row = self._purchase(line, cursor)
                self.assertFalse([part for part in row["parts"] if part["paid_on"] and not part["vanished_on"]])

    def test_money_goes_to_another_invoice(self):
        first, second = self._invoice(), self._invoice()
        self._pay(first)
        self._date(20, invoices=first)
        since = text(first.saas_paid_on)
        payments = self._unreconcile(first)
        self._reconcile(second, payments)
        self.assertEqual(self._parts(first.invoice_line_ids), [(f"inv:{first.invoice_line_ids.id}", 1, since, True)])
        self.assertEqual(len(self._todos(first)), 1)
        self.assertEqual(self._paid(second.invoice_line_ids), 1)
        self.assertEqual(self._paid_on(self._purchase(second.invoice_line_ids)), text(second.saas_paid_on))

    def test_payment_cancelled_and_another_comes(self):
        order = self._order()
        invoice = self._invoice_order(order)
        self._date(20, order)
        self._purchase(order.order_line)
        payment = invoice.matched_payment_ids
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual(self._paid(order.order_line), 0)
        self._pay(invoice)
        [part] = self._parts(order.order_line)
        self.assertGreater(part[2], text(fields.Datetime.now() - timedelta(minutes=5)))


@tagged("post_install", "-at_install")
class TestSettingsOfAPlan(OfficeCommon):
    """What was sold does not change with the product."""

    def test_no_plan_any_more(self):
        order, invoice = self._order(), self._invoice()
        self._transaction(order)
        self._pay(invoice)
        lines = order.order_line, invoice.invoice_line_ids
        for line, name in zip(lines, ("acme", "acme-2"), strict=True):
            key = f"{'sol' if line == order.order_line else 'aml'}:{line.id}"
            self._push_instance(key, name=name, purchase_keys=[key], state="running")
        before = [self._purchase(line) for line in lines]
        self.plan.saas_plan = False
        for line, row in zip(lines, before, strict=True):
            told = self._purchase(line)
            self.assertEqual((told["state"], told["parts"], told["plan_id"]), (row["state"], row["parts"], row["plan_id"]))

    def test_line_of_another_product_that_names_an_instance(self):
        """It is for the instance, as an hour of work may be, and no time of it."""
        instance = self._instance(requested=True, state="running")
        order, invoice = self._order(), self._invoice()
        work, billed = self._add(order, self.consulting, saas_instance_id=instance.id), self._invoice(post=False, product=self.consulting)
        billed.invoice_line_ids.saas_instance_id = instance
        billed.action_post()
        self._pay(invoice | billed)
        self._transaction(order)
        self.assertEqual((self._paid(order.order_line - work), self._paid(invoice.invoice_line_ids)), (1, 1))
        for line in (work, billed.invoice_line_ids):
            row = self._purchase(line)
            self.assertEqual((row["state"], row["parts"]), ("cancelled", []))
        quotation = self._order(confirm=False)
        work = self._add(quotation, self.consulting, saas_instance_id=instance.id)
        self._transaction(quotation, state="pending")
        self.assertEqual(self._purchase(work)["state"], "cancelled")

    def test_archived(self):
        order = self._order()
        self._transaction(order)
        before = self._purchase(order.order_line)
        self.plan.active = False
        self.assertEqual(self._purchase(order.order_line), before)

    def test_unit_of_the_product(self):
        """Odoo changes it on the order lines, too; and not at all when an invoice is posted."""
        order, free = self._order(quantity=2), self._order(price_unit=0)
        self._transaction(order, amount=15)
        lines = order.order_line, free.order_line
        before = [self._parts(line) for line in lines]
        self.plan.uom_id = self.env.ref("uom.product_uom_dozen")
        self.assertEqual(order.order_line.product_uom_id, self.env.ref("uom.product_uom_dozen"))
        self.assertEqual([self._parts(line) for line in lines], before)
        self._transaction(order, amount=5)
        self.assertEqual(self._paid(order.order_line), 2)

    def test_year_as_a_unit(self):
        year = self.env["uom.uom"].create({"name": "Year", "relative_uom_id": self.plan.uom_id.id, "relative_factor": 12})
        order = self._order(confirm=False)
        order.order_line.write({"product_uom_id": year.id, "price_unit": 100})
        order.action_confirm()
        self._transaction(order, amount=50)
        self.assertEqual([part[1] for part in self._parts(order.order_line)], [6, 6])
        self.assertAlmostEqual(self._purchase(order.order_line)["unit_price"], 100 / 12)
        self._invoice_order(order)
        self.assertEqual(self._paid(order.order_line), 12)

    def test_price_and_taxes_of_the_product(self):
        order = self._order(quantity=2)
        self._transaction(order, amount=10)
        before = self._purchase(order.order_line)
        self.plan.write({"list_price": 99, "taxes_id": [Command.create({"name": "50", "amount": 50, "company_id": self.company.id})]})
        self.assertEqual(self._purchase(order.order_line), before)


@tagged("post_install", "-at_install")
class TestEditedByHand(OfficeCommon):
    def _both(self):
        order = self._order(quantity=2)
        self._transaction(order, amount=10)
        billed = self._order()
        invoice = self._invoice_order(billed)
        self._date(20, order | billed)
        return order, billed, invoice

    def test_dates(self):
        order, billed, invoice = self._both()
        before = [self._parts(one.order_line) for one in (order, billed)]
        (order | billed).write({"date_order": "2020-01-01 00:00:00", "commitment_date": "2020-02-01 00:00:00"})
        invoice.matched_payment_ids.action_draft()
        # In the same month, which the number of the entry names.
        first = fields.Date.today().replace(day=1)
        invoice.matched_payment_ids.date = first
        invoice.matched_payment_ids.action_post()
        if invoice.payment_state not in ("paid", "in_payment"):
            self._reconcile(invoice, self._payment_lines(invoice))
        self.assertEqual([self._parts(one.order_line) for one in (order, billed)], before)
        payments = self._payment_lines(invoice)
        invoice.button_draft()
        invoice.invoice_date = first
        invoice.action_post()
        if invoice.payment_state not in ("paid", "in_payment"):
            self._reconcile(invoice, payments)
        self.assertEqual([self._parts(one.order_line) for one in (order, billed)], before)

    def test_locked(self):
        order, billed, _invoice = self._both()
        before = [self._parts(one.order_line) for one in (order, billed)]
        (order | billed).action_lock()
        self.assertEqual([self._parts(one.order_line) for one in (order, billed)], before)
        key = f"sol:{order.order_line.id}"
        self._push_instance(key, purchase_keys=[key], state="running")
        self.assertEqual(order.order_line.saas_instance_id.key, key)

    def test_line_split_in_two(self):
        order = self._order(quantity=2)
        self._transaction(order)
        self._date(10, order)
        line = order.order_line
        [before] = self._parts(line)
        line.product_uom_qty = 1
        second = self._add(order, self.plan.product_variant_id)
        self.assertEqual([part[1:] for part in self._parts(line)], [(1, *before[2:])] * 2)
        self.assertEqual(self._paid(second), 0)

    def test_line_taken_out_of_the_draft_invoice(self):
        other = self._plan("Other", "t-other", list_price=30)
        order = self._order()
        second = self._add(order, other.product_variant_id)
        invoice = order._create_invoices()
        invoice.invoice_line_ids.filtered(lambda line: line.product_id == other.product_variant_id).unlink()
        invoice.action_post()
        self._pay(invoice)
        self.assertEqual([self._paid(line) for line in (order.order_line - second, second)], [1, 0])
        self._invoice_order(order)
        self.assertEqual([self._paid(line) for line in (order.order_line - second, second)], [1, 1])

    def test_order_that_was_imported(self):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.ana.id,
                "state": "sale",
                "date_order": "2026-01-01 10:00:00",
                "order_line": [Command.create({"product_id": self.plan.product_variant_id.id, "product_uom_qty": 1})],
            }
        )
        self.assertEqual(self._purchase(order.order_line)["starts_on"], "2026-01-01 10:00:00")
        order.date_order = "2026-05-01 10:00:00"
        self.assertEqual(self._purchase(order.order_line)["parts"][0]["starts_on"], "2026-01-01 10:00:00")

    def test_money_that_comes_after_the_order_was_cancelled_and_taken_up_again(self):
        order = self._order()
        order._action_cancel()
        self._transaction(order)
        self.assertEqual(self._purchase(order.order_line)["parts"], [])
        order.action_draft()
        order.action_confirm()
        self.assertEqual(self._paid(order.order_line), 1)

    def test_line_moved_between_a_discount_and_a_fee(self):
        """The order's total stays, and who pays it all has all of it."""
        order = self._order(quantity=2, confirm=False)
        self._add(order, self.consulting, price_unit=-5)
        self._add(order, self.consulting, price_unit=5)
        order.action_confirm()
        self._transaction(order)
        self.assertEqual(self._paid(order.order_line[0]), 2)
