from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..const import PERIOD_UNITS


class SaasLineMixin(models.AbstractModel):
    """What an order line and an invoice line have in common when they sell a plan."""

    _name = "saas.line.mixin"
    _description = "Line that sells a SaaS plan"

    saas_instance_id = fields.Many2one(
        "saas.instance",
        string="SaaS Instance",
        index="btree_not_null",
        copy=False,
        ondelete="restrict",
        help="The instance this line pays for. Empty: the customer's instance of that plan, or a new one.",
    )
    saas_additional = fields.Boolean(
        string="Additional Instance",
        copy=False,
        help="The customer wants one more instance, not more time for the one there is.",
    )
    saas_keep_plan = fields.Boolean(
        string="Keep the Plan",
        copy=False,
        help="The line sells another plan than the instance has, and the change was refused because the instance uses"
        " more than that plan allows: what was paid extends the plan that it has.",
    )
    # The plan's period when the line was made: what was sold does not change with the product.
    saas_period_count = fields.Integer(
        string="Plan Period", compute="_compute_saas_period", store=True, precompute=True, copy=False
    )
    saas_period_unit = fields.Selection(
        PERIOD_UNITS, string="Plan Period Unit", compute="_compute_saas_period", store=True, precompute=True, copy=False
    )

    saas_list_price = fields.Float(
        string="Plan List Price",
        compute="_compute_saas_period",
        store=True,
        precompute=True,
        copy=False,
        digits=0,
        help="What one period cost without a discount when the line was made, without taxes, in the company's currency.",
    )

    @api.constrains("saas_instance_id")
    def _check_saas_instance_customer(self):
        for line in self.filtered("saas_instance_id"):
            if line._saas_is_foreign():
                raise ValidationError(line._saas_foreign_text())

    @api.depends("product_id")
    def _compute_saas_period(self):
        for line in self:
            plan = line.product_id.product_tmpl_id.sudo()
            line.saas_period_count = plan.saas_period_count if plan.saas_plan else 0
            line.saas_period_unit = plan.saas_period_unit if plan.saas_plan else False
            line.saas_list_price = plan._saas_net_list_price(line.company_id) if plan.saas_plan else 0.0

    @api.ondelete(at_uninstall=False)
    def _unlink_except_saas_instance(self):
        # A line that vanishes cannot be told from one not yet read: the daemon must see it end.
        for line in self.filtered("saas_instance_id"):
            raise UserError(
                _(
                    "This line pays for the instance %s. Set its quantity to zero or cancel the document instead.",
                    line.saas_instance_id.sudo().name,
                )
            )

    def _saas_customer(self):
        raise NotImplementedError

    def _saas_periods(self, quantity):
        """So many units of the line as periods: in the plan's own unit."""
        self.ensure_one()
        unit, own = self.product_uom_id, self.product_id.uom_id
        if not quantity or not unit or unit == own:
            return quantity
        if problem := self._saas_unit_problem():
            raise UserError(problem)
        return unit._compute_quantity(quantity, own, round=False)

    def _saas_unit_problem(self):
        """Why a plan cannot be sold in the unit of the line; "" if it can, or if it is no plan."""
        self.ensure_one()
        unit, own = self.product_uom_id, self.product_id.uom_id
        if not unit or unit == own or not self._saas_plan() or unit._has_common_reference(own):
            return ""
        return _(
            "%(plan)s is sold by %(own)s, which cannot be counted in %(unit)s. Choose %(own)s as the unit.",
            plan=self.product_id.name,
            own=own.name,
            unit=unit.name,
        )

    def _saas_unit_price(self, quantity, currency, date, others):
        """What one period was sold for: without taxes, after all discounts, in the company's currency.

        `quantity`: how many periods the price of the line is for. `others`: all lines of the document, among which may
        be discounts on all of it. What a gift card paid is no discount.
        """
        self.ensure_one()
        if quantity <= 0:
            return 0.0
        company = self.company_id or self.env.company
        price = max(0.0, self.price_subtotal) / quantity
        sold = sum(max(0.0, line.price_subtotal) for line in others)
        discounts = sum(min(0.0, line.price_subtotal) for line in others if not line._saas_is_gift_card())
        if sold > 0 and discounts < 0:
            price *= max(0.0, 1 + discounts / sold)
        return currency._convert(price, company.currency_id, company, date or fields.Date.today(), round=False)

    def _saas_is_gift_card(self):
        """Whether the line is money that was paid for a gift card or an e-wallet before."""
        reward = self._saas_reward()
        return bool(reward) and reward.program_id.is_payment_program

    def _saas_reward(self):
        """The reward of a promotion that the line is. The addon does without promotions, too."""
        return self["reward_id"] if "reward_id" in self._fields else None

    def _saas_plan_misfit(self):
        """Why the instance of the line cannot have the line's plan; "" if it can, or has it already."""
        self.ensure_one()
        instance, plan = self.saas_instance_id.sudo(), self._saas_plan()
        if not instance or not plan or plan == instance.plan_id:
            return ""
        return instance._plan_misfit(plan.sudo())

    def _saas_sold_plan(self):
        """The plan that the line sold: also where the product is sold as one no more, and an instance lives of the line.

        A line of another product that names an instance sells none.
        """
        was_plan = self.saas_instance_id and self.saas_period_unit
        return self.product_id.product_tmpl_id if was_plan else self._saas_plan()

    def _saas_plan(self):
        """The plan the line sells, if any."""
        return self.product_id.product_tmpl_id.filtered("saas_plan")
