"""Coupons, codes, gift cards, points and e-wallets: how many periods they leave paid, and from when."""

from odoo import Command
from odoo.tests import tagged

from odoo.addons.saas_bridge.tests.test_office import OfficeCommon
from odoo.addons.saas_bridge.tests.test_parts import text

from .common import ShopCommon


class PromotionCommon(OfficeCommon):
    def _program(self, kind, code=None, rule=None, **reward):
        reward = {"reward_type": "discount", "discount_applicability": "order", "discount_mode": "percent", **reward}
        rule = {"minimum_qty": 0, **(rule or {}), **({"mode": "with_code", "code": code} if code else {})}
        values = {"name": f"{kind} {code or ''}", "program_type": kind, "trigger": "with_code" if code else "auto", "applies_on": "current"}
        if kind in ("gift_card", "ewallet"):
            values["applies_on"] = "future"
            reward |= {"discount_mode": "per_point", "discount": 1, "required_points": 1}
        elif kind == "loyalty":
            values["applies_on"] = "both"
        values |= {"rule_ids": [Command.clear(), Command.create(rule)], "reward_ids": [Command.clear(), Command.create(reward)]}
        return self.env["loyalty.program"].create(values)

    def _card(self, kind, points, partner=None):
        program = self._program(kind)
        values = {"program_id": program.id, "points": points, "partner_id": partner.id if partner else False}
        return self.env["loyalty.card"].create(values)

    def _apply(self, order, code=None, card=None):
        """Type a code in, or take what the programs offer; the reward lines."""
        if card and card.program_id.program_type != "gift_card":
            claimable = {card: card.program_id.reward_ids}
        elif code or card:
            claimable = order._try_apply_code(code or card.code)
        else:
            order._update_programs_and_rewards()
            claimable = order._get_claimable_rewards()
        self.assertNotIn("error", claimable)
        self.assertTrue(claimable)
        for coupon, rewards in claimable.items():
            for reward in rewards:
                self.assertNotIn("error", order._apply_program_reward(reward, coupon) or {})
        return order.order_line.filtered("reward_id")

    def _quote(self, quantity=2, **line):
        order = self._order(quantity=quantity, confirm=False, **line)
        return order, order.order_line

    def _pay_by(self, order, how):
        """Pay what the order costs, online or by an invoice."""
        if how == "online":
            return self._transaction(order) if order.amount_total else None
        return self._invoice_order(order)

    def _assert_paid(self, line, periods):
        """All of it, and no more; the same when it is asked again."""
        for _again in range(2):
            row = self._purchase(line)
            self.assertAlmostEqual(self._quantity(row), periods)
            self.assertTrue(all(part["paid_on"] and not part["vanished_on"] for part in row["parts"]), row["parts"])
        return row


@tagged("post_install", "-at_install")
class TestCoupons(PromotionCommon):
    def _tax(self, included):
        return self.env["account.tax"].create(
            {"name": included, "amount": 21, "price_include_override": included, "company_id": self.company.id}
        )

    def test_percentage_and_amount(self):
        for number, (reward, total) in enumerate((({"discount": 10}, 18), ({"discount": 5, "discount_mode": "per_order"}, 15))):
            self._program("promo_code", f"CODE{number}", **reward)
            for how in ("online", "invoice"):
                with self.subTest(reward=reward, how=how):
                    order, line = self._quote()
                    self._apply(order, f"CODE{number}")
                    order.action_confirm()
                    self.assertEqual(order.amount_total, total)
                    self.assertEqual(self._paid(line), 0)
                    self._pay_by(order, how)
                    self.assertAlmostEqual(self._assert_paid(line, 2)["unit_price"], total / 2)

    def test_half_of_what_the_coupon_leaves(self):
        self._program("promo_code", "HALF", discount=50)
        order, line = self._quote(quantity=4)
        self._apply(order, "HALF")
        order.action_confirm()
        self._transaction(order, amount=10)
        self.assertEqual(self._paid(line), 2)
        self._transaction(order, amount=10)
        self._assert_paid(line, 4)

    def test_taxes(self):
        self._program("promo_code", "TENTH", discount=10)
        self._program("promo_code", "FIVE", discount=5, discount_mode="per_order")
        for included in ("tax_included", "tax_excluded"):
            tax = self._tax(included)
            for code in ("TENTH", "FIVE"):
                for how in ("online", "invoice"):
                    with self.subTest(included=included, code=code, how=how):
                        order, line = self._quote(quantity=3, tax_ids=[Command.set(tax.ids)])
                        self._apply(order, code)
                        order.action_confirm()
                        self._pay_by(order, how)
                        self._assert_paid(line, 3)

    def test_whole_price(self):
        """The order costs nothing: it is paid when it is confirmed."""
        self._program("promo_code", "ALL", discount=100)
        for how in (None, "invoice"):
            with self.subTest(how=how):
                order, line = self._quote()
                self._apply(order, "ALL")
                order.action_confirm()
                self.assertEqual(order.amount_total, 0)
                if how:
                    self._invoice_order(order, pay=False)
                row = self._assert_paid(line, 2)
                self.assertEqual((row["unit_price"], row["parts"][0]["paid_on"]), (0, text(order.saas_confirmed_on)))

    def test_coupon_of_another_product(self):
        """A discount on consulting is none on the plan, and the money is there for both in any case."""
        self._program("promo_code", "CONS", discount=50, discount_applicability="specific", discount_product_ids=[Command.set(self.consulting.ids)])
        order, line = self._quote()
        self._add(order, self.consulting)
        self._apply(order, "CONS")
        order.action_confirm()
        self.assertEqual(order.amount_total, 55)
        self._pay_by(order, "online")
        self._assert_paid(line, 2)

    def test_together_with_a_discount_of_the_sales_staff_and_a_down_payment(self):
        self._program("promo_code", "TENTH", discount=10)
        order, line = self._quote(quantity=10)
        self._apply(order, "TENTH")
        self.env["sale.order.discount"].create(
            {"sale_order_id": order.id, "discount_type": "so_discount", "discount_percentage": 0.2}
        ).action_apply_discount()
        order.action_confirm()
        self.assertLess(order.amount_total, 90)
        self.env["sale.advance.payment.inv"].create(
            {"sale_order_ids": [Command.set(order.ids)], "advance_payment_method": "percentage", "amount": 30}
        ).create_invoices()
        order.invoice_ids.action_post()
        self._pay(order.invoice_ids)
        self.assertAlmostEqual(self._paid(line), 3, 2)
        final = order._create_invoices(final=True)
        final.action_post()
        self._pay(final)
        self._assert_paid(line, 10)

    def test_points(self):
        program = self._program("loyalty", discount=1, discount_mode="per_point", required_points=1)
        card = self.env["loyalty.card"].create({"program_id": program.id, "partner_id": self.ana.id, "points": 4})
        order, line = self._quote()
        self._apply(order, card=card)
        order.action_confirm()
        self.assertEqual(order.amount_total, 16)
        self._pay_by(order, "online")
        self.assertAlmostEqual(self._assert_paid(line, 2)["unit_price"], 8)

    def test_free_periods(self):
        """Buy twelve, get two: a line of the plan that costs nothing."""
        product = self.plan.product_variant_id
        rule = {"minimum_qty": 12, "reward_point_mode": "order", "reward_point_amount": 1, "product_ids": [Command.set(product.ids)]}
        self._program("promotion", rule=rule, reward_type="product", reward_product_id=product.id, reward_product_qty=2, required_points=1)
        for how in ("online", "invoice"):
            with self.subTest(how=how):
                order, line = self._quote(quantity=12)
                free = self._apply(order)
                order.action_confirm()
                self.assertEqual((order.amount_total, free.product_uom_qty), (120, 2))
                self.assertEqual((self._paid(line), self._paid(free)), (0, 0), "nothing is free of an order that nobody paid")
                self._pay_by(order, how)
                row = self._assert_paid(line, 12)
                gift = self._assert_paid(free, 2)
                self.assertEqual((gift["parts"][0]["paid_on"], gift["unit_price"]), (row["parts"][0]["paid_on"], 0))
                # A renewal is of what was bought, not of the gift.
                instance = self._instance(f"acme-{how}", key=f"sol:{line.id}", state="running", requested=True)
                (line | free).sudo().saas_instance_id = instance
                self.assertEqual(instance._renewal_price(self.plan)[0], 10)
                order._action_cancel()
                self.assertEqual((free.exists().product_uom_qty, free.saas_instance_id), (0, instance), "the daemon must see its end")
                self.assertEqual(self._purchase(free)["state"], "cancelled")


@tagged("post_install", "-at_install")
class TestGiftCards(PromotionCommon):
    """A gift card is money that came when it was bought: no discount."""

    def test_it_pays_a_part(self):
        for kind, partner in (("gift_card", None), ("ewallet", self.ana)):
            for how in ("online", "invoice"):
                with self.subTest(kind=kind, how=how):
                    order, line = self._quote(quantity=4)
                    [card] = self._apply(order, card=self._card(kind, 10, partner))
                    order.action_confirm()
                    self.assertEqual(order.amount_total, 30)
                    self.assertEqual(
                        self._parts(line), [(f"card:{card.id}", 1, text(order.saas_confirmed_on), False), ("ordered:1", 3, False, False)]
                    )
                    self._pay_by(order, how)
                    row = self._assert_paid(line, 4)
                    self.assertEqual((sorted(part["quantity"] for part in row["parts"]), row["unit_price"]), ([1, 3], 10))

    def test_it_pays_all(self):
        for how in (None, "invoice"):
            with self.subTest(how=how):
                order, line = self._quote()
                [card] = self._apply(order, card=self._card("gift_card", 50))
                order.action_confirm()
                self.assertEqual(order.amount_total, 0)
                if how:
                    self._invoice_order(order, pay=False)
                self._assert_paid(line, 2)
                self.assertEqual(self._parts(line), [(f"card:{card.id}", 2, text(order.saas_confirmed_on), False)])

    def test_with_a_coupon_and_taxes(self):
        self._program("promo_code", "TENTH", discount=10)
        for included in ("tax_included", "tax_excluded"):
            tax = self.env["account.tax"].create(
                {"name": included, "amount": 21, "price_include_override": included, "company_id": self.company.id}
            )
            with self.subTest(included=included):
                order, line = self._quote(quantity=3, tax_ids=[Command.set(tax.ids)])
                self._apply(order, "TENTH")
                total = order.amount_total
                self._apply(order, card=self._card("gift_card", total / 3))
                order.action_confirm()
                self.assertAlmostEqual(order.amount_total, total * 2 / 3, 1)
                self.assertAlmostEqual(self._paid(line), 1, 2)
                self._transaction(order)
                self._assert_paid(line, 3)

    def test_money_given_back(self):
        """A refund gives back what was paid online; a credit note of the line all that paid it."""
        order, line = self._quote(quantity=4)
        self._apply(order, card=self._card("gift_card", 10))
        order.action_confirm()
        transaction = self._transaction(order)
        self.assertEqual(self._paid(line), 4)
        self._child(transaction, -30, "done")
        self.assertEqual(self._paid(line), 1)
        other, line = self._quote(quantity=4)
        self._apply(other, card=self._card("gift_card", 10))
        other.action_confirm()
        invoice = self._invoice_order(other)
        self.assertEqual(self._paid(line), 4)
        invoice._reverse_moves().action_post()
        self.assertEqual(self._paid(line), 0)

    def test_taken_off_the_order(self):
        """As a line goes when promotions are worked out anew: nobody loses time at once."""
        order, line = self._quote()
        card = self._card("gift_card", 10)
        [reward] = self._apply(order, card=card)
        order.action_confirm()
        self.assertEqual(self._paid(line), 1)
        first = self._parts(line)[0]
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM sale_order_line WHERE id = %s", [reward.id])
        self.env.invalidate_all()
        gone = [part for part in self._parts(line) if part[3]]
        self.assertEqual([part[:3] for part in gone], [first[:3]])


@tagged("post_install", "-at_install")
class TestPromotionsInTheShop(PromotionCommon, ShopCommon):
    def test_order_that_costs_nothing(self):
        """The shop confirms it without a payment."""
        self._program("promo_code", "ALL", discount=100)
        self.authenticate("t-buyer", "t-buyer-1")
        line = ShopCommon._add(self)
        order = line.order_id
        self.url_open("/shop/pricelist?promo=ALL")
        order.invalidate_recordset()
        if order.amount_total:
            self._apply(order, "ALL")
        self.assertEqual(order.amount_total, 0)
        self.url_open("/shop/payment/validate")
        order.invalidate_recordset()
        self.assertEqual(order.state, "sale")
        self._assert_paid(line, 1)
