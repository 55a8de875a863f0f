"""Nothing is silent: money and settings that no rule of the subscription can make sense of are a person's to-do."""

from datetime import timedelta

from odoo import _, api, fields, models
from odoo.tools import SQL

from .saas_bridge_poll import FAMILY

# The cron runs every ten minutes; what it missed while Odoo was down is seen all the same.
LOOK_BACK_DAYS = 2


def _share(part, whole):
    """Which share of a payment is for one of the documents that it pays."""
    return part / whole if whole > 0 else 1.0


class ProductTemplate(models.Model):
    _inherit = "product.template"

    saas_plan_warnings = fields.Text(string="Warnings of the Plan", compute="_compute_saas_plan_warnings")

    @api.depends("saas_plan", "invoice_policy")
    def _compute_saas_plan_warnings(self):
        for product in self:
            product.saas_plan_warnings = "\n".join(product._saas_plan_warnings().values()) or False

    def _saas_plan_warnings(self):
        """What is set on the plan that keeps it from being sold as one: {code: sentence}."""
        self.ensure_one()
        if not self.saas_plan:
            return {}
        warnings = {}
        if self.invoice_policy == "delivery":
            warnings["policy"] = _(
                "%s is invoiced by what was delivered, and nothing ever is: its orders are never invoiced, and stop when"
                " their trust ends. Set its invoicing policy to ordered quantities.",
                self.display_name,
            )
        if self._saas_is_set("available_in_pos"):
            warnings["pos"] = _(
                "%s is sold by the point of sale too, where nobody knows whose instance it is: such a sale makes none. Take"
                " it out there.",
                self.display_name,
            )
        if self._saas_is_set("recurring_invoice"):
            warnings["recurring"] = _(
                "%s is a recurring product of Odoo's subscriptions too: each of their invoices is one more period. Take that"
                " off, and let its customers renew.",
                self.display_name,
            )
        return warnings

    def _saas_is_set(self, fname):
        """A field of an app that need not be there."""
        return fname in self._fields and bool(self[fname])


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def action_confirm(self):
        result = super().action_confirm()
        for order in self.sudo():
            for line in order.order_line.filtered(lambda line: line._saas_plan()):
                for code in line._saas_plan()._saas_plan_warnings().keys() - {"pos"}:
                    order._saas_todo_once(
                        f"setting:{code}",
                        lambda document: document.order_line.browse(line.id)._saas_plan()._saas_plan_warnings().get(code, ""),  # noqa: B023
                    )
        return result

    def _saas_money(self):
        """What came in for the order, online and by payments of its invoices, less what was given back; in its currency.

        What pays several documents is theirs by their totals.
        """
        self.ensure_one()
        money = 0.0
        for tx in self._saas_payments():
            orders = tx.sale_order_ids.filtered(lambda order: order.state != "cancel") | self
            amounts = [self._saas_own_currency(one.amount, one) for one in tx._saas_arrivals()]
            amounts += [-self._saas_own_currency(abs(one.amount), one) for one in tx._saas_refunds()]
            money += sum(amounts) * _share(self.amount_total, sum(orders.mapped("amount_total")))
        payments = self.invoice_ids.filtered(lambda move: move.move_type == "out_invoice" and move.state == "posted").matched_payment_ids
        for payment in payments.filtered(lambda payment: not payment.payment_transaction_id and payment.state in ("in_process", "paid")):
            lines = payment.invoice_ids.invoice_line_ids
            own = lines.filtered(lambda line: line.sale_line_ids.order_id & self)
            share = _share(sum(own.mapped("price_total")), sum(lines.mapped("price_total")))
            money += self._saas_own_currency(payment.amount, payment) * share
        return money

    def _saas_own_currency(self, amount, record):
        day = fields.Date.to_date(record.date if record._name == "account.payment" else record.last_state_change or record.create_date)
        return record.currency_id._convert(amount, self.currency_id, self.company_id, day)

    def _saas_payment_problem(self):
        """What is wrong with the money of the order: `twice`, `part`, or ""."""
        self.ensure_one()
        money, compare = self._saas_money(), self.currency_id.compare_amounts
        if self.state == "cancel":
            return "cancelled" if compare(money, 0) > 0 else ""
        if compare(money, self.amount_total) > 0:
            return "twice"
        if self.transaction_ids._saas_pending_since() or compare(money, 0) <= 0 or compare(money, self.amount_total) == 0:
            return ""
        invoices = self.invoice_ids.filtered(lambda move: move.move_type == "out_invoice" and move.state == "posted")
        # An order may be invoiced bit by bit: then each invoice says whether it is paid.
        return "part" if not invoices or "partial" in invoices.mapped("payment_state") else ""

    def _saas_payment_text(self, problem):
        values = {
            "order": self.name,
            "money": self.currency_id.format(self._saas_money()),
            "total": self.currency_id.format(self.amount_total),
        }
        if problem == "twice":
            return _("%(order)s was paid more than once: %(money)s came in for %(total)s. Give the rest back, or sell more for it.", **values)
        if problem == "cancelled":
            return _("%(order)s was paid after it was cancelled: %(money)s came in. Give it back, or confirm the order again.", **values)
        return _("%(order)s is paid in part: %(money)s of %(total)s. Ask the customer for the rest, or give it back.", **values)


class AccountMove(models.Model):
    _inherit = "account.move"

    def _saas_online_money(self):
        """What came in online for the invoice alone, less what was refunded; in its currency."""
        self.ensure_one()
        money = 0.0
        for tx in self._saas_paying_transactions() - self.invoice_line_ids.sale_line_ids.order_id.transaction_ids:
            arrived, refunded, currency, date, _gone = tx._saas_pot(self.env["sale.order"])
            share = _share(self.amount_total, sum((tx.invoice_ids | self).mapped("amount_total")))
            money += currency._convert((arrived - refunded) * share, self.currency_id, self.company_id, date)
        return money

    def _saas_twice_text(self):
        return _(
            "%(invoice)s was paid more than once: %(money)s came in for %(total)s. Give the rest back, or sell more for it.",
            invoice=self.name,
            money=self.currency_id.format(self._saas_online_money()),
            total=self.currency_id.format(self.amount_total),
        )

    def _saas_receipt_text(self):
        return _(
            "%(receipt)s sells %(plan)s, and a receipt makes no instance. Invoice it to its customer, or give the money back.",
            receipt=self.name,
            plan=", ".join(self.invoice_line_ids.mapped(lambda line: line._saas_plan().display_name or "")).strip(", "),
        )

    def _saas_part_text(self):
        return _(
            "%(invoice)s is paid in part: %(rest)s of %(total)s are missing, and its plan waits for them.",
            invoice=self.name,
            rest=self.currency_id.format(self.amount_residual),
            total=self.currency_id.format(self.amount_total),
        )


class SaasDocument(models.AbstractModel):
    _inherit = "saas.document"

    def _saas_todo_once(self, what, text):
        """See _saas_todo; once for the document and `what`."""
        self.ensure_one()
        if self.env["saas.bridge.effect"].sudo()._claim(f"watch:{self._name}:{self.id}:{what}", "watch"):
            self.with_env(self.env["saas.bridge"].sudo()._as_superuser().env)._saas_todo(text)


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    @api.model_create_multi
    def create(self, vals_list):
        transactions = super().create(vals_list)
        if any(vals.get("state") == "done" for vals in vals_list):
            self.env["saas.bridge"]._watch_soon()
        return transactions

    def write(self, vals):
        result = super().write(vals)
        if vals.get("state") == "done":
            self.env["saas.bridge"]._watch_soon()
        return result


class SaasBridge(models.AbstractModel):
    _inherit = "saas.bridge"

    @api.model
    def _watch_soon(self):
        cron = self.env.ref("saas_bridge.ir_cron_watch_documents", raise_if_not_found=False)
        if cron:
            cron.sudo()._trigger()

    @api.model
    def _watch_documents(self):
        """Look at what was paid lately; called by the cron."""
        bridge = self._as_superuser()
        since = fields.Datetime.now() - timedelta(days=LOOK_BACK_DAYS)
        for order in bridge.env["sale.order"].browse(bridge._orders_paid_since(since)):
            if problem := order._saas_payment_problem():
                order._saas_todo_once(
                    f"{problem}:{order._saas_money():.2f}", lambda document: document._saas_payment_text(problem)  # noqa: B023
                )
        domain = [("move_type", "=", "out_invoice"), ("state", "=", "posted"), ("payment_state", "=", "partial"), ("write_date", ">=", since)]
        for move in bridge.env["account.move"].search(domain):
            if any(line._saas_plan() and not line.sale_line_ids for line in move.invoice_line_ids):
                move._saas_todo_once(f"part:{move.amount_residual:.2f}", lambda document: document._saas_part_text())
        bridge._watch_invoices_paid_online(since)
        receipts = [("move_type", "=", "out_receipt"), ("state", "=", "posted"), ("write_date", ">=", since)]
        for move in bridge.env["account.move"].search(receipts):
            if any(line._saas_plan() for line in move.invoice_line_ids):
                move._saas_todo_once("receipt", lambda document: document._saas_receipt_text())
        bridge._watch_point_of_sale(since)

    @api.model
    def _watch_invoices_paid_online(self, since):
        paid = [("state", "=", "done"), ("write_date", ">=", since), ("invoice_ids", "!=", False)]
        for move in self.env["payment.transaction"].search(paid).invoice_ids:
            if move.state != "posted" or not any(line._saas_plan() for line in move.invoice_line_ids):
                continue
            money = move._saas_online_money()
            if move.currency_id.compare_amounts(money, move.amount_total) > 0:
                move._saas_todo_once(f"twice:{money:.2f}", lambda document: document._saas_twice_text())

    @api.model
    def _orders_paid_since(self, since):
        """Of a cancelled order only what came after it was cancelled: else staff know what they cancelled."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT DISTINCT paid.id FROM (
                    SELECT r.sale_order_id AS id, tx.last_state_change AS moment FROM payment_transaction tx
                     CROSS JOIN LATERAL (%(family)s) family(id)
                      JOIN sale_order_transaction_rel r ON r.transaction_id = family.id
                     WHERE tx.write_date >= %(since)s AND tx.state = 'done'
                    UNION ALL
                    SELECT l.order_id, NULL FROM account_move m
                      JOIN account_move_line ml ON ml.move_id = m.id
                      JOIN sale_order_line_invoice_rel r ON r.invoice_line_id = ml.id
                      JOIN sale_order_line l ON l.id = r.order_line_id
                     WHERE m.move_type = 'out_invoice' AND m.write_date >= %(since)s
                ) paid
                JOIN sale_order o ON o.id = paid.id AND (o.state != 'cancel' OR paid.moment >= date_trunc('second', o.write_date))
                WHERE EXISTS (
                    SELECT 1 FROM sale_order_line l
                      JOIN product_product p ON p.id = l.product_id
                      JOIN product_template t ON t.id = p.product_tmpl_id
                     WHERE l.order_id = paid.id AND t.saas_plan
                )
                ORDER BY 1
                """,
                since=since,
                family=FAMILY,
            )
        )
        return [row[0] for row in self.env.cr.fetchall()]

    @api.model
    def _watch_point_of_sale(self, since):
        if "pos.order.line" not in self.env:
            return
        sold = [("product_id.product_tmpl_id.saas_plan", "=", True), ("create_date", ">=", since)]
        for line in self.env["pos.order.line"].search([*sold, ("order_id.state", "not in", ("draft", "cancel"))]):
            plan, receipt = line.product_id.product_tmpl_id, line.order_id
            # An invoice of it is a sale like any other.
            if receipt.account_move or not self.env["saas.bridge.effect"]._claim(f"watch:pos:{line.id}", "watch"):
                continue
            people = receipt.user_id.filtered("active") | self._saas_staff(receipt.company_id)
            self._schedule_todo(
                plan, people, lambda user: self.with_context(lang=user.lang or None)._pos_text(plan, receipt)  # noqa: B023
            )

    @api.model
    def _pos_text(self, plan, receipt):
        return _(
            "%(plan)s was sold by the point of sale (%(receipt)s), which makes no instance. Invoice it to its customer, or give the money back.",
            plan=plan.display_name,
            receipt=receipt.name,
        )

    @api.model
    def _hello_warnings(self):
        warnings = super()._hello_warnings()
        for plan in self.env["product.template"].search([("saas_plan", "=", True)]):
            warnings.extend(plan._saas_plan_warnings().values())
        return warnings
