# For odoo shell: what each page of the addon and each poll of the daemon costs in the database of fill.py.
import json
import time

from lxml import etree
from werkzeug.test import Client

from odoo import http
from odoo.tools.safe_eval import datetime, dateutil, safe_eval

MOST = 0.5
# What the domain of a filter may use.
NAMES = {"context_today": datetime.date.today, "datetime": datetime, "relativedelta": dateutil.relativedelta.relativedelta}
manager = env["res.users"].search([("login", "=", "manager")])
bridge_user = env.ref("saas_bridge.user_bridge")
rows = []


def measure(what, work):
    """The quicker of two: the first one fills what Odoo remembers between requests."""
    best, queries = None, None
    for _again in range(2):
        env.invalidate_all()
        before, begin = env.cr.sql_log_count, time.monotonic()
        try:
            work()
        except Exception as error:
            env.cr.rollback()
            rows.append((f"{what}: {error!r}"[:60], float("inf"), None))
            return
        took = time.monotonic() - begin
        if best is None or took < best:
            best, queries = took, env.cr.sql_log_count - before
    rows.append((what, best, queries))


def specification(arch, model):
    names = {node.get("name") for node in arch.iter("field") if not [up for up in node.iterancestors() if up.tag == "field"]}
    relations = ("many2one", "many2many", "one2many")
    return {name: {"fields": {"display_name": {}}} if model._fields[name].type in relations else {} for name in names if name in model._fields}


def names_of(arch, model, types):
    nodes = [node for node in arch.iter("field") if node.get("type", "") in types]
    return [in_steps(node.get("name"), model, node.get("interval")) for node in nodes if model._fields[node.get("name")].store]


def in_steps(name, model, interval=None):
    """Dates are grouped by month, as the web client does."""
    if ":" in name or model._fields[name.split(".")[0]].type not in ("date", "datetime"):
        return name
    return f"{name}:{interval or 'month'}"


def look(action, user):
    """Each view of a menu, and each filter of its search."""
    model = env[action.res_model].with_user(user).with_context(safe_eval(action.context or "{}", {"uid": user.id}))
    domain = safe_eval(action.domain or "[]", {"uid": user.id})
    kinds = [(view.view_id.id or False, view.view_mode) for view in action.view_ids] or [(False, kind) for kind in action.view_mode.split(",")]
    views = model.get_views([*kinds, (action.search_view_id.id or False, "search")])["views"]
    for kind, view in views.items():
        arch = etree.fromstring(view["arch"])
        what = f"{action.name}: {kind}"
        if kind in ("list", "kanban"):
            spec = specification(arch, model)
            measure(what, lambda: model.web_search_read(domain, spec, limit=80, count_limit=10001))  # noqa: B023
            if group := arch.get("default_group_by"):
                measure(f"{what} by {group}", lambda: model.web_read_group(domain, [group], unfold_read_specification=spec, auto_unfold=True))  # noqa: B023
        elif kind in ("graph", "pivot"):
            groups = names_of(arch, model, ("row", "col", "")) if kind == "graph" else names_of(arch, model, ("row", "col"))
            measured = [name for name in names_of(arch, model, ("measure",)) if ":" not in name] or ["__count"]
            sums = [name if name == "__count" else f"{name}:{model._fields[name].aggregator or 'sum'}" for name in measured]
            groups = [name for name in groups if name not in measured]
            measure(what, lambda: model.formatted_read_group(domain, groups, sums))  # noqa: B023
        elif kind == "search" and "list" in views:
            spec = specification(etree.fromstring(views["list"]["arch"]), model)
            for node in arch.iter("filter"):
                label = f"{action.name}: filter {node.get('string') or node.get('name')}"
                if node.get("domain"):
                    wanted = domain + safe_eval(node.get("domain"), {**NAMES, "uid": user.id})
                    measure(label, lambda: model.web_search_read(wanted, spec, limit=80, count_limit=10001))  # noqa: B023
                elif "group_by" in node.get("context", ""):
                    group = safe_eval(node.get("context"), {"uid": user.id})["group_by"]
                    group = [in_steps(name, model) for name in ([group] if isinstance(group, str) else group)]
                    if all(model._fields[name.split(":")[0].split(".")[0]].type != "properties" for name in group):
                        measure(label, lambda: model.web_read_group(domain, group, limit=80))  # noqa: B023


for action in env["ir.actions.act_window"].browse(
    env["ir.model.data"].search([("module", "=", "saas_bridge"), ("model", "=", "ir.actions.act_window")]).mapped("res_id")
):
    if {"list", "kanban", "graph", "pivot"} & set(action.view_mode.split(",")):
        look(action, manager)
for name in ("sale.action_orders", "account.action_move_out_invoice_type"):
    look(env.ref(name), manager)

instance = env["saas.instance"].search([("state", "=", "running")], limit=1)
form = specification(etree.fromstring(env["saas.instance"].with_user(manager).get_views([(False, "form")])["views"]["form"]["arch"]), instance)
measure("one instance: form", lambda: instance.with_user(manager).web_read(form))

bridge = env["saas.bridge"].with_user(bridge_user)
env.cr.execute("SELECT to_char(now() AT TIME ZONE 'UTC' + interval '10 minutes', 'YYYY-MM-DD HH24:MI:SS')")
[later] = env.cr.fetchone()
line = env["sale.order.line"].search([("saas_instance_id", "!=", False)], limit=1, offset=20000, order="id")
measure("poll: nothing changed", lambda: bridge.poll(json.dumps({"since": later}), 500))
measure("poll: a page of 500 order lines", lambda: bridge.poll(json.dumps({"since": False, "kind": "sol", "after": line.id}), 500))
measure("poll: a page of 500 instances", lambda: bridge.poll(json.dumps({"since": False, "kind": "instance", "after": instance.id}), 500))
env.cr.commit()


def page(login, path):
    user = env["res.users"].search([("login", "=", login)])
    session = http.root.session_store.new()
    session.update(http.get_default_session(), db=env.cr.dbname, uid=user.id, login=login)
    session.context = dict(user.with_user(user).context_get())
    session.session_token = user.with_user(user)._compute_session_token(session.sid)
    http.root.session_store.save(session)
    client = Client(http.root)
    client.set_cookie("session_id", session.sid)
    response = client.get(path)
    assert response.status_code == 200, (path, response.status)


for path in ("/my", "/my/instances", "/my/instances/page/2"):
    measure(f"page {path}", lambda: page("buyer", path))  # noqa: B023
    # Its queries are those of another connection.
    rows[-1] = (*rows[-1][:2], None)

print(f"{'':60} {'seconds':>8} {'queries':>8}")
for what, seconds, queries in rows:
    print(f"{'SLOW ' if seconds > MOST else ''}{what:{55 if seconds > MOST else 60}} {seconds:8.3f} {'' if queries is None else queries:>8}")
slow = [what for what, seconds, _queries in rows if seconds > MOST]
print(f"{len(rows)} measured, {len(slow)} over {MOST} s")
print("measured")
