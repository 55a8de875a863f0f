import re

from lxml import html

from odoo.tests import tagged

from .common import ShopCommon

PATHS = ("/", "/plans", "/how-it-works", "/service-terms")


@tagged("post_install", "-at_install")
class TestBlocks(ShopCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["product.template"].search([("saas_trial", "=", True)]).is_published = False
        cls.plan.list_price = 1234

    def _page(self, inside, url="/blocks"):
        view = self.env["ir.ui.view"].create(
            {
                "name": "Blocks",
                "type": "qweb",
                "key": "website.blocks",
                "website_id": self.website.id,
                "arch_db": f'<t t-name="website.blocks"><t t-call="website.layout"><div id="wrap" class="oe_structure">{inside}</div></t></t>',
            }
        )
        self.env["website.page"].create({"url": url, "view_id": view.id, "is_published": True, "website_id": self.website.id})
        return view

    def _block(self, name):
        return html.tostring(html.fromstring(self.env.ref(f"saas_bridge_website.{name}").arch_db).find(".//section"), encoding="unicode")

    def _wrap(self, path, lang=""):
        return html.fromstring(self.url_open(f"{lang}{path}").text).get_element_by_id("wrap")

    def _save(self, view, wrap, **context):
        """As the Website Builder saves what a person sees and has changed."""
        view = view.with_context(website_id=self.website.id, delay_translations=True, **context)
        view.save(html.tostring(wrap, encoding="unicode"), xpath="/t[1]/t[1]/div[1]")
        view.env.flush_all()

    def test_registered_with_a_preview(self):
        self.authenticate("admin", "admin")
        context = {"lang": "en_US", "website_id": self.website.id, "rendering_bundle": True}
        params = {"model": "ir.ui.view", "method": "render_public_asset", "args": ["website.snippets", {}]}
        snippets = html.fromstring(
            self._json("/web/dataset/call_kw/ir.ui.view/render_public_asset", **params, kwargs={"context": context})
        )
        self.assertTrue(snippets.xpath("//*[@data-o-snippet-group='saas']"))
        for name in ("s_saas_plans", "s_saas_compare", "s_saas_trial", "s_saas_start", "s_saas_company"):
            with self.subTest(name=name):
                [snippet] = snippets.xpath(f"//*[@data-oe-snippet-key='{name}']")
                self.assertEqual(snippet[0].get("data-snippet"), name)
        [cards] = snippets.xpath("//*[@data-oe-snippet-key='s_saas_plans']")
        self.assertIn("1,234.00", cards.text_content())

    def test_stay_live_on_any_page(self):
        view = self._page(self._block("s_saas_plans") + self._block("s_saas_compare"))
        for text in ("1,234.00", "Large", "The plans side by side"):
            self.assertIn(text, self._wrap("/blocks").text_content())
        self.plan.list_price = 4321
        self.big.is_published = False
        shown = self._wrap("/blocks").text_content()
        self.assertIn("4,321.00", shown)
        self.assertNotIn("Large", shown)
        self.assertNotIn("4,321", view.arch_db)

    def test_price_is_that_of_the_visitor(self):
        self._page(self._block("s_saas_plans"))
        self.env.ref("base.group_user")._apply_group(self.env.ref("product.group_product_pricelist"))
        rule = {"applied_on": "1_product", "product_tmpl_id": self.plan.id, "compute_price": "fixed", "fixed_price": 99}
        _public, friends = self.env["product.pricelist"].create(
            [
                {"name": "Everybody", "website_id": self.website.id, "selectable": True, "sequence": 0},
                {"name": "Friends", "website_id": self.website.id, "sequence": 9, "item_ids": [(0, 0, rule)]},
            ]
        )
        self.ana.property_product_pricelist = friends
        self.assertIn("1,234.00", self._wrap("/blocks").text_content())
        self.authenticate("t-buyer", "t-buyer-1")
        shown = self._wrap("/blocks").text_content()
        self.assertIn("99.00", shown)
        self.assertNotIn("1,234.00", shown)

    def test_saving_a_page_saves_no_prices(self):
        view = self._page(self._block("s_saas_plans") + "<section><p>Word</p></section>")
        self.authenticate("admin", "admin")
        wrap = self._wrap("/blocks")
        self.assertIn("1,234.00", wrap.text_content())
        self.assertFalse(wrap.xpath("//*[@data-saas-live]//*[@data-oe-model]"), "nothing in it is a text of the page")
        wrap.xpath(".//p[.='Word']")[0].text = "Other"
        wrap.insert(0, wrap.xpath("./section")[1])
        self._save(view, wrap)
        self.assertIn("Other", view.arch_db)
        self.assertNotIn("1,234", view.arch_db)
        self.assertNotIn("contenteditable", view.arch_db)
        live = html.fromstring(view.arch_db).xpath("//*[@data-saas-live]")
        self.assertEqual([(len(el), el.text) for el in live], [(0, None)])
        self.authenticate(None, None)
        self.assertIn("1,234.00", self._wrap("/blocks").text_content())

    def test_page_is_not_kept_for_later_visitors(self):
        page = self.env["website.page"]
        self.assertTrue(page._allow_cache_insertion("<p>Word</p>"))
        self.assertFalse(page._allow_cache_insertion('<p data-saas-live="plans">1</p>'))

    def test_own_block_of_the_operator(self):
        block = self._block("s_saas_plans").replace('data-saas-live="plans">', 'data-saas-live="plans"><b>1,234.00</b>')
        view = self.env["ir.ui.view"].with_context(website_id=self.website.id)
        name = view.save_snippet("Mine", block, "website.snippets", "s_saas_plans", "/x.svg")
        saved = view.search([("name", "=", name)])
        self.assertIn("data-saas-live", saved.arch_db)
        self.assertNotIn("1,234", saved.arch_db)

    def test_in_the_text_of_a_product(self):
        product = self.env["product.template"].create({"name": "Hour", "list_price": 5, "is_published": True})
        product.website_description = self._block("s_saas_plans") + '<p data-saas-live="x">unknown</p>'
        page = self._wrap(product.website_url)
        self.assertIn("1,234.00", page.text_content())
        self.assertNotIn("unknown", page.text_content())
        self.authenticate("admin", "admin")
        [field] = self._wrap(product.website_url).xpath("//*[@data-oe-field='website_description']")
        self.assertIn("1,234.00", field.text_content())
        # The id is that of the product: see ir.ui.view.save of Odoo.
        self.env["ir.ui.view"].browse(product.id).save(html.tostring(field, encoding="unicode"))
        self.assertIn("data-saas-live", product.website_description)
        self.assertNotIn("1,234", product.website_description)

    def test_words_of_a_dropped_block_are_there_in_all_languages(self):
        spanish = self._spanish()
        view = self._page("<section><p>First</p></section>")
        view._update_field_translations("arch_db", {"es_ES": {"First": "Primero"}})
        self.authenticate("admin", "admin")
        wrap = self._wrap("/blocks")
        wrap.append(html.fromstring(self._block("s_saas_compare")))
        self._save(view, wrap, lang="en_US")
        self.authenticate(None, None)
        shown = self._wrap("/blocks", f"/{spanish.url_code}").text_content()
        for text in ("Primero", "Los planes, uno al lado del otro", "Personas que pueden usarlo"):
            self.assertIn(text, shown)
        self.assertNotIn("side by side", shown)

    def test_other_language_waits_for_its_translator(self):
        spanish = self._spanish()
        view = self._page("<section><p>First</p></section>" + self._block("s_saas_compare"))
        view._update_field_translations("arch_db", {"es_ES": {"First": "Primero"}})
        self.authenticate("admin", "admin")
        wrap = self._wrap("/blocks")
        wrap.xpath(".//p[.='First']")[0].text = "Something else"
        self._save(view, wrap, lang="en_US")
        self.authenticate(None, None)
        shown = self._wrap("/blocks", f"/{spanish.url_code}").text_content()
        self.assertIn("Primero", shown)
        self.assertNotIn("Something else", shown)

    def test_first_change_of_a_page_of_ours_stays(self):
        view = self.env.ref("saas_bridge_website.page_plans")
        self.authenticate("admin", "admin")
        wrap = self._wrap("/plans")
        wrap.xpath(".//h1")[0].text = "Our plans"
        self._save(view, wrap, lang="en_US")
        self.authenticate(None, None)
        shown = self._wrap("/plans").text_content()
        self.assertIn("Our plans", shown)
        self.assertIn("1,234.00", shown)
        self.assertNotIn("Our plans", view.arch_db, "other websites keep the page as it was")

    def test_found_by_search_engines(self):
        sitemap = self.url_open("/sitemap.xml").text
        for path in (*PATHS, "/shop", self.plan.website_url):
            with self.subTest(path=path):
                page = html.fromstring(self.url_open(path).text)
                self.assertEqual(len(page.xpath("//h1")), 1)
                levels = [int(el.tag[1]) for el in page.xpath("//main//*[self::h1 or self::h2 or self::h3 or self::h4]")]
                self.assertFalse([pair for pair in zip(levels, levels[1:], strict=False) if pair[1] > pair[0] + 1])
                self.assertTrue(page.findtext(".//title").strip())
                for name in ("description", "og:title", "og:image", "og:description"):
                    [tag] = page.xpath(f"//meta[@name='{name}' or @property='{name}']")
                    self.assertTrue(tag.get("content"), name)
                self.assertRegex(sitemap, re.escape(path) + "</loc>")
        self.assertEqual(self.url_open("/saas_bridge_website/static/src/img/share.png").status_code, 200)

    def _spanish(self):
        spanish = self.env["res.lang"]._activate_lang("es_ES")
        self.website.language_ids |= spanish
        self.env["ir.module.module"].search([("name", "=", "saas_bridge_website")])._update_translations("es_ES")
        return spanish
