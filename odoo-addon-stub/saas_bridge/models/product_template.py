import re

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

from ..const import EGRESS, PERIOD_UNITS

CODE = re.compile(r"[a-z0-9_-]{1,32}")
MODULES = re.compile(r"[a-z0-9_]+(,[a-z0-9_]+)*")
# Field, smallest, largest.
LIMITS = (
    ("saas_period_count", 1, 1200),
    ("saas_cpu", 0.1, 64),
    ("saas_memory_mb", 256, 262144),
    ("saas_storage_gb", 1, 10240),
    ("saas_max_users", 1, 100000),
    ("saas_sleep_hours", 0, 8760),
    ("saas_domains", 0, 100),
    ("saas_grace_days", 0, 365),
    ("saas_retention_days", 0, 3650),
    ("saas_keep_daily", 1, 366),
    ("saas_keep_weekly", 0, 520),
    ("saas_keep_monthly", 0, 120),
)

# A trial that somebody tries for an afternoon costs nothing for the rest of its days.
TRIAL_SLEEP_HOURS = 2


class ProductTemplate(models.Model):
    _inherit = "product.template"

    saas_plan = fields.Boolean(
        string="SaaS Plan",
        help="Whoever buys this product gets an Odoo of their own, for the period below times the quantity.",
    )
    saas_trial = fields.Boolean(
        string="Free Trial",
        help="Each customer may have one trial, once. It is free, is not renewed, and ends with its period.",
    )
    saas_plan_code = fields.Char(
        string="Plan Code",
        copy=False,
        help="Short technical name of the plan: small letters, digits, - and _. Unique among plans.",
    )
    saas_period_count = fields.Integer(
        string="Period", default=1, help="How long one unit of the product lasts, e.g. 1 month."
    )
    saas_period_unit = fields.Selection(
        PERIOD_UNITS, string="Period Unit", default="month", help="A plan of 1 month is paid month by month."
    )
    saas_cpu = fields.Float(
        string="CPU Cores",
        default=1.0,
        help="Processor cores the instance may use at most. "
        "Idle instances use none; under 1 every page and every start is slower.",
    )
    saas_memory_mb = fields.Integer(string="Memory (MB)", default=512, help="Of Odoo and its database together: the database gets a quarter.")
    saas_storage_gb = fields.Integer(string="Storage (GB)", default=2, help="Database and files together.")
    saas_max_users = fields.Integer(string="Users", default=3, help="Internal users the customer may have.")
    saas_modules = fields.Char(
        string="Odoo Modules",
        help="Technical names of the modules installed in a new instance, separated by commas, e.g. crm,sale_management.",
    )
    saas_egress = fields.Selection(
        EGRESS,
        string="Internet Access",
        default="web",
        help="What the customer's Odoo may reach. Private networks and our own servers are closed to all of them. "
        "Running instances follow at their next start.",
    )
    saas_sleep_hours = fields.Integer(
        string="Sleep After (Hours)",
        default=0,
        help="An instance that nobody has visited for so many hours is stopped, and started by its next visitor within "
        "seconds. It is paid for all the same. 0: it never sleeps.",
    )
    saas_sleep_wakes = fields.Boolean(
        string="Wake for Scheduled Actions",
        help="A sleeping instance is started for five minutes each hour, so that what is scheduled in it is done. "
        "Otherwise that waits for the next visitor.",
    )
    saas_domains = fields.Integer(
        string="Own Domains",
        default=0,
        help="Domains of their own the customer may set as the address, in the portal. It needs an edge (https) before the "
        "instances. 0: none.",
    )
    saas_grace_days = fields.Integer(
        string="Grace Days", default=0, help="Days the instance keeps running after the paid time has ended."
    )
    saas_retention_days = fields.Integer(
        string="Retention Days", default=30, help="Days a suspended instance is kept before it is deleted for good."
    )

    saas_keep_daily = fields.Integer(
        string="Daily Backups", default=7, help="Of so many days the last backup is kept, and at least those of two days."
    )
    saas_keep_weekly = fields.Integer(
        string="Weekly Backups", default=4, help="Of so many weeks the last backup is kept."
    )
    saas_keep_monthly = fields.Integer(
        string="Monthly Backups", default=12, help="Of so many months the last backup is kept."
    )

    saas_customer_restore = fields.Boolean(
        string="Customers Restore",
        help="Customers of this plan may bring a former state of their Odoo back themselves, in their account.",
    )

    _saas_write_date_idx = models.Index("(write_date)")

    @api.onchange("saas_trial")
    def _onchange_saas_trial(self):
        if self.saas_trial:
            self.list_price = 0
            self.saas_sleep_hours = self.saas_sleep_hours or TRIAL_SLEEP_HOURS

    @api.constrains("saas_plan", "saas_trial", "list_price")
    def _check_saas_trial(self):
        for product in self.filtered("saas_trial"):
            if not product.saas_plan:
                raise ValidationError(_("%s: only a SaaS plan can be a free trial.", product.display_name))
            if product.list_price:
                raise ValidationError(_("%s: a free trial has the price 0.", product.display_name))

    @api.constrains("saas_plan", "saas_plan_code", "type", "saas_period_unit", "saas_modules", *(f for f, *_l in LIMITS))
    def _check_saas_plan(self):
        for product in self.filtered("saas_plan"):
            for problem in product._saas_plan_problems():
                raise ValidationError(problem)

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._clean_saas_vals(vals) for vals in vals_list])

    def write(self, vals):
        new_plans = self.filtered(lambda p: not p.saas_plan) if vals.get("saas_plan") else self.browse()
        result = super().write(self._clean_saas_vals(vals))
        if new_plans:
            new_plans._freeze_period_on_lines()
        return result

    def _clean_saas_vals(self, vals):
        """People write "crm, sale" and "Basic "; blanks around names mean nothing."""
        vals = dict(vals)
        if vals.get("saas_modules"):
            vals["saas_modules"] = ",".join(part.strip() for part in vals["saas_modules"].split(","))
        if vals.get("saas_plan_code"):
            vals["saas_plan_code"] = vals["saas_plan_code"].strip()
        return vals

    def _freeze_period_on_lines(self):
        """Lines written before the product became a plan take the period it has now."""
        domain = [("product_id.product_tmpl_id", "in", self.ids), ("saas_period_unit", "=", False)]
        for model in ("sale.order.line", "account.move.line"):
            lines = self.env[model].sudo().search(domain)
            for fname in ("saas_period_count", "saas_period_unit", "saas_list_price"):
                self.env.add_to_compute(lines._fields[fname], lines)

    def _saas_net_list_price(self, company):
        """One period of the plan by its own price: without taxes, in the currency of the company."""
        company = company or self.env.company
        plan = self.sudo().with_company(company)
        if not plan:
            return 0.0
        price = plan.currency_id._convert(plan.list_price, company.currency_id, company, fields.Date.today(), round=False)
        taxes = plan.taxes_id.filtered(lambda tax: tax.company_id == company)
        return max(0.0, taxes.compute_all(price, company.currency_id, product=plan.product_variant_id)["total_excluded"])

    def _saas_plan_problems(self):
        """What is wrong with the plan, in sentences for the person who edits it."""
        self.ensure_one()
        problems = []
        if not CODE.fullmatch(self.saas_plan_code or ""):
            problems.append(
                _("%s: a SaaS plan needs a code of small letters, digits, - and _ (at most 32).", self.display_name)
            )
        elif self.sudo().with_context(active_test=False).search_count(
            [("saas_plan", "=", True), ("saas_plan_code", "=", self.saas_plan_code), ("id", "!=", self.id)], limit=1
        ):
            problems.append(_("Another SaaS plan has the code %s already.", self.saas_plan_code))
        if self.type != "service":
            problems.append(_("%s: a SaaS plan must be a service.", self.display_name))
        if not self.saas_period_unit:
            problems.append(_("%s: a SaaS plan needs a period unit.", self.display_name))
        for fname, _smallest, _largest in LIMITS:
            if problem := self._saas_limit_problem(fname, self[fname]):
                problems.append(f"{self.display_name}: {problem}")
        if self.saas_modules and not MODULES.fullmatch(self.saas_modules):
            problems.append(
                _("%s: write the modules as technical names separated by commas, e.g. crm,website_sale.", self.display_name)
            )
        return problems

    @api.model
    def _saas_limit_problem(self, fname, value):
        """Why a plan cannot have the value; "" if it can."""
        [(smallest, largest)] = [limits for name, *limits in LIMITS if name == fname]
        if smallest <= value <= largest:
            return ""
        return _(
            "%(field)s must be between %(smallest)s and %(largest)s.",
            field=self._fields[fname]._description_string(self.env),
            smallest=smallest,
            largest=largest,
        )
