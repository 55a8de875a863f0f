# For odoo shell: uses both addons, so that there is something to take away. What is bought stays: it is the shop's.
from odoo import fields

env["account.chart.template"].try_loading("generic_coa", env.company, install_demo=False)
user = env["saas.bridge.connect"].create({})._create_bridge_user()
env["res.users.apikeys"].with_user(user).sudo()._generate("rpc", "SaaS daemon", fields.Datetime.add(fields.Datetime.now(), days=30))
env.company.saas_user_id = env.user
env["ir.default"].set("product.template", "saas_storage_gb", 7)
plan = env["product.template"].create({"name": "Basic", "type": "service", "list_price": 10, "saas_plan": True, "saas_plan_code": "b"})
order = env["sale.order"].create(
    {"partner_id": env.user.partner_id.id, "order_line": [(0, 0, {"product_id": plan.product_variant_id.id})]}
)
order.action_confirm()
key = f"sol:{order.order_line.id}"
bridge = env["saas.bridge"].with_user(user)
bridge.poll()
values = {
    "name": "acme",
    "customer_id": order.partner_id.id,
    "plan_id": plan.id,
    "purchase_keys": [key],
    "state": "running",
    "subscription_state": "expiring_soon",
    "started_on": "2026-11-01 00:00:00",
    "paid_until": "2026-12-01 00:00:00",
}
message = {"code": "verbatim", "params": {"text": "x"}}
results = bridge.push(
    [
        {"op": "instance", "key": "i", "instance_key": key, "values": values},
        {"op": "log", "key": "l", "instance_key": key, "lines": ["x"]},
        {"op": "todo", "key": "p", "purchase_key": key, "message": message},
        {"op": "todo", "key": "a", "instance_key": key, "message": message},
        {"op": "summary", "key": "s", "message": message},
    ]
)
assert {result["status"] for result in results} == {"done"}, results
instance = env["saas.instance"].search([])
assert instance.renewal_order_id
order._create_invoices().action_post()
instance.action_stop()
instance.message_post(body="x", partner_ids=order.partner_id.ids)
env["saas.bridge.outage"].create({"since": fields.Datetime.now()})._tell()
env["ir.attachment"].create({"name": "of the instance", "res_model": "saas.instance", "res_id": instance.id, "raw": b"x"})
env["ir.filters"].create({"name": "mine", "model_id": "saas.instance"})
env.cr.commit()
print("used")
