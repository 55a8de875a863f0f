from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import SaasCommon


def text(moment):
    return fields.Datetime.to_string(moment)


@tagged("post_install", "-at_install")
class TestPayment(SaasCommon):
    """Payments under way, and payments taken back, as the daemon hears of them."""

    def test_payment_of_a_confirmed_order(self):
        order = self._order()
        line = order.order_line
        transaction = self._transaction(order, state="draft")
        self.assertFalse(self._purchase(line)["pending_since"])
        for set_state in (transaction._set_pending, lambda: self._authorize(transaction)):
            cursor = self._since_now()
            set_state()
            row = self._purchase(line, cursor)
            self.assertEqual((row["state"], self._paid_on(row)), ("open", False))
            self.assertEqual(row["pending_since"], text(transaction.last_state_change))
        transaction._set_done()
        row = self._purchase(line)
        self.assertTrue(self._paid_on(row))
        self.assertFalse(row["pending_since"])

    def test_earliest_payment_counts_until_the_order_is_paid(self):
        order = self._order()
        first, second = self._transaction(order, state="pending"), self._transaction(order, state="pending")
        self._authorize(second)
        first.last_state_change = "2026-01-01 10:00:00"
        second.last_state_change = "2026-01-01 09:00:00"
        self.assertEqual(self._purchase(order.order_line)["pending_since"], "2026-01-01 09:00:00")
        second._set_done()
        self.assertFalse(self._purchase(order.order_line)["pending_since"], "paid: the other one changes nothing")

    def test_refunds_and_card_checks_are_no_payments(self):
        order = self._order()
        for operation in ("refund", "validation"):
            self._transaction(order, state="pending", operation=operation)
        self.assertFalse(self._purchase(order.order_line)["pending_since"])

    def test_payment_of_a_quotation(self):
        order = self._order(confirm=False)
        line = order.order_line
        transaction = self._transaction(order, state="draft")
        self.assertIsNone(self._purchase(line), "nobody tried yet")
        cursor = self._since_now()
        transaction._set_pending()
        since = text(transaction.last_state_change)
        for row in (self._purchase(line, cursor), self._purchase(line)):
            self.assertEqual((row["state"], self._paid_on(row), row["instance_key"]), ("pending", False, False))
            self.assertEqual((row["starts_on"], row["pending_since"]), (since, since))
        cursor = self._since_now()
        transaction._set_canceled()
        for row in (self._purchase(line, cursor), self._purchase(line)):
            self.assertEqual((row["state"], row["pending_since"]), ("cancelled", False))

    def test_failed_payment_of_a_quotation_for_an_instance(self):
        order = self._order(confirm=False, saas_instance_id=self._instance().id)
        transaction = self._transaction(order, state="pending")
        self.assertEqual(self._purchase(order.order_line)["state"], "pending")
        cursor = self._since_now()
        transaction._set_error("no money")
        row = self._purchase(order.order_line, cursor)
        self.assertEqual((row["state"], row["pending_since"]), ("cancelled", False))

    def test_cancelled_quotation_is_not_pending(self):
        order = self._order(confirm=False)
        self._transaction(order, state="pending")
        cursor = self._since_now()
        order._action_cancel()
        self.assertEqual(self._purchase(order.order_line, cursor)["state"], "cancelled")

    def test_order_that_was_cancelled_and_reopened_is_not_pending(self):
        order = self._order()
        self._transaction(order, state="pending")
        self.env.flush_all()
        order._action_cancel()
        order.action_draft()
        self.assertEqual(self._purchase(order.order_line)["state"], "cancelled")

    def test_payment_of_the_invoice_of_an_order(self):
        order = self._order()
        invoice = order._create_invoices()
        invoice.action_post()
        transaction = self._transaction(order, state="draft", sale_order_ids=False, invoice_ids=[(6, 0, invoice.ids)])
        cursor = self._since_now()
        transaction._set_pending()
        row = self._purchase(order.order_line, cursor)
        self.assertEqual((row["state"], row["pending_since"]), ("open", text(transaction.last_state_change)))

    def test_payment_of_an_invoice(self):
        invoice = self._invoice()
        line = invoice.invoice_line_ids
        transaction = self._transaction(
            invoice, state="draft", amount=10, sale_order_ids=False, invoice_ids=[(6, 0, invoice.ids)]
        )
        self.assertEqual(self._purchase(line)["state"], "cancelled")
        cursor = self._since_now()
        transaction._set_pending()
        since = text(transaction.last_state_change)
        for row in (self._purchase(line, cursor), self._purchase(line)):
            self.assertEqual((row["state"], row["starts_on"], row["pending_since"]), ("pending", since, since))
            self.assertFalse(self._paid_on(row))
        cursor = self._since_now()
        transaction._set_done()
        self.assertEqual(self._purchase(line, cursor)["state"], "pending", "arrived, and not yet booked")
        transaction.is_post_processed = True
        self.assertEqual(self._purchase(line)["state"], "cancelled", "booked, and the booking was undone")
        self._pay(invoice)
        row = self._purchase(line)
        self.assertEqual((row["state"], row["pending_since"]), ("open", False))

    def test_failed_payment_of_an_invoice(self):
        invoice = self._invoice()
        transaction = self._transaction(
            invoice, state="pending", amount=10, sale_order_ids=False, invoice_ids=[(6, 0, invoice.ids)]
        )
        cursor = self._since_now()
        transaction._set_error("no money")
        row = self._purchase(invoice.invoice_line_ids, cursor)
        self.assertEqual((row["state"], row["pending_since"]), ("cancelled", False))

    def test_charge_back(self):
        order = self._order()
        transaction = self._transaction(order)
        self.assertTrue(self._paid_on(self._purchase(order.order_line)))
        cursor = self._since_now()
        transaction._set_canceled(extra_allowed_states=("done",))
        row = self._purchase(order.order_line, cursor)
        self.assertEqual((row["state"], self._paid_on(row), row["pending_since"]), ("open", False, False))

    def test_refund_of_everything_arrives(self):
        order = self._order()
        transaction = self._transaction(order)
        cursor = self._since_now()
        self._transaction(
            order,
            amount=-order.amount_total,
            operation="refund",
            source_transaction_id=transaction.id,
            sale_order_ids=False,
        )
        row = self._purchase(order.order_line, cursor)
        self.assertEqual((row["state"], self._paid_on(row)), ("open", False))

    def test_cancelled_payment_of_the_invoice_of_an_order(self):
        order = self._order()
        invoice = order._create_invoices()
        invoice.action_post()
        self._pay(invoice)
        self.assertTrue(self._paid_on(self._purchase(order.order_line)))
        cursor = self._since_now()
        self._cancel_payment(invoice)
        row = self._purchase(order.order_line, cursor)
        self.assertEqual((row["state"], self._paid_on(row)), ("open", False))

    def test_cancelled_payment_of_an_invoice(self):
        invoice = self._invoice()
        self._pay(invoice)
        cursor = self._since_now()
        self._cancel_payment(invoice)
        row = self._purchase(invoice.invoice_line_ids, cursor)
        self.assertEqual((row["state"], self._paid_on(row)), ("cancelled", False))

    def test_reversed_invoice_of_an_order(self):
        order = self._order()
        invoice = order._create_invoices()
        invoice.action_post()
        cursor = self._since_now()
        reversal = invoice._reverse_moves(cancel=True)
        self.assertEqual((reversal.state, invoice.payment_state), ("posted", "reversed"))
        row = self._purchase(order.order_line, cursor)
        self.assertEqual((row["state"], self._quantity(row)), ("cancelled", 0.0))

    def test_credit_note_of_one_unit(self):
        invoice = self._invoice(quantity=3)
        self._pay(invoice)
        credit = invoice._reverse_moves()
        credit.invoice_line_ids.quantity = 1
        cursor = self._since_now()
        credit.action_post()
        row = self._purchase(invoice.invoice_line_ids, cursor)
        self.assertEqual((row["state"], self._quantity(row), row["unit_price"]), ("open", 2.0, 10.0))

    def _cancel_payment(self, invoice):
        payments = invoice.matched_payment_ids
        self.assertTrue(payments)
        invoice.line_ids.remove_move_reconcile()
        payments.action_draft()
        payments.action_cancel()

    def test_unit_price(self):
        tax = self.env["account.tax"].create(
            {"name": "21 incl.", "amount": 21, "price_include_override": "tax_included", "company_id": self.company.id}
        )
        order = self._order(quantity=4, price_unit=12.1, discount=25, tax_ids=[(6, 0, tax.ids)])
        self.assertAlmostEqual(self._purchase(order.order_line)["unit_price"], 7.5)
        self.plan.list_price = 20
        self.assertEqual(self._purchase(order.order_line)["list_price"], 10.0, "as it was when the line was made")
        order = self._order(price_unit=0)
        self.assertEqual(self._purchase(order.order_line)["list_price"], 20.0)
        self.assertEqual(self._purchase(order.order_line)["unit_price"], 0.0)
        order.order_line.product_uom_qty = 0
        self.assertEqual(self._purchase(order.order_line)["unit_price"], 0.0)

    def test_unit_price_in_another_currency(self):
        other = self.env.ref("base.CHF")
        other.active = True
        other.rate_ids.unlink()
        for day, rate in (("2026-01-01", 2), ("2026-02-01", 4)):
            self.env["res.currency.rate"].create(
                {"currency_id": other.id, "name": day, "rate": rate, "company_id": self.company.id}
            )
        pricelist = self.env["product.pricelist"].create({"name": "CHF", "currency_id": other.id})
        order = self._order(confirm=False, price_unit=30)
        order.pricelist_id = pricelist
        order.order_line.price_unit = 30
        order.action_confirm()
        order.write({"date_order": "2026-01-15 00:00:00", "saas_confirmed_on": "2026-01-15 00:00:00"})
        self.assertEqual(self._purchase(order.order_line)["unit_price"], 15.0)
        invoice = self._invoice(post=False)
        invoice.write({"currency_id": other.id, "invoice_date": "2026-02-15"})
        invoice.invoice_line_ids.price_unit = 30
        invoice.action_post()
        self.assertEqual(self._purchase(invoice.invoice_line_ids)["unit_price"], 7.5)

    def test_two_do_not_confirm_one_order(self):
        order = self._order(confirm=False)
        self._transaction(order).last_state_change = fields.Datetime.subtract(fields.Datetime.now(), hours=1)
        self.env.flush_all()
        confirmed = []
        confirm = type(order).action_confirm

        def count(orders):
            confirmed.append(orders.ids)
            return confirm(orders)

        self.patch(type(order), "action_confirm", count)
        for _again in range(2):
            self.assertEqual(self._purchase(order.order_line)["state"], "open")
        order.transaction_ids._check_amount_and_confirm_order()
        self.assertEqual(confirmed, [order.ids])


@tagged("post_install", "-at_install")
class TestConfirmation(SaasCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.trial = cls._plan("Trial", "t-trial", list_price=0, saas_trial=True)

    def test_trial_once(self):
        first = self._order(plan=self.trial)
        self.assertEqual(first.state, "sale")
        for partner in (self.ana, self.acme):
            second = self._order(partner=partner, plan=self.trial, confirm=False)
            with self.assertRaisesRegex(UserError, "already"):
                second.action_confirm()
        stranger = self.env["res.partner"].create({"name": "Stranger"})
        self.assertEqual(self._order(partner=stranger, plan=self.trial).state, "sale")

    def test_any_trial_counts(self):
        self._order(plan=self.trial)
        other = self._plan("Other trial", "t-trial2", list_price=0, saas_trial=True)
        with self.assertRaisesRegex(UserError, "already"):
            self._order(plan=other)
        self.assertEqual(self._order().state, "sale", "other plans are not trials")

    def test_trial_on_an_invoice_counts(self):
        invoice = self._invoice(product=self.trial.product_variant_id, post=False)
        self.assertEqual(self._order(plan=self.trial, confirm=False)._saas_trial_problem(), "")
        invoice.action_post()
        with self.assertRaisesRegex(UserError, "already"):
            self._order(plan=self.trial)

    def test_own_invoice_does_not_count(self):
        order = self._order(plan=self.trial)
        order._create_invoices().action_post()
        self.assertEqual(order._saas_trial_problem(), "")

    def test_one_of_it(self):
        with self.assertRaisesRegex(UserError, "once"):
            self._order(plan=self.trial, quantity=2)

    def test_trial_that_was_never_served_may_be_ordered_again(self):
        self._order(plan=self.trial)._action_cancel()
        self.assertEqual(self._order(plan=self.trial).state, "sale")

    def test_instance_of_a_trial_counts_for_ever(self):
        instance = self._instance(plan_id=self.trial.id)
        self.assertEqual(self._order(plan=self.trial, confirm=False)._saas_trial_problem(), "", "nobody asked for it")
        instance.state = "deleted"
        with self.assertRaisesRegex(UserError, "already"):
            self._order(plan=self.trial)

    def test_trial_that_was_served_counts_though_its_order_was_cancelled(self):
        order = self._order(plan=self.trial)
        key = f"sol:{order.order_line.id}"
        self._push_instance(key, purchase_keys=[key], plan_id=self.trial.id, state="running")
        order._action_cancel()
        self.env["saas.instance"].search([("key", "=", key)]).plan_id = self.plan
        with self.assertRaisesRegex(UserError, "already"):
            self._order(plan=self.trial)

    def test_own_instance_does_not_stand_in_the_way(self):
        order = self._order(plan=self.trial, confirm=False)
        self._instance(plan_id=self.trial.id, requested=True, sale_order_id=order.id)
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_paid_order_keeps_its_money_and_loses_the_second_trial(self):
        self._order(plan=self.trial)
        order = self._order(confirm=False)
        order.order_line = [(0, 0, {"product_id": self.trial.product_variant_id.id})]
        with self.assertRaises(UserError):
            order.action_confirm()
        self._transaction(order)._check_amount_and_confirm_order()
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.order_line.mapped("product_uom_qty"), [1, 0])
        self.assertIn("free trial", "".join(order.message_ids.mapped("body")))

    def test_carts(self):
        """The shop's own fields are not there without the shop: the cart is told by `_saas_is_cart` alone."""
        self._order(plan=self.trial)
        cart = self._order(confirm=False)
        self.assertFalse(cart._saas_is_cart())
        self.patch(type(cart), "_saas_is_cart", lambda order: order == cart)
        trial = {"order_id": cart.id, "product_id": self.trial.product_variant_id.id}
        with self.assertRaisesRegex(UserError, "already"), self.env.cr.savepoint():
            self.env["sale.order.line"].create(trial)
        self.assertEqual(cart.order_line.product_id, self.plan.product_variant_id)
        cart.partner_id = self.env["res.partner"].create({"name": "Stranger"})
        line = self.env["sale.order.line"].create(trial)
        with self.assertRaisesRegex(UserError, "once"), self.env.cr.savepoint():
            line.product_uom_qty = 2
        self.assertEqual(line.product_uom_qty, 1)
        cart.partner_id = self.ana
        self.assertTrue(line.exists(), "to log in takes nothing from the cart")

    def test_downgrade_that_does_not_fit(self):
        small = self._plan("Small", "t-small", saas_max_users=1)
        instance = self._instance(state="running", users_used=2)
        order = self._order(plan=small, confirm=False, saas_instance_id=instance.id)
        with self.assertRaisesRegex(UserError, "2 active users"):
            order.with_user(self.salesman).action_confirm()
        invoice = self._invoice(product=small.product_variant_id, post=False)
        invoice.invoice_line_ids.saas_instance_id = instance
        with self.assertRaisesRegex(UserError, "2 active users"):
            invoice.action_post()
        instance.users_used = 1
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_renewal_of_a_plan_that_is_over_its_limit(self):
        instance = self._instance(state="running", users_used=20)
        self.assertEqual(self._order(saas_instance_id=instance.id).state, "sale")

    def test_paid_downgrade_is_confirmed(self):
        small = self._plan("Small", "t-small", saas_max_users=1)
        instance = self._instance(state="running", users_used=2)

        def order():
            return self._order(plan=small, confirm=False, saas_instance_id=instance.id)

        by_odoo, by_us, half = order(), order(), order()
        self._transaction(by_odoo)._check_amount_and_confirm_order()
        self.assertEqual(by_odoo.state, "sale")
        self._transaction(by_us).last_state_change = fields.Datetime.subtract(fields.Datetime.now(), hours=1)
        self._poll()
        self.assertEqual(by_us.state, "sale")
        half.require_payment = True
        self._transaction(half, amount=1)
        with self.assertRaises(UserError):
            half.action_confirm()


@tagged("post_install", "-at_install")
class TestMailOfAnOrder(SaasCommon):
    def test_all_is_written_before_it_is_rendered(self):
        """What another transaction keeps from being written is no error of the template."""
        order = self._order()
        seen = []

        def post(this, *_args, **_kwargs):
            this.env.cr.execute("SELECT client_order_ref FROM sale_order WHERE id = %s", [this.id])
            seen.append(this.env.cr.fetchone()[0])

        order.client_order_ref = "pending"
        with patch.object(self.env.registry["sale.order"], "message_post_with_source", post):
            order._send_order_confirmation_mail()
        self.assertEqual(seen, ["pending"])
