"""What a renewal sells: what was sold before, on the terms that were agreed."""

from odoo import fields, models

# Of an order: what its renewal has as well, where the addon that the field is of is installed.
TERMS = ("pricelist_id", "fiscal_position_id", "team_id", "website_id")


class SaasInstance(models.Model):
    _inherit = "saas.instance"

    def _sold_line(self, plan):
        """The last order line by which the customer of today bought the plan for the instance."""
        self.ensure_one()
        lines = self._sold_lines().filtered(lambda line: line._saas_plan() == plan)
        return lines.sorted(lambda line: (line.order_id.date_order, line.id))[-1:]

    def _sold_lines(self):
        lines = self.env["sale.order.line"].search([("saas_instance_id", "=", self.id), ("state", "=", "sale")])
        # What came as a reward of a promotion was agreed on for nothing else.
        return lines.filtered(
            lambda line: line.product_uom_qty > 0 and not line._saas_reward() and line._saas_customer() == self.partner_id
        )

    def _sold_order(self, plan):
        """The order whose terms hold for the plan: of that plan, else the last of any."""
        lines = self._sold_lines()
        of_plan = lines.filtered(lambda line: line._saas_plan() == plan)
        return (of_plan or lines).order_id.sorted(lambda order: (order.date_order, order.id))[-1:]

    def _renewal_pricelist(self, plan):
        """The pricelist of the last order, else one in the currency of the last invoice, else the customer's own."""
        pricelist = self._sold_order(plan).pricelist_id.filtered("active")
        return pricelist or self._invoiced_pricelist() or self._person().with_company(self.company_id).property_product_pricelist

    def _invoiced_pricelist(self):
        move = self.invoice_ids.filtered(lambda move: move._saas_buyer().commercial_partner_id == self.partner_id)
        currency = move.sorted("id")[-1:].currency_id
        if not currency or currency == self.company_id.currency_id:
            return self.env["product.pricelist"]
        own = self._person().with_company(self.company_id).property_product_pricelist
        if own.currency_id == currency:
            return own
        domain = [("currency_id", "=", currency.id), ("company_id", "in", (False, self.company_id.id))]
        return self.env["product.pricelist"].search(domain, limit=1)

    def _renewal_product(self, plan):
        sold = self._sold_line(plan).product_id
        return sold if sold.active else plan.product_variant_id

    def _renewal_fiscal_position(self, plan):
        """That of the last order, also when that had none; without an order what the customer's address says."""
        if order := self._sold_order(plan):
            return order.fiscal_position_id
        positions = self.env["account.fiscal.position"].with_company(self.company_id)
        return positions._get_fiscal_position(self._person())

    def _renewal_order_values(self, plan):
        """Of a quotation for the plan: what differs from what Odoo would fill in."""
        values = {}
        if order := self._sold_order(plan):
            values = {fname: order[fname].id for fname in TERMS if fname in order._fields}
        if pricelist := self._renewal_pricelist(plan):
            values["pricelist_id"] = pricelist.id
        else:
            values.pop("pricelist_id", None)
        return values

    def _renewal_price(self, plan):
        """What one period costs without taxes of today: `(price, currency)`."""
        pricelist, product = self._renewal_pricelist(plan), self._renewal_product(plan)
        currency = pricelist.currency_id or self.company_id.currency_id
        price = pricelist._get_product_price(product, 1.0, currency=currency, date=fields.Datetime.now())
        agreed = self._sold_line(plan)._saas_agreed()
        return agreed.get("price_unit", price) * (1 - agreed.get("discount", 0.0) / 100), currency


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _saas_agreed(self):
        """What people agreed on: the discount and the price of the line that its pricelist did not give by itself."""
        if not self:
            return {}
        agreed = {}
        if self.discount and self.currency_id.compare_amounts(self.discount, self._saas_listed_discount()):
            agreed["discount"] = self.discount
        if self.technical_price_unit and self.currency_id.compare_amounts(self.technical_price_unit, self.price_unit):
            # With the other one Odoo, and the next renewal, know that it was agreed.
            agreed |= {"price_unit": self.price_unit, "technical_price_unit": self.technical_price_unit}
        return agreed

    def _saas_listed_discount(self):
        """The discount that the pricelist of the order showed on the day of the order."""
        line = self.with_company(self.company_id)
        item = line.pricelist_item_id
        if not item or not item._is_discount_feature_enabled() or not item._show_discount():
            return 0.0
        before = line._get_pricelist_price_before_discount()
        return (before - line._get_pricelist_price()) / before * 100 if before else 0.0
