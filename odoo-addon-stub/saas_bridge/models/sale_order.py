from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.sql import create_index


class SaleOrder(models.Model):
    _inherit = "sale.order"

    # date_order at the moment of the confirmation; date_order itself can be edited afterwards. Kept when the order
    # is cancelled: that it was confirmed once is why the daemon must hear of the end.
    saas_confirmed_on = fields.Datetime(
        string="Confirmed On", compute="_compute_saas_confirmed_on", store=True, copy=False
    )
    saas_instance_count = fields.Integer(compute="_compute_saas_instance_count")

    def init(self):
        super().init()
        create_index(self.env.cr, "sale_order_saas_write_date_idx", self._table, ["write_date"])

    @api.depends("state")
    def _compute_saas_confirmed_on(self):
        for order in self:
            if order.state in ("sale", "done"):
                order.saas_confirmed_on = order.date_order
            else:
                order.saas_confirmed_on = order.saas_confirmed_on

    def _compute_saas_instance_count(self):
        for order in self:
            order.saas_instance_count = len(order._saas_instances())

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
        done = self.transaction_ids.filtered(
            lambda tx: tx.state == "done" and tx.operation not in ("validation", "refund")
        )
        return done, done.child_transaction_ids.filtered(lambda tx: tx.state == "done" and tx.operation == "refund")

    def _saas_paid_by_invoices(self):
        """The moment at which paid invoices of any kind (a down payment too) covered the order."""
        self.ensure_one()
        paid = self.invoice_ids.filtered(lambda move: move.move_type == "out_invoice" and move._saas_is_paid())
        # What undid an unpaid invoice took nothing away from the paid ones.
        refunds = self.invoice_ids.filtered(
            lambda move: move.move_type == "out_refund"
            and move.state == "posted"
            and move.reversed_entry_id.payment_state != "reversed"
        )
        total = sum(paid.mapped("amount_total")) - sum(refunds.mapped("amount_total"))
        if not paid or self.currency_id.compare_amounts(total, self.amount_total) < 0:
            return False
        return max(move.saas_paid_on or move.write_date for move in paid)
