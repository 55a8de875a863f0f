from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import psycopg2

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged

from .common import SaasCommon


@tagged("post_install", "-at_install")
class TestRenewal(SaasCommon):
    def setUp(self):
        super().setUp()
        self.first = self._order()
        self.key = f"sol:{self.first.order_line.id}"
        self._push_instance(self.key, purchase_keys=[self.key], state="running", subscription_state="active")
        self.instance = self.env["saas.instance"].search([("key", "=", self.key)])

    def _renewal(self):
        reply = self.bridge.renewal(self.key)
        self._assert_no_none(reply)
        self.assertEqual(reply["protocol"], 3)
        self.env.flush_all()
        return reply

    def _push_values(self, **values):
        operation = {"key": "instance:9", "op": "instance", "instance_key": self.key, "values": values}
        self.assertEqual(self._push(operation)[0]["status"], "done")

    def test_quotation(self):
        self._renewal()
        order = self.instance.renewal_order_id
        self.assertEqual(order.state, "sent")
        self.assertEqual(order.partner_id, self.ana)
        self.assertEqual(order.user_id, self.salesman)
        self.assertEqual(order.company_id, self.instance.company_id)
        self.assertIn("acme", order.origin)
        self.assertTrue(order.require_payment)
        self.assertFalse(order.require_signature or order.validity_date or order.is_expired)
        self.assertEqual(order.prepayment_percent, 1)
        self.assertTrue(order._has_to_be_paid())
        line = order.order_line
        self.assertEqual(line.product_id, self.plan.product_variant_id)
        self.assertEqual((line.product_uom_qty, line.price_unit), (1, 10))
        self.assertEqual(line.saas_instance_id, self.instance)

    def test_link_opens_the_payment(self):
        url = urlsplit(self._renewal()["url"])
        order = self.instance.renewal_order_id
        self.assertTrue(order.access_token)
        self.assertEqual(f"{url.scheme}://{url.netloc}", order.get_base_url())
        self.assertEqual(url.path, f"/my/orders/{order.id}")
        self.assertEqual(parse_qs(url.query), {"access_token": [order.access_token], "allow_payment": ["yes"]})

    def test_the_same_for_everybody_who_asks(self):
        self.assertEqual(self._renewal(), self._renewal())
        self.assertEqual(self.env["sale.order"].search_count([("order_line.saas_instance_id", "=", self.instance.id)]), 2)

    def test_amount_as_the_customer_reads_it(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.ana.lang = "es_ES"
        self.env.ref("base.EUR").active = True
        tax = self.env["account.tax"].create({"name": "21", "amount": 21, "company_id": self.company.id})
        self.plan.write({"list_price": 1012.4, "taxes_id": [(6, 0, tax.ids)]})
        pricelist = self.env["product.pricelist"].create({"name": "EUR", "currency_id": self.env.ref("base.EUR").id})
        self.env["res.currency.rate"].search([]).unlink()
        self.ana.property_product_pricelist = pricelist
        self.assertEqual(self._renewal()["amount"].replace("\N{NO-BREAK SPACE}", " "), "1.225,00 €")

    def test_prices_of_today(self):
        self._renewal()
        order = self.instance.renewal_order_id
        self.plan.list_price = 12
        self._renewal()
        self.assertEqual(order.amount_total, 10, "what somebody is about to pay does not change")
        order.date_order = fields.Datetime.subtract(fields.Datetime.now(), days=31)
        self._renewal()
        self.assertEqual(self.instance.renewal_order_id, order, "the link in old e-mails stays good")
        self.assertEqual(order.amount_total, 12)

    def test_old_prices_stay_when_somebody_pays_or_changed_them(self):
        self._renewal()
        order = self.instance.renewal_order_id
        order.date_order = fields.Datetime.subtract(fields.Datetime.now(), days=31)
        order.with_user(self.salesman).order_line.price_unit = 7
        self.plan.list_price = 12
        self._renewal()
        self.assertEqual(order.amount_total, 7)
        self._push_values(subscription_state="expired")
        self._push_values(subscription_state="active")
        self.assertEqual((order.state, self.instance.renewal_order_id), ("sent", order), "a colleague's work stays")

    def test_confirmed_one_is_followed_by_another(self):
        self._renewal()
        order = self.instance.renewal_order_id
        order.action_confirm()
        self._renewal()
        self.assertEqual(order.state, "sale")
        self.assertNotEqual(self.instance.renewal_order_id, order)
        self.instance.renewal_order_id._action_cancel()
        cancelled = self.instance.renewal_order_id
        self.assertTrue(self._renewal()["url"])
        self.assertNotEqual(self.instance.renewal_order_id, cancelled)

    def test_other_plan(self):
        self._renewal()
        order = self.instance.renewal_order_id
        self.instance.plan_id = other = self._plan("Pro", "t-pro", list_price=30)
        self._renewal()
        self.assertEqual(order.state, "cancel")
        self.assertEqual(self.instance.renewal_order_id.order_line.product_id, other.product_variant_id)

    def test_other_plan_while_the_old_one_is_paid(self):
        self._renewal()
        order = self.instance.renewal_order_id
        self._transaction(order, state="pending")
        self.instance.plan_id = self._plan("Pro", "t-pro", list_price=30)
        self._renewal()
        self.assertEqual(order.state, "sent")
        self.assertNotEqual(self.instance.renewal_order_id, order)

    def test_what_cannot_be_renewed(self):
        trial = self._plan("Trial", "t-trial", list_price=0, saas_trial=True)
        free = self._plan("Free", "t-free", list_price=0)
        for record, values in (
            (self.plan, {"active": False}),
            (self.plan, {"sale_ok": False}),
            (self.plan, {"saas_plan": False}),
            (self.instance, {"plan_id": trial.id}),
            (self.instance, {"plan_id": free.id}),
            (self.instance, {"plan_id": False}),
            (self.instance, {"state": "deleting"}),
            (self.instance, {"state": "deleted"}),
            (self.instance, {"hold": "deleted"}),
        ):
            with self.subTest(values=values):
                order = self.instance.browse(self.instance.id)._ensure_renewal()
                self.assertEqual(order.state, "sent")
                before = record.read(list(values), load=False)[0]
                record.write(values)
                self.assertEqual(self._renewal(), {"protocol": 3, "url": False, "amount": ""})
                self.assertEqual(order.state, "cancel")
                self.assertFalse(self.instance.renewal_order_id)
                record.write({fname: before[fname] for fname in values})

    def test_unknown_instance(self):
        with self.assertRaises(UserError):
            self.bridge.renewal("sol:999999")

    def test_made_when_the_time_runs_out(self):
        for values in ({"subscription_state": "expiring_soon"}, {"subscription_state": "expired"}, {"state": "suspended"}):
            with self.subTest(values=values):
                self._push_values(subscription_state="active", state="running")
                self.assertFalse(self.instance.renewal_order_id)
                self._push_values(**values)
                self.assertEqual(self.instance.renewal_order_id.state, "sent")

    def test_not_made_for_one_that_staff_suspended(self):
        self._push_values(state="suspended", hold="suspended")
        self.assertFalse(self.instance.renewal_order_id)

    def test_gone_when_paid_in_another_way(self):
        self._push_values(subscription_state="expiring_soon", paid_until="2030-01-01 00:00:00")
        order = self.instance.renewal_order_id
        self._push_values(users_used=2)
        self.assertEqual(order.state, "sent")
        self._push_values(subscription_state="active", paid_until="2030-02-01 00:00:00")
        self.assertEqual(order.state, "cancel")
        self.assertFalse(self.instance.renewal_order_id)

    def test_early_one_goes_with_the_next_payment(self):
        self._push_values(paid_until="2030-01-01 00:00:00")
        self._renewal()
        order = self.instance.renewal_order_id
        self._push_values(measured_on="2029-12-01 00:00:00", paid_until="2030-01-01 00:00:00")
        self.assertEqual(order.state, "sent")
        self._push_values(paid_until="2030-02-01 00:00:00")
        self.assertEqual(order.state, "cancel")

    def test_follows_the_plan_of_the_instance(self):
        pro = self._plan("Pro", "t-pro", list_price=30)
        self._push_values(subscription_state="expiring_soon")
        order = self.instance.renewal_order_id
        self._push_values(plan_id=pro.id)
        self.assertEqual(order.state, "cancel")
        self.assertEqual(self.instance.renewal_order_id.order_line.product_id, pro.product_variant_id)
        order = self.instance.renewal_order_id
        self._push_values(plan_id=self.plan.id, subscription_state="active", paid_until="2029-01-01 00:00:00")
        self.assertEqual((order.state, bool(self.instance.renewal_order_id)), ("cancel", False))
        self._renewal()
        order = self.instance.renewal_order_id
        self._push_values(plan_id=pro.id, paid_until="2028-12-01 00:00:00")
        self.assertEqual((order.state, bool(self.instance.renewal_order_id)), ("cancel", False), "a shorter time, too")

    def test_nobody_pays_for_a_deleted_instance(self):
        self._push_values(subscription_state="expired")
        order = self.instance.renewal_order_id
        self._push_values(state="deleting")
        self.assertEqual((order.state, bool(self.instance.renewal_order_id)), ("cancel", False))

    def test_quotation_that_staff_use_for_something_else_is_left_alone(self):
        self._renewal()
        order = self.instance.renewal_order_id
        order.order_line.saas_instance_id = self._instance("other")
        self._renewal()
        self.assertEqual(order.state, "sent")
        self.assertNotEqual(self.instance.renewal_order_id, order)

    def test_stays_while_somebody_pays_it(self):
        for number, state in enumerate(("pending", "authorized", "done")):
            with self.subTest(state=state):
                self._push_values(subscription_state="expired")
                order = self.instance.renewal_order_id
                transaction = self._transaction(order, state="pending" if state == "authorized" else state)
                if state == "authorized":
                    self._authorize(transaction)
                self._push_values(subscription_state="active", paid_until=f"203{number}-01-01 00:00:00")
                self.assertEqual((order.state, self.instance.renewal_order_id), ("sent", order))
                transaction.state = "cancel"
                self._push_values(subscription_state="expired")
                self._push_values(subscription_state="active")
                self.assertEqual(order.state, "cancel")

    def test_paid_one_is_let_go(self):
        self._push_values(subscription_state="expired")
        order = self.instance.renewal_order_id
        order.action_confirm()
        self._push_values(subscription_state="active")
        self.assertEqual(order.state, "sale")
        self.assertFalse(self.instance.renewal_order_id)

    def test_failure_does_not_refuse_the_push(self):
        Instance = type(self.instance)

        def fail(instance):
            instance.env.cr.execute("SELECT 1 / 0")

        with patch.object(Instance, "_ensure_renewal", fail), self.assertLogs(
            "odoo.addons.saas_bridge.models.saas_renewal", "WARNING"
        ), patch("odoo.sql_db._logger"):
            self._push_values(subscription_state="expired")
        self.assertEqual(self.instance.subscription_state, "expired")

        def again(_instance):
            raise psycopg2.errors.SerializationFailure("again")

        with patch.object(Instance, "_ensure_renewal", again), self.assertRaises(psycopg2.errors.SerializationFailure):
            self._push_values(subscription_state="active")
            self._push_values(subscription_state="expired")

    def test_no_seller_and_no_contact(self):
        self.instance.write({"contact_id": False, "sale_order_id": False})
        self._renewal()
        order = self.instance.renewal_order_id
        self.assertEqual(order.partner_id, self.acme)
        self.assertFalse(order.user_id)

    def test_company_of_the_instance(self):
        company = self.env["res.company"].create({"name": "Other", "quotation_validity_days": 3})
        self.plan.company_id = False
        self.instance.company_id = company
        self._renewal()
        order = self.instance.renewal_order_id
        self.assertEqual(order.company_id, company)
        self.assertFalse(order.validity_date)


@tagged("post_install", "-at_install")
class TestPayLink(SaasCommon, HttpCase):
    def test_visitor_pays_without_logging_in(self):
        order = self._order()
        key = f"sol:{order.order_line.id}"
        self._push_instance(key, purchase_keys=[key], state="running")
        link = urlsplit(self.bridge.renewal(key)["url"])
        self.env.flush_all()
        page = self.url_open(f"{link.path}?{link.query}", allow_redirects=True)
        self.assertEqual(page.status_code, 200)
        self.assertNotIn("/web/login", page.url)
        # What allow_payment clicks, and what that opens.
        self.assertIn('id="o_sale_portal_paynow"', page.text)
        self.assertIn('id="modalaccept"', page.text)
        self.assertIn('id="payment_method"', page.text)
        self.assertIn("allow_payment=yes", page.url)
        stranger = self.url_open(link.path, allow_redirects=True)
        self.assertIn("/web/login", stranger.url)
