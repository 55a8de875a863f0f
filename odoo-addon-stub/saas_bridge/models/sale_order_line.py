from odoo import api, fields, models
from odoo.exceptions import UserError


class SaleOrderLine(models.Model):
    _name = "sale.order.line"
    _inherit = ["sale.order.line", "saas.line.mixin"]

    # Wishes, not facts: the daemon finds a name like it when it is taken, and a language it has.
    saas_wanted_name = fields.Char(
        string="Wanted Name", copy=False, help="What the buyer wants a new instance to be called."
    )
    saas_wanted_lang = fields.Char(
        string="Wanted Language", copy=False, help="Code of the language the buyer wants a new instance in, e.g. es_ES."
    )

    # The daemon asks every few seconds which lines changed: the answer must come from an index.
    _saas_write_date_idx = models.Index("(write_date)")

    @api.constrains("product_id", "product_uom_qty")
    def _check_saas_trial_in_cart(self):
        """The shop shows this to the customer, and the cart stays as it was. Staff are told when they confirm."""
        if not any(line._saas_plan().saas_trial for line in self):
            return
        for order in self.order_id.sudo():
            if order._saas_is_cart() and (problem := order._saas_trial_problem()):
                raise UserError(problem)

    def _saas_customer(self):
        return self.order_id.partner_id.commercial_partner_id

    def _saas_credited_quantity(self):
        """How many of the ordered units were given back by credit notes and not invoiced again.

        “Reverse and create invoice” leaves the new invoice as a draft: nothing was given back then either.
        """
        self.ensure_one()
        lines = self.invoice_lines.filtered(lambda line: line.parent_state != "cancel")
        invoiced = lines.filtered(lambda line: line.move_id.move_type == "out_invoice")
        posted = lines.filtered(lambda line: line.parent_state == "posted")
        credited = (posted & invoiced)._saas_quantity_given_back(posted - invoiced)
        if not credited:
            return 0.0
        return max(0.0, credited - max(0.0, sum(invoiced.mapped("quantity")) - self.product_uom_qty))

    def _saas_paid_on(self):
        """When the line was paid in full, by transactions or by invoices; False while it is not."""
        self.ensure_one()
        order = self.order_id
        if order.currency_id.is_zero(order.amount_total):
            return order.saas_confirmed_on or order.date_order
        return order._saas_paid_by_transactions() or self._saas_paid_by_invoices() or order._saas_paid_by_invoices()

    def _saas_pending_since(self):
        """Since when a payment of the line is under way; False when it is paid, or when nobody pays.

        The money of a quotation may have arrived already: until the order is confirmed that is under way as well.
        """
        self.ensure_one()
        order = self.order_id
        unconfirmed = order._saas_is_unconfirmed()
        if not unconfirmed and self._saas_paid_on():
            return False
        since = (order.transaction_ids | self.invoice_lines.move_id.transaction_ids)._saas_pending_since()
        return since or (unconfirmed and order._saas_paid_by_transactions())

    def _saas_paid_by_invoices(self):
        lines = self.invoice_lines.filtered(
            lambda line: line.move_id.move_type == "out_invoice" and line.parent_state != "cancel"
        )
        # An invoice that a credit note undid is never paid: the one made instead of it is.
        undone = lines.filtered(lambda line: line.move_id.payment_state == "reversed")
        lines -= undone
        moves = lines.move_id
        if not moves or sum(lines.mapped("quantity")) < self.product_uom_qty:
            return False
        # The money of an undone invoice is still there for the new one, which has until its due date to get it.
        before = min(filter(None, undone.move_id.mapped("saas_paid_before")), default=False)
        if not all(move._saas_is_paid() or (before and move._saas_is_waiting()) for move in moves):
            return False
        return before or max(move.saas_paid_on or move.write_date for move in moves)
