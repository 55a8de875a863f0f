from odoo import SUPERUSER_ID, _, api, fields, models, release
from odoo.exceptions import AccessError
from odoo.tools import config


class SaasBridge(models.AbstractModel):
    """The daemon's door: a few methods, and nothing else of this database.

    XML-RPC has no null and a method that returns None faults after its work is committed, so an empty value is False
    throughout. The shapes are agreed in src/odoo/protocol.ts.
    """

    _name = "saas.bridge"
    _description = "SaaS Bridge"

    @api.model
    def hello(self):
        """Who answers, and what would keep the bridge from working."""
        bridge = self._as_superuser()
        module = bridge.env["ir.module.module"].search([("name", "=", "saas_bridge")], limit=1)
        params = bridge.env["ir.config_parameter"]
        return {
            **bridge._identity(),
            "addon_version": module.latest_version or "",
            "odoo_version": release.version,
            "server_time": fields.Datetime.to_string(fields.Datetime.now()),
            "company": ", ".join(bridge._selling_companies().mapped("name")),
            "base_url": params.get_param("web.base.url") or "",
            "warnings": bridge._hello_warnings(),
        }

    @api.model
    def poll(self, cursor=False, limit=500, caller=False):
        """What the daemon must know: everything without a cursor, else what changed since it."""
        bridge = self._as_superuser()
        refusal = bridge._refusal(caller)
        if refusal:
            return refusal
        reply = {**bridge._identity(), **bridge._poll(cursor, limit)}
        bridge._hear(caller)
        return reply

    @api.model
    def look(self, instance_key, purchase_keys, caller=False):
        """One instance as it is now, with all that was bought for it or may be: before its data goes for good."""
        bridge = self._as_superuser()
        return bridge._refusal(caller) or bridge._look(instance_key, purchase_keys)

    @api.model
    def push(self, operations, caller=False):
        """What the daemon has done: one result for each operation, in the same order."""
        bridge = self._as_superuser()
        refusal = bridge._refusal(caller)
        if refusal:
            return refusal
        if caller:
            bridge._grow(caller["generation"])
        return bridge._push(operations)

    @api.model
    def _as_superuser(self):
        """The caller is checked here and only here; what follows is the addon's own work, signed by OdooBot."""
        if not self.env.su and not self.env.user.has_group("saas_bridge.group_bridge"):
            raise AccessError(_("Only a user of the group “SaaS bridge” may call saas.bridge."))
        companies = self.env["res.company"].sudo().search([], order="id")
        context = {"allowed_company_ids": companies.ids, "lang": companies[:1].partner_id.lang or "en_US"}
        bridge = self.with_user(SUPERUSER_ID).sudo().with_context(**context)
        # What is computed and written late, at a savepoint or the end, is done with the rights of the first environment
        # of the call, and the caller may read nothing: not even the currency that an amount is rounded by.
        if hasattr(bridge.env.transaction, "default_env"):
            bridge.env.transaction.default_env = bridge.env
        return bridge

    @api.model
    def _hello_warnings(self):
        warnings = []
        if not self.env["ir.mail_server"].search_count([], limit=1) and config.get("smtp_server") in (False, "", "localhost"):
            warnings.append(_("No outgoing mail server is configured: customers may receive no e-mails."))
        cron = self.env.ref("mail.ir_cron_mail_scheduler_action", raise_if_not_found=False)
        if not cron or not cron.active:
            warnings.append(_("The e-mail queue is switched off: customers receive no e-mails."))
        # Odoo speaks no TLS: there is a proxy.
        if self.env["ir.config_parameter"].get_param("web.base.url", "").startswith("https://") and not config["proxy_mode"]:
            warnings.append(_("Odoo is behind a proxy and is not told so: all visitors seem to be one. Set proxy_mode = True in its configuration."))
        for company in self._selling_companies().filtered(lambda company: not company.email):
            warnings.append(_("The company %s has no e-mail address to send from.", company.name))
        warnings.extend(self._payment_warnings())
        plans = self.env["product.template"].search([("saas_plan", "=", True)])
        if not plans:
            warnings.append(_("No product is a SaaS plan: there is nothing to sell."))
        for plan in plans:
            warnings.extend(plan._saas_plan_problems())
            if not plan.sale_ok:
                warnings.append(_("%s cannot be sold: “Sales” is not ticked.", plan.display_name))
        return warnings

    @api.model
    def _payment_warnings(self):
        """A Stripe webhook without a secret believes whoever calls it: anybody could say that an order is paid."""
        providers = self.env["payment.provider"].search([("code", "=", "stripe"), ("state", "!=", "disabled")])
        if "stripe_webhook_secret" not in providers._fields:
            return []
        return [
            _("%s has no webhook signing secret: anybody could pretend to have paid.", provider.name)
            for provider in providers
            if not provider.stripe_webhook_secret
        ]
