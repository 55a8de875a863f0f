from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import SaasCommon


@tagged("post_install", "-at_install")
class TestPages(SaasCommon):
    """What the staff see of an instance, and from where."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.both = new_test_user(
            cls.env, "t-both", groups="saas_bridge.group_user,sales_team.group_sale_salesman", context={"no_reset_password": True}
        )

    def _serve(self, order, **values):
        self._push_instance(purchase_keys=[f"sol:{order.order_line.id}"], **values)
        return order.order_line.saas_instance_id

    def test_order_tells_what_becomes_of_it(self):
        order = self._order(confirm=False).with_user(self.salesman)
        self.assertFalse(order.saas_status)
        self.assertFalse(order.saas_status_html)
        order.action_confirm()
        self.assertEqual(order.saas_status, "preparing")
        instance = self._serve(order, state="provisioning")
        order.invalidate_recordset()
        self.assertEqual(order.saas_status, "preparing")
        self._serve(order, state="running", url="https://acme.example")
        order.invalidate_recordset()
        self.assertEqual(order.saas_status, "running")
        self.assertIn('href="https://acme.example"', order.saas_status_html)
        self.assertNotIn("/odoo/saas.instance/", order.saas_status_html, "who may not open it gets no link")
        self.assertIn(f"/odoo/saas.instance/{instance.id}", order.with_user(self.both).saas_status_html)
        self._serve(order, state="error", error_message="No <room>")
        order.invalidate_recordset()
        self.assertEqual(order.saas_status, "error")
        self.assertIn("No &lt;room&gt;", order.saas_status_html)

    def test_order_without_instance_says_why(self):
        order = self._order()
        with freeze_time(fields.Datetime.now() + timedelta(hours=1)):
            order.invalidate_recordset()
            self.assertEqual(order.saas_status, "unpaid")
        self._transaction(order)
        with freeze_time(fields.Datetime.now() + timedelta(hours=1)):
            order.invalidate_recordset()
            self.assertEqual(order.saas_status, "late")
        order._action_cancel()
        order.invalidate_recordset()
        self.assertFalse(order.saas_status)

    def test_order_of_anything_else_says_nothing(self):
        product = self.env["product.template"].create({"name": "Chair", "type": "service", "list_price": 5})
        order = self._order(plan=product)
        self.assertFalse(order.saas_status)

    def test_invoice_tells_too(self):
        invoice = self._invoice()
        self.assertEqual(invoice.saas_status, "unpaid")
        self._pay(invoice)
        invoice.invalidate_recordset()
        self.assertEqual(invoice.saas_status, "preparing")
        self._push_instance(key="aml:1", name="inv", purchase_keys=[f"aml:{invoice.invoice_line_ids.id}"], state="running")
        invoice.invalidate_recordset()
        self.assertEqual(invoice.saas_status, "running")

    def test_open_pages_are_told_of_a_change(self):
        order = self._order()
        instance = self._serve(order, state="provisioning")
        self.env["bus.bus"].search([]).unlink()
        self.env.cr.precommit.run()
        self.env["bus.bus"].search([]).unlink()
        self._serve(order, state="running")
        self.env.cr.precommit.run()
        sent = self.env["bus.bus"].search([("message", "like", "saas_bridge.changed")])
        self.assertEqual(len(sent), 1)
        self.assertIn(f'"saas.instance":[{instance.id}]', sent.message)
        self.assertIn(f'"sale.order":[{order.id}]', sent.message)
        self.assertNotIn("acme", sent.message, "numbers only: everybody inside hears it")

    def test_smart_buttons(self):
        order = self._order()
        instance = self._serve(order, state="running")
        second = self._order(saas_instance_id=instance.id)
        invoice = order._create_invoices()
        instance.invalidate_recordset()
        mine = instance.with_user(self.both)
        self.assertEqual((mine.order_count, mine.invoice_count), (2, 1))
        self.assertEqual(set(mine.action_view_orders()["domain"][0][2]), {order.id, second.id})
        self.assertEqual(mine.action_view_invoices()["res_id"], invoice.id)
        self.assertEqual(mine.action_view_customer()["res_id"], self.acme.id)
        self.assertEqual(self.ana.with_user(self.both).saas_instance_count, 1)

    def test_every_page_opens_for_every_group(self):
        instance = self._instance(state="error", error_message="x")
        self.env["sale.order"].search([], limit=1)
        order = self._order()
        self._serve(order, key=instance.key, name=instance.name, state="running")
        instance.invoice_ids = order._create_invoices()
        for user in (self.saas_user, self.both, self.saas_manager, new_test_user(self.env, "t-only", groups="saas_bridge.group_user")):
            for view in ("form", "list", "kanban"):
                with self.subTest(user=user.login, view=view):
                    arch = self.env["saas.instance"].with_user(user).get_views([(False, view)])
                    known = arch["models"]["saas.instance"]["fields"]
                    names = [name for name in known if f'name="{name}"' in arch["views"][view]["arch"]]
                    spec = {name: {"fields": {"display_name": {}}} if known[name]["type"] in ("many2one", "many2many") else {} for name in names}
                    self.env.invalidate_all()
                    self.assertTrue(instance.with_user(user).web_read(spec))
        with Form(self.env["saas.instance"].with_user(self.saas_user)) as form:
            form.name = "by-hand"
            form.partner_id = self.acme
            form.plan_id = self.plan

    def test_needs_attention(self):
        Instance = self.env["saas.instance"].with_user(self.saas_user)
        calm = self._instance(name="calm", state="running")
        error = self._instance(name="bad", state="error", error_message="No room")
        over = self._instance(name="over", state="running", users_used=99)
        going = self._instance(name="going", state="suspended", delete_on=fields.Datetime.now() + timedelta(days=3))
        todo = self._instance(name="todo", state="running")
        todo.activity_schedule("saas_bridge.mail_activity_type", user_id=self.saas_manager.id, summary="Look")
        slow = self._instance(name="slow", state="provisioning", requested=True)
        gone = self._instance(name="gone", state="deleted", users_used=99, delete_on=fields.Datetime.now())
        self.env.flush_all()
        self.env.cr.execute("UPDATE saas_instance SET write_date = write_date - interval '1 hour' WHERE id = %s", [slow.id])
        slow.invalidate_recordset()
        everything = calm | error | over | going | todo | slow | gone
        found = Instance.search([("attention", "!=", False), ("id", "in", everything.ids)])
        self.assertEqual(set(found.mapped("name")), {"bad", "over", "going", "todo", "slow"})
        self.assertEqual({instance.name for instance in everything if instance.attention}, set(found.mapped("name")))
        self.assertIn("No room", error.attention)
        self.assertIn("Look", todo.attention)

    def test_columns_are_in_the_order_of_a_life(self):
        states = ("error", "deleted", "running", "provisioning")
        ids = [self._instance(name=f"a-{state}", state=state).id for state in states]
        # As the kanban view asks.
        Instance = self.env["saas.instance"].with_context(read_group_expand=True)
        groups = Instance.web_read_group([("id", "in", ids)], ["state"])["groups"]
        self.assertEqual([group["state"] for group in groups], ["provisioning", "running", "error", "deleted"])

    def test_todos_of_the_server_are_found(self):
        order = self._order()
        self._push(
            {
                "op": "todo",
                "key": "p1",
                "purchase_key": f"sol:{order.order_line.id}",
                "message": {"code": "purchase_rejected", "params": {"reason": "No room"}},
            }
        )
        action = self.env["ir.actions.act_window"]._for_xml_id("saas_bridge.saas_todo_action")
        domain = self.env["ir.actions.act_window"].browse(action["id"]).domain
        todos = self.env["mail.activity"].search(eval(domain))  # noqa: S307
        self.assertIn(order.id, todos.filtered(lambda todo: todo.res_model == "sale.order").mapped("res_id"))

    def test_mine(self):
        order = self._order()
        instance = self._serve(order, state="running")
        self.assertEqual(instance.seller_id, self.salesman)
        order.user_id = self.both
        self.assertEqual(instance.seller_id, self.both)


@tagged("post_install", "-at_install")
class TestReport(SaasCommon):
    def _push_at(self, moment, **values):
        with freeze_time(moment):
            result = self._push_instance(**values)
        self.assertEqual((result["status"], result["message"]), ("done", ""))
        return self.env["saas.instance"].search([("key", "=", values.get("key", "sol:900"))])

    def _report(self, aggregates, groupby=("date:month",), domain=()):
        self.env.flush_all()
        rows = self.env["saas.report"].with_user(self.saas_manager)._read_group(
            [("company_id", "=", self.company.id), *domain], list(groupby), aggregates, order=groupby[0] if groupby else None
        )
        return {str(row[0])[:7]: row[1:] for row in rows} if groupby else rows[0]

    def _life(self, **extra):
        return {
            "name": "life",
            "state": "running",
            "subscription_state": "active",
            "paid_until": "2024-02-10 00:00:00",
            "last_payment_on": "2024-01-10 00:00:00",
            "started_on": "2024-01-10 00:00:05",
            **extra,
        }

    def test_life_of_a_subscription(self):
        self.env["saas.instance"].search([]).sudo().mapped("movement_ids").unlink()
        instance = self._push_at("2024-01-10 00:00:05", **self._life())
        self.assertTrue(instance.subscribed)
        self.assertAlmostEqual(instance.mrr, 10)
        self.assertEqual(instance.movement_ids.mapped("kind"), ["new"])
        paid = {"paid_until": "2024-03-10 00:00:00", "last_payment_on": "2024-02-09 00:00:00"}
        self._push_at("2024-02-09", **self._life(**paid))
        self._push_at("2024-03-10", **self._life(state="suspended", subscription_state="expired", **paid))
        self.assertFalse(instance.subscribed or instance.mrr)
        self._push_at("2024-04-02", **self._life(paid_until="2024-05-02 00:00:00", last_payment_on="2024-04-02 00:00:00"))
        self._push_at("2024-04-20", **self._life(state="error", error_message="x", paid_until="2024-05-02 00:00:00", last_payment_on="2024-04-02 00:00:00"))
        self.assertEqual(
            instance.movement_ids.sorted("id").mapped("kind"), ["new", "renewed", "churned", "returned", "failed"]
        )
        counts = ("mrr", "active_count", "new_count", "renewed_count", "churned_count", "returned_count", "failed_count")
        months = self._report([*(f"{name}:sum" for name in counts), "renewal_rate:avg"])
        self.assertEqual(months["2024-01"][:7], (10, 1, 1, 0, 0, 0, 0))
        self.assertFalse(months["2024-01"][7], "nothing ended: no rate")
        self.assertEqual(months["2024-02"][:7], (10, 1, 0, 1, 0, 0, 0))
        self.assertEqual(months["2024-02"][7], 100)
        self.assertEqual(months["2024-03"][:7], (0, 0, 0, 0, 1, 0, 0))
        self.assertEqual(months["2024-03"][7], 0)
        self.assertEqual(months["2024-04"][:7], (10, 1, 0, 0, 0, 1, 1))
        self.assertFalse(months["2024-04"][7])
        # Not forty: revenue of a month is not added up over months.
        self.assertEqual(self._report(["mrr:sum"], groupby=())[0], 10)

    def test_repeating_a_push_moves_nothing(self):
        instance = self._push_at("2024-01-10 00:00:05", **self._life())
        for _again in range(2):
            self._push_at("2024-01-11", **self._life())
        self.assertEqual(instance.movement_ids.mapped("kind"), ["new"])

    def test_trials_bring_nothing_until_they_are_bought(self):
        trial = self._plan("Trial", "t-trial-r", list_price=0, saas_trial=True)
        instance = self._push_at("2024-01-10", **self._life(plan_id=trial.id))
        self.assertFalse(instance.subscribed or instance.movement_ids)
        self._push_at("2024-01-20", **self._life(plan_id=self.plan.id, paid_until="2024-02-20 00:00:00"))
        self.assertEqual(instance.movement_ids.mapped("kind"), ["new"])

    def test_days_given_by_staff_are_no_renewal(self):
        instance = self._push_at("2024-01-10", **self._life())
        grant = self.env["saas.grant"].create({"instance_id": instance.id, "reason": "sorry", "date": "2024-01-12 00:00:00"})
        self._push_at("2024-01-12", **self._life(paid_until="2024-03-10 00:00:00", last_payment_on=str(grant.date)))
        self.assertEqual(instance.movement_ids.mapped("kind"), ["new"])

    def test_a_year_is_twelve_months_of_revenue(self):
        yearly = self._plan("Yearly", "t-year", list_price=120, saas_period_unit="year")
        instance = self._push_at("2024-01-10", **self._life(plan_id=yearly.id))
        self.assertAlmostEqual(instance.mrr, 10)
        yearly.list_price = 240
        self.assertAlmostEqual(instance.mrr, 20, msg="today's price list")

    def test_taxes_are_no_revenue(self):
        tax = self.env["account.tax"].create({"name": "21 % in", "amount": 21, "price_include_override": "tax_included"})
        plan = self._plan("Taxed", "t-taxed", list_price=12.1, taxes_id=[(6, 0, tax.ids)])
        instance = self._push_at("2024-01-10", **self._life(plan_id=plan.id))
        self.assertAlmostEqual(instance.mrr, 10)

    def test_provisioning_time_is_of_the_first_start(self):
        order = self._order(confirm=False)
        with freeze_time("2024-01-10 10:00:00"):
            order.action_confirm()
        key = f"sol:{order.order_line.id}"
        instance = self._push_at("2024-01-10 10:00:07", **self._life(key=key, purchase_keys=[key], started_on="2024-01-10 10:00:07"))
        self.assertEqual(instance.provision_seconds, 7)
        order.write({"date_order": "2024-01-01 00:00:00"})
        self._push_at("2024-01-11", **self._life(key=key, started_on="2024-01-10 11:00:00"))
        self.assertEqual(instance.provision_seconds, 7)

    def test_provisioning_counts_from_the_payment_where_that_came_later(self):
        order = self._order(confirm=False)
        with freeze_time("2024-01-10 10:00:00"):
            order.action_confirm()
        self._transaction(order, last_state_change="2024-01-12 10:00:00")
        key = f"sol:{order.order_line.id}"
        instance = self._push_at("2024-01-12 10:00:04", **self._life(key=key, started_on="2024-01-12 10:00:04"))
        self.assertEqual(instance.provision_seconds, 4)

    def test_median(self):
        for number, seconds in enumerate((3, 4, 500)):
            self._instance(name=f"p{number}", started_on="2024-01-10 10:00:00", state="running").provision_seconds = seconds
        median = self._report(["provision_seconds:avg"], groupby=(), domain=[("provision_seconds", ">", 0)])
        self.assertEqual(median[0], 4)

    def test_reports_are_of_ones_own_company(self):
        self._push_at("2024-01-10", **self._life())
        company = self.env["res.company"].create({"name": "Other"})
        other = new_test_user(
            self.env, "t-other-m", groups="saas_bridge.group_manager", company_id=company.id, company_ids=[(6, 0, company.ids)]
        )
        for model in ("saas.report", "saas.movement"):
            with self.subTest(model=model):
                self.env.flush_all()
                self.assertEqual(self.env[model].search([]).company_id, self.company)
                self.assertTrue(self.env[model].with_user(self.saas_manager).search_count([]))
                self.assertFalse(self.env[model].with_user(other).search_count([]))

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_figures_are_for_managers(self):
        for user in (self.saas_user, self.salesman):
            with self.assertRaises(AccessError):
                self.env["saas.report"].with_user(user).search([])
        instance = self._push_at("2024-01-10", **self._life())
        for user in (self.saas_user, self.saas_manager):
            with self.assertRaises(AccessError):
                instance.movement_ids.with_user(user).write({"mrr": 1})
            with self.assertRaises(AccessError):
                instance.movement_ids.with_user(user).unlink()
