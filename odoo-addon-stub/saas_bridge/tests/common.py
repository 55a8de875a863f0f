import json
import xmlrpc.client

from odoo import fields
from odoo.tests import TransactionCase, new_test_user

from .schema import operation_problems, reply_problems

TABLES = (
    "sale_order",
    "sale_order_line",
    "account_move",
    "account_move_line",
    "payment_transaction",
    "product_template",
    "saas_instance",
    "saas_grant",
    "saas_part",
    "account_payment",
)


class SaasCommon(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        if not cls.company.chart_template:
            cls.env["account.chart.template"].try_loading("generic_coa", cls.company, install_demo=False)
        users = cls.env(context=dict(cls.env.context, no_reset_password=True))
        cls.bridge_user = new_test_user(users, "t-bridge", groups="saas_bridge.group_bridge")
        cls.saas_user = new_test_user(users, "t-user", groups="saas_bridge.group_user,account.group_account_invoice")
        cls.saas_manager = new_test_user(users, "t-manager", groups="saas_bridge.group_manager")
        cls.salesman = new_test_user(users, "t-sales", groups="sales_team.group_sale_salesman")
        cls.plan = cls._plan("Basic", "t-basic")
        cls.acme = cls.env["res.partner"].create(
            {"name": "Acme, S.A.", "is_company": True, "email": "info@acme.example", "lang": "en_US"}
        )
        cls.ana = cls.env["res.partner"].create({"name": "Ana", "parent_id": cls.acme.id, "lang": "en_US"})
        cls.bridge = cls.env["saas.bridge"].with_user(cls.bridge_user)
        cls._daemon_heard()

    @classmethod
    def _daemon_heard(cls, **ago):
        """The daemon was heard of for the last time so long ago; without a time: now."""
        moment = fields.Datetime.subtract(fields.Datetime.now(), **ago)
        cls.env["saas.bridge.heartbeat"].search([]).unlink()
        return cls.env["saas.bridge.heartbeat"].create({"heard_on": moment}).heard_on

    @classmethod
    def _plan(cls, name, code, **values):
        return cls.env["product.template"].create(
            {
                "name": name,
                "type": "service",
                "list_price": 10,
                "taxes_id": [(5,)],
                "invoice_policy": "order",
                "saas_plan": True,
                "saas_plan_code": code,
                **values,
            }
        )

    @classmethod
    def _order(cls, partner=None, quantity=1, confirm=True, plan=None, **line):
        order = cls.env["sale.order"].create(
            {
                "partner_id": (partner or cls.ana).id,
                "user_id": cls.salesman.id,
                "order_line": [
                    (
                        0,
                        0,
                        {
                            "product_id": (plan or cls.plan).product_variant_id.id,
                            "product_uom_qty": quantity,
                            **line,
                        },
                    )
                ],
            }
        )
        if confirm:
            order.action_confirm()
        return order

    @classmethod
    def _invoice(cls, partner=None, post=True, product=None, quantity=1):
        invoice = cls.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": (partner or cls.ana).id,
                "invoice_date": fields.Date.today(),
                "invoice_line_ids": [
                    (
                        0,
                        0,
                        {
                            "product_id": (product or cls.plan.product_variant_id).id,
                            "quantity": quantity,
                            "price_unit": 10,
                            "tax_ids": [(5,)],
                        },
                    )
                ],
            }
        )
        if post:
            invoice.action_post()
        return invoice

    @classmethod
    def _pay(cls, invoices):
        cls.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoices.ids
        ).create({}).action_create_payments()
        cls.env.flush_all()

    @classmethod
    def _transaction(cls, order, amount=None, state="done", operation="online_direct", **values):
        provider = cls.env["payment.provider"].search([("company_id", "=", cls.company.id)], limit=1)
        provider = provider or cls.env["payment.provider"].create(
            {"name": "Dummy", "code": "none", "company_id": cls.company.id}
        )
        return cls.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": cls.env.ref("payment.payment_method_unknown").id,
                "reference": f"{order.name}-{cls.env['payment.transaction'].search_count([])}",
                "amount": order.amount_total if amount is None else amount,
                "currency_id": order.currency_id.id,
                "partner_id": order.partner_id.id,
                "operation": operation,
                "state": state,
                "sale_order_ids": [(6, 0, order.ids)],
                **values,
            }
        )

    @classmethod
    def _instance(cls, name="acme", **values):
        return cls.env["saas.instance"].create(
            {"name": name, "partner_id": cls.acme.id, "plan_id": cls.plan.id, **values}
        )

    @classmethod
    def _authorize(cls, transaction):
        """As a provider that captures later does; the one of the tests cannot."""
        transaction.flush_recordset()
        cls.env.cr.execute(
            "UPDATE payment_transaction SET state = 'authorized', last_state_change = %s, write_date = %s WHERE id = %s",
            [fields.Datetime.now(), cls.env.cr.now(), transaction.id],
        )
        transaction.invalidate_recordset()

    def _poll(self, cursor=False, **kwargs):
        self.env.flush_all()
        reply = self.bridge.poll(cursor, **kwargs)
        self._assert_no_none(reply)
        self.assertEqual(reply_problems("poll", reply), [])
        return reply

    @staticmethod
    def _made_on(record):
        return fields.Datetime.to_string(record.create_date)

    def _purchase(self, record, cursor=False):
        kind = {"sale.order.line": "sol", "account.move.line": "aml", "saas.grant": "grant"}[record._name]
        rows = [row for row in self._poll(cursor, limit=2000)["purchases"] if row["key"] == f"{kind}:{record.id}"]
        self.assertLessEqual(len(rows), 1)
        return rows[0] if rows else None

    @staticmethod
    def _quantity(row):
        """Periods of all parts of a purchase."""
        return round(sum(part["quantity"] for part in row["parts"]), 6)

    @staticmethod
    def _paid_on(row):
        """When a purchase was paid in full; False while it is not."""
        parts = row["parts"]
        paid = parts and all(part["paid_on"] and not part["vanished_on"] for part in parts)
        return max(part["paid_on"] for part in parts) if paid else False

    def _parts(self, record, cursor=False):
        """(key, periods, paid on, vanished) of each part of a purchase."""
        row = self._purchase(record, cursor)
        return [
            (part["key"], round(part["quantity"], 6), part["paid_on"], bool(part["vanished_on"])) for part in row["parts"]
        ]

    def _push(self, *operations):
        results = self.bridge.push(list(operations))
        self._assert_no_none(results)
        self.assertEqual(reply_problems("push", results), [])
        for operation, result in zip(operations, results, strict=True):
            # What a test makes up must be what a daemon may send.
            if result["status"] != "refused":
                self.assertEqual(operation_problems(operation), [])
        self.assertEqual([row["key"] for row in results], [operation["key"] for operation in operations])
        self.env.flush_all()
        return results

    def _push_instance(self, key="sol:900", operation="instance:1", **values):
        defaults = {"name": "acme", "customer_id": self.acme.id, "contact_id": self.ana.id, "plan_id": self.plan.id}
        return self._push(
            {"key": operation, "op": "instance", "instance_key": key, "values": {**defaults, **values}}
        )[0]

    def _since_now(self):
        """A cursor after which nothing has changed: all that is there is made a day older."""
        self.env.flush_all()
        for table in TABLES:
            self.env.cr.execute(f"UPDATE {table} SET write_date = write_date - interval '1 day'")
        self.env.invalidate_all()
        cursor = self._poll(json.dumps({"since": fields.Datetime.to_string(self.env.cr.now())}))["cursor"]
        reply = self._poll(cursor)
        self.assertFalse(reply["plans"] or reply["purchases"] or reply["instances"])
        return cursor

    def _assert_no_none(self, value):
        xmlrpc.client.dumps((value,), allow_none=False)
