import json
import logging
import re

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.tools import SQL, email_normalize_all

from ..const import PROTOCOL
from .saas_fold import InvoiceFold

_logger = logging.getLogger(__name__)

# write_date is when a transaction began: one that took long commits rows older than a cursor already passed.
OVERLAP_SECONDS = 120
# Odoo confirms a paid order by itself within seconds, if the customer's browser stays open. Two who confirm at the same
# moment end in a deadlock, and the customer's page shows it.
CONFIRM_AFTER_SECONDS = 10
CONFIRM_WITHIN_DAYS = 30
MAX_LIMIT = 2000
LOCK_TIMEOUT = "2s"

MODELS = {
    "plan": "product.template",
    "instance": "saas.instance",
    "sol": "sale.order.line",
    "aml": "account.move.line",
    "grant": "saas.grant",
}
KINDS = tuple(MODELS)
# A transaction, what it is a capture or refund of, and what that is a capture of.
FAMILY = SQL(
    """
    VALUES (tx.id), (tx.source_transaction_id),
           ((SELECT source.source_transaction_id FROM payment_transaction source WHERE source.id = tx.source_transaction_id))
    """
)
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
        # One record that somebody keeps locked must not keep all others from being told.
        self.env.cr.execute("SET LOCAL lock_timeout = %s", [LOCK_TIMEOUT])
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
            "server_time": fields.Datetime.to_string(fields.Datetime.now()),
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
        edge = since and SQL("%s::timestamp - make_interval(secs => %s)", since, OVERLAP_SECONDS)
        wanted = getattr(self, f"_{kind}_changed")(edge) if edge else SQL("TRUE")
        self.env.cr.execute(SQL("%s ORDER BY 1 LIMIT %s", getattr(self, f"_{kind}_query")(wanted, after), limit))
        return [row[0] for row in self.env.cr.fetchall()]

    @api.model
    def _rows(self, kind, ids):
        """The rows of records. One that an exception keeps from being told says so instead, and keeps back no other."""
        if not ids:
            return []
        records = self.env[MODELS[kind]].browse(ids)
        getattr(self, f"_{kind}_prefetch", lambda records: None)(records)
        folds = self._settled(records) if kind in ("sol", "aml") else {}
        build = getattr(self, f"_{kind}_row")
        rows = []
        for record in records:
            fold = folds.get(record)
            if isinstance(fold, psycopg2.errors.LockNotAvailable):
                # Somebody is at work on it: it is told when they are done, as any other change.
                continue
            if isinstance(fold, Exception):
                rows.append(self._problem_row(kind, record, fold))
                continue
            row = self._attempt(lambda: build(record, fold) if kind in ("sol", "aml") else build(record))  # noqa: B023
            rows.append(self._problem_row(kind, record, row) if isinstance(row, Exception) else row)
        return rows

    @api.model
    def _attempt(self, work, savepoint=False):
        """What the work returns, or its exception: it may run the code of every addon there is.

        Two that met go up, and Odoo repeats the whole call.
        """
        try:
            if not savepoint:
                return work()
            with self.env.cr.savepoint():
                return work()
        except psycopg2.errors.LockNotAvailable as error:
            if not savepoint:
                raise
            return error
        except (psycopg2.OperationalError, ConcurrencyError):
            raise
        except Exception as error:
            _logger.warning("A record cannot be told to the daemon", exc_info=True)
            return error

    @api.model
    def _problem_row(self, kind, record, error):
        reason = str(error.args[0] if isinstance(error, UserError) and error.args else repr(error))[:500]
        name = {"sol": "order_id", "aml": "move_id"}.get(kind)
        words = f"{record[name].name or ''}: {reason}" if name else reason
        identity = {"id": record.id} if kind in ("plan", "instance") else {"key": f"{kind}:{record.id}"}
        return {**identity, "problem": words}

    @api.model
    def _settled(self, lines):
        """By line, its Ledger as it is written down, or the exception that kept it from that."""
        if lines._name == "sale.order.line":
            documents, fold = lines.order_id, lambda orders: orders._saas_settle().ledgers
        else:
            documents, fold = lines, self._settle_invoice_lines
        ledgers = self._attempt(lambda: fold(documents), savepoint=True)
        if isinstance(ledgers, Exception):
            ledgers = {}
            for document in documents:
                found = self._attempt(lambda: fold(document), savepoint=True)  # noqa: B023
                own = document.order_line if document._name == "sale.order" else document
                ledgers |= dict.fromkeys(own, found) if isinstance(found, Exception) else found
        vanished = lines.saas_part_ids.filtered(lambda part: bool(part.lost) != part.told)
        self._attempt(vanished._tell_vanished, savepoint=True)
        return ledgers

    @api.model
    def _settle_invoice_lines(self, lines):
        fold = InvoiceFold(lines.filtered(lambda line: line._saas_sold_plan())).work_out()
        fold.write()
        return fold.ledgers

    @api.model
    def _sol_prefetch(self, lines):
        """All that the rows are made of, for the whole page at once."""
        orders = lines.order_id
        orders |= orders.transaction_ids.sale_order_ids
        self._fetch_parties(orders.partner_id)
        self._fetch_moves(orders.order_line.invoice_lines.move_id)
        self._fetch_transactions(orders.transaction_ids)
        self._fetch_lines(orders.order_line)

    @api.model
    def _aml_prefetch(self, lines):
        self._fetch_parties(lines.move_id.partner_id)
        self._fetch_moves(lines.move_id)
        self._fetch_lines(lines)

    # Reading one column of all records brings all their columns; a record that is reached alone later costs a query.

    @api.model
    def _fetch_parties(self, partners):
        (partners | partners.commercial_partner_id).mapped("name")

    @api.model
    def _fetch_lines(self, lines):
        lines.saas_part_ids.mapped("source")
        lines.saas_instance_id.mapped("key")
        lines.product_id.product_tmpl_id.mapped("saas_plan")
        lines.product_uom_id.mapped("factor")

    @api.model
    def _fetch_moves(self, moves):
        moves |= moves.reversal_move_ids | moves.saas_replacement_ids
        moves.mapped("move_type")
        credited = moves.filtered(lambda move: move.payment_state == "reversed")._saas_matched_credit()
        credited.invoice_line_ids.sale_line_ids.mapped("product_id")
        moves.invoice_line_ids.sale_line_ids.mapped("is_downpayment")
        moves.invoice_line_ids.product_uom_id.mapped("factor")
        moves.matched_payment_ids.mapped("state")
        self._fetch_transactions(moves.transaction_ids | moves.matched_payment_ids.payment_transaction_id)

    @api.model
    def _fetch_transactions(self, transactions):
        family = transactions | transactions.child_transaction_ids | transactions.source_transaction_id
        (family | family.child_transaction_ids).mapped("state")

    @api.model
    def _plan_changed(self, edge):
        return SQL("t.write_date >= %s", edge)

    @api.model
    def _plan_query(self, wanted, after):
        """What is a plan, was one (it still has the code), or is that of an instance."""
        return SQL(
            """
            SELECT t.id FROM product_template t
            WHERE t.id > %s AND %s
              AND (t.saas_plan OR t.saas_plan_code > '' OR EXISTS (SELECT 1 FROM saas_instance i WHERE i.plan_id = t.id AND i.state != 'deleted'))
            """,
            after,
            wanted,
        )

    @api.model
    def _instance_changed(self, edge):
        return SQL("i.write_date >= %s", edge)

    @api.model
    def _instance_query(self, wanted, after):
        return SQL(
            "SELECT i.id FROM saas_instance i WHERE i.id > %s AND %s",
            after,
            wanted,
        )

    @api.model
    def _grant_changed(self, edge):
        return SQL("g.write_date >= %s", edge)

    @api.model
    def _grant_query(self, wanted, after):
        return SQL(
            "SELECT g.id FROM saas_grant g WHERE g.id > %s AND %s",
            after,
            wanted,
        )

    @api.model
    def _sol_changed(self, edge):
        """A line changes with itself, its order, a payment or a refund of it, or an invoice or credit note made from it."""
        return SQL(
            """
            l.id IN (
                SELECT c.id FROM sale_order_line c WHERE c.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM sale_order co JOIN sale_order_line c ON c.order_id = co.id WHERE co.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM payment_transaction tx
                  CROSS JOIN LATERAL (%(family)s) paid(id)
                  JOIN sale_order_transaction_rel r ON r.transaction_id = paid.id
                  JOIN sale_order_line c ON c.order_id = r.sale_order_id
                 WHERE tx.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM payment_transaction tx
                  CROSS JOIN LATERAL (%(family)s) paid(id)
                  JOIN account_invoice_transaction_rel ir ON ir.transaction_id = paid.id
                  JOIN account_move_line ml ON ml.move_id = ir.invoice_id
                  JOIN sale_order_line_invoice_rel r ON r.invoice_line_id = ml.id
                  JOIN sale_order_line c ON c.id = r.order_line_id
                 WHERE tx.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM account_move m
                  JOIN account_move_line ml ON ml.move_id IN (m.id, m.reversed_entry_id)
                  JOIN sale_order_line_invoice_rel r ON r.invoice_line_id = ml.id
                  JOIN sale_order_line cl ON cl.id = r.order_line_id
                  JOIN sale_order_line c ON c.order_id = cl.order_id
                 WHERE m.move_type IN ('out_invoice', 'out_refund') AND m.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM account_payment pay
                  JOIN account_move__account_payment pr ON pr.payment_id = pay.id
                  JOIN account_move_line ml ON ml.move_id = pr.invoice_id
                  JOIN sale_order_line_invoice_rel r ON r.invoice_line_id = ml.id
                  JOIN sale_order_line cl ON cl.id = r.order_line_id
                  JOIN sale_order_line c ON c.order_id = cl.order_id
                 WHERE pay.write_date >= %(edge)s
                UNION ALL
                SELECT part.order_line_id FROM saas_part part WHERE part.write_date >= %(edge)s
            )
            """,
            edge=edge,
            family=FAMILY,
        )

    @api.model
    def _sol_query(self, wanted, after):
        """A quotation matters once somebody tried to pay it: also when the payment failed, so that its end is seen."""
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
            wanted,
        )

    @api.model
    def _aml_changed(self, edge):
        """An invoice line changes with its invoice, a payment or a credit note of it."""
        return SQL(
            """
            a.id IN (
                SELECT c.id FROM account_move cm
                  JOIN account_move_line c ON c.move_id IN (cm.id, cm.reversed_entry_id)
                 WHERE cm.move_type IN ('out_invoice', 'out_refund') AND cm.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM payment_transaction tx
                  CROSS JOIN LATERAL (%(family)s) paid(id)
                  JOIN account_invoice_transaction_rel ir ON ir.transaction_id = paid.id
                  JOIN account_move_line c ON c.move_id = ir.invoice_id
                 WHERE tx.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM account_move_line c WHERE c.saas_instance_id IS NOT NULL AND c.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM account_move_line c WHERE c.saas_keep_plan AND c.write_date >= %(edge)s
                UNION ALL
                SELECT c.id FROM account_payment pay
                  JOIN account_move__account_payment pr ON pr.payment_id = pay.id
                  JOIN account_move_line c ON c.move_id = pr.invoice_id
                 WHERE pay.write_date >= %(edge)s
                UNION ALL
                SELECT part.invoice_line_id FROM saas_part part WHERE part.write_date >= %(edge)s
            )
            """,
            edge=edge,
            family=FAMILY,
        )

    @api.model
    def _aml_query(self, wanted, after):
        """Only lines that were made without an order: an order's own line stands for the others."""
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
            wanted,
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
            "egress": plan.saas_egress or "web",
            "domains": plan.saas_domains,
            "sleep_after_hours": plan.saas_sleep_hours,
            "sleep_wakes_hourly": plan.saas_sleep_wakes,
            "modules": plan.saas_modules or "",
            "grace_days": plan.saas_grace_days,
            "retention_days": plan.saas_retention_days,
            "keep_daily": plan.saas_keep_daily,
            "keep_weekly": plan.saas_keep_weekly,
            "keep_monthly": plan.saas_keep_monthly,
            "trial": plan.saas_trial,
        }

    @api.model
    def _instance_row(self, instance):
        return {
            "id": instance.id,
            "created_on": self._datetime(instance.create_date),
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
            "delete_on": self._datetime(instance.delete_on),
            "storage_over_since": self._datetime(instance.storage_over_since),
            "requested": instance.requested,
            "domains": [domain._row() for domain in instance.domain_ids],
        }

    @api.model
    def _sol_row(self, line, ledger):
        order = line.order_id
        invoices = line._saas_invoice_lines().move_id.filtered(lambda move: move.state != "cancel")
        parts = line._saas_told_parts(ledger) if ledger else []
        paid = bool(parts) and all(part["paid_on"] and not part["vanished_on"] for part in parts)
        pending_since = line._saas_pending_since(paid=paid)
        state = "open" if parts else "cancelled"
        periods = line._saas_periods(line.product_uom_qty)
        since = order.saas_confirmed_on or order.date_order
        if order._saas_is_unconfirmed() and periods > 0 and pending_since and line._saas_sold_plan():
            state, since = "pending", pending_since
            parts = [self._ordered_part(periods, since)]
        return {
            **self._line_row(line, f"sol:{line.id}", state, parts),
            "document": order.name or "",
            "order_id": order.id,
            "invoice_ids": invoices.ids,
            "customer": self._customer_row(order.partner_id),
            "wanted_name": line.saas_wanted_name or "",
            "wanted_lang": line.saas_wanted_lang or "",
            "unit_price": line._saas_unit_price(
                periods, order.currency_id, order.saas_confirmed_on or order.date_order, order._saas_sold_lines()
            ),
            "pending_since": self._datetime(pending_since),
            "starts_on": self._datetime(since),
        }

    @api.model
    def _aml_row(self, line, ledger):
        move = line.move_id
        sold = line._saas_periods(line.quantity - line._saas_credited_quantity()) if ledger else 0.0
        parts = line._saas_told_parts(ledger) if ledger else []
        pending_since = move._saas_pending_since()
        state, since = "open" if parts else "cancelled", move.saas_paid_on or move.create_date
        if not parts and pending_since and sold > 0:
            state, since = "pending", pending_since
            parts = [self._ordered_part(sold, since)]
        return {
            **self._line_row(line, f"aml:{line.id}", state, parts),
            "document": move.name or "",
            "order_id": False,
            "invoice_ids": move.ids,
            "customer": self._customer_row(move.partner_id),
            "unit_price": line._saas_unit_price(
                line._saas_periods(line.quantity), move.currency_id, move.invoice_date or move.date, move.invoice_line_ids
            ),
            "pending_since": self._datetime(pending_since),
            "starts_on": self._datetime(since),
        }

    @api.model
    def _ordered_part(self, quantity, since):
        return {"key": "ordered:1", "quantity": quantity, "starts_on": since, "paid_on": False, "vanished_on": False}

    @api.model
    def _line_row(self, line, key, state, parts):
        plan = line.product_id.product_tmpl_id
        moments = ("starts_on", "paid_on", "vanished_on")
        return {
            "key": key,
            "created_on": self._datetime(line.create_date),
            "seller": self._seller_row(line.order_id if line._name == "sale.order.line" else line.move_id),
            "state": state,
            "plan_id": plan.id,
            "period_count": line.saas_period_count or plan.saas_period_count,
            "period_unit": line.saas_period_unit or plan.saas_period_unit or False,
            "instance_key": line.saas_instance_id.key or False,
            "additional": line.saas_additional,
            "keep_plan": line.saas_keep_plan,
            "list_price": line.saas_list_price,
            # What the buyer of an order chose.
            "wanted_name": "",
            "wanted_lang": "",
            "parts": [{**part, **{name: self._datetime(part[name]) for name in moments}} for part in parts],
        }

    @api.model
    def _grant_row(self, grant):
        date = self._datetime(grant.date)
        part = {"key": f"grant:{grant.id}", "quantity": grant.quantity, "starts_on": date, "paid_on": date, "vanished_on": False}
        return {
            "key": f"grant:{grant.id}",
            "created_on": self._datetime(grant.create_date),
            "state": "open" if grant.active else "cancelled",
            "document": grant.reason or "",
            "order_id": False,
            "invoice_ids": [],
            "customer": self._customer_row(grant.instance_id._person(), grant.instance_id.partner_id),
            "seller": self._seller_row(grant.instance_id),
            "plan_id": grant.plan_id.id or False,
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
            "starts_on": date,
            "parts": [part],
        }

    @api.model
    def _command_rows(self):
        return [
            {
                "id": command.id,
                "created_on": self._datetime(command.create_date),
                "instance_key": command.instance_id.key,
                "command": command.command,
                "requested_by": command.requested_by.name or "",
                "plan_id": command.command == "change_plan" and command.plan_id.id,
                **({"moment": self._datetime(command.moment)} if command.moment else {}),
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
            "created_on": self._datetime(customer.create_date),
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
    def _confirm_paid_orders(self, since, customer=None):
        """Confirm quotations whose payment arrived and whose buyer closed the browser too early.

        Not an order that staff took back to a quotation: they are at work on it.

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
                 WHERE tx.state = 'done' AND o.state IN ('draft', 'sent') AND o.saas_confirmed_on IS NULL AND t.saas_plan
                   AND tx.write_date >= %s
                   AND tx.last_state_change < now() AT TIME ZONE 'UTC' - make_interval(secs => %s)
                   AND %s
                """,
                edge or SQL("now() AT TIME ZONE 'UTC' - make_interval(days => %s)", CONFIRM_WITHIN_DAYS),
                CONFIRM_AFTER_SECONDS,
                self._is_order_of(customer) if customer else SQL("TRUE"),
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
            except psycopg2.errors.LockNotAvailable:
                _logger.info("Order %s is paid and waits for a lock", order.id)
            except (psycopg2.OperationalError, ConcurrencyError):
                raise
            except Exception:
                _logger.warning("Order %s is paid but cannot be confirmed", order.id, exc_info=True)
