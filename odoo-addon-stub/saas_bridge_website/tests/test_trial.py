import re
from urllib.parse import urlsplit

from odoo import http
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ShopCommon


@tagged("post_install", "-at_install")
class TestTrialInTheShop(ShopCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.trial = cls._plan("Try", "t-try", is_published=True, saas_trial=True, list_price=0)
        cls.website.account_on_checkout = "optional"

    def _guest_cart(self, email):
        """A visitor without an account who has put the trial into the cart and said who they are."""
        self.authenticate(None, None)
        line = self._add(self.trial)
        token = http.Request.csrf_token(self)
        address = {"name": "Guest", "email": email, "street": "A 1", "city": "B", "zip": "1000", "phone": "12345678"}
        address |= {"country_id": self.env.ref("base.be").id, "state_id": "", "address_type": "billing", "use_delivery_as_billing": "true"}
        self.url_open("/shop/address/submit", data={**address, "csrf_token": token, "partner_id": "", "required_fields": "name,country_id"})
        line.invalidate_recordset()
        line.order_id.invalidate_recordset()
        self.assertEqual(line.order_id.partner_id.email, email)
        return line.order_id

    def _mail_to(self, email):
        return self.env["mail.mail"].search([("email_to", "=", email)])

    @mute_logger("odoo.http", "odoo.addons.website.models.ir_ui_view")
    def _order_it(self, order):
        """As the shop's button does; where it leads."""
        page = self.url_open("/shop/payment")
        if urlsplit(page.url).path == "/shop/payment":
            self.url_open("/shop/payment/validate")
        self.url_open("/shop/payment/validate")
        order.invalidate_recordset()
        return page

    def test_three_guests_with_one_address_have_one_trial(self):
        states = []
        for address in ("lucia.gil@gmail.com", "luciagil@gmail.com", "Lucia.Gil+2@gmail.com"):
            order = self._guest_cart(address)
            page = self._order_it(order)
            self.assertEqual(order.state, "draft", "nobody gets one without a confirmed address")
            self.assertEqual(urlsplit(page.url).path, "/shop/cart")
            if mail := self._mail_to(address.lower()):
                self.assertIn("Open the link in that e-mail", page.text)
                link = re.search(r'href="([^"]+/shop/saas/confirm/[^"]+)"', mail.body_html).group(1)
                self.assertEqual(urlsplit(self.url_open(urlsplit(link).path).url).path, "/shop/payment")
                self._order_it(order)
            else:
                self.assertIn("have had a free trial already", page.text)
            states.append(order.state)
        self.assertEqual(states, ["sale", "draft", "draft"])

    def test_link_of_another_address_opens_nothing(self):
        order = self._guest_cart("one@x.example")
        self._order_it(order)
        link = urlsplit(order._saas_confirm_url()).path
        order.partner_id.email = "victim@y.example"
        self.assertEqual(self.url_open(link).status_code, 404)
        self.assertFalse(order.saas_confirmed_email)
        self.assertEqual(self.url_open(f"/shop/saas/confirm/{order.id}/x").status_code, 404)
        self.assertEqual(self.url_open("/shop/saas/confirm/999999/x").status_code, 404)

    def test_link_opened_elsewhere(self):
        order = self._guest_cart("one@x.example")
        self._order_it(order)
        link = urlsplit(order._saas_confirm_url()).path
        self.authenticate(None, None)
        self.assertIn("Your address is confirmed", self.url_open(link).text)
        self.assertTrue(order.saas_confirmed_email)

    def test_few_mails_to_one_address(self):
        order = self._guest_cart("one@x.example")
        for _again in range(6):
            self.url_open("/shop/payment")
        self.assertEqual(len(self._mail_to("one@x.example")), 3)
        self.assertEqual(order.state, "draft")

    def test_who_has_an_account_confirms_nothing(self):
        self.ana.email, self.bea.email = "ana@acme.example", "Ana@acme.example"
        self.authenticate("t-buyer", "t-buyer-1")
        line = self._add(self.trial)
        self._order_it(line.order_id)
        self.assertEqual(line.order_id.state, "sale")
        self.authenticate("t-other", "t-other-1")
        answer = self._json(
            "/shop/cart/add", product_template_id=self.trial.id, product_id=self.trial.product_variant_id.id, quantity=1
        )
        self.assertEqual(answer["quantity"], 0)
        self.assertIn("have had a free trial already", answer["notification_info"]["warning"])

    def test_staff_confirm_the_cart_of_a_guest(self):
        order = self._guest_cart("one@x.example")
        self.salesman.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        order.with_user(self.salesman).action_confirm()
        self.assertEqual(order.state, "sale")

    def test_guest_who_pays_for_something_beside_it(self):
        order = self._guest_cart("one@x.example")
        self._add(self.plan)
        order.invalidate_recordset()
        self._transaction(order)._check_amount_and_confirm_order()
        self.assertEqual(order.state, "sale")
        self.assertEqual(sorted(order.order_line.mapped("product_uom_qty")), [0, 1])
