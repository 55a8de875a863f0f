from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..const import PAID_STATES
from .payment_transaction import NO_PAYMENT
from .saas_fold import InvoiceFold


class AccountMove(models.Model):
    _inherit = "account.move"

    # payment_state has no date. It is a stored compute written from many places, so this one hangs on it.
    # The first time: it stays when the payment goes and comes again.
    saas_paid_on = fields.Datetime(string="Paid On", compute="_compute_saas_paid_on", store=True, copy=False)
    # “Reverse and create invoice” sets the payment free, and the new invoice has to be given it by hand.
    saas_paid_before = fields.Datetime(string="Paid Before the Reversal", copy=False, readonly=True)
    saas_replaced_move_id = fields.Many2one(
        "account.move", string="Made Instead Of", index="btree_not_null", copy=False, readonly=True
    )
    saas_replacement_ids = fields.One2many("account.move", "saas_replaced_move_id")
    saas_instance_ids = fields.Many2many(
        "saas.instance",
        "saas_instance_invoice_rel",
        "invoice_id",
        "instance_id",
        string="SaaS Instances",
        copy=False,
        readonly=True,
        groups="saas_bridge.group_user",
    )
    saas_instance_count = fields.Integer(compute="_compute_saas_instance_count")
    saas_can_create = fields.Boolean(compute="_compute_saas_can_create")

    _saas_write_date_idx = models.Index("(write_date) WHERE move_type IN ('out_invoice', 'out_refund')")

    @api.depends("payment_state")
    def _compute_saas_paid_on(self):
        now = fields.Datetime.now()
        for move in self:
            paid = move.move_type == "out_invoice" and (move.payment_state in PAID_STATES or move._saas_is_paid_with_credit())
            move.saas_paid_on = move.saas_paid_on or (paid and now)

    def _reverse_moves(self, default_values_list=None, cancel=False):
        self._saas_settle()
        paid = [(move, move.saas_paid_on) for move in self if cancel and move._saas_is_paid()]
        reverse_moves = super()._reverse_moves(default_values_list, cancel=cancel)
        for move, paid_on in paid:
            move.sudo().saas_paid_before = paid_on
        return reverse_moves

    @api.depends_context("uid")
    def _compute_saas_instance_count(self):
        for move in self:
            move.saas_instance_count = len(move._saas_instances())

    @api.depends("move_type", "state", "payment_state", "partner_id")
    def _compute_saas_can_create(self):
        for move in self:
            move.saas_can_create = move._saas_is_paid() and bool(move.partner_id)

    def action_post(self):
        for line in self.filtered(lambda move: move.move_type == "out_invoice").invoice_line_ids:
            if not line.sale_line_ids and (misfit := line._saas_plan_misfit()):
                raise UserError(misfit)
        return super().action_post()

    def _post(self, soft=True):
        for line in self.filtered(lambda move: move.move_type in ("out_invoice", "out_refund")).invoice_line_ids:
            if problem := line._saas_unit_problem():
                raise UserError(problem)
        return super()._post(soft)

    def button_draft(self):
        self._saas_settle()
        return super().button_draft()

    def button_cancel(self):
        self._saas_settle()
        return super().button_cancel()

    def _saas_settle(self):
        """Write down what the invoices pay, before something changes it."""
        moves = self.sudo().filtered(lambda move: move.move_type == "out_invoice" and move.saas_paid_on)
        moves.invoice_line_ids.sale_line_ids.order_id._saas_settle()
        lines = moves.invoice_line_ids.filtered(lambda line: line._saas_sold_plan() and not line.sale_line_ids)
        InvoiceFold(lines).work_out().write()

    def action_saas_create_instance(self):
        """Open a new instance filled in from the invoice; nothing is made until the person saves it."""
        self.ensure_one()
        self._check_saas_can_create()
        Instance = self.env["saas.instance"]
        buyer = self.sudo()._saas_buyer()
        customer = buyer.commercial_partner_id
        lines = sorted(self._saas_purchase_lines(), key=lambda line: bool(line.saas_instance_id))
        plan = lines[0]._saas_plan() if lines else self.env["product.template"]
        return {
            "type": "ir.actions.act_window",
            "name": _("Create instance"),
            "res_model": "saas.instance",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "current",
            "context": {
                "default_name": Instance._free_name(customer.name),
                "default_partner_id": customer.id,
                # An address for invoices is nobody who works with an Odoo.
                "default_contact_id": (customer if buyer.type in ("invoice", "delivery") else buyer).id,
                "default_plan_id": plan.id,
                "default_company_id": self.company_id.id,
                "default_sale_order_id": self.line_ids.sale_line_ids.order_id[:1].id,
                "default_invoice_ids": [(6, 0, self.ids)],
            },
        }

    def action_view_saas_instances(self):
        return self._saas_instances()._action_open()

    def _check_saas_can_create(self):
        self.ensure_one()
        if self.move_type != "out_invoice":
            raise UserError(_("An instance can be created from a customer invoice only."))
        if self.state != "posted":
            raise UserError(_("Confirm the invoice first: it is not posted."))
        if not self._saas_is_paid():
            raise UserError(_("The invoice %s is not paid.", self.name))
        if not self.partner_id:
            raise UserError(_("The invoice %s has no customer.", self.name))

    def _saas_is_paid(self):
        self.ensure_one()
        if self.move_type != "out_invoice" or self.state != "posted":
            return False
        return self.payment_state in PAID_STATES or self._saas_is_paid_with_credit()

    def _saas_is_paid_with_credit(self):
        """Whether the customer paid with a credit note of something else. Odoo calls the invoice reversed then, too."""
        self.ensure_one()
        credited = self._saas_matched_credit() if self.payment_state == "reversed" else self.browse()
        return bool(credited) and not any(self._saas_is_undone_by(credit) for credit in credited)

    def _saas_matched_credit(self):
        due = self.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        return due.matched_credit_ids.credit_move_id.move_id.filtered(lambda move: move.move_type == "out_refund")

    def _saas_is_undone_by(self, credit):
        self.ensure_one()
        if credit.reversed_entry_id:
            return credit.reversed_entry_id == self
        if ordered := credit.invoice_line_ids.sale_line_ids:
            return bool(ordered & self.invoice_line_ids.sale_line_ids)
        return bool(credit.invoice_line_ids.product_id & self.invoice_line_ids.filtered(lambda line: line._saas_sold_plan()).product_id)

    def _saas_is_waiting(self):
        self.ensure_one()
        return self.state == "draft" or bool(self.invoice_date_due and self.invoice_date_due >= fields.Date.today())

    def _saas_money(self):
        """What became of the money of the invoice, and which share of its total is there.

        "here": it is paid. "away": it is not, and no document says why. "back": it was given back, or the customer's
        bank took it back, or the invoice sells nothing any more.
        """
        self.ensure_one()
        payments = self.matched_payment_ids
        if payments and all(payment.state in ("canceled", "rejected") for payment in payments):
            return "back", 0.0
        if self._saas_is_paid():
            return "here", 1.0
        ordered = bool(self.invoice_line_ids.sale_line_ids)
        if self.state == "cancel":
            # What was ordered is to be invoiced again.
            return ("away" if ordered else "back"), 0.0
        if self.state == "posted" and self.payment_state == "reversed":
            money = self._saas_money_of_reversed(ordered)
            return money, 1.0 if money == "here" else 0.0
        if self.state == "posted" and self.amount_total > 0:
            return "away", 1 - self.amount_residual / self.amount_total
        return "away", 0.0

    def _saas_money_of_reversed(self, ordered):
        """The money of an undone invoice is still there for the one made instead, which has until its due date to get it."""
        made = self._saas_made_instead()
        if not made:
            return "back"
        if made.filtered(lambda move: move._saas_is_paid()):
            return "away" if ordered else "back"
        return "here" if any(move._saas_is_waiting() for move in made) else "away"

    def _saas_made_instead(self):
        """What “Reverse and create invoice” made of the invoice when it was paid: with it nothing was given back."""
        made = self.saas_replacement_ids if self.saas_paid_before else self.browse()
        return made.filtered(lambda move: move.state != "cancel")

    def _saas_paying_transactions(self):
        """Online payments that arrived for the invoices, or were matched with them."""
        transactions = self.transaction_ids | self.matched_payment_ids.payment_transaction_id
        transactions = transactions.filtered(lambda tx: tx.operation not in NO_PAYMENT)
        authorized = transactions.filtered(lambda tx: tx.source_transaction_id)
        transactions = transactions - authorized | authorized.source_transaction_id
        return transactions.filtered(lambda tx: bool(tx._saas_arrivals()))

    def _saas_refunded(self):
        """Money of the invoice that was given back without a word of what for: its last lines go first."""
        self.ensure_one()
        return self._saas_refunded_online() + sum(self._saas_unnamed_credit_lines().mapped("price_total"))

    def _saas_unnamed_credit_lines(self):
        """What credit notes of the invoice give back that is on none of its lines."""
        credited = self.reversal_move_ids.filtered(lambda move: move.state == "posted" and move.move_type == "out_refund")
        if not credited or self._saas_made_instead():
            return self.env["account.move.line"]
        own = {line.product_id or line.name for line in self.invoice_line_ids}
        return credited.invoice_line_ids.filtered(
            lambda line: line.display_type == "product" and not line.sale_line_ids and (line.product_id or line.name) not in own
        )

    def _saas_refunded_online(self):
        """Money of the invoice that went back by refunds of its online payments, less what credit notes say already.

        The payments of its orders are left out: what they pay goes with the order.
        """
        payments = self._saas_paying_transactions() - self.invoice_line_ids.sale_line_ids.order_id.transaction_ids
        if not payments._saas_refunds():
            return 0.0
        arrived = refunded = 0.0
        for tx in payments:
            # One payment of several invoices is theirs by their totals.
            total = sum(tx.invoice_ids.mapped("amount_total"))
            share = self.amount_total / total if self in tx.invoice_ids and total else 1.0
            money, back, currency, date, _gone = tx._saas_pot(self.env["sale.order"])
            rate = currency._convert(share, self.currency_id, self.company_id, date, round=False)
            arrived, refunded = arrived + money * rate, refunded + back * rate
        kept = min(self.amount_total, max(0.0, arrived - refunded))
        credited = self.reversal_move_ids | self.invoice_line_ids.sale_line_ids.invoice_lines.move_id.filtered(
            lambda move: not move.reversed_entry_id
        )
        credited = credited.filtered(lambda move: move.state == "posted" and move.move_type == "out_refund")
        return max(0.0, min(self.amount_total, arrived) - kept - sum(credited.mapped("amount_total")))

    def _saas_is_paid_back_online(self, order):
        """Whether the payments of an order that paid it were given back; Odoo leaves the invoice paid."""
        self.ensure_one()
        payments = self.matched_payment_ids.payment_transaction_id & order.transaction_ids
        if not payments or self.matched_payment_ids.filtered(lambda payment: not payment.payment_transaction_id):
            return False
        return all(tx._saas_pot(order)[-1] == "back" for tx in self._saas_paying_transactions())

    def _saas_paid_before_by(self, order):
        """Sources of the parts that payments of an order paid, and this invoice only says so again."""
        self.ensure_one()
        sources = [f"tx:{tx.id}" for tx in self._saas_paying_transactions() & order.transaction_ids]
        sources += [f"card:{line.id}" for line in self.invoice_line_ids.sale_line_ids & order._saas_card_lines()]
        if any(line.price_total < 0 and line.sale_line_ids.filtered("is_downpayment") for line in self.invoice_line_ids):
            down = order._saas_down_lines().move_id - self
            sources += [f"down:{move.id}" for move in down]
            sources += [f"tx:{tx.id}" for tx in down._saas_paying_transactions() & order.transaction_ids]
        return sources

    def _saas_pot(self, orders):
        """The down payment for the orders: as payment.transaction._saas_pot; its money may be "away", too."""
        self.ensure_one()
        state, _share = self._saas_money()
        lines = self.invoice_line_ids.filtered(
            lambda line: line.price_total > 0 and line.sale_line_ids.filtered("is_downpayment").order_id & orders
        )
        money, refunded = sum(lines.mapped("price_total")), 0.0
        if not self._saas_made_instead():
            credited = self.reversal_move_ids.filtered(lambda move: move.state == "posted" and move.move_type == "out_refund")
            refunded = sum(credited.mapped("amount_total")) + self._saas_refunded()
        if self.currency_id.compare_amounts(money, refunded) <= 0:
            state = "back"
        return money, refunded, self.currency_id, self.invoice_date or self.date, "" if state == "here" else state

    def _saas_said_by(self, orders):
        """Money of a down payment that came by online payments of the orders: Odoo makes an invoice for such a part."""
        self.ensure_one()
        payments = self._saas_paying_transactions() & orders.transaction_ids
        pots = [tx._saas_pot(orders) for tx in payments]
        return sum(currency._convert(money, self.currency_id, self.company_id, date, round=False) for money, _back, currency, date, _gone in pots)

    def _saas_pending_since(self):
        """Since when an online payment of the invoice is under way; False when it is paid, or when nobody pays."""
        self.ensure_one()
        if self.move_type != "out_invoice" or self.state != "posted" or self.payment_state in (*PAID_STATES, "reversed"):
            return False
        # Odoo books a payment that arrived some moments later.
        arrived = self.transaction_ids.filtered(
            lambda tx: tx.state == "done" and not tx.is_post_processed and tx.operation not in NO_PAYMENT
        )
        return self.transaction_ids._saas_pending_since() or min(arrived.mapped("last_state_change"), default=False)

    def _saas_purchase_lines(self):
        """The lines that sell a plan: an order line stands for the invoice lines made from it.

        Returns a list, because they are of two models.
        """
        lines = self.sudo().invoice_line_ids.filtered(lambda line: line._saas_plan())
        return [*lines.filtered(lambda line: not line.sale_line_ids), *lines.sale_line_ids]

    def _saas_instances(self):
        sudo = self.sudo()
        lines = sudo.invoice_line_ids
        return (
            sudo.saas_instance_ids | lines.saas_instance_id | lines.sale_line_ids.saas_instance_id
        ).sudo(False)
