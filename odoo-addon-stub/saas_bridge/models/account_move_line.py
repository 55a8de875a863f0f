from odoo import api, fields, models
from odoo.exceptions import UserError


class AccountMoveLine(models.Model):
    _name = "account.move.line"
    _inherit = ["account.move.line", "saas.line.mixin"]

    saas_part_ids = fields.One2many("saas.part", "invoice_line_id", groups="base.group_system")

    # Only lines with an instance or a mark: the rest of a change is seen on the invoice itself.
    _saas_write_date_idx = models.Index("(write_date) WHERE saas_instance_id IS NOT NULL")
    _saas_keep_plan_idx = models.Index("(write_date) WHERE saas_keep_plan")

    @api.constrains("product_id", "product_uom_id")
    def _check_saas_unit(self):
        for line in self.filtered(lambda line: line.move_id.move_type == "out_invoice"):
            if problem := line._saas_unit_problem():
                raise UserError(problem)

    def _saas_part_date(self, source):
        return self.move_id.saas_paid_on

    def _saas_told_parts(self, ledger):
        """The parts of the line for the daemon: see Ledger.told. Without an order nothing is trusted."""
        sold = self._saas_periods(self.quantity - self._saas_credited_quantity() - self._saas_refunded_quantity())
        return ledger.told(max(0.0, sold), trusted=False)

    def _saas_customer(self):
        """Of a line made from an order the customer of the order: the invoice may go to somebody else."""
        return (self.sale_line_ids.order_id[:1].partner_id or self.move_id.partner_id).commercial_partner_id

    def _saas_credited_quantity(self):
        """How many units of this line a posted credit note of the invoice gave back.

        A credit note does not say which of several equal lines it means: the last ones go first.
        """
        self.ensure_one()
        if self.move_id._saas_made_instead():
            return 0.0
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

    def _saas_refunded_quantity(self):
        """How many whole units of this line money gave back that was refunded without naming a line, the last lines first.

        What a credit note says already is not counted again. Discounts on the whole invoice are shared by its lines.
        """
        self.ensure_one()
        rest = self.move_id._saas_refunded()
        lines = self.move_id.invoice_line_ids.filtered(lambda line: line.display_type == "product" and line.price_total > 0)
        worth = sum(lines.mapped("price_total"))
        factor = max(0.0, self.move_id.amount_total) / worth if worth else 0.0
        for line in lines.sorted(lambda line: (line.sequence, line.id), reverse=True):
            if rest <= 0:
                break
            left = max(0.0, line.quantity - line._saas_credited_quantity())
            value = line.price_total * factor * left / line.quantity if line.quantity else 0.0
            share = left if value <= rest + self.currency_id.rounding / 2 else float(int(left * rest / value + 0.001))
            if line == self:
                return share
            rest -= min(rest, value)
        return 0.0

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
