import json

import psycopg2

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SaasCommon

POLL = "odoo.addons.saas_bridge.models.saas_bridge_poll"


@tagged("post_install", "-at_install")
class TestPoll(SaasCommon):
    def test_new_unpaid_order(self):
        order = self._order(quantity=2)
        self.assertEqual(
            self._purchase(order.order_line),
            {
                "key": f"sol:{order.order_line.id}",
                "created_on": self._made_on(order.order_line),
                "state": "open",
                "document": order.name,
                "order_id": order.id,
                "invoice_ids": [],
                "customer": {
                    "id": self.acme.id,
                    "created_on": self._made_on(self.acme),
                    "name": "Acme, S.A.",
                    "contact_id": self.ana.id,
                    "contact_name": "Ana",
                    "email": "info@acme.example",
                    "lang": "en_US",
                },
                "seller": self.bridge.sudo()._seller_row(order),
                "plan_id": self.plan.id,
                "period_count": 1,
                "period_unit": "month",
                "instance_key": False,
                "additional": False,
                "wanted_name": "",
                "wanted_lang": "",
                "unit_price": 10.0,
                "list_price": 10.0,
                "keep_plan": False,
                "pending_since": False,
                "starts_on": fields.Datetime.to_string(order.date_order),
                "parts": [
                    {
                        "key": "ordered:1",
                        "quantity": 2.0,
                        "starts_on": fields.Datetime.to_string(order.date_order),
                        "paid_on": False,
                        "vanished_on": False,
                    }
                ],
            },
        )

    def test_wishes_of_the_buyer_travel_with_the_line_and_not_with_its_copy(self):
        order = self._order(saas_wanted_name="panaderia", saas_wanted_lang="es_ES")
        row = self._purchase(order.order_line)
        self.assertEqual((row["wanted_name"], row["wanted_lang"]), ("panaderia", "es_ES"))
        copy = order.copy()
        copy.action_confirm()
        row = self._purchase(copy.order_line)
        self.assertEqual((row["wanted_name"], row["wanted_lang"]), ("", ""))

    def test_company_that_a_person_typed_in_the_checkout_is_the_customer(self):
        person = self.env["res.partner"].create({"name": "Lucía", "company_name": "Panadería La Espiga", "email": "l@x.example"})
        customer = self._purchase(self._order(partner=person).order_line)["customer"]
        self.assertEqual((customer["id"], customer["name"]), (person.id, "Panadería La Espiga"))
        self.assertEqual(customer["contact_name"], "Lucía")

    def test_email_is_one_valid_address(self):
        order = self._order()
        for text, email in (
            ("a@x.example; b@x.example", "a@x.example"),
            ('nobody, "Bea" <B@x.example>, c@x.example', "b@x.example"),
            ("nobody", "info@acme.example"),
            ("nobody@", "info@acme.example"),
            (False, "info@acme.example"),
        ):
            with self.subTest(text=text):
                self.ana.email = text
                self.assertEqual(self._purchase(order.order_line)["customer"]["email"], email)
        self.acme.email = "none"
        self.assertEqual(self._purchase(order.order_line)["customer"]["email"], "")

    def test_confirmation_counts_not_the_order_date(self):
        order = self._order()
        confirmed = order.date_order
        self.env.flush_all()
        order.date_order = "2020-01-01 00:00:00"
        self.assertEqual(self._purchase(order.order_line)["starts_on"], fields.Datetime.to_string(confirmed))

    def test_plan_is_told_with_its_name_in_each_language(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.plan.with_context(lang="es_ES").name = "Básico"
        [row] = [row for row in self._poll(limit=2000)["plans"] if row["id"] == self.plan.id]
        self.assertEqual((row["names"]["en_US"], row["names"]["es_ES"]), ("Basic", "Básico"))

    def test_plan_row(self):
        self.plan.saas_modules = "crm,sale_management"
        [row] = [row for row in self._poll(limit=2000)["plans"] if row["id"] == self.plan.id]
        self.assertEqual(
            row,
            {
                "id": self.plan.id,
                "code": "t-basic",
                "name": "Basic",
                "names": {"en_US": "Basic"},
                "active": True,
                "period_count": 1,
                "period_unit": "month",
                "cpu": 1.0,
                "memory_mb": 512,
                "storage_gb": 2,
                "max_users": 3,
                "egress": "web",
                "domains": 0,
                "sleep_after_hours": 0,
                "sleep_wakes_hourly": False,
                "modules": "crm,sale_management",
                "grace_days": 0,
                "retention_days": 30,
                "keep_daily": 7,
                "keep_weekly": 4,
                "keep_monthly": 12,
                "trial": False,
            },
        )

    def test_archived_plan_is_still_told(self):
        self.plan.active = False
        [row] = [row for row in self._poll(limit=2000)["plans"] if row["id"] == self.plan.id]
        self.assertFalse(row["active"])

    def test_what_was_a_plan_is_told_once_more_as_one_that_is_sold_no_more(self):
        cursor = self._since_now()
        self.plan.saas_plan = False
        [row] = [row for row in self._poll(cursor)["plans"] if row["id"] == self.plan.id]
        self.assertFalse(row["active"])

    def test_what_somebody_keeps_locked_keeps_back_no_other(self):
        locked, other = self._order(), self._order()
        settle = type(locked)._saas_settle

        def meets_a_lock(orders):
            if locked in orders:
                raise psycopg2.errors.LockNotAvailable()
            return settle(orders)

        self.patch(type(locked), "_saas_settle", meets_a_lock)
        keys = [row["key"] for row in self._poll(limit=2000)["purchases"]]
        self.assertIn(f"sol:{other.order_line.id}", keys)
        self.assertNotIn(f"sol:{locked.order_line.id}", keys)

    def test_a_paid_order_that_somebody_keeps_locked_is_confirmed_later(self):
        order = self._order(confirm=False)
        transaction = self._transaction(order)
        transaction.last_state_change = "2026-01-01 00:00:00"
        confirm = type(order).action_confirm

        def meets_a_lock(orders):
            raise psycopg2.errors.LockNotAvailable()

        self.patch(type(order), "action_confirm", meets_a_lock)
        self._poll()
        self.assertEqual(order.state, "draft")
        self.patch(type(order), "action_confirm", confirm)
        self._poll()
        self.assertEqual(order.state, "sale")

    def test_quotations_are_not_purchases(self):
        order = self._order(confirm=False)
        self.assertIsNone(self._purchase(order.order_line))
        order._action_cancel()
        self.assertIsNone(self._purchase(order.order_line))

    def test_other_products_are_not_purchases(self):
        product = self.env["product.product"].create({"name": "Chair"})
        order = self._order(plan=product.product_tmpl_id)
        self.assertIsNone(self._purchase(order.order_line))

    def test_cancelled_order(self):
        order = self._order()
        cursor = self._since_now()
        order._action_cancel()
        self.assertEqual(self._purchase(order.order_line, cursor)["state"], "cancelled")
        order.action_draft()
        self.assertEqual(self._purchase(order.order_line)["state"], "cancelled")

    def test_no_quantity_is_cancelled(self):
        order = self._order()
        cursor = self._since_now()
        order.order_line.product_uom_qty = 0
        self.assertEqual(self._purchase(order.order_line, cursor)["state"], "cancelled")

    def test_free_order_is_paid_at_confirmation(self):
        order = self._order(price_unit=0)
        row = self._purchase(order.order_line)
        self.assertEqual(self._paid_on(row), row["starts_on"])

    def test_paid_by_transaction(self):
        order = self._order()
        cursor = self._since_now()
        transaction = self._transaction(order, state="draft")
        self.assertFalse(self._paid_on(self._purchase(order.order_line)))
        transaction._set_pending()
        self.assertFalse(self._paid_on(self._purchase(order.order_line)))
        cursor = self._since_now()
        transaction._set_done()
        self.assertEqual(
            self._paid_on(self._purchase(order.order_line, cursor)),
            fields.Datetime.to_string(transaction.last_state_change),
        )

    def test_partial_transaction_does_not_pay(self):
        order = self._order()
        self._transaction(order, amount=order.amount_total - 1)
        self.assertFalse(self._paid_on(self._purchase(order.order_line)))
        self._transaction(order, amount=1)
        self.assertTrue(self._paid_on(self._purchase(order.order_line)))

    def test_refunded_transaction_does_not_pay(self):
        order = self._order()
        transaction = self._transaction(order)
        self._transaction(
            order, amount=-order.amount_total, operation="refund", source_transaction_id=transaction.id
        )
        self.assertFalse(self._paid_on(self._purchase(order.order_line)))

    def test_small_refund_keeps_the_order_paid(self):
        order = self._order(quantity=2)
        transaction = self._transaction(order)

        def refund(amount):
            self._transaction(order, amount=-amount, operation="refund", source_transaction_id=transaction.id)
            return self._paid_on(self._purchase(order.order_line))

        self.assertEqual(refund(5), fields.Datetime.to_string(transaction.last_state_change))
        self.assertFalse(refund(order.amount_total - 5))
        again = self._transaction(order)
        again.last_state_change = fields.Datetime.add(transaction.last_state_change, hours=1)
        self.assertEqual(
            self._paid_on(self._purchase(order.order_line)), fields.Datetime.to_string(again.last_state_change)
        )

    def test_paid_by_invoice(self):
        order = self._order()
        invoice = order._create_invoices()
        self.assertFalse(self._paid_on(self._purchase(order.order_line)))
        invoice.action_post()
        self.assertFalse(self._paid_on(self._purchase(order.order_line)))
        cursor = self._since_now()
        self._pay(invoice)
        row = self._purchase(order.order_line, cursor)
        self.assertTrue(self._paid_on(row))
        self.assertEqual(self._paid_on(row), fields.Datetime.to_string(invoice.saas_paid_on))
        self.assertEqual(row["invoice_ids"], invoice.ids)
        keys = [row["key"] for row in self._poll(limit=2000)["purchases"]]
        self.assertNotIn(f"aml:{invoice.invoice_line_ids.id}", keys, "the order line stands for both")

    def test_paid_by_down_payment_invoice(self):
        order = self._order()
        wizard = self.env["sale.advance.payment.inv"].create(
            {"sale_order_ids": [(6, 0, order.ids)], "advance_payment_method": "percentage", "amount": 100}
        )
        wizard.create_invoices()
        invoice = order.invoice_ids
        invoice.action_post()
        cursor = self._since_now()
        self._pay(invoice)
        plan_line = order.order_line.filtered(lambda line: line.product_id == self.plan.product_variant_id)
        self.assertTrue(self._paid_on(self._purchase(plan_line, cursor)))

    def test_credit_note_of_the_order(self):
        order = self._order()
        invoice = order._create_invoices()
        invoice.action_post()
        self._pay(invoice)
        cursor = self._since_now()
        self._credit(invoice)
        row = self._purchase(order.order_line, cursor)
        self.assertEqual((row["state"], self._quantity(row)), ("cancelled", 0.0))

    def test_discount_given_later_keeps_the_time(self):
        order = self._order(quantity=3)
        invoice = order._create_invoices()
        invoice.action_post()
        self._pay(invoice)
        credit = self._credit(invoice, post=False)
        credit.invoice_line_ids.price_unit = 2
        credit.action_post()
        row = self._purchase(order.order_line)
        self.assertEqual((row["state"], self._quantity(row)), ("open", 3.0))

    def test_credited_and_invoiced_again(self):
        order = self._order()
        invoice = order._create_invoices()
        invoice.action_post()
        self._credit(invoice)
        again = order._create_invoices()
        again.action_post()
        self.assertEqual(self._purchase(order.order_line)["state"], "open")

    def test_paid_by_the_invoice_made_instead_of_a_reversed_one(self):
        order = self._order()
        invoice = order._create_invoices()
        invoice.action_post()
        self._credit(invoice, modify=True)
        self.assertEqual(invoice.payment_state, "reversed")
        again = order.invoice_ids.filtered(lambda move: move.state == "draft")
        again.action_post()
        self.assertFalse(self._paid_on(self._purchase(order.order_line)))
        self._pay(again)
        row = self._purchase(order.order_line)
        self.assertEqual((row["state"], self._quantity(row)), ("open", 1.0))
        self.assertEqual(self._paid_on(row), fields.Datetime.to_string(again.saas_paid_on))

    def test_credited_with_the_new_invoice_still_a_draft(self):
        order = self._order(quantity=2)
        invoice = order._create_invoices()
        invoice.action_post()
        self._pay(invoice)
        paid_on = self._paid_on(self._purchase(order.order_line))
        self._credit(invoice, modify=True)
        self.assertEqual(fields.Datetime.to_string(invoice.saas_paid_on), paid_on, "kept for ever")
        again = order.invoice_ids.filtered(lambda move: move.state == "draft")

        def check(paid):
            row = self._purchase(order.order_line)
            self.assertEqual((row["state"], self._quantity(row), self._paid_on(row)), ("open", 2.0, paid))

        check(paid_on)
        again.action_post()
        check(paid_on)
        again.invoice_date_due = fields.Date.subtract(fields.Date.today(), days=1)
        check(False)
        self._pay(again)
        check(paid_on)
        again.button_draft()
        again.button_cancel()
        self.assertEqual(self._quantity(self._purchase(order.order_line)), 0.0)

    def test_invoice_only(self):
        draft = self._invoice(post=False)
        self.assertIsNone(self._purchase(draft.invoice_line_ids))
        invoice = self._invoice(quantity=3)
        self.assertEqual(self._purchase(invoice.invoice_line_ids)["state"], "cancelled")
        cursor = self._since_now()
        self._pay(invoice)
        row = self._purchase(invoice.invoice_line_ids, cursor)
        self.assertEqual(row["state"], "open")
        self.assertEqual(self._quantity(row), 3.0)
        self.assertEqual(row["document"], invoice.name)
        self.assertFalse(row["order_id"])
        self.assertEqual(row["invoice_ids"], invoice.ids)
        self.assertEqual(row["starts_on"], fields.Datetime.to_string(invoice.saas_paid_on))
        self.assertEqual(self._paid_on(row), row["starts_on"])
        self.assertEqual(row["customer"]["id"], self.acme.id)

    def test_invoice_reversed(self):
        invoice = self._invoice()
        self._pay(invoice)
        cursor = self._since_now()
        self._credit(invoice)
        self.assertEqual(self._purchase(invoice.invoice_line_ids, cursor)["state"], "cancelled")

    def test_credit_note_of_one_of_two_equal_lines(self):
        invoice = self._invoice(post=False)
        first = invoice.invoice_line_ids
        last = first.copy({"move_id": invoice.id})
        invoice.action_post()
        self._pay(invoice)
        credit = self._credit(invoice, post=False)
        credit.invoice_line_ids[0].unlink()
        credit.action_post()
        self.assertEqual(self._purchase(first)["state"], "open")
        self.assertEqual(self._purchase(last)["state"], "cancelled")
        self._credit(invoice, post=False).invoice_line_ids[0].move_id.action_post()
        self.assertEqual(self._purchase(first)["state"], "cancelled")

    def test_vendor_bills_are_not_purchases(self):
        bill = self.env["account.move"].create(
            {
                "move_type": "in_invoice",
                "partner_id": self.acme.id,
                "invoice_date": fields.Date.today(),
                "invoice_line_ids": [(0, 0, {"product_id": self.plan.product_variant_id.id, "price_unit": 5})],
            }
        )
        bill.action_post()
        self.assertIsNone(self._purchase(bill.invoice_line_ids))

    def test_grant(self):
        instance = self._instance(contact_id=self.ana.id)
        cursor = self._since_now()
        grant = self.env["saas.grant"].create(
            {"instance_id": instance.id, "reason": "Sorry", "quantity": 2, "period_unit": "day"}
        )
        row = self._purchase(grant, cursor)
        self.assertEqual(row["state"], "open")
        self.assertEqual(row["instance_key"], instance.key)
        self.assertEqual((self._quantity(row), row["period_count"], row["period_unit"]), (2.0, 1, "day"))
        self.assertEqual(self._paid_on(row), fields.Datetime.to_string(grant.date))
        cursor = self._since_now()
        grant.active = False
        self.assertEqual(self._purchase(grant, cursor)["state"], "cancelled")

    def test_grant_keeps_its_plan_and_price(self):
        instance = self._instance(plan_id=self._plan("Month", "t-month", list_price=30.4375).id)
        plan = instance.plan_id
        grant = self.env["saas.grant"].create(
            {"instance_id": instance.id, "reason": "Sorry", "quantity": 5, "period_unit": "day"}
        )
        plan.list_price = 99
        instance.plan_id = self.plan
        row = self._purchase(grant)
        self.assertEqual(row["plan_id"], plan.id)
        self.assertAlmostEqual(row["unit_price"], 1.0, 3)
        self.assertEqual((row["keep_plan"], row["pending_since"]), (False, False))

    def test_price_of_a_grant_for_every_period(self):
        tax = self.env["account.tax"].create(
            {"name": "21 incl.", "amount": 21, "price_include_override": "tax_included", "company_id": self.company.id}
        )
        plan = self._plan("Quarter", "t-quarter", list_price=121, taxes_id=[(6, 0, tax.ids)], saas_period_count=3)
        instance = self._instance(plan_id=plan.id)
        for count, unit, price in ((3, "month", 100), (1, "month", 33.33), (1, "year", 400), (1, "day", 1.095), (24, "hour", 1.095)):
            with self.subTest(count=count, unit=unit):
                grant = self.env["saas.grant"].create(
                    {"instance_id": instance.id, "reason": "x", "period_count": count, "period_unit": unit}
                )
                self.assertAlmostEqual(grant.unit_price, price, 2)

    def test_grant_without_time_changes_the_plan(self):
        instance = self._instance()
        values = {"instance_id": instance.id, "reason": "Bigger", "quantity": 0}
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.env["saas.grant"].create(values)
        pro = self._plan("Pro", "t-pro")
        row = self._purchase(self.env["saas.grant"].create({**values, "plan_id": pro.id}))
        self.assertEqual((row["state"], self._quantity(row), row["plan_id"]), ("open", 0.0, pro.id))
        for quantity in (-1, 3651):
            with self.subTest(quantity=quantity), self.assertRaises(UserError), self.env.cr.savepoint():
                self.env["saas.grant"].create({**values, "plan_id": pro.id, "quantity": quantity})

    def test_trial_is_told(self):
        plan = self._plan("Trial", "t-trial", list_price=0, saas_trial=True)
        [row] = [row for row in self._poll(limit=2000)["plans"] if row["id"] == plan.id]
        self.assertIs(row["trial"], True)

    def test_command_rows(self):
        instance, pro = self._instance(state="running"), self._plan("Pro", "t-pro")
        commands = self.env["saas.command"].create(
            [
                {"instance_id": instance.id, "command": "stop", "requested_by": self.saas_manager.id, "plan_id": pro.id},
                {"instance_id": instance.id, "command": "change_plan", "requested_by": self.saas_manager.id, "plan_id": pro.id},
            ]
        )
        name = self.saas_manager.name
        self.assertEqual(
            self._poll()["commands"],
            [
                {
                    "id": commands[0].id,
                    "created_on": self._made_on(commands[0]),
                    "instance_key": instance.key,
                    "command": "stop",
                    "requested_by": name,
                    "plan_id": False,
                },
                {
                    "id": commands[1].id,
                    "created_on": self._made_on(commands[1]),
                    "instance_key": instance.key,
                    "command": "change_plan",
                    "requested_by": name,
                    "plan_id": pro.id,
                },
            ],
        )

    def test_instance_rows(self):
        cursor = self._since_now()
        instance = self._instance(contact_id=self.ana.id)
        [row] = self._poll(cursor)["instances"]
        self.assertEqual(
            row,
            {
                "id": instance.id,
                "created_on": self._made_on(instance),
                "key": instance.key,
                "name": "acme",
                "customer": self.bridge.sudo()._customer_row(self.ana),
                "seller": self.bridge.sudo()._seller_row(instance),
                "plan_id": self.plan.id,
                "state": "draft",
                "hold": "none",
                "started_on": False,
                "paid_until": False,
                "suspended_on": False,
                "delete_on": False,
                "storage_over_since": False,
                "requested": False,
                "domains": [],
            },
        )
        cursor = self._since_now()
        instance.state = "deleted"
        self.assertEqual([row["state"] for row in self._poll(cursor)["instances"]], ["deleted"])
        [row] = [row for row in self._poll(limit=2000)["instances"] if row["id"] == instance.id]
        self.assertEqual(row["state"], "deleted", "the daemon must know that the instance of a purchase is gone")

    def test_linked_line_names_its_instance(self):
        order = self._order()
        invoice = self._invoice()
        self._pay(invoice)
        instance = self._instance()
        for line in (order.order_line, invoice.invoice_line_ids):
            cursor = self._since_now()
            line.saas_instance_id = instance
            self.assertEqual(self._purchase(line, cursor)["instance_key"], instance.key)

    def test_garbage_cursor_is_a_full_pass(self):
        order = self._order()
        self._since_now()
        for cursor in ("x", "[]", "{", '{"since": 7}', '{"since": "yesterday"}', '{"kind": "users"}', '{"after": -1}', "\x00"):
            with self.subTest(cursor=cursor):
                self.assertTrue(self._purchase(order.order_line, cursor))

    def test_paging_tells_everything_once(self):
        orders = [self._order() for _number in range(5)]
        for number in range(3):
            self._instance(f"page-{number}")
        whole = self._poll(limit=2000)
        self.assertFalse(whole["more"])
        for limit in (1, 2, 3, 7):
            rows, cursor, pages = {"plans": [], "purchases": [], "instances": []}, False, 0
            while True:
                reply = self._poll(cursor, limit=limit)
                pages += 1
                self.assertLessEqual(sum(len(reply[name]) for name in rows), limit)
                for name in rows:
                    rows[name] += reply[name]
                cursor = reply["cursor"]
                if not reply["more"]:
                    break
                self.assertLess(pages, 500)
            for name in rows:
                self.assertEqual(rows[name], whole[name])
        self.assertGreaterEqual(len(whole["purchases"]), len(orders))
        self.assertIn("since", json.loads(cursor))

    def test_nothing_new_costs_the_same_for_any_number_of_customers(self):
        def cost():
            cursor = self._since_now()
            before = self.env.cr.sql_log_count
            self.bridge.poll(cursor)
            return self.env.cr.sql_log_count - before

        def sell(count):
            for number in range(count):
                order = self._order()
                key = f"sol:{order.order_line.id}"
                self._push_instance(key, name=f"n{order.id}", purchase_keys=[key], state="running")

        sell(5)
        few = cost()
        sell(45)
        self.assertEqual(cost(), few)
        self.assertLessEqual(few, 15)

    def test_one_broken_record_does_not_hide_the_others(self):
        good, bad, worse = self._order(), self._order(), self._order()
        build, order = type(self.bridge)._sol_row, type(bad)._saas_sold_lines

        def fail(bridge, line, ledger):
            if line == bad.order_line:
                raise RuntimeError("broken by a third addon")
            return build(bridge, line, ledger)

        def fail_early(record):
            if record == worse:
                self.env.cr.execute("SELECT 1 / 0")
            return order(record)

        self.patch(type(self.bridge), "_sol_row", fail)
        self.patch(type(bad), "_saas_sold_lines", fail_early)
        with mute_logger("odoo.sql_db", POLL):
            rows = {row["key"]: row for row in self._poll(limit=2000)["purchases"]}
        self.assertTrue(rows[f"sol:{good.order_line.id}"]["parts"])
        self.assertEqual(
            rows[f"sol:{bad.order_line.id}"],
            {"key": f"sol:{bad.order_line.id}", "problem": f"{bad.name}: RuntimeError('broken by a third addon')"},
        )
        self.assertIn("division by zero", rows[f"sol:{worse.order_line.id}"]["problem"])

    def test_paid_quotation_is_confirmed(self):
        order = self._order(confirm=False)
        transaction = self._transaction(order, state="draft")
        transaction._set_done()
        row = self._purchase(order.order_line)
        self.assertEqual((row["state"], self._paid_on(row)), ("pending", False), "Odoo gets its time first")
        self.assertEqual(row["pending_since"], fields.Datetime.to_string(transaction.last_state_change))
        transaction.last_state_change = fields.Datetime.subtract(fields.Datetime.now(), hours=1)
        self.assertEqual(self._purchase(order.order_line)["state"], "open")
        self.assertEqual(order.state, "sale")

    def test_quotation_that_cannot_be_confirmed_does_not_stop_the_poll(self):
        orders = bad, good = self._order(confirm=False), self._order(confirm=False)
        for order in orders:
            self._transaction(order).last_state_change = fields.Datetime.subtract(fields.Datetime.now(), hours=1)
        confirm = type(bad).action_confirm

        def fail(order):
            if order == bad:
                self.env.cr.execute("SELECT 1 / 0")
            return confirm(order)

        self.patch(type(bad), "action_confirm", fail)
        with mute_logger("odoo.sql_db"), self.assertLogs(POLL, "WARNING"):
            self.assertEqual(self._purchase(good.order_line)["state"], "open")
        self.assertEqual(bad.state, "draft")

        def again(_order):
            raise psycopg2.errors.SerializationFailure("again")

        self.patch(type(bad), "action_confirm", again)
        with self.assertRaises(psycopg2.errors.SerializationFailure):
            self._poll()

    def test_underpaid_quotation_is_not_confirmed(self):
        order = self._order(confirm=False)
        transaction = self._transaction(order, amount=order.amount_total / 2)
        transaction.last_state_change = fields.Datetime.subtract(fields.Datetime.now(), hours=1)
        self._poll()
        self.assertEqual(order.state, "draft")

    def _credit(self, invoice, post=True, modify=False):
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id, "reason": "test"})
        )
        if modify:
            wizard.modify_moves()
            return invoice.reversal_move_ids
        credit = self.env["account.move"].browse(wizard.reverse_moves()["res_id"])
        if post:
            credit.action_post()
        return credit
