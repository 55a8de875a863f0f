import re

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ShopCommon


@tagged("post_install", "-at_install")
class TestName(ShopCommon):
    def test_names(self):
        self._instance("acme")
        self._instance("acme-2")
        long = "x" * 40
        self._instance(long)
        names = self.env["saas.instance"]
        for typed, name, status in (
            ("bakery", "bakery", "free"),
            ("  Panadería Ñandú, S.L. ", "panaderia-nandu-s-l", "changed"),
            ("3 Hermanos", "c3-hermanos", "changed"),
            ("O'Brien Straße", "obrien-strasse", "changed"),
            ("acme", "acme-3", "other"),
            ("ACME", "acme-3", "other"),
            (long, "x" * 38 + "-2", "other"),
            ("www", "www-2", "other"),
            ("", "", "empty"),
            ("../;%$", "", "empty"),
            ("a" * 500, "a" * 40, "changed"),
        ):
            with self.subTest(typed=typed):
                answer = names._shop_name(typed)
                self.assertEqual((answer["name"], answer["status"]), (name, status))
                if name:
                    # What is proposed is a name that a record may have.
                    self._instance(answer["name"]).unlink()

    def test_name_of_an_order_without_instance_is_taken(self):
        order = self._order(saas_wanted_name="bakery", confirm=False)
        names = self.env["saas.instance"]
        self.assertEqual(names._shop_name("bakery")["status"], "free")
        order.action_confirm()
        self.assertEqual(names._shop_name("bakery")["name"], "bakery-2")
        self.assertEqual(names._shop_name("bakery", order.order_line)["status"], "free")

    def test_route_says_while_typing(self):
        self._instance("acme")
        line = self._add()
        answer = self._json("/shop/saas/name", name="acme", line_id=line.id)
        self.assertEqual(answer["name"], "acme-2")
        reserved = self._json("/shop/saas/name", name="www", line_id=line.id)
        self.assertEqual(
            (answer["status"], answer["message"].replace("acme", "x")),
            (reserved["status"], reserved["message"].replace("www", "x")),
            "that somebody has the name is not said",
        )
        for rubbish in (None, {"a": 1}, ["x"], True, "", "x" * 5000, "\x00"):
            with self.subTest(rubbish=str(rubbish)[:9]):
                self._json("/shop/saas/name", name=rubbish, line_id=line.id)
                self.assertEqual(self._json("/shop/saas/name", name="acme", line_id=rubbish)["status"], "gone")

    def test_route_answers_for_the_own_cart_only(self):
        self._instance("acme")
        theirs = self._order(confirm=False).order_line
        for line_id in (0, theirs.id, 999999):
            self.assertEqual(self._json("/shop/saas/name", name="acme", line_id=line_id)["status"], "gone")
        product = self.env["product.template"].create({"name": "Hour", "type": "service", "list_price": 5, "is_published": True})
        line = self._add(product)
        self.assertEqual(self._json("/shop/saas/name", name="acme", line_id=line.id)["status"], "gone")

    def test_route_does_not_answer_for_ever(self):
        line = self._add()
        statuses = [self._json("/shop/saas/name", name=f"n{number}", line_id=line.id)["status"] for number in range(62)]
        self.assertEqual(set(statuses[:60]), {"free"})
        self.assertEqual(statuses[60:], ["later", "later"])
        answer = self._json("/shop/saas/wish", name="another", line_id=line.id)
        self.assertEqual(answer["status"], "later", "what is saved is looked up too")
        self.assertIn("in a minute", answer["message"])

    def test_another_cart_of_the_same_address_is_no_way_round(self):
        """76 within five seconds went through."""
        statuses = []
        for _cart in range(4):
            self.authenticate(None, None)
            line = self._add()
            statuses += [self._json("/shop/saas/name", name=f"n{number}", line_id=line.id)["status"] for number in range(19)]
        self.assertEqual([status == "later" for status in statuses], [False] * 60 + [True] * 16)


@tagged("post_install", "-at_install")
class TestWish(ShopCommon):
    def test_guest(self):
        self._instance("acme")
        line = self._add()
        page = self.url_open("/shop/cart").text
        self.assertIn('name="name"', page)
        # A visitor who is nobody yet has no instance to choose.
        self.assertNotIn('name="target"', page)
        answer = self._json("/shop/saas/wish", line_id=line.id, name="acme", lang="en_US", target="new")
        self.assertEqual((answer["name"], answer["status"]), ("acme-2", "other"))
        self.assertEqual((line.saas_wanted_name, line.saas_wanted_lang), ("acme-2", "en_US"))
        self.assertFalse(line.saas_instance_id or line.saas_additional)

    def test_nothing_said_is_nothing_stored(self):
        self.authenticate("t-buyer", "t-buyer-1")
        line = self._add()
        for path in ("/shop/cart", "/shop/payment"):
            self.assertEqual(self.url_open(path).status_code, 200)
        line.order_id.action_confirm()
        row = self._purchase(line)
        self.assertEqual((row["wanted_name"], row["wanted_lang"], row["additional"]), ("", "", False))
        self.assertFalse(row["instance_key"])

    def test_choice_travels_to_the_daemon(self):
        self.authenticate("t-buyer", "t-buyer-1")
        line = self._add()
        self._json("/shop/saas/wish", line_id=line.id, name="Mi Tienda", lang="en_US", target="new")
        line.order_id.action_confirm()
        row = self._purchase(line)
        self.assertEqual((row["wanted_name"], row["wanted_lang"]), ("mi-tienda", "en_US"))

    def test_renew_or_one_more(self):
        mine = self._instance("mine", state="running", requested=True)
        self.authenticate("t-buyer", "t-buyer-1")
        line = self._add()
        page = self.url_open("/shop/cart").text
        self.assertIn(f'<option value="{mine.id}" selected="selected">', page)
        self.assertFalse(line.saas_instance_id, "shown as chosen is not chosen")
        self._json("/shop/saas/wish", line_id=line.id, target=str(mine.id))
        self.assertEqual((line.saas_instance_id, line.saas_additional), (mine, False))
        self.assertNotIn("o_saas_wish", self.url_open("/shop/payment").text)
        self._json("/shop/saas/wish", line_id=line.id, target="new", name="second")
        self.assertEqual((line.saas_instance_id.id, line.saas_additional), (False, True))
        self.assertEqual(line.saas_wanted_name, "second")

    def test_several_of_the_plan_are_asked_for(self):
        for name in ("one", "two"):
            self._instance(name, state="running", requested=True)
        self.authenticate("t-buyer", "t-buyer-1")
        line = self._add()
        self.assertEqual(line.with_user(self.buyer)._saas_shop_wish()["target"], "")
        self._json("/shop/saas/wish", line_id=line.id, name="third", target="")
        self.assertFalse(line.saas_instance_id or line.saas_additional, "no answer is no decision")
        self.assertIn("o_saas_wish", self.url_open("/shop/payment").text)

    def test_customers_choose_their_own_only(self):
        mine = self._instance("mine", state="running", requested=True)
        gone = self._instance("gone", state="deleted", requested=True)
        draft = self._instance("draft")
        theirs = self._instance("theirs", partner_id=self.bea.id, state="running", requested=True)
        self.authenticate("t-other", "t-other-1")
        line = self._add()
        page = self.url_open("/shop/cart").text
        self.assertIn(f'<option value="{theirs.id}"', page)
        self.assertNotIn(f'<option value="{mine.id}"', page)
        for target in (mine.id, str(mine.id), gone.id, draft.id, 999999, "x", [mine.id], {"id": mine.id}):
            with self.subTest(target=target):
                self._json("/shop/saas/wish", line_id=line.id, target=target)
                self.assertFalse(line.saas_instance_id)
        self.authenticate("t-buyer", "t-buyer-1")
        own = self._add()
        self.assertNotEqual(own.order_id, line.order_id)
        answer = self._json("/shop/saas/wish", line_id=line.id, name="stolen", target="new")
        self.assertEqual(answer["status"], "gone")
        self.assertFalse(line.saas_wanted_name, "a line of another's cart")
        self._json("/shop/saas/wish", line_id=own.id, target=str(gone.id))
        self.assertFalse(own.saas_instance_id)

    def test_visitor_without_login_chooses_none(self):
        mine = self._instance("mine", state="running", requested=True)
        line = self._add()
        answer = self._json("/shop/saas/wish", line_id=line.id, target=str(mine.id), name="free-name")
        self.assertEqual(answer["status"], "refused")
        self.assertFalse(line.saas_instance_id)
        self.assertEqual(line.saas_wanted_name, "free-name")

    def test_plan_too_small_is_not_offered(self):
        large = self._instance("large", plan_id=self.big.id, state="running", requested=True)
        large.sudo().write({"users_used": 9, "measured_on": "2026-01-01 00:00:00"})
        self.authenticate("t-buyer", "t-buyer-1")
        line = self._add()
        self._json("/shop/saas/wish", line_id=line.id, target=str(large.id))
        self.assertFalse(line.saas_instance_id)
        large.sudo().users_used = 1
        self._json("/shop/saas/wish", line_id=line.id, target=str(large.id))
        self.assertEqual(line.saas_instance_id, large)

    def test_trial_renews_nothing(self):
        self._instance("mine", state="running", requested=True)
        trial = self._plan("Try", "t-try", is_published=True, saas_trial=True, list_price=0)
        self.authenticate("t-buyer", "t-buyer-1")
        self._add(trial)
        self.assertNotIn('name="target"', self.url_open("/shop/cart").text)

    def test_line_with_an_instance_can_be_taken_out_of_the_cart(self):
        mine = self._instance("mine", state="running", requested=True)
        self.authenticate("t-buyer", "t-buyer-1")
        line = self._add()
        self._json("/shop/saas/wish", line_id=line.id, target=str(mine.id))
        self._json("/shop/cart/update", line_id=line.id, quantity=0)
        self.assertFalse(line.exists())

    def test_two_plans_of_one_cart_get_two_names(self):
        first, second = self._add(), self._add(self.big)
        self._json("/shop/saas/wish", line_id=first.id, name="bakery")
        self._json("/shop/saas/wish", line_id=second.id, name="bakery")
        self.assertEqual((first.saas_wanted_name, second.saas_wanted_name), ("bakery", "bakery-2"))

    def test_language_is_one_that_exists(self):
        line = self._add()
        self._json("/shop/saas/wish", line_id=line.id, lang="xx_YY'; --")
        self.assertFalse(line.saas_wanted_lang)

    def test_without_scripts(self):
        self._instance("acme")
        line = self._add()
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.url_open("/shop/cart").text).group(1)
        form = {"line_id": line.id, "name": "acme", "lang": "en_US", "csrf_token": token}
        response = self.url_open("/shop/saas/wish/save", data=form)
        self.assertTrue(response.url.endswith("/shop/cart"))
        self.assertEqual(line.saas_wanted_name, "acme-2")
        self.assertIn("acme cannot be chosen.", response.text)
        self.url_open("/shop/saas/wish/save", data={**form, "line_id": 0, "back": "https://evil.example"})

    def test_confirmed_order_is_not_changed(self):
        line = self._add()
        line.order_id.write({"partner_id": self.bea.id})
        line.order_id.action_confirm()
        self._json("/shop/saas/wish", line_id=line.id, name="late")
        self.assertFalse(line.saas_wanted_name)

    def test_other_products_ask_nothing(self):
        product = self.env["product.template"].create({"name": "Hour", "type": "service", "list_price": 5, "is_published": True})
        line = self._add(product)
        self.assertNotIn("o_saas_wish", self.url_open("/shop/cart").text)
        self.assertEqual(self._json("/shop/saas/wish", line_id=line.id, name="x")["status"], "refused")

    def test_second_trial_is_refused_as_the_shop_refuses(self):
        trial = self._plan("Try", "t-try", is_published=True, saas_trial=True, list_price=0)
        params = {"product_template_id": trial.id, "product_id": trial.product_variant_id.id}
        self.authenticate("t-buyer", "t-buyer-1")
        first = self._json("/shop/cart/add", quantity=3, **params)
        self.assertEqual(first["quantity"], 1, "one of it, not three")
        self.assertTrue(first["notification_info"]["warning"])
        order = self.env["sale.order"].search([("partner_id", "=", self.ana.id)], order="id desc", limit=1)
        order.action_confirm()
        second = self._json("/shop/cart/add", quantity=1, **params)
        self.assertEqual(second["quantity"], 0)
        self.assertIn("have had a free trial already", second["notification_info"]["warning"])
        cart = self.env["sale.order"].search([("partner_id", "=", self.ana.id), ("state", "=", "draft")])
        self.assertFalse(cart.order_line)


@tagged("post_install", "-at_install")
class TestUnit(ShopCommon):
    """Whatever a visitor posts to the cart, a plan is bought in its own unit: D1."""

    def setUp(self):
        super().setUp()
        self.big.list_price = 60

    def _post(self, uom_id, quantity=1):
        variant = self.big.product_variant_id
        reply = self._json(
            "/shop/cart/add", product_template_id=self.big.id, product_id=variant.id, quantity=quantity, uom_id=uom_id
        )
        return reply, self.env["sale.order.line"].search([("product_id", "=", variant.id)])

    def test_minutes(self):
        hour = self.env.ref("uom.product_uom_hour")
        minute = self.env["uom.uom"].create({"name": "A minute", "relative_uom_id": hour.id, "relative_factor": 1 / 60})
        for unit in (minute, hour):
            reply, line = self._post(unit.id, 60)
            self.assertFalse(line)
            self.assertEqual(reply["notification_info"]["warning"], f"Large can be bought by {self.big.uom_id.name} only.")

    def test_smaller_than_the_plan(self):
        """The price of each would be rounded, perhaps to nothing."""
        small = self.env["uom.uom"].create(
            {"name": "A thousandth", "relative_uom_id": self.env.ref("uom.product_uom_unit").id, "relative_factor": 1}
        )
        self.big.uom_id = self.env.ref("uom.product_uom_dozen")
        self.assertFalse(self._post(small.id)[1])
        self.big.uom_ids = small
        self.assertTrue(self._post(small.id)[1], "the seller offers it")

    def test_dozen(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        dozen.active = False
        self.assertFalse(self._post(dozen.id)[1], "nobody sells in it")
        dozen.active = True
        _reply, line = self._post(dozen.id)
        self.assertEqual((line.product_uom_qty, line.price_total), (1, 720))
        self.assertEqual(line._saas_periods(line.product_uom_qty), 12)

    def test_unit_that_is_added_to_afterwards(self):
        _reply, line = self._post(None)
        self._post(self.env.ref("uom.product_uom_hour").id, 5)
        self.assertEqual(line.product_uom_qty, 1)
        lines = self.env["sale.order.line"].search([("product_id", "=", self.big.product_variant_id.id)])
        self.assertEqual(lines, line)

    def test_whatever_the_quantity_is(self):
        for quantity in (-5, 0, 60.5):
            with self.subTest(quantity=quantity):
                self.assertFalse(self._post(self.env.ref("uom.product_uom_hour").id, quantity)[1])


@tagged("post_install", "-at_install")
class TestTwoShops(ShopCommon):
    """Two websites sell side by side."""

    def test_instance_is_of_the_shop_that_sold_it(self):
        self.website.domain = "https://one.example"
        second = self.env["website"].create({"name": "Two", "domain": "https://two.example"})
        told = {}
        for number, website in enumerate((self.website, second)):
            order = self._order(confirm=False)
            order.website_id = website
            order.action_confirm()
            key = f"sol:{order.order_line.id}"
            self._push_instance(key, name=f"shop-{number}", purchase_keys=[key], state="running", subscription_state="expiring_soon")
            instance = order.order_line.saas_instance_id
            renewal = instance._ensure_renewal()
            self.assertEqual(renewal.website_id, website)
            self.assertTrue(renewal._saas_pay_url().startswith(website.domain))
            told[instance.key] = website.domain
        for row in self._poll(limit=2000)["instances"]:
            if row["key"] in told:
                self.assertEqual(row["seller"]["shop_url"], told[row["key"]])

    def test_confirmed_address_is_kept(self):
        order = self._order(confirm=False)
        with self.assertRaises(AccessError):
            order.with_user(self.salesman).saas_confirmed_email = "ana@acme.example"
        with self.assertRaises(AccessError):
            order.with_user(self.salesman).saas_confirmed_on = "2020-01-01 00:00:00"
