"""Customers, doors, trials and to-dos of real offices, beyond the cases of the other files."""

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import SaasCommon
from .test_customer import CustomerCase


@tagged("post_install", "-at_install")
class TestWhoMoves(CustomerCase):
    def test_department_moves_with_its_people(self):
        """Odoo takes the orders of all of them along."""
        sales = self.env["res.partner"].create({"name": "Sales", "parent_id": self.acme.id})
        luis = self.env["res.partner"].create({"name": "Luis", "parent_id": sales.id, "email": "luis@acme.example"})
        instance = self._bought(luis, "luis")
        self.assertEqual(instance.partner_id, self.acme)
        cursor = self._since_now()
        sales.parent_id = self.beta
        self.assertEqual((instance.partner_id, instance.contact_id), (self.beta, luis))
        self.assertEqual(self._told(instance, cursor)["id"], self.beta.id)
        self._renewal(luis, instance).action_confirm()

    def test_department_becomes_a_company_of_its_own(self):
        sales = self.env["res.partner"].create({"name": "Sales", "parent_id": self.acme.id})
        luis = self.env["res.partner"].create({"name": "Luis", "parent_id": sales.id, "email": "luis@acme.example"})
        instance = self._bought(luis, "luis")
        sales.is_company = True
        self.assertEqual((instance.partner_id, instance.contact_id), (sales, luis))
        self._renewal(luis, instance).action_confirm()

    def test_what_waits_of_a_department_is_told_anew(self):
        sales = self.env["res.partner"].create({"name": "Sales", "parent_id": self.acme.id})
        luis = self.env["res.partner"].create({"name": "Luis", "parent_id": sales.id})
        order = self._order(partner=luis)
        cursor = self._since_now()
        sales.parent_id = self.beta
        self.assertEqual(self._purchase(order.order_line, cursor)["customer"]["id"], self.beta.id)

    def test_buyer_made_a_company_and_back(self):
        instance = self._bought(self.ana, "acme")
        self.ana.is_company = True
        self.assertEqual(instance.partner_id, self.ana)
        self._renewal(self.ana, instance).action_confirm()
        self.ana.is_company = False
        self.assertEqual((instance.partner_id, instance.contact_id), (self.acme, self.ana))
        self._renewal(self.ana, instance).action_confirm()

    def test_buyer_set_free(self):
        instance = self._bought(self.ana, "acme")
        self.ana.parent_id = False
        self.assertEqual(instance.partner_id, self.ana)
        self._renewal(self.ana, instance).action_confirm()

    def test_linked_from_the_company(self):
        instance = self._bought(self.sofia, "sofia")
        self.beta.child_ids = [Command.link(self.sofia.id)]
        self.assertEqual(instance.partner_id, self.beta)
        new = self.env["res.partner"].create({"name": "New", "is_company": True, "child_ids": [Command.link(self.sofia.id)]})
        self.assertEqual(instance.partner_id, new)
        self._renewal(self.sofia, instance).action_confirm()

    def test_two_companies_merged(self):
        mine, theirs = self._bought(self.ana, "acme"), self._bought(self.beta, "beta")
        cursor = self._since_now()
        self.env["base.partner.merge.automatic.wizard"]._merge((self.acme | self.beta).ids, self.beta)
        self.assertEqual((mine | theirs).partner_id, self.beta)
        self.assertEqual(self._told(mine, cursor)["id"], self.beta.id)
        self._renewal(self.ana, mine).action_confirm()
        self._renewal(self.beta, theirs).action_confirm()

    def test_address_changed_twice_while_a_mail_is_owed(self):
        self.ana.email = "one@acme.example"
        instance = self._bought(self.ana, "acme")
        for address in ("two@acme.example", "three@acme.example"):
            self.ana.email = address
        for number, to in enumerate(("one@acme.example", "two@acme.example")):
            operation = {"key": f"n:{number}", "op": "notice", "instance_key": instance.key, "notice": "reminder", "to": to}
            operation |= {"contact_id": self.ana.id, "lang": "en_US", "subject": "s", "html": "<p>h</p>", "text": "t"}
            self.assertEqual(self._push(operation)[0]["status"], "done", to)
        self.assertEqual(self.env["mail.mail"].search([("subject", "=", "s")]).mapped("email_to"), ["three@acme.example"] * 2)
        self.ana.email = "one@acme.example"
        operation = {**operation, "key": "n:x", "to": "victim@elsewhere.example"}
        self.assertEqual(self._push(operation)[0]["status"], "refused")

    def test_company_archived_with_a_person_left(self):
        self.ana.email = "ana@acme.example"
        instance = self._bought(self.acme, "acme")
        cursor = self._since_now()
        self.acme.active = False
        told = self._told(instance, cursor)
        self.assertEqual(told["email"], "ana@acme.example")
        self.assertTrue(instance._ensure_renewal().partner_id.active)


@tagged("post_install", "-at_install")
class TestDoors(SaasCommon):
    """Columns that are kept by the daemon and the addon."""

    LINE = (("saas_period_count", 1200), ("saas_period_unit", "year"), ("saas_list_price", 0.01), ("saas_keep_plan", True))

    def test_defaults_of_the_context_and_of_the_user(self):
        product = self.plan.product_variant_id.id
        defaults = {f"default_{fname}": value for fname, value in self.LINE}
        defaults |= {"default_saas_confirmed_on": "2020-01-01 00:00:00"}
        order = self.env["sale.order"].with_user(self.salesman).with_context(**defaults).create(
            {"partner_id": self.ana.id, "order_line": [Command.create({"product_id": product})]}
        )
        self._assert_untouched(order.order_line)
        self.assertFalse(order.saas_confirmed_on)
        line = self.env["sale.order.line"].with_user(self.salesman).with_context(**defaults).create({"order_id": order.id, "product_id": product})
        self._assert_untouched(line)
        for fname, value in self.LINE:
            self.env["ir.default"].with_user(self.salesman).sudo().set("sale.order.line", fname, value, user_id=self.salesman.id)
        line = self.env["sale.order.line"].with_user(self.salesman).create({"order_id": order.id, "product_id": product})
        self._assert_untouched(line)
        invoice = (
            self.env["account.move"]
            .with_user(self.saas_user)
            .with_context(default_saas_paid_on="2020-01-01 00:00:00", default_saas_paid_before="2020-01-01 00:00:00", **defaults)
            .create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.ana.id,
                    "invoice_line_ids": [Command.create({"product_id": product, "quantity": 1, "price_unit": 10})],
                }
            )
        )
        self._assert_untouched(invoice.invoice_line_ids)
        self.assertFalse(invoice.saas_paid_on or invoice.saas_paid_before)

    def _assert_untouched(self, line):
        self.assertEqual([line[fname] for fname, _value in self.LINE], [1, "month", 10, False])

    def test_empty_values(self):
        """What looks like nothing is a value, too."""
        nothing = {"saas_period_count": 0, "saas_period_unit": False, "saas_list_price": 0, "saas_keep_plan": False}
        order = self.env["sale.order"].with_user(self.salesman).create(
            {"partner_id": self.ana.id, "order_line": [Command.create({"product_id": self.plan.product_variant_id.id, **nothing})]}
        )
        self._assert_untouched(order.order_line)

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_documents_by_other_columns(self):
        old, invoice = self._invoice(), self._invoice(post=False)
        instance = self._instance(requested=True, state="running")
        groups = "saas_bridge.group_manager,sales_team.group_sale_manager,account.group_account_manager,base.group_system"
        everything = new_test_user(self.env, "t-all", groups=groups, context={"no_reset_password": True})
        for user in (self.saas_user, everything):
            for values in (
                {"saas_replaced_move_id": old.id},
                {"saas_replacement_ids": [Command.link(old.id)]},
                {"saas_instance_ids": [Command.link(instance.id)]},
            ):
                with self.subTest(user=user.login, values=values), self.assertRaises(UserError):
                    invoice.with_user(user).write(values)
            with self.assertRaises(AccessError):
                invoice.with_user(user).copy({"saas_paid_on": "2020-01-01 00:00:00"})
            with self.assertRaises(AccessError):
                instance.with_user(user).write({"command_ids": [Command.create({"command": "stop"})]})


@tagged("post_install", "-at_install")
class TestOnePerson(SaasCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.trial = cls._plan("Trial", "t-trial", list_price=0, saas_trial=True)

    def _taken(self, first, second):
        """Whether who has the trial under the first values is the person of the second ones."""
        partners = self.env["res.partner"].create([{"name": "A", **first}, {"name": "B", **second}])
        with self.env.cr.savepoint() as savepoint:
            self._order(partner=partners[0], plan=self.trial)
            try:
                self._order(partner=partners[1], plan=self.trial)
                taken = False
            except UserError:
                taken = True
            savepoint.rollback()
        return taken

    def test_tax_numbers_with_and_without_the_country(self):
        spain, greece = self.env.ref("base.es").id, self.env.ref("base.gr").id
        for first, second, taken in (
            ({"vat": "ESB12345674"}, {"vat": "B12345674", "country_id": spain}, True),
            ({"vat": "B-12345674", "country_id": spain}, {"vat": "es b12345674"}, True),
            ({"vat": "EL094259216", "country_id": greece}, {"vat": "094259216", "country_id": greece}, True),
            ({"vat": "DE136695976"}, {"vat": "ATU37675002"}, False),
            ({"vat": "ESB12345674"}, {"vat": "ESA58818501"}, False),
        ):
            with self.subTest(first=first, second=second):
                values = [{"email": f"{name}@x.example", **one} for name, one in (("a", first), ("b", second))]
                self.assertEqual(self._taken(*values), taken)

    def test_mailboxes(self):
        for first, second, taken in (
            ("ana.gil@proton.me", "ana-gil@protonmail.com", True),
            ("ana_gil@proton.me", "anagil+x@pm.me", True),
            ("ANA@HOTMAIL.COM", "ana+1@hotmail.com", True),
            ("ana@x.example", "Ana <ana+2@X.example>", True),
            ("ana@gmail.com", "ana@gmail.com, other@x.example", True),
            ("ana@x.example", "ana@y.example", False),
        ):
            with self.subTest(first=first, second=second):
                self.assertEqual(self._taken({"email": first}, {"email": second}), taken)


@tagged("post_install", "-at_install")
class TestMoneyThatIsWatched(SaasCommon):
    def _watch(self):
        self.env.flush_all()
        self.env["saas.bridge"]._watch_documents()

    def test_paid_together_is_paid_once(self):
        orders = self._order() | self._order()
        invoice = orders._create_invoices()
        invoice.action_post()
        self._pay(invoice)
        more = self._order() | self._order()
        for order in more:
            order._create_invoices().action_post()
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=more.invoice_ids.ids).create(
            {"group_payment": True}
        ).action_create_payments()
        online = self._order() | self._order()
        self._transaction(online[0], amount=20, sale_order_ids=[Command.set(online.ids)])
        self._watch()
        for order in orders | more | online:
            self.assertFalse(order.activity_ids, order.activity_ids.note)

    def test_paid_in_parts_in_another_way_is_paid(self):
        order = self._order()
        invoice = order._create_invoices()
        invoice.action_post()
        account = self.env["account.account"].search([("account_type", "=", "expense")], limit=1)
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids).create(
            {"amount": 9, "payment_difference_handling": "reconcile", "writeoff_account_id": account.id}
        ).action_create_payments()
        self._watch()
        self.assertFalse(order.activity_ids)

    def test_captured_in_part(self):
        order = self._order(quantity=3)
        transaction = self._transaction(order, state="draft")
        self._authorize(transaction)
        transaction._create_child_transaction(10)._set_done()
        transaction._create_child_transaction(20)._set_canceled()
        self._watch()
        self.assertIn("10.00", order.activity_ids.note or "")
        self.assertIn("paid in part", order.activity_ids.note or "")

    def test_paid_after_it_was_cancelled(self):
        order = self._order(confirm=False)
        transaction = self._transaction(order, state="pending")
        order._action_cancel()
        transaction._set_done()
        self._watch()
        self._watch()
        self.assertEqual(len(order.activity_ids), 1)
        self.assertIn("cancelled", order.activity_ids.note)

    def test_invoice_paid_twice_online(self):
        invoice = self._invoice()
        for number in range(2):
            self._transaction(
                self.env["sale.order"], amount=10, currency_id=invoice.currency_id.id, partner_id=self.ana.id,
                reference=f"twice-{number}", invoice_ids=[Command.set(invoice.ids)],
            )
        self._pay(invoice)
        self._watch()
        self._watch()
        self.assertEqual(len(invoice.activity_ids), 1)
        self.assertIn("more than once", invoice.activity_ids.note)

    def test_receipt(self):
        """A sales receipt is nobody's purchase: it makes no instance."""
        receipt = self.env["account.move"].create(
            {
                "move_type": "out_receipt",
                "partner_id": self.ana.id,
                "invoice_date": fields.Date.today(),
                "invoice_line_ids": [Command.create({"product_id": self.plan.product_variant_id.id, "quantity": 1, "price_unit": 10, "tax_ids": False})],
            }
        )
        receipt.action_post()
        self._pay(receipt)
        self._watch()
        self._watch()
        self.assertEqual(len(receipt.activity_ids), 1)
        self.assertIn("makes no instance", receipt.activity_ids.note)

    def test_company_without_anybody_to_tell(self):
        """Somebody hears of it, also where nobody of SaaS works in the company."""
        second = self.env["res.company"].create({"name": "Two"})
        clerk = new_test_user(
            self.env, "t-clerk", groups="sales_team.group_sale_manager,base.group_system", company_id=second.id, company_ids=[Command.set(second.ids)],
            context={"no_reset_password": True},
        )
        self.env.ref("saas_bridge.group_manager").all_user_ids.company_ids = [Command.unlink(second.id)]
        plan = self._plan("Two", "t-two", company_id=second.id)
        line = Command.create({"product_id": plan.product_variant_id.id})
        order = self.env["sale.order"].with_company(second).create(
            {"partner_id": self.ana.id, "company_id": second.id, "user_id": False, "order_line": [line]}
        )
        order.action_confirm()
        order._saas_todo(lambda document: "Look here")
        self.assertEqual(order.activity_ids.user_id, clerk)


@tagged("post_install", "-at_install")
class TestLists(SaasCommon):
    def test_list_of_orders_asks_no_query_a_row(self):
        def queries(orders):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            orders.with_user(self.saas_user).sudo().mapped("saas_status")
            return self.env.cr.sql_log_count - before

        orders = self.env["sale.order"].union(*(self._order() for _number in range(24)))
        for order in orders[::3]:
            self._transaction(order)
        for number, order in enumerate(orders[::2]):
            self._instance(f"many-{number}", sale_order_id=order.id)
        few = queries(orders[:4])
        self.assertLessEqual(queries(orders), few + 3)
