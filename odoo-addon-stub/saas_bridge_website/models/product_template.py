from odoo import _, models
from odoo.http import request


class ProductTemplate(models.Model):
    _inherit = "product.template"

    def _saas_shop_facts(self):
        """What a plan page says about the plan, from its fields.

        `{"plan", "price", "price_before", "currency", "period", "length", "users", "storage", "apps", "kept_days",
        "grace_days"}`; `price` is what this visitor pays, `price_before` what it was or 0, `period` is said after a price,
        `apps` is a list of names.
        """
        self.ensure_one()
        price = self._saas_shop_price()
        return {
            "plan": self,
            "price": price["price"],
            "price_before": price["list_price"] if price.get("has_discounted_price") else 0,
            "currency": price["currency"],
            "period": self._saas_shop_period(),
            "length": self._saas_shop_length(),
            "users": _("1 user") if self.saas_max_users == 1 else _("Up to %s users", self.saas_max_users),
            "storage": _("%s GB of space", self.saas_storage_gb),
            "apps": self._saas_shop_apps(),
            "kept_days": self.saas_retention_days,
            "grace_days": self.saas_grace_days,
        }

    def _saas_shop_price(self):
        """`price`, `currency` and more of `_get_combination_info`; the list price in the builder's list of blocks, where
        there is no visitor whose price it could be.
        """
        self.ensure_one()
        if getattr(request, "website", None):
            return self._get_combination_info(only_template=True)
        return {"price": self.list_price, "currency": self.currency_id}

    def _default_website_meta(self):
        """A plan without a sales description is described by what is in it."""
        meta = super()._default_website_meta()
        if self.saas_plan and not self.description_sale:
            facts = self._saas_shop_facts()
            text = _(
                "An Odoo of your own, ready to use: %(users)s, %(storage)s.", users=facts["users"], storage=facts["storage"]
            )
            meta["default_meta_description"] = text
            meta["default_opengraph"]["og:description"] = meta["default_twitter"]["twitter:description"] = text
        return meta

    def _saas_shop_period(self):
        """`per month`, `every 3 months`"""
        self.ensure_one()
        if self.saas_period_count == 1:
            one = {"hour": _("per hour"), "day": _("per day"), "month": _("per month"), "year": _("per year")}
            return one[self.saas_period_unit]
        return _("every %s", self._saas_shop_length())

    def _saas_shop_length(self, quantity=1):
        """How long so many units last: `1 month`, `14 days`."""
        self.ensure_one()
        count = int(self.saas_period_count * quantity)
        if count == 1:
            return {"hour": _("1 hour"), "day": _("1 day"), "month": _("1 month"), "year": _("1 year")}[self.saas_period_unit]
        many = {
            "hour": _("%s hours", count),
            "day": _("%s days", count),
            "month": _("%s months", count),
            "year": _("%s years", count),
        }
        return many[self.saas_period_unit]

    def _saas_shop_apps(self):
        """Names of the apps that are there from the start, as the list of apps calls them; [] if the customer chooses."""
        self.ensure_one()
        names = [name for name in (self.saas_modules or "").split(",") if name]
        modules = self.env["ir.module.module"].sudo().search([("name", "in", names)])
        titles = {module.name: module.shortdesc or module.name for module in modules}
        # A module that the shop's own Odoo does not have has no title here.
        found = [titles.get(name) or name.replace("_", " ").capitalize() for name in names]
        return list(dict.fromkeys(found))
