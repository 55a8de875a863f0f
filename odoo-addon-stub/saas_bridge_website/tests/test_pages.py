from odoo.tests import tagged

from .common import ShopCommon

PATHS = ("/", "/plans", "/how-it-works", "/service-terms")


@tagged("post_install", "-at_install")
class TestPages(ShopCommon):
    def test_everybody_sees_them(self):
        for login in (None, "t-buyer"):
            self.authenticate(login, login and f"{login}-1")
            for path in PATHS:
                with self.subTest(path=path, login=login):
                    response = self.url_open(path)
                    self.assertEqual(response.status_code, 200)
                    self.assertIn("/service-terms", response.text)
                    self.assertIn('<meta name="description"', response.text)

    def test_plans_are_told_from_their_fields(self):
        page = self.url_open("/plans").text
        for text in ("Basic", "Large", "Up to 3 users", "40 GB of space", "30 days", self.plan.website_url):
            self.assertIn(text, page)
        self.plan.saas_max_users = 7
        self.big.is_published = False
        page = self.url_open("/plans").text
        self.assertIn("Up to 7 users", page)
        self.assertNotIn("Large", page)

    def test_shop_without_plans(self):
        self.env["product.template"].search([("saas_plan", "=", True)]).is_published = False
        for path in PATHS:
            self.assertEqual(self.url_open(path).status_code, 200)
        self.assertIn("Our plans will be here soon", self.url_open("/plans").text)

    def test_trial_is_offered_where_there_is_one(self):
        self.env["product.template"].search([("saas_trial", "=", True)]).is_published = False
        self.assertNotIn("Try it free", self.url_open("/").text)
        self._plan("Try", "t-try", is_published=True, saas_trial=True, list_price=0, saas_period_count=10, saas_period_unit="day")
        self.assertIn("Try it free for 10 days", self.url_open("/").text)

    def test_product_page(self):
        self.plan.saas_modules = "sale_management,website"
        page = self.url_open(self.plan.website_url).text
        self.assertIn("Up to 3 users", page)
        # The names that people know, not the technical ones.
        names = self.env["ir.module.module"].search([("name", "in", ("sale_management", "website"))]).mapped("shortdesc")
        for name in names:
            self.assertIn(name, page)
        self.assertNotIn("sale_management", page)

    def test_periods(self):
        for count, unit, period, length in (
            (1, "month", "per month", "1 month"),
            (3, "month", "every 3 months", "3 months"),
            (1, "year", "per year", "1 year"),
            (14, "day", "every 14 days", "14 days"),
        ):
            self.plan.write({"saas_period_count": count, "saas_period_unit": unit})
            self.assertEqual((self.plan._saas_shop_period(), self.plan._saas_shop_length()), (period, length))
        self.assertEqual(self.plan._saas_shop_length(2), "28 days")

    def test_spanish(self):
        spanish = self.env["res.lang"]._activate_lang("es_ES")
        self.website.language_ids |= spanish
        # Activated after the addon was installed, as in a shop that grows.
        self.env["ir.module.module"].search([("name", "=", "saas_bridge_website")])._update_translations("es_ES")
        for path, text in zip(
            PATHS, ("listo para usar", "Hasta 3 usuarios", "Cómo funciona", "Condiciones del servicio"), strict=True
        ):
            with self.subTest(path=path):
                page = self.url_open(f"/{spanish.url_code}{path}".rstrip("/")).text
                self.assertIn(text, page)
                self.assertNotIn("What you buy", page)

    def test_home_page_that_was_edited_stays(self):
        page = self.env["website.page"].search([("url", "=", "/"), ("website_id", "=", self.website.id)])
        self.assertEqual(page.view_id.key, "saas_bridge_website.page_home")
        page.view_id.with_context(website_id=self.website.id).arch_db = page.view_id.arch_db.replace("Why with us", "Because")
        self.website._saas_set_up()
        self.assertIn("Because", self.url_open("/").text)
        self.assertEqual(self.env["website.page"].search([("url", "=", "/"), ("website_id", "=", self.website.id)]), page)

    def test_new_website_gets_them_when_asked(self):
        website = self.env["website"].create({"name": "Second"})
        website._saas_set_up()
        page = self.env["website.page"].search([("url", "=", "/"), ("website_id", "=", website.id)])
        self.assertEqual(page.view_id.key, "saas_bridge_website.page_home")
        menus = self.env["website.menu"].search([("website_id", "=", website.id)])
        self.assertTrue({"/", "/plans", "/how-it-works"} <= set(menus.mapped("url")))
        website._saas_take_down()
        self.assertFalse(menus.filtered(lambda menu: menu.page_id == page))
