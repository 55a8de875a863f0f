from odoo import models


class AccountMoveLine(models.Model):
    _name = "account.move.line"
    _inherit = ["account.move.line", "saas.line.mixin"]

    # Only lines with an instance or a mark: the rest of a change is seen on the invoice itself.
    _saas_write_date_idx = models.Index("(write_date) WHERE saas_instance_id IS NOT NULL")
    _saas_keep_plan_idx = models.Index("(write_date) WHERE saas_keep_plan")

    def _saas_customer(self):
        """Of a line made from an order the customer of the order: the invoice may go to somebody else."""
        return (self.sale_line_ids.order_id[:1].partner_id or self.move_id.partner_id).commercial_partner_id

    def _saas_credited_quantity(self):
        """How many units of this line a posted credit note of the invoice gave back.

        A credit note does not say which of several equal lines it means: the last ones go first.
        """
        self.ensure_one()
        refunded = self.move_id.reversal_move_ids.filtered(
            lambda move: move.state == "posted" and move.move_type == "out_refund"
        ).invoice_line_ids.filtered(lambda line: line.product_id == self.product_id)
        same = self.move_id.invoice_line_ids.filtered(lambda line: line.product_id == self.product_id)
        rest, share = same._saas_quantity_given_back(refunded), 0.0
        for line in same.sorted(lambda line: (line.sequence, line.id), reverse=True):
            share = min(rest, max(0.0, line.quantity))
            if line == self:
                break
            rest -= share
        return share

    def _saas_quantity_given_back(self, refunded):
        """Whole units of these invoice lines that the credit note lines undo.

        A discount given afterwards is a credit note as well, of the same quantity and less money: the money counts.
        """
        quantity = sum(refunded.mapped("quantity"))
        invoiced = sum(self.mapped("price_subtotal"))
        if quantity <= 0 or invoiced <= 0:
            return max(0.0, quantity)
        share = sum(refunded.mapped("price_subtotal")) / invoiced
        return min(quantity, float(int(sum(self.mapped("quantity")) * share + 0.001)))
