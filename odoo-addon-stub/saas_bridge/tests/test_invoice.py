from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import SaasCommon


@tagged("post_install", "-at_install")
class TestInvoice(SaasCommon):
    def _create_from(self, invoice):
        action = invoice.with_user(self.saas_user).action_saas_create_instance()
        self.assertEqual(action["res_model"], "saas.instance")
        form = Form(self.env["saas.instance"].with_user(self.saas_user).with_context(**action["context"]))
        if not form.plan_id:
            form.plan_id = self.plan
        return form.save()

    def test_button_says_what_is_missing(self):
        draft = self._invoice(post=False)
        with self.assertRaisesRegex(UserError, "not posted"):
            draft.action_saas_create_instance()
        unpaid = self._invoice()
        self.assertFalse(unpaid.saas_can_create)
        with self.assertRaisesRegex(UserError, "not paid"):
            unpaid.action_saas_create_instance()
        bill = self.env["account.move"].create({"move_type": "in_invoice", "partner_id": self.acme.id})
        with self.assertRaisesRegex(UserError, "customer invoice"):
            bill.action_saas_create_instance()

    def test_paid_plan_line(self):
        invoice = self._invoice()
        self._pay(invoice)
        self.assertTrue(invoice.with_user(self.saas_user).saas_can_create)
        instance = self._create_from(invoice)
        self.assertEqual(instance.state, "draft")
        self.assertFalse(instance.requested)
        self.assertEqual(instance.partner_id, self.acme)
        self.assertEqual(instance.contact_id, self.ana)
        self.assertEqual(instance.plan_id, self.plan)
        self.assertEqual(instance.invoice_ids, invoice)
        self.assertEqual(instance.name, "acme-s-a")
        self.assertFalse(invoice.invoice_line_ids.saas_instance_id)
        self.assertTrue(instance.action_provision())
        self.assertTrue(instance.requested)
        self.assertEqual(instance.state, "draft")
        self.assertEqual(invoice.invoice_line_ids.saas_instance_id.id, instance.id)
        self.assertFalse(instance.grant_ids)
        self.assertEqual(self._purchase(invoice.invoice_line_ids)["instance_key"], instance.key)
        with self.assertRaises(UserError):
            instance.action_provision()
        action = invoice.with_user(self.saas_user).action_view_saas_instances()
        self.assertEqual(action["res_id"], instance.id)

    def test_invoice_of_an_order_links_the_order_line(self):
        order = self._order()
        invoice = order._create_invoices()
        invoice.action_post()
        self._pay(invoice)
        instance = self._create_from(invoice)
        instance.action_provision()
        self.assertEqual(order.order_line.saas_instance_id.id, instance.id)
        self.assertEqual(instance.sale_order_id, order)
        self.assertFalse(instance.grant_ids)

    def test_invoice_without_plan_gives_one_period(self):
        invoice = self._invoice(product=self.env["product.product"].create({"name": "Consulting"}))
        self._pay(invoice)
        instance = self._create_from(invoice)
        instance.action_provision()
        grant = instance.grant_ids
        self.assertEqual((grant.quantity, grant.period_count, grant.period_unit), (1, 1, "month"))
        self.assertIn(invoice.name, grant.reason)
        self.assertEqual(self._purchase(grant)["instance_key"], instance.key)

    def test_second_instance_of_one_invoice(self):
        invoice = self._invoice()
        self._pay(invoice)
        first, second = self._create_from(invoice), self._create_from(invoice)
        self.assertNotEqual(first.name, second.name)
        first.action_provision()
        second.action_provision()
        self.assertFalse(first.grant_ids)
        self.assertTrue(second.grant_ids)
        invoice.invalidate_recordset()
        self.assertEqual(invoice.with_user(self.saas_user).saas_instance_count, 2)
        action = invoice.with_user(self.saas_user).action_view_saas_instances()
        self.assertEqual(set(action["domain"][0][2]), {first.id, second.id})

    def test_provision_needs_plan_and_payment(self):
        user = self.saas_user
        empty = self.env["saas.instance"].with_user(user).create({"name": "empty", "partner_id": self.acme.id})
        with self.assertRaisesRegex(UserError, "plan"):
            empty.action_provision()
        empty.plan_id = self.plan
        with self.assertRaisesRegex(UserError, "Nothing pays"):
            empty.action_provision()
        empty.invoice_ids = self._invoice()
        with self.assertRaisesRegex(UserError, "not paid"):
            empty.action_provision()
        self.assertFalse(empty.requested)

    def test_provision_with_the_invoice_of_another_customer(self):
        invoice = self._invoice(partner=self.env["res.partner"].create({"name": "Mallory"}))
        self._pay(invoice)
        instance = self._instance(invoice_ids=[(6, 0, invoice.ids)])
        with self.assertRaisesRegex(UserError, "another customer"):
            instance.with_user(self.saas_user).action_provision()

    def test_provision_is_for_saas_users(self):
        with self.assertRaises(AccessError):
            self._instance().with_user(self.salesman).action_provision()
