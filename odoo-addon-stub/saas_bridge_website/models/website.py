from odoo import models


class Website(models.Model):
    _inherit = "website"

    def _saas_plans(self):
        """Facts of the plans on sale, in the order of the shop; see product.template._saas_shop_facts."""
        return [plan._saas_shop_facts() for plan in self._saas_products(trial=False)]

    def _saas_trial(self):
        """Facts of the free trial of the shop; {} if there is none."""
        trial = self._saas_products(trial=True)[:1]
        return trial._saas_shop_facts() if trial else {}

    def _saas_products(self, trial):
        domain = [("saas_plan", "=", True), ("saas_trial", "=", trial), ("is_published", "=", True)]
        domain += list(self.sale_product_domain())
        return self.env["product.template"].search(domain, order="website_sequence, list_price, id")

    def _saas_set_up(self):
        """Give the website our home page and footer, where it has the empty ones that Odoo made."""
        self.ensure_one()
        self._saas_set_home()
        self._saas_set_footer()

    def _saas_set_home(self):
        pages = self.env["website.page"]
        old = pages.search([("url", "=", "/"), ("website_id", "in", (self.id, False))], order="website_id", limit=1)
        if self.homepage_url not in (False, "", "/") or (old and not _is_empty(old.view_id)):
            return
        template = self.env.ref("saas_bridge_website.page_home")
        view = template.copy({"website_id": self.id, "key": template.key})
        page = pages.create({"url": "/", "website_id": self.id, "view_id": view.id, "is_published": True})
        menus = self.env["website.menu"].search([("website_id", "=", self.id), ("url", "=", "/")])
        menus.page_id = page
        if old.website_id:
            old.unlink()

    def _saas_set_footer(self):
        own = self.with_context(website_id=self.id)
        standard = own.viewref("website.footer_custom", raise_if_not_found=False)
        generic = self.env.ref("website.footer_custom", raise_if_not_found=False)
        # Another of Odoo's footers was chosen, or the words of this one were changed.
        if not standard or not standard.active or not generic or standard.arch_db != generic.arch_db:
            return
        standard.active = False
        own.viewref("saas_bridge_website.footer").active = True

    def _saas_take_down(self):
        """Before our pages go: an empty home page again, and the footer that was there."""
        self.ensure_one()
        home = self.env["website.page"].search([("key", "=", "saas_bridge_website.page_home"), ("website_id", "=", self.id)])
        if home:
            view = self.env.ref("website.homepage").copy({"website_id": self.id, "key": "website.homepage"})
            page = home.create({"url": "/", "website_id": self.id, "view_id": view.id, "is_published": True})
            self.env["website.menu"].search([("page_id", "in", home.ids)]).page_id = page
        own = self.with_context(website_id=self.id)
        if own.viewref("saas_bridge_website.footer").active:
            standard, generic = own.viewref("website.footer_custom"), self.env.ref("website.footer_custom")
            if standard != generic and standard.arch_db == generic.arch_db:
                # Odoo made the copy when it was switched off for this website.
                standard.unlink()
            else:
                standard.active = True


def _is_empty(view):
    """Whether nobody has put anything on the page."""
    body = view.sudo()._get_combined_arch().xpath("//*[@id='wrap']")
    return len(body) == 1 and not len(body[0]) and not (body[0].text or "").strip()
