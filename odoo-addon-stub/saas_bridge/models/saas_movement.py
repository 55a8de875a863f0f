from odoo import api, fields, models

from ..const import UNIT_DAYS

# What a movement can come from; anything else of an instance changes no figure.
WATCHED = frozenset(("state", "subscription_state", "plan_id", "paid_until", "last_payment_on", "started_on"))
DOWN_FOR_GOOD = ("draft", "deleting", "deleted")


class SaasMovement(models.Model):
    """What became of a subscription, and when: written once, so that last year's figures stay as they were."""

    _name = "saas.movement"
    _description = "SaaS Subscription Movement"
    _order = "date desc, id desc"
    _rec_name = "kind"

    instance_id = fields.Many2one("saas.instance", required=True, readonly=True, index=True, ondelete="cascade")
    partner_id = fields.Many2one(related="instance_id.partner_id", string="Customer")
    company_id = fields.Many2one(related="instance_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now, index=True)
    kind = fields.Selection(
        [
            ("new", "New"),
            ("renewed", "Renewed"),
            ("plan", "Plan Changed"),
            ("churned", "Lost"),
            ("returned", "Returned"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
        help="Lost: suspended because nobody paid, taken back, or deleted. Returned: active again after that.",
    )
    plan_id = fields.Many2one("product.template", string="Plan", readonly=True, ondelete="restrict")
    subscribed = fields.Boolean(string="Active Afterwards", readonly=True)
    mrr = fields.Monetary(
        string="MRR Afterwards", readonly=True, currency_field="currency_id", help="What the instance brings each month."
    )


class SaasInstance(models.Model):
    _inherit = "saas.instance"

    currency_id = fields.Many2one(related="company_id.currency_id")
    movement_ids = fields.One2many("saas.movement", "instance_id", string="History")
    subscribed = fields.Boolean(
        string="Active Subscription",
        compute="_compute_subscription",
        store=True,
        help="Paid for, or within its days of grace; trials do not count.",
    )
    mrr = fields.Monetary(
        string="MRR",
        compute="_compute_subscription",
        store=True,
        currency_field="currency_id",
        help="Monthly recurring revenue: the plan's list price of a month, without taxes, while the subscription is active.",
    )
    provision_seconds = fields.Integer(
        string="Provisioning Time (s)",
        compute="_compute_provision_seconds",
        store=True,
        aggregator="avg",
        help="Seconds from the confirmation or payment until the instance ran for the first time.",
    )

    @api.depends(
        "state",
        "subscription_state",
        "company_id",
        "plan_id.saas_trial",
        "plan_id.list_price",
        "plan_id.taxes_id",
        "plan_id.saas_period_count",
        "plan_id.saas_period_unit",
    )
    def _compute_subscription(self):
        for instance in self:
            plan = instance.plan_id
            instance.subscribed = instance._is_subscribed()
            days = plan.saas_period_count * UNIT_DAYS.get(plan.saas_period_unit, 0.0)
            per_month = UNIT_DAYS["month"] / days if days else 0.0
            price = plan._saas_net_list_price(instance.company_id) if instance.subscribed else 0.0
            instance.mrr = price * per_month

    @api.depends("started_on")
    def _compute_provision_seconds(self):
        for instance in self:
            # Of the first time only: what is paid later must not change what was measured.
            if not instance.provision_seconds and instance.started_on:
                begun = instance._provision_begun_on()
                seconds = (instance.started_on - begun).total_seconds() if begun else 0
                # 0 is "not known": of a draft that staff asked for, the waiting was people's.
                instance.provision_seconds = max(1, round(seconds)) if begun else 0
            else:
                instance.provision_seconds = instance.provision_seconds

    def _is_subscribed(self):
        self.ensure_one()
        if not self.plan_id or self.plan_id.saas_trial or self.state in DOWN_FOR_GOOD:
            return False
        if self.subscription_state == "expired":
            # Within the days of grace, or until the order is paid.
            return self.state != "suspended"
        return self.subscription_state in ("active", "expiring_soon")

    def _provision_begun_on(self):
        """When the purchase that the instance was born from could be served; False when it was born otherwise."""
        self.ensure_one()
        kind, _colon, number = (self.key or "").partition(":")
        moments = []
        if number.isdecimal() and kind == "sol":
            line = self.env["sale.order.line"].browse(int(number)).exists()
            moments = [line.order_id.saas_confirmed_on, line and line._saas_paid_on()]
        elif number.isdecimal() and kind == "aml":
            moments = [self.env["account.move.line"].browse(int(number)).exists().move_id.saas_paid_on]
        # An order that was trusted is paid later than it is served.
        return max((moment for moment in moments if moment and moment <= self.started_on), default=False)

    @api.model_create_multi
    def create(self, vals_list):
        instances = super().create(vals_list)
        for instance in instances.filtered("subscribed"):
            instance._record_movement("new")
        return instances

    def write(self, vals):
        watched = WATCHED & vals.keys()
        before = {instance: instance._movement_facts() for instance in self} if watched else {}
        result = super().write(vals)
        for instance, facts in before.items():
            instance._record_movements(facts)
        return result

    def _movement_facts(self):
        self.ensure_one()
        return {
            "subscribed": self.subscribed,
            "state": self.state,
            "plan": self.plan_id,
            "paid_until": self.paid_until,
            "last_payment_on": self.last_payment_on,
        }

    def _record_movements(self, before):
        self.ensure_one()
        now = self._movement_facts()
        if now["subscribed"] and not before["subscribed"]:
            known = self.sudo().movement_ids.filtered(lambda movement: movement.kind == "new")
            self._record_movement("returned" if known else "new")
        elif before["subscribed"] and not now["subscribed"]:
            self._record_movement("churned")
        elif now["subscribed"] and now["plan"] != before["plan"]:
            self._record_movement("plan")
        if now["subscribed"] and before["subscribed"] and self._is_paid_longer(before):
            self._record_movement("renewed")
        if now["state"] == "error" and before["state"] != "error":
            self._record_movement("failed")

    def _is_paid_longer(self, before):
        """Whether a customer's payment moved the end; days that staff gave are no renewal."""
        paid, known = self.last_payment_on, before["last_payment_on"]
        longer = self.paid_until and before["paid_until"] and self.paid_until > before["paid_until"]
        return bool(longer and paid and known and paid > known and paid not in self.sudo().grant_ids.mapped("date"))

    def _record_movement(self, kind):
        self.env["saas.movement"].sudo().create(
            {
                "instance_id": self.id,
                "kind": kind,
                "plan_id": self.plan_id.id,
                "subscribed": self.subscribed,
                "mrr": self.mrr,
            }
        )
