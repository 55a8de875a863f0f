"""Plans, users and the daemon's API key of the demonstration master. Runs in `odoo shell`; may run again.

What is generated goes to /secrets/credentials.json (mode 0600) and nowhere else. Without the addon
saas_bridge the plans are ordinary products and the groups of the addon are left out.
"""

import base64
import io
import json
import os
import secrets

from PIL import Image, ImageDraw

CREDENTIALS = "/secrets/credentials.json"
DOMAIN = "nubefacil.example"
# OdooBot greets everybody with a window over the page.
NO_CHAT = {"odoobot_state": "disabled"}
PLUM, PALE, WHITE = "#714b67", "#f6f1f5", "#ffffff"

PLANS = [
    {
        "code": "basico",
        "price": 10.0,
        "name": {"es_ES": "Básico", "en_US": "Basic"},
        "text": {
            "es_ES": "Su propio Odoo para empezar: hasta 3 usuarios y 2 GB de espacio. Precio por mes.",
            "en_US": "Your own Odoo to start with: up to 3 users and 2 GB of storage. Price per month.",
        },
        "cpu": 1.0,
        "memory_mb": 512,
        "storage_gb": 2,
        "max_users": 3,
    },
    {
        "code": "pro",
        "price": 25.0,
        "name": {"es_ES": "Pro", "en_US": "Pro"},
        "text": {
            "es_ES": "Para equipos que crecen: hasta 10 usuarios y 10 GB de espacio. Precio por mes.",
            "en_US": "For growing teams: up to 10 users and 10 GB of storage. Price per month.",
        },
        "cpu": 2.0,
        "memory_mb": 1024,
        "storage_gb": 10,
        "max_users": 10,
    },
    {
        "code": "empresa",
        "price": 60.0,
        "name": {"es_ES": "Empresa", "en_US": "Business"},
        "text": {
            "es_ES": "Para toda la empresa: hasta 50 usuarios y 50 GB de espacio. Precio por mes.",
            "en_US": "For the whole company: up to 50 users and 50 GB of storage. Price per month.",
        },
        "cpu": 4.0,
        "memory_mb": 2048,
        "storage_gb": 50,
        "max_users": 50,
    },
    {
        "code": "prueba",
        "price": 0.0,
        "trial": True,
        "period": (14, "day"),
        "name": {"es_ES": "Prueba", "en_US": "Trial"},
        "text": {
            "es_ES": "Su propio Odoo gratis durante 14 días, una vez por cliente: hasta 3 usuarios y 2 GB de espacio.",
            "en_US": "Your own Odoo, free for 14 days, once for each customer: up to 3 users and 2 GB of storage.",
        },
        "cpu": 1.0,
        "memory_mb": 512,
        "storage_gb": 2,
        "max_users": 3,
    },
]
CONSULTING = {
    "name": {"es_ES": "Consultoría 1 h", "en_US": "Consulting 1 h"},
    "text": {
        "es_ES": "Una hora con una persona de nuestro equipo.",
        "en_US": "One hour with a member of our team.",
    },
}


def load_credentials():
    try:
        with open(CREDENTIALS, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def save_credentials(credentials):
    new = f"{CREDENTIALS}.new"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(credentials, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, CREDENTIALS)


def picture(size, draw):
    """A square PNG as Odoo stores one; `draw` gets the pen and the scale to a square of 100. Drawn large, for smooth edges."""
    image = Image.new("RGB", (4 * size, 4 * size), PALE)
    draw(ImageDraw.Draw(image), 4 * size / 100)
    file = io.BytesIO()
    image.resize((size, size), Image.Resampling.LANCZOS).save(file, "PNG")
    return base64.b64encode(file.getvalue())


def cloud(pen, x, y, width, fill):
    """A cloud: `x`, `y` its upper left corner."""
    unit = width / 100
    pen.ellipse([x, y + 22 * unit, x + 44 * unit, y + 66 * unit], fill)
    pen.ellipse([x + 22 * unit, y, x + 74 * unit, y + 52 * unit], fill)
    pen.ellipse([x + 58 * unit, y + 24 * unit, x + 100 * unit, y + 66 * unit], fill)
    pen.rectangle([x + 22 * unit, y + 40 * unit, x + 79 * unit, y + 66 * unit], fill)


def plan_picture(bars):
    """A cloud with as many bars below as the plan is large; none for a trial."""

    def draw(pen, scale):
        cloud(pen, 24 * scale, 20 * scale, 52 * scale, PLUM)
        for number in range(3):
            left = (30 + number * 15) * scale
            fill = PLUM if number < bars else "#e3d8e0"
            pen.rounded_rectangle([left, 68 * scale, left + 10 * scale, 74 * scale], 3 * scale, fill)

    return picture(512, draw)


def clock_picture():
    def draw(pen, scale):
        pen.ellipse([28 * scale, 28 * scale, 72 * scale, 72 * scale], PLUM)
        pen.ellipse([33 * scale, 33 * scale, 67 * scale, 67 * scale], WHITE)
        pen.line([50 * scale, 39 * scale, 50 * scale, 51 * scale, 58 * scale, 55 * scale], PLUM, int(4 * scale), "curve")

    return picture(512, draw)


def logo_picture():
    image = Image.new("RGBA", (960, 640), (0, 0, 0, 0))
    cloud(ImageDraw.Draw(image), 20, 10, 920, PLUM)
    file = io.BytesIO()
    image.resize((240, 160), Image.Resampling.LANCZOS).save(file, "PNG")
    return base64.b64encode(file.getvalue())


def known(record, values):
    """The values whose fields exist: fields of an addon that is not installed are left out."""
    return {name: value for name, value in values.items() if name in record._fields}


def save_product(env, reference, texts, values):
    """Creates or updates the product of this internal reference, in both languages."""
    products = env["product.template"].with_context(lang="en_US")
    product = products.search([("default_code", "=", reference)], limit=1)
    values = {
        "name": texts["name"]["en_US"],
        "description_sale": texts["text"]["en_US"],
        "default_code": reference,
        "type": "service",
        "invoice_policy": "order",
        "sale_ok": True,
        "purchase_ok": False,
        "taxes_id": [(5, 0, 0)],
        "is_published": True,
        **values,
    }
    values = known(products, values)
    if product:
        product.write(values)
    else:
        product = products.create(values)
    product.with_context(lang="es_ES").write(
        {"name": texts["name"]["es_ES"], "description_sale": texts["text"]["es_ES"]}
    )
    return product


def seed_products(env):
    for sequence, plan in enumerate(PLANS, start=1):
        period_count, period_unit = plan.get("period", (1, "month"))
        save_product(
            env,
            f"SAAS-{plan['code'].upper()}",
            plan,
            {
                "list_price": plan["price"],
                "website_sequence": sequence,
                "saas_plan": True,
                "saas_trial": plan.get("trial", False),
                "saas_plan_code": plan["code"],
                "saas_period_count": period_count,
                "saas_period_unit": period_unit,
                "saas_cpu": plan["cpu"],
                "saas_memory_mb": plan["memory_mb"],
                "saas_storage_gb": plan["storage_gb"],
                "saas_max_users": plan["max_users"],
                "saas_modules": False,
                "saas_grace_days": 0,
                "saas_retention_days": 30,
                "saas_customer_restore": True,
                "image_1920": plan_picture({"basico": 1, "pro": 2, "empresa": 3}.get(plan["code"], 0)),
            },
        )
    save_product(env, "CONSULTORIA-1H", CONSULTING, {"list_price": 70.0, "website_sequence": 100, "image_1920": clock_picture()})


def seed_look(env):
    """Put the company's name where Odoo's pages have examples. Pages that were edited since stay."""
    company = env.company
    for website in env["website"].search([]):
        own = website.with_context(website_id=website.id)
        website.logo = logo_picture()
        phone = own.viewref("website.header_text_element", raise_if_not_found=False)
        if phone and phone.active:
            phone.active = False
        # Company name, address, phone and e-mail of the footer and of the contact page, in both languages.
        for key in ("website.footer_copyright_company_name", "website.contactus"):
            for lang in ("en_US", "es_ES"):
                view = own.with_context(lang=lang).viewref(key)
                arch = view.arch_db
                for example, real in (
                    ("Company name", company.name),
                    ("Nombre de la empresa", company.name),
                    ("3575 Fake Buena Vista Avenue", f"{company.street}, {company.zip} {company.city}"),
                    ("+1 555-555-5556", company.phone),
                    ("info@yourcompany.example.com", company.email),
                    ("info@sucompañía.example.com", company.email),
                    ("My Company", company.name),
                    ("Mi empresa", company.name),
                ):
                    arch = arch.replace(example, real)
                if arch != view.arch_db:
                    view.arch_db = arch


def groups(env, *names):
    found = [env.ref(name, raise_if_not_found=False) for name in names]
    for name, group in zip(names, found, strict=True):
        if not group:
            print(f"group {name} does not exist yet: left out")
    return [group.id for group in found if group]


def save_user(env, login, name, lang, group_ids, password=None):
    users = env["res.users"].with_context(no_reset_password=True, active_test=False)
    user = users.search([("login", "=", login)], limit=1)
    group_field = "group_ids" if "group_ids" in users._fields else "groups_id"
    values = {"name": name, "lang": lang, "tz": "Europe/Madrid", "active": True, group_field: [(6, 0, group_ids)]}
    values |= known(users, NO_CHAT)
    if not user:
        values |= {"login": login, "email": f"{login}@{DOMAIN}"}
        if password:
            values["password"] = password
        return users.create(values)
    user.write(values)
    return user


def password_for(credentials, who):
    """The password of this user, made on the first run; whether it is new."""
    key = f"{who}_password"
    if key in credentials:
        return credentials[key], False
    credentials[key] = secrets.token_urlsafe(18)
    return credentials[key], True


def seed_users(env, credentials):
    password, is_new = password_for(credentials, "admin")
    admin = env.ref("base.user_admin")
    credentials["admin_login"] = admin.login
    if is_new:
        admin.password = password
    # Whoever administers the master may do everything the addon offers.
    manager_groups = groups(env, "saas_bridge.group_manager")
    group_field = "group_ids" if "group_ids" in admin._fields else "groups_id"
    admin.write({group_field: [(4, group_id) for group_id in manager_groups]} | known(admin, NO_CHAT))

    internal = "base.group_user"
    for who, name, group_ids in (
        (
            "sales",
            "Sara Ventas",
            groups(
                env,
                internal,
                "sales_team.group_sale_salesman_all_leads",
                "account.group_account_invoice",
                "saas_bridge.group_user",
            ),
        ),
        (
            "manager",
            "Marcos Gestor",
            groups(
                env,
                internal,
                "sales_team.group_sale_manager",
                "account.group_account_invoice",
                "saas_bridge.group_manager",
            ),
        ),
    ):
        password, is_new = password_for(credentials, who)
        login = {"sales": "ventas", "manager": "gestor"}[who]
        credentials[f"{who}_login"] = login
        user = save_user(env, login, name, "es_ES", group_ids, password)
        if is_new:
            user.password = password


def seed_daemon(env, credentials):
    """The daemon's user has no password at all: the API key is its only way in."""
    login = "saas-bridge"
    credentials["api_login"] = login
    user = save_user(env, login, "SaaS bridge", "en_US", groups(env, "saas_bridge.group_bridge"))
    if "api_key" not in credentials or not user.sudo().api_key_ids:
        user.sudo().api_key_ids.unlink()
        keys = env["res.users.apikeys"].with_user(user).sudo()
        credentials["api_key"] = keys._generate("rpc", "saas-bridge", None)


def seed_limits(env):
    """All visitors of a demonstration come from one address."""
    for name in ("name_checks_a_minute", "signups_an_hour", "password_mails_an_hour"):
        env["ir.config_parameter"].set_param(f"saas_bridge.{name}", "0")


def forget_mails(env):
    """Odoo writes to users whose password is set; there is no mail server yet, and nobody wants them later."""
    env["mail.mail"].search([]).unlink()


def main(env):
    credentials = load_credentials()
    seed_products(env)
    seed_look(env)
    seed_users(env, credentials)
    seed_daemon(env, credentials)
    seed_limits(env)
    forget_mails(env)
    # The file first: a password that is in the database but nowhere else would be lost.
    save_credentials(credentials)
    env.cr.commit()


main(env)  # noqa: F821  (given by odoo shell)
