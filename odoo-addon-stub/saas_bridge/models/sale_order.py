from odoo import _, api, fields, models
from odoo.exceptions import UserError

from .payment_transaction import NO_PAYMENT
from .saas_fold import OrderFold


class SaleOrder(models.Model):
    _inherit = "sale.order"

    # date_order at the moment of the confirmation; date_order itself can be edited afterwards. Kept when the order
    # is cancelled: that it was confirmed once is why the daemon must hear of the end.
    saas_confirmed_on = fields.Datetime(
        string="Confirmed On", compute="_compute_saas_confirmed_on", store=True, copy=False
    )
    saas_instance_count = fields.Integer(compute="_compute_saas_instance_count")

    # The daemon asks every few seconds what changed: the answer must come from an index.
    _saas_write_date_idx = models.Index("(write_date)")

    @api.depends("state")
    def _compute_saas_confirmed_on(self):
        for order in self:
            if order._saas_is_live():
                # An order that was cancelled and is confirmed again was confirmed the first time.
                order.saas_confirmed_on = order.saas_confirmed_on or order.date_order
            else:
                order.saas_confirmed_on = order.saas_confirmed_on

    def _compute_saas_instance_count(self):
        for order in self:
            order.saas_instance_count = len(order._saas_instances())

    def write(self, vals):
        result = super().write(vals)
        if "partner_id" in vals:
            self.sudo()._warn_of_trial_in_cart()
        return result

    def _send_order_notification_mail(self, *args, **kwargs):
        """All is written before the mail is rendered.

        Odoo writes what is pending as soon as a template reads something. Where another transaction changed the order in
        that moment, this would be an error of the template, after which the page of the payment asks no more; now it is
        one of the database, after which Odoo tries again.
        """
        self.env.flush_all()
        return super()._send_order_notification_mail(*args, **kwargs)

    def _warn_of_trial_in_cart(self):
        """A visitor who filled the cart logs in, and turns out to have had a trial. The page of the cart shows it."""
        for order in self.filtered(lambda order: order._saas_is_cart()):
            problem = order._saas_trial_problem()
            if problem and "shop_warning" in order._fields:
                order.shop_warning = problem

    def _saas_settle(self):
        """Write down which parts of the orders' lines are ordered and paid now."""
        fold = self._saas_fold()
        fold.write()
        return fold

    def _saas_fold(self):
        """Which parts of the orders' lines are ordered and paid, and those of orders paid together with them."""
        orders = self.sudo().filtered(lambda order: order.saas_confirmed_on and any(line._saas_sold_plan() for line in order.order_line))
        return OrderFold(orders).work_out()

    def action_confirm(self):
        # Who may confirm an order need not be allowed to see its payments.
        for order in self.sudo():
            order._check_saas_lines()
        return super().action_confirm()

    def _check_saas_lines(self):
        """Refuse what cannot be served, unless it is paid: then the order comes to be, and the daemon makes the best of it.

        A second trial in a paid order goes: it costs nothing, and nobody gets one by buying something beside it.
        """
        self.ensure_one()
        paid = self._saas_payment_given()
        if trial_problem := self._saas_trial_problem():
            if not paid:
                raise UserError(trial_problem)
            self._saas_trial_lines().product_uom_qty = 0
            self.message_post(body=trial_problem)
        for line in self.order_line:
            if problem := line._saas_unit_problem():
                raise UserError(problem)
            if not paid and (misfit := line._saas_plan_misfit()):
                raise UserError(misfit)

    def _saas_is_cart(self):
        """Whether the customer is filling it in the shop. The addon does without a shop, too."""
        return "website_id" in self._fields and bool(self.website_id) and self.state == "draft"

    def _saas_payment_given(self):
        """Whether online payments that were made are what confirms the order."""
        self.ensure_one()
        given = self._saas_payments().filtered(lambda tx: tx.state in ("authorized", "done"))
        return bool(given) and (self._is_confirmation_amount_reached() or bool(self._saas_paid_by_transactions()))

    def _saas_trial_lines(self):
        return self.order_line.filtered(lambda line: line._saas_plan().saas_trial and line.product_uom_qty > 0)

    def _saas_trial_problem(self):
        """Why the customer may not have the free trial of the order, in the language of whoever asks; "" if they may."""
        self.ensure_one()
        lines = self._saas_trial_lines()
        if not lines:
            return ""
        return self._saas_trial_refusal(lines[0].product_id.name, sum(lines.mapped("product_uom_qty")))

    def _saas_trial_refusal(self, name, quantity):
        """Why the customer may not have so many of a free trial; "" if they may."""
        if quantity > 1:
            return _("%s: a free trial can be had once only. Leave one of it in the order.", name)
        if self._saas_had_trial():
            return _("%s: you have had a free trial already. Choose another plan to go on.", name)
        return ""

    def _saas_had_trial(self):
        """Whether the customer has, or once had, a trial by another document than this one."""
        sudo = self.sudo()
        customer = sudo.partner_id.commercial_partner_id
        instances = self.env["saas.instance"].sudo().with_context(active_test=False)
        own = sudo.order_line.saas_instance_id | instances.search([("sale_order_id", "=", self.id)])
        trials = [("partner_id", "=", customer.id), ("plan_id.saas_trial", "=", True), ("id", "not in", own.ids)]
        if instances.search_count([*trials, "|", ("state", "!=", "draft"), ("requested", "=", True)], limit=1):
            return True
        sold = [("product_id.product_tmpl_id.saas_trial", "=", True), ("order_id", "!=", self.id)]
        sold += [("order_id.partner_id.commercial_partner_id", "=", customer.id)]
        sold += ["|", ("order_id.state", "in", ("sale", "done")), ("saas_instance_id", "!=", False)]
        if self.env["sale.order.line"].sudo().search_count(sold, limit=1):
            return True
        invoiced = [("product_id.product_tmpl_id.saas_trial", "=", True), ("sale_line_ids", "=", False)]
        invoiced += [("move_id.commercial_partner_id", "=", customer.id)]
        invoiced += [("move_id.move_type", "=", "out_invoice"), ("parent_state", "=", "posted")]
        return bool(self.env["account.move.line"].sudo().search_count(invoiced, limit=1))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_saas_instance(self):
        for line in self.order_line.filtered("saas_instance_id"):
            raise UserError(
                _(
                    "%(order)s pays for the instance %(instance)s and cannot be deleted. Cancel it and keep it.",
                    order=line.order_id.name,
                    instance=line.saas_instance_id.sudo().name,
                )
            )

    def action_view_saas_instances(self):
        return self._saas_instances()._action_open()

    def _saas_instances(self):
        lines = self.sudo().order_line.saas_instance_id
        return (lines | lines.search([("sale_order_id", "in", self.ids)])).sudo(False)

    def _saas_is_unconfirmed(self):
        """A quotation that never was an order."""
        self.ensure_one()
        return self.state in ("draft", "sent") and not self.saas_confirmed_on

    def _saas_paid_by_transactions(self):
        """The moment at which captured payments covered the order.

        A refund of part of the money is a favour, and what was sold stays sold; one of all of it ends the payment.
        """
        self.ensure_one()
        captured, refunds = self._saas_transactions()
        covered, refunded, paid_on = 0.0, 0.0, False
        for tx in (captured | refunds).sorted(lambda tx: (tx.last_state_change, tx.id)):
            if tx in refunds:
                refunded += abs(tx.amount)
                if self.currency_id.compare_amounts(refunded, covered) >= 0:
                    covered, refunded, paid_on = 0.0, 0.0, False
                continue
            covered += tx.amount
            if not paid_on and self.currency_id.compare_amounts(covered, self.amount_total) >= 0:
                paid_on = tx.last_state_change
        return paid_on

    def _saas_transactions(self):
        """The payments that arrived, and the refunds of them."""
        payments = self._saas_payments()
        arrivals = payments.browse().union(*(tx._saas_arrivals() for tx in payments))
        return arrivals, payments._saas_refunds()

    def _saas_payments(self):
        """Online payments, however far they got. A capture belongs to the payment that was authorized."""
        payments = self.transaction_ids.filtered(lambda tx: tx.operation not in NO_PAYMENT)
        return payments.filtered(lambda tx: tx.source_transaction_id not in payments)

    def _saas_costs_nothing(self):
        return self.currency_id.compare_amounts(self.amount_total, 0) <= 0

    def _saas_is_live(self):
        return self.state in ("sale", "done")

    def _saas_sold_lines(self):
        """The lines that sell something, in their order."""
        lines = self.order_line.filtered(lambda line: not line.display_type and not line.is_downpayment)
        return lines.sorted(lambda line: (line.sequence, line.id))

    def _saas_down_lines(self):
        """The invoice lines of down payments of the order, without those that take them off a later invoice."""
        lines = self.order_line.filtered("is_downpayment").invoice_lines
        return lines.filtered(lambda line: line.move_id.move_type == "out_invoice" and line.price_total > 0)

    def _saas_card_lines(self):
        """What gift cards and e-wallets pay of the order: money that came when they were bought."""
        return self._saas_sold_lines().filtered(lambda line: line.price_total < 0 and line._saas_is_gift_card())

    def _saas_credit_notes(self):
        """Posted credit notes of what the order sold; that of a down payment gives money back and says not for what."""
        invoices = self.order_line.invoice_lines.move_id - self._saas_down_lines().move_id
        notes = (invoices | invoices.reversal_move_ids) - self._saas_down_lines().move_id.reversal_move_ids
        return notes.filtered(
            lambda move: move.state == "posted"
            and move.move_type == "out_refund"
            and not move.reversed_entry_id._saas_made_instead()
        )

    def _saas_payers(self):
        """What may have paid the order as a whole, as pairs (source of the parts, document), in the order of time."""
        payers = [(move.saas_paid_on, f"down:{move.id}", move) for move in self._saas_down_lines().move_id if move.saas_paid_on]
        payers += [(self.saas_confirmed_on, f"card:{line.id}", line) for line in self._saas_card_lines() if self.saas_confirmed_on]
        payers += [
            (tx._saas_arrived_on(), f"tx:{tx.id}", tx) for tx in self._saas_payments() if tx.state not in ("draft", "pending")
        ]
        return [(source, document) for _date, source, document in sorted(payers, key=lambda payer: payer[:2])]
