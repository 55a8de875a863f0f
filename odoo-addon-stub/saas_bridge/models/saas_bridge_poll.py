import json
import logging
import re

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.tools import SQL, email_normalize_all

from ..const import PROTOCOL

_logger = logging.getLogger(__name__)

# write_date is when a transaction began: one that took long commits rows older than a cursor already passed.
OVERLAP_SECONDS = 120
# Odoo confirms a paid order by itself within seconds, if the customer's browser stays open. Two who confirm at the same
# moment end in a deadlock, and the customer's page shows it.
CONFIRM_AFTER_SECONDS = 10
CONFIRM_WITHIN_DAYS = 30
MAX_LIMIT = 2000

MODELS = {
    "plan": "product.template",
    "instance": "saas.instance",
    "sol": "sale.order.line",
    "aml": "account.move.line",
    "grant": "saas.grant",
}
KINDS = tuple(MODELS)
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


class SaasBridge(models.AbstractModel):
    _inherit = "saas.bridge"

    # One search for each kind, however many customers there are. Each asks a write_date index for what changed and
    # only then looks at the rows, so that a poll with nothing new reads a few index pages.

    @api.model
    def _poll(self, cursor, limit):
        position = self._read_cursor(cursor)
        limit = max(1, min(int(limit or 500), MAX_LIMIT))
        self.env.flush_all()
        self._confirm_paid_orders(position["since"])
        rows = {kind: [] for kind in KINDS}
        more = False
        room = limit
        for kind in KINDS[KINDS.index(position["kind"]) :]:
            if not room:
                position.update(kind=kind, after=0)
                more = True
                break
            after = position["after"] if kind == position["kind"] else 0
            ids = self._changed_ids(kind, position["since"], after, room + 1)
            more = len(ids) > room
            ids = ids[:room]
            rows[kind] = self._rows(kind, ids)
            room -= len(ids)
            if more:
                position.update(kind=kind, after=ids[-1])
                break
        if not more:
            position = {"since": position["next"]}
        return {
            "protocol": PROTOCOL,
            "cursor": json.dumps(position),
            "more": more,
            "plans": rows["plan"],
            "purchases": rows["sol"] + rows["aml"] + rows["grant"],
            "instances": rows["instance"],
            "commands": self._command_rows(),
        }

    @api.model
    def _read_cursor(self, cursor):
        """Where to go on. A cursor that cannot be read means a full pass: too much is safe, too little is not."""
        self.env.cr.execute("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')")
        [now] = self.env.cr.fetchone()
        position = {"since": False, "next": now, "kind": KINDS[0], "after": 0}
        try:
            given = json.loads(cursor) if cursor else {}
            since, following = given.get("since") or False, given.get("next") or now
            kind, after = given.get("kind") or KINDS[0], int(given.get("after") or 0)
            for value in (since, following):
                fields.Datetime.to_datetime(value and value.split(".")[0])
            if kind not in KINDS or not 0 <= after < 2**31:
                raise ValueError(kind)
        except (AttributeError, TypeError, ValueError):
            _logger.info("A poll came with a cursor that cannot be read: full pass")
            return position
        return {"since": since, "next": following, "kind": kind, "after": after}

    @api.model
    def _changed_ids(self, kind, since, after, limit):
        """Ids of the rows of a kind that changed since, or of all that matter; ascending, past `after`."""
        query = getattr(self, f"_{kind}_query")
        edge = since and SQL("%s::timestamp - make_interval(secs => %s)", since, OVERLAP_SECONDS)
        self.env.cr.execute(SQL("%s ORDER BY 1 LIMIT %s", query(edge, after), limit))
        return [row[0] for row in self.env.cr.fetchall()]

    @api.model
    def _rows(self, kind, ids):
        """A record too broken to be told is left out: it must not keep all the others from the daemon."""
        build, rows = getattr(self, f"_{kind}_row"), []
        for record in self.env[MODELS[kind]].browse(ids):
            try:
                rows.append(build(record))
            except (ArithmeticError, AttributeError, LookupError, TypeError, UserError, ValueError):
                _logger.exception("%s cannot be told to the daemon", record)
        return rows

    @api.model
    def _plan_query(self, edge, after):
        return SQL(
            """
            SELECT t.id FROM product_template t
            WHERE t.id > %s AND %s
              AND (t.saas_plan OR EXISTS (SELECT 1 FROM saas_instance i WHERE i.plan_id = t.id AND i.state != 'deleted'))
            """,
            after,
            SQL("t.write_date >= %s", edge) if edge else SQL("TRUE"),
        )

    @api.model
    def _instance_query(self, edge, after):
        return SQL(
            "SELECT i.id FROM saas_instance i WHERE i.id > %s AND %s",
            after,
            SQL("i.write_date >= %s", edge) if edge else SQL("TRUE"),
        )

    @api.model
    def _grant_query(self, edge, after):
        return SQL(
            "SELECT g.id FROM saas_grant g WHERE g.id > %s AND %s",
            after,
            SQL("g.write_date >= %s", edge) if edge else SQL("TRUE"),
        )

    @api.model
    def _sol_query(self, edge, after):
        """A line changes with itself, its order, a payment or a refund of it, or an invoice or credit note made from it.

        A quotation matters once somebody tried to pay it: also when the payment failed, so that its end is seen.
        """
        changed = SQL(
            """
            l.id IN (
                SELECT c.id FROM sale_order_line c WHERE c.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM sale_order co JOIN sale_order_line c ON c.order_id = co.id WHERE co.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM payment_transaction tx
                  CROSS JOIN LATERAL (VALUES (tx.id), (tx.source_transaction_id)) paid(id)
                  JOIN sale_order_transaction_rel r ON r.transaction_id = paid.id
                  JOIN sale_order_line c ON c.order_id = r.sale_order_id
                 WHERE tx.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM payment_transaction tx
                  CROSS JOIN LATERAL (VALUES (tx.id), (tx.source_transaction_id)) paid(id)
                  JOIN account_invoice_transaction_rel ir ON ir.transaction_id = paid.id
                  JOIN account_move_line ml ON ml.move_id = ir.invoice_id
                  JOIN sale_order_line_invoice_rel r ON r.invoice_line_id = ml.id
                  JOIN sale_order_line c ON c.id = r.order_line_id
                 WHERE tx.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM account_move m
                  JOIN account_move_line ml ON ml.move_id = m.id
                  JOIN sale_order_line_invoice_rel r ON r.invoice_line_id = ml.id
                  JOIN sale_order_line cl ON cl.id = r.order_line_id
                  JOIN sale_order_line c ON c.order_id = cl.order_id
                 WHERE m.move_type IN ('out_invoice', 'out_refund') AND m.write_date >= %(edge)s
            )
            """,
            edge=edge,
        )
        return SQL(
            """
            SELECT l.id FROM sale_order_line l
              JOIN sale_order o ON o.id = l.order_id
              JOIN product_product p ON p.id = l.product_id
              JOIN product_template t ON t.id = p.product_tmpl_id
             WHERE l.id > %s AND %s
               AND (t.saas_plan OR l.saas_instance_id IS NOT NULL)
               AND (o.saas_confirmed_on IS NOT NULL OR l.saas_instance_id IS NOT NULL OR EXISTS (
                   SELECT 1 FROM sale_order_transaction_rel r
                     JOIN payment_transaction tx ON tx.id = r.transaction_id
                    WHERE r.sale_order_id = o.id AND tx.state != 'draft'
               ))
            """,
            after,
            changed if edge else SQL("TRUE"),
        )

    @api.model
    def _aml_query(self, edge, after):
        """An invoice line changes with its invoice, a payment or a credit note of it; only lines made without an order."""
        changed = SQL(
            """
            a.id IN (
                SELECT c.id FROM account_move cm
                  JOIN account_move_line c ON c.move_id IN (cm.id, cm.reversed_entry_id)
                 WHERE cm.move_type IN ('out_invoice', 'out_refund') AND cm.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM payment_transaction tx
                  CROSS JOIN LATERAL (VALUES (tx.id), (tx.source_transaction_id)) paid(id)
                  JOIN account_invoice_transaction_rel ir ON ir.transaction_id = paid.id
                  JOIN account_move_line c ON c.move_id = ir.invoice_id
                 WHERE tx.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM account_move_line c WHERE c.saas_instance_id IS NOT NULL AND c.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM account_move_line c WHERE c.saas_keep_plan AND c.write_date >= %(edge)s
            )
            """,
            edge=edge,
        )
        return SQL(
            """
            SELECT a.id FROM account_move_line a
              JOIN account_move m ON m.id = a.move_id
              JOIN product_product p ON p.id = a.product_id
              JOIN product_template t ON t.id = p.product_tmpl_id
             WHERE a.id > %s AND %s
               AND m.move_type = 'out_invoice' AND a.display_type = 'product'
               AND (t.saas_plan OR a.saas_instance_id IS NOT NULL)
               AND (m.posted_before OR a.saas_instance_id IS NOT NULL)
               AND NOT EXISTS (SELECT 1 FROM sale_order_line_invoice_rel r WHERE r.invoice_line_id = a.id)
            """,
            after,
            changed if edge else SQL("TRUE"),
        )

    @api.model
    def _plan_row(self, plan):
        return {
            "id": plan.id,
            "code": plan.saas_plan_code or "",
            "name": plan.name or "",
            "names": {code: plan.with_context(lang=code).name or "" for code, _name in self.env["res.lang"].get_installed()},
            "active": plan.active and plan.saas_plan,
            "period_count": plan.saas_period_count,
            "period_unit": plan.saas_period_unit or False,
            "cpu": plan.saas_cpu,
            "memory_mb": plan.saas_memory_mb,
            "storage_gb": plan.saas_storage_gb,
            "max_users": plan.saas_max_users,
            "modules": plan.saas_modules or "",
            "grace_days": plan.saas_grace_days,
            "retention_days": plan.saas_retention_days,
            "trial": plan.saas_trial,
        }

    @api.model
    def _instance_row(self, instance):
        return {
            "id": instance.id,
            "key": instance.key,
            "name": instance.name,
            "customer": self._customer_row(instance._person(), instance.partner_id),
            "seller": self._seller_row(instance),
            "plan_id": instance.plan_id.id or False,
            "state": instance.state,
            "hold": instance.hold,
            "started_on": self._datetime(instance.started_on),
            "paid_until": self._datetime(instance.paid_until),
            "suspended_on": self._datetime(instance.suspended_on),
            "storage_over_since": self._datetime(instance.storage_over_since),
            "requested": instance.requested,
        }

    @api.model
    def _sol_row(self, line):
        order = line.order_id
        quantity = line.product_uom_qty - line._saas_credited_quantity()
        invoices = line.invoice_lines.move_id.filtered(lambda m: m.move_type == "out_invoice" and m.state != "cancel")
        reversed_all = bool(invoices) and all(move.payment_state == "reversed" for move in invoices)
        pending_since = line._saas_pending_since()
        state = "cancelled"
        if order.state in ("sale", "done") and quantity > 0 and not reversed_all:
            state = "open"
        elif order._saas_is_unconfirmed() and quantity > 0 and pending_since:
            state = "pending"
        starts_on = pending_since if state == "pending" else order.saas_confirmed_on or order.date_order
        unit_price = line._saas_unit_price(line.product_uom_qty, order.currency_id, order.saas_confirmed_on or order.date_order)
        return {
            **self._line_row(line, f"sol:{line.id}", state, quantity),
            "document": order.name or "",
            "order_id": order.id,
            "invoice_ids": invoices.ids,
            "customer": self._customer_row(order.partner_id),
            "wanted_name": line.saas_wanted_name or "",
            "wanted_lang": line.saas_wanted_lang or "",
            "unit_price": unit_price,
            "pending_since": self._datetime(pending_since),
            "starts_on": self._datetime(starts_on),
            "paid_on": self._datetime(state != "pending" and line._saas_paid_on()),
        }

    @api.model
    def _aml_row(self, line):
        move = line.move_id
        quantity = line.quantity - line._saas_credited_quantity()
        pending_since = move._saas_pending_since()
        state = "cancelled"
        if move._saas_is_paid() and quantity > 0:
            state = "open"
        elif pending_since and quantity > 0:
            state = "pending"
        starts_on = pending_since if state == "pending" else move.saas_paid_on or move.create_date
        return {
            **self._line_row(line, f"aml:{line.id}", state, quantity),
            "document": move.name or "",
            "order_id": False,
            "invoice_ids": move.ids,
            "customer": self._customer_row(move.partner_id),
            "unit_price": line._saas_unit_price(line.quantity, move.currency_id, move.invoice_date or move.date),
            "pending_since": self._datetime(pending_since),
            "starts_on": self._datetime(starts_on),
            "paid_on": self._datetime(move.saas_paid_on),
        }

    @api.model
    def _line_row(self, line, key, state, quantity):
        plan = line.product_id.product_tmpl_id
        return {
            "key": key,
            "seller": self._seller_row(line.order_id if line._name == "sale.order.line" else line.move_id),
            "state": state,
            "plan_id": plan.id,
            "quantity": max(0.0, quantity),
            "period_count": line.saas_period_count or plan.saas_period_count,
            "period_unit": line.saas_period_unit or plan.saas_period_unit or False,
            "instance_key": line.saas_instance_id.key or False,
            "additional": line.saas_additional,
            "keep_plan": line.saas_keep_plan,
            "list_price": line.saas_list_price,
            # What the buyer of an order chose.
            "wanted_name": "",
            "wanted_lang": "",
        }

    @api.model
    def _grant_row(self, grant):
        return {
            "key": f"grant:{grant.id}",
            "state": "open" if grant.active else "cancelled",
            "document": grant.reason or "",
            "order_id": False,
            "invoice_ids": [],
            "customer": self._customer_row(grant.instance_id._person(), grant.instance_id.partner_id),
            "seller": self._seller_row(grant.instance_id),
            "plan_id": grant.plan_id.id or False,
            "quantity": grant.quantity,
            "period_count": grant.period_count,
            "period_unit": grant.period_unit,
            "instance_key": grant.instance_id.key,
            "additional": False,
            "unit_price": grant.unit_price,
            "list_price": grant.unit_price,
            "wanted_name": "",
            "wanted_lang": "",
            "keep_plan": False,
            "pending_since": False,
            "starts_on": self._datetime(grant.date),
            "paid_on": self._datetime(grant.date),
        }

    @api.model
    def _command_rows(self):
        return [
            {
                "id": command.id,
                "instance_key": command.instance_id.key,
                "command": command.command,
                "requested_by": command.requested_by.name or "",
                "plan_id": command.command == "change_plan" and command.plan_id.id,
            }
            for command in self.env["saas.command"].search([("state", "=", "pending")], order="id")
        ]

    @api.model
    def _customer_row(self, contact, customer=None):
        customer = (customer or contact).commercial_partner_id
        if contact.commercial_partner_id != customer:
            contact = customer
        live = contact._saas_live_contact()
        if not contact.active:
            contact = live
        return {
            "id": customer.id,
            # A person who buys for a company without a contact of its own types its name in the checkout.
            "name": contact.commercial_company_name or customer.name or customer.display_name or "",
            "contact_id": contact.id,
            "contact_name": contact.name or customer.name or "",
            "email": live._saas_email(),
            "lang": contact.lang or customer.lang or "",
        }

    @api.model
    def _first_email(self, text):
        """People write several addresses in the one field: the first that is one, or nothing."""
        addresses = email_normalize_all((text or "").replace(";", ","))
        return next((address for address in addresses if EMAIL.fullmatch(address)), "")

    @api.model
    def _datetime(self, value):
        return fields.Datetime.to_string(value) if value else False

    @api.model
    def _confirm_paid_orders(self, since):
        """Confirm quotations whose payment arrived and whose buyer closed the browser too early.

        Odoo does it itself when the browser comes back, or some minutes later; a failing confirmation e-mail can
        keep it from doing so for ever.
        """
        edge = since and SQL("%s::timestamp - make_interval(secs => %s)", since, OVERLAP_SECONDS)
        self.env.cr.execute(
            SQL(
                """
                SELECT DISTINCT o.id
                  FROM payment_transaction tx
                  JOIN sale_order_transaction_rel r ON r.transaction_id = tx.id
                  JOIN sale_order o ON o.id = r.sale_order_id
                  JOIN sale_order_line l ON l.order_id = o.id
                  JOIN product_product p ON p.id = l.product_id
                  JOIN product_template t ON t.id = p.product_tmpl_id
                 WHERE tx.state = 'done' AND o.state IN ('draft', 'sent') AND t.saas_plan
                   AND tx.write_date >= %s
                   AND tx.last_state_change < now() AT TIME ZONE 'UTC' - make_interval(secs => %s)
                """,
                edge or SQL("now() AT TIME ZONE 'UTC' - make_interval(days => %s)", CONFIRM_WITHIN_DAYS),
                CONFIRM_AFTER_SECONDS,
            )
        )
        for order in self.env["sale.order"].browse(sorted(row[0] for row in self.env.cr.fetchall())):
            # Confirming runs the code of every addon there is: whatever goes wrong in it is that quotation's alone.
            try:
                with self.env.cr.savepoint():
                    # Whoever holds the row is Odoo doing the same: the next poll sees what came of it.
                    self.env.cr.execute(
                        "SELECT 1 FROM sale_order WHERE id = %s AND state IN ('draft', 'sent') FOR NO KEY UPDATE SKIP LOCKED",
                        [order.id],
                    )
                    if self.env.cr.fetchone() and order._saas_paid_by_transactions():
                        order.with_company(order.company_id).action_confirm()
            except (psycopg2.OperationalError, ConcurrencyError):
                raise
            except Exception:
                _logger.warning("Order %s is paid but cannot be confirmed", order.id, exc_info=True)
