from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..const import PERIOD_UNITS
from .saas_trial import TRIALS_AN_HOUR, TRIALS_PARAMETER

PLAN_DEFAULTS = (
    "saas_period_count",
    "saas_max_users",
    "saas_storage_gb",
    "saas_grace_days",
    "saas_retention_days",
)


def _plan_default(fname):
    """What a new plan has as long as nothing was saved here."""
    return lambda self: self.env["product.template"]._fields[fname].default(self.env["product.template"])


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    saas_daemon_state = fields.Selection(
        [("connected", "Connected"), ("silent", "Silent"), ("never", "Never Heard Of")],
        string="Daemon",
        compute="_compute_saas_daemon",
    )
    saas_daemon_words = fields.Char(string="Daemon Connection", compute="_compute_saas_daemon")
    saas_warnings = fields.Html(string="Missing for Customers", compute="_compute_saas_warnings", sanitize=False)
    default_saas_period_count = fields.Integer(
        string="Default Period", default_model="product.template", default=_plan_default("saas_period_count")
    )
    default_saas_period_unit = fields.Selection(
        PERIOD_UNITS,
        string="Default Period Unit",
        default_model="product.template",
        default=_plan_default("saas_period_unit"),
    )
    default_saas_max_users = fields.Integer(
        string="Default Users", default_model="product.template", default=_plan_default("saas_max_users")
    )
    default_saas_storage_gb = fields.Integer(
        string="Default Storage (GB)", default_model="product.template", default=_plan_default("saas_storage_gb")
    )
    default_saas_grace_days = fields.Integer(
        string="Default Grace Days", default_model="product.template", default=_plan_default("saas_grace_days")
    )
    default_saas_retention_days = fields.Integer(
        string="Default Retention Days", default_model="product.template", default=_plan_default("saas_retention_days")
    )
    saas_trials_an_hour = fields.Integer(
        string="Free Trials an Hour", config_parameter=TRIALS_PARAMETER, default=TRIALS_AN_HOUR
    )
    saas_payments_broken = fields.Boolean(string="Payments to Be Mended", compute="_compute_saas_payments_broken")
    saas_user_id = fields.Many2one(related="company_id.saas_user_id", readonly=False)

    @api.constrains(*(f"default_{fname}" for fname in PLAN_DEFAULTS))
    def _check_saas_plan_defaults(self):
        """What no plan may have would keep people from making one."""
        plans = self.env["product.template"]
        for settings in self:
            for fname in PLAN_DEFAULTS:
                if problem := plans._saas_limit_problem(fname, settings[f"default_{fname}"]):
                    raise ValidationError(problem)

    @api.depends_context("uid", "lang", "tz")
    def _compute_saas_daemon(self):
        bridge = self.env["saas.bridge"]
        self.saas_daemon_state = bridge._daemon_state()
        self.saas_daemon_words = bridge._daemon_words()

    @api.depends("company_id")
    @api.depends_context("lang")
    def _compute_saas_warnings(self):
        for settings in self:
            bridge = self.env["saas.bridge"].sudo().with_company(settings.company_id)
            rows = Markup("").join(Markup("<li>%s</li>") % warning for warning in bridge._hello_warnings())
            settings.saas_warnings = rows and Markup('<ul class="mb-0 ps-3">%s</ul>') % rows

    @api.depends("company_id")
    def _compute_saas_payments_broken(self):
        self.saas_payments_broken = bool(self.env["payment.provider"].sudo().search([])._saas_extra_lines())

    def action_saas_mend_payments(self):
        self.env["payment.provider"].sudo().search([])._saas_mend_lines()
        return self.env["ir.actions.act_window"]._for_xml_id("saas_bridge.saas_settings_action")
