from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import SaasCommon


@tagged("post_install", "-at_install")
class TestRenewalTerms(SaasCommon):
    """A renewal sells what was sold."""

    def _pricelist(self, price, **values):
        item = {"applied_on": "1_product", "product_tmpl_id": self.plan.id, "compute_price": "fixed", "fixed_price": price}
        return self.env["product.pricelist"].create({"name": f"VIP {price}", "item_ids": [(0, 0, item)], **values})

    def _sell(self, order=None, **line):
        order = order or self._order(confirm=False)
        order.order_line.write(line)
        if order.state != "sale":
            order.action_confirm()
        key = f"sol:{order.order_line.id}"
        self._push_instance(key, purchase_keys=[key], order_id=order.id, state="running", subscription_state="expiring_soon")
        return order.order_line.saas_instance_id

    def _draft(self, **values):
        order = self._order(confirm=False)
        order.write(values)
        order._recompute_prices()
        return order

    def test_pricelist_of_the_order(self):
        instance = self._sell(self._draft(pricelist_id=self._pricelist(5).id))
        order = instance._ensure_renewal()
        self.assertEqual(order.order_line.price_unit, 5)
        self.assertEqual(order.amount_total, 5)
        self.assertEqual(instance._portal_next_amount()[0], 5)
        self.assertEqual(instance._portal_price(self.plan)[0], 5)

    def test_currency_of_the_order(self):
        euro = self.env.ref("base.EUR") if self.company.currency_id != self.env.ref("base.EUR") else self.env.ref("base.USD")
        euro.active = True
        instance = self._sell(self._draft(pricelist_id=self._pricelist(7, currency_id=euro.id).id))
        order = instance._ensure_renewal()
        self.assertEqual((order.currency_id, order.amount_total), (euro, 7))
        self.assertEqual(instance._portal_price(self.plan), (7, euro))

    def test_currency_of_the_invoice(self):
        euro = self.env.ref("base.EUR") if self.company.currency_id != self.env.ref("base.EUR") else self.env.ref("base.USD")
        euro.active = True
        pricelist = self._pricelist(8, currency_id=euro.id)
        invoice = self._invoice(post=False)
        invoice.currency_id = euro
        invoice.action_post()
        self._pay(invoice)
        key = f"aml:{invoice.invoice_line_ids.id}"
        self._push_instance(key, purchase_keys=[key], state="running")
        order = invoice.invoice_line_ids.saas_instance_id._ensure_renewal()
        self.assertEqual((order.pricelist_id, order.currency_id), (pricelist, euro))

    def test_agreed_discount_stays_for_good(self):
        instance = self._sell(discount=20)
        order = instance._ensure_renewal()
        self.assertEqual((order.order_line.discount, order.amount_total), (20, 8))
        self.assertEqual(instance._portal_price(self.plan)[0], 8)
        order.date_order = fields.Datetime.now() - timedelta(days=40)
        self.plan.list_price = 20
        self.assertEqual(instance._ensure_renewal().amount_total, 16, "the price of today, at the discount that was agreed")
        order.action_confirm()
        order.order_line.saas_instance_id = instance
        self.assertEqual(instance._ensure_renewal().order_line.discount, 20)

    def test_price_by_hand_stays_for_good(self):
        instance = self._sell(price_unit=9)
        order = instance._ensure_renewal()
        self.assertEqual(order.amount_total, 9)
        order.action_confirm()
        again = instance._ensure_renewal()
        self.assertNotEqual(again, order)
        self.assertEqual(again.amount_total, 9)

    def test_fiscal_position_and_team(self):
        tax = self.env["account.tax"].create({"name": "21", "amount": 21, "company_id": self.company.id})
        self.plan.taxes_id = tax
        free = self.env["account.fiscal.position"].create({"name": "Export"})
        zero = self.env["account.tax"].create(
            {"name": "0", "amount": 0, "company_id": self.company.id, "fiscal_position_ids": [(6, 0, free.ids)], "original_tax_ids": [(6, 0, tax.ids)]}
        )
        team = self.env["crm.team"].create({"name": "SaaS"})
        draft = self._draft(fiscal_position_id=free.id, team_id=team.id)
        draft.order_line.tax_ids = zero
        instance = self._sell(draft)
        order = instance._ensure_renewal()
        self.assertEqual((order.fiscal_position_id, order.team_id), (free, team))
        self.assertEqual((order.order_line.tax_ids, order.amount_total), (zero, 10))
        self.assertEqual(instance._portal_price(self.plan)[0], 10)

    def test_variant(self):
        attribute = self.env["product.attribute"].create(
            {"name": "Place", "value_ids": [(0, 0, {"name": "Here"}), (0, 0, {"name": "There"})]}
        )
        self.plan.attribute_line_ids = [
            (0, 0, {"attribute_id": attribute.id, "value_ids": [(6, 0, attribute.value_ids.ids)]})
        ]
        second = self.plan.product_variant_ids[1]
        second.product_template_attribute_value_ids.price_extra = 3
        draft = self._order(confirm=False)
        draft.order_line.product_id = second
        instance = self._sell(draft)
        order = instance._ensure_renewal()
        self.assertEqual((order.order_line.product_id, order.amount_total), (second, 13))
        self.assertEqual(instance._portal_price(self.plan)[0], 13)

    def test_terms_of_another_customer_are_not_passed_on(self):
        instance = self._sell(self._draft(pricelist_id=self._pricelist(5).id), discount=50)
        beta = self.env["res.partner"].create({"name": "Beta", "email": "info@beta.example"})
        instance.with_user(self.saas_manager)._hand_over(beta, "sold")
        order = instance._ensure_renewal()
        self.assertEqual((order.partner_id, order.amount_total), (beta, 10))

    def test_change_of_plan_keeps_pricelist_but_not_the_discount(self):
        pro = self._plan("Pro", "t-pro", list_price=25)
        vip = self._pricelist(5)
        instance = self._sell(self._draft(pricelist_id=vip.id), discount=50)
        order = instance._ensure_plan_quotation(pro)
        self.assertEqual((order.pricelist_id, order.amount_total), (vip, 25))
