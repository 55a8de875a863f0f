"""Settings of the demonstration shop that need no addon of ours. Runs in `odoo shell`; may run again."""

COMPANY = {
    "name": "Nube Fácil S.L.",
    "street": "Calle Mayor 1",
    "zip": "28013",
    "city": "Madrid",
    "phone": "+34 910 000 000",
    "email": "hola@nubefacil.example",
    "website": "https://nubefacil.example",
}
DOMAIN = "nubefacil.example"


def set_parameters(env, values):
    for key, value in values.items():
        env["ir.config_parameter"].sudo().set_param(key, value)


def set_company(env):
    company = env.company
    company.write({**COMPANY, "country_id": env.ref("base.es").id})
    if not company.chart_template:
        env["account.chart.template"].try_loading("generic_coa", company=company, install_demo=False)
    company.currency_id = env.ref("base.EUR")
    # A chart of accounts for no country in particular; the plans carry no tax.
    company.write({"account_sale_tax_id": False, "account_purchase_tax_id": False})
    env["product.pricelist"].search([]).write({"currency_id": company.currency_id.id})
    if "mail.alias.domain" in env and not company.alias_domain_id:
        company.alias_domain_id = env["mail.alias.domain"].create({"name": DOMAIN, "default_from": "avisos"})
    company.partner_id.write({"lang": "es_ES", "tz": "Europe/Madrid"})
    env.ref("base.user_admin").write({"tz": "Europe/Madrid", "email": f"admin@{DOMAIN}"})


def set_website(env):
    spanish = env["res.lang"]._activate_lang("es_ES")
    english = env["res.lang"]._activate_lang("en_US")
    website = env["website"].search([], limit=1)
    website.write(
        {
            "name": "Nube Fácil",
            "language_ids": [(6, 0, [spanish.id, english.id])],
            "default_lang_id": spanish.id,
            "auth_signup_uninvited": "b2c",
        }
    )
    if "ecommerce_access" in website._fields:
        website.ecommerce_access = "everyone"
    set_parameters(
        env,
        {
            "auth_signup.invitation_scope": "b2c",
            "auth_signup.reset_password": "True",
            "sale.automatic_invoice": "False",
            # Replaced by the real address at every start; frozen, so that a login from elsewhere leaves it alone.
            "web.base.url": "http://localhost:8069",
            "web.base.url.freeze": "True",
            # wkhtmltopdf asks for the styles from inside the container, where the port is always this one.
            "report.url": "http://127.0.0.1:8069",
        },
    )


def set_mail(env):
    server = env["ir.mail_server"].search([("smtp_host", "=", "mail")], limit=1)
    if not server:
        env["ir.mail_server"].create({"name": "Mail catcher", "smtp_host": "mail", "smtp_port": 1025, "smtp_encryption": "none"})
    # Queued mails leave within a minute rather than an hour.
    env.ref("mail.ir_cron_mail_scheduler_action").write({"interval_number": 1, "interval_type": "minutes"})


def set_payment(env):
    # Demo is the only way to pay: nobody delivers anything that could be paid in cash.
    env["payment.provider"].search([("code", "=", "custom"), ("state", "!=", "disabled")]).write({"state": "disabled", "is_published": False})
    provider = env["payment.provider"].search([("code", "=", "demo"), ("company_id", "=", env.company.id)], limit=1)
    provider.write({"state": "test", "is_published": True})
    # Odoo makes the provider's payment method line when its journal is read first: not by two visitors who pay at once.
    provider.invalidate_recordset()
    provider.mapped("journal_id")
    # Made in the language of whoever installs, for all languages.
    provider.with_context(lang="en_US").write(
        {
            "done_msg": "<p>Your payment has been processed.</p>",
            "pending_msg": "<p>Your payment has been processed but is waiting for approval.</p>",
        }
    )
    methods = env["payment.method"].with_context(active_test=False).search([("provider_ids", "in", provider.ids)])
    methods.filtered(lambda method: method.code == "demo").active = True


set_company(env)  # noqa: F821  (given by odoo shell)
set_website(env)  # noqa: F821
set_mail(env)  # noqa: F821
set_payment(env)  # noqa: F821
env.cr.commit()  # noqa: F821
