# For odoo shell: 50,000 orders of 10,000 customers, made from a few that Odoo itself has made, and 10,000 instances.
import os
from datetime import timedelta

from odoo import Command, fields
from odoo.tools import SQL

ORDERS = int(os.environ.get("ORDERS") or 50000)
CUSTOMERS = ORDERS // 5
cr = env.cr

env["account.chart.template"].try_loading("generic_coa", env.company, install_demo=False)
env["saas.bridge.connect"].create({})._create_bridge_user()
manager = env["res.users"].with_context(no_reset_password=True).create({"name": "Manager", "login": "manager", "password": "manager"})
manager.group_ids += env.ref("saas_bridge.group_manager") + env.ref("sales_team.group_sale_manager") + env.ref("account.group_account_manager")
plans = env["product.template"].create(
    [
        {"name": name, "type": "service", "list_price": price, "taxes_id": [Command.clear()], "saas_plan": True, "saas_plan_code": name.lower()}
        for name, price in (("Basic", 10), ("Company", 60))
    ]
)
person = env["res.partner"].create({"name": "Customer", "email": "customer@example.com"})
person.commercial_partner_id  # noqa: B018
buyer = env["res.users"].with_context(no_reset_password=True).create(
    {"name": "Buyer", "login": "buyer", "password": "buyer", "group_ids": [Command.set(env.ref("base.group_portal").ids)]}
)
# One order of each kind: paid by an invoice, paid online, not paid.
line = {"product_id": plans[0].product_variant_id.id, "product_uom_qty": 12}
orders = env["sale.order"].create([{"partner_id": person.id, "order_line": [Command.create(line)]} for _kind in range(3)])
orders.action_confirm()
invoice = orders[0]._create_invoices()
invoice.action_post()
env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids).create({}).action_create_payments()
provider = env["payment.provider"].create({"name": "Dummy", "code": "none", "company_id": env.company.id})
transaction = env["payment.transaction"].create(
    {
        "provider_id": provider.id,
        "payment_method_id": env.ref("payment.payment_method_unknown").id,
        "reference": "first",
        "amount": orders[1].amount_total,
        "currency_id": orders[1].currency_id.id,
        "partner_id": person.id,
        "operation": "online_direct",
        "state": "done",
        "sale_order_ids": [Command.set(orders[1].ids)],
    }
)
instance = env["saas.instance"].create({"name": "first", "partner_id": person.id, "plan_id": plans[0].id})
instance.write({"state": "running", "subscription_state": "active", "requested": True, "subscribed": True, "mrr": 10})
env["saas.bridge"].poll(False, 2000)
env.flush_all()
movement = env["saas.movement"].search([("instance_id", "=", instance.id)], limit=1)
assert movement and all(order.order_line.saas_part_ids for order in orders)


def columns(table):
    cr.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'", [table])
    return [name for (name,) in cr.fetchall()]


def clone(table, model_id, count, **changed):
    """Rows `base + 1` to `base + count` like one that there is; `changed`: SQL by column, where g is the number of the row."""
    cr.execute(SQL("SELECT COALESCE(max(id), 0) FROM %s", SQL.identifier(table)))
    [base] = cr.fetchone()
    changed = {"id": "%s + g" % base, **changed}
    names = columns(table)
    assert not changed.keys() - set(names), (table, changed.keys() - set(names))
    cr.execute(
        "INSERT INTO %s (%s) SELECT %s FROM %s t CROSS JOIN generate_series(1, %s) g WHERE t.id = %s"
        % (
            table,
            ", ".join('"%s"' % name for name in names),
            ", ".join(changed.get(name, 't."%s"' % name) for name in names),
            table,
            count,
            model_id,
        )
    )
    cr.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, base + count])
    return base


def relate(table, **values):
    names, expressions = ", ".join(values), ", ".join(values.values())
    cr.execute(f"INSERT INTO {table} ({names}) SELECT {expressions} FROM generate_series(1, {count}) g")


# What refers to what is right by itself: PostgreSQL need not look at each row.
cr.execute("SET session_replication_role = replica")
# All is spread over two years.
ago = "(now() AT TIME ZONE 'UTC' - (g % 730 || ' days')::interval)"
partners = clone(
    "res_partner", person.id, CUSTOMERS, name="'Customer ' || g", complete_name="'Customer ' || g", email="'c' || g || '@example.com'",
    email_normalized="'c' || g || '@example.com'", commercial_partner_id="(SELECT max(id) FROM res_partner) + g",
)
instances = clone(
    "saas_instance", instance.id, CUSTOMERS, name="'c' || g", key="'c:' || g", partner_id=f"{partners} + g", contact_id=f"{partners} + g",
    plan_id=f"CASE WHEN g % 3 = 0 THEN {plans[1].id} ELSE {plans[0].id} END",
    state="CASE WHEN g % 50 = 0 THEN 'error' WHEN g % 10 = 0 THEN 'suspended' ELSE 'running' END",
    subscription_state="CASE WHEN g % 10 = 0 THEN 'expired' WHEN g % 12 = 0 THEN 'expiring_soon' ELSE 'active' END",
    subscribed="g % 10 != 0", mrr="CASE WHEN g % 3 = 0 THEN 60 ELSE 10 END", started_on=ago, provision_seconds="3 + g % 20",
    paid_until="now() AT TIME ZONE 'UTC' + ((g % 400 - 30) || ' days')::interval", last_payment_on=ago,
    storage_used_mb="g % 6000", users_used="g % 12", create_date=ago, write_date=ago,
)
for number in range(3):
    clone(
        "saas_movement", movement.id, CUSTOMERS, instance_id=f"{instances} + g", date=f"{ago} + interval '{number * 60} days'",
        kind=("'new'", "'renewed'", "CASE WHEN g % 10 = 0 THEN 'churned' ELSE 'renewed' END")[number],
        mrr="CASE WHEN g % 3 = 0 THEN 60 ELSE 10 END", subscribed=("true", "true", "g % 10 != 0")[number],
    )
made = 0
for order, share in zip(orders, (70, 20, 10), strict=True):
    count = ORDERS * share // 100
    customer = f"(g + {made}) % {CUSTOMERS} + 1"
    own = f"{partners} + {customer}"
    sold = clone(
        "sale_order", order.id, count, name=f"'X' || {made} + g", partner_id=own, partner_invoice_id=own, partner_shipping_id=own,
        date_order=ago, saas_confirmed_on=ago, create_date=ago, write_date=ago, access_token="NULL",
    )
    lines = clone(
        "sale_order_line", order.order_line.id, count, order_id=f"{sold} + g", order_partner_id=own, saas_instance_id=f"{instances} + {customer}",
        create_date=ago, write_date=ago,
    )
    part = order.order_line.saas_part_ids
    kinds = {one.source.split(":")[0]: one for one in part}
    clone("saas_part", kinds["ordered"].id, count, order_line_id=f"{lines} + g", write_date=ago)
    if order == orders[0]:
        moves = clone(
            "account_move", invoice.id, count, name="'INV/X/' || g", sequence_prefix="'INV/X/'", sequence_number="g", partner_id=own,
            commercial_partner_id=own, partner_shipping_id=own, saas_paid_on=ago, create_date=ago, write_date=ago, access_token="NULL",
            payment_reference="'INV/X/' || g",
        )
        for one in invoice.line_ids:
            billed = clone(
                "account_move_line", one.id, count, move_id=f"{moves} + g", partner_id=own, full_reconcile_id="NULL", create_date=ago, write_date=ago,
                move_name="'INV/X/' || g",
            )
            if one == invoice.invoice_line_ids:
                relate("sale_order_line_invoice_rel", order_line_id=f"{lines} + g", invoice_line_id=f"{billed} + g")
                clone("saas_part", kinds["inv"].id, count, order_line_id=f"{lines} + g", source=f"'inv:' || {billed} + g", write_date=ago)
    elif order == orders[1]:
        paid = clone(
            "payment_transaction", transaction.id, count, reference="'X' || g", partner_id=own, last_state_change=ago, create_date=ago, write_date=ago,
        )
        relate("sale_order_transaction_rel", sale_order_id=f"{sold} + g", transaction_id=f"{paid} + g")
        clone("saas_part", kinds["tx"].id, count, order_line_id=f"{lines} + g", source=f"'tx:' || {paid} + g", write_date=ago)
    made += count
# A customer who looks at the portal has more than others.
cr.execute("UPDATE res_users SET partner_id = %s WHERE id = %s", [partners + 1, buyer.id])
cr.execute("UPDATE saas_instance SET partner_id = %s, contact_id = %s WHERE id BETWEEN %s AND %s", [partners + 1] * 2 + [instances + 1, instances + 40])
todo = env["mail.activity"].create(
    {"res_model_id": env["ir.model"]._get_id("saas.instance"), "res_id": instance.id, "summary": "x", "user_id": manager.id,
     "activity_type_id": env.ref("mail.mail_activity_data_todo").id, "date_deadline": fields.Date.today() - timedelta(days=1)}
)
env.flush_all()
clone("mail_activity", todo.id, 200, res_id=f"{instances} + g * 7")
cr.commit()
cr._cnx.autocommit = True
cr.execute("VACUUM ANALYZE")
for table in ("sale_order", "sale_order_line", "account_move", "saas_part", "saas_instance", "saas_movement"):
    cr.execute(SQL("SELECT count(*) FROM %s", SQL.identifier(table)))
    print(f"{table}: {cr.fetchone()[0]:,}")
print("filled")
