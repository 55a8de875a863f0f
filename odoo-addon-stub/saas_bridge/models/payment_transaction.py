from odoo import models

# A check of a card and a refund bring no money.
NO_PAYMENT = ("validation", "refund")


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    # A payment does not touch its order: the daemon learns of it from here.
    _saas_write_date_idx = models.Index("(write_date)")

    def _saas_pending_since(self):
        """When the earliest payment began that is under way and has not arrived; False if there is none."""
        pending = self.filtered(lambda tx: tx.state in ("pending", "authorized") and tx.operation not in NO_PAYMENT)
        return min(pending.mapped("last_state_change"), default=False)

    def _saas_captures(self):
        """What was captured or voided of payments that were authorized first: transactions that name no document."""
        return self.child_transaction_ids.filtered(lambda tx: tx.operation not in NO_PAYMENT and tx.state in ("done", "cancel"))

    def _saas_arrivals(self):
        """The transactions by which the money of this payment came: itself, or its captures."""
        self.ensure_one()
        return (self._saas_captures() or self).filtered(lambda tx: tx.state == "done" and tx.operation not in NO_PAYMENT)

    def _saas_arrived_on(self):
        self.ensure_one()
        return min(self._saas_arrivals().mapped("last_state_change"), default=self.last_state_change)

    def _saas_refunds(self):
        """The refunds of these payments and of their captures."""
        children = (self | self._saas_captures()).child_transaction_ids
        return children.filtered(lambda tx: tx.state == "done" and tx.operation == "refund")

    def _saas_pot(self, orders):
        """What arrived, what of it was refunded, currency, date, and what became of it: "back", or "" while it is here."""
        self.ensure_one()
        refunded = sum(abs(tx.amount) for tx in self._saas_refunds())
        arrived = sum(self._saas_arrivals().mapped("amount"))
        here = self.currency_id.compare_amounts(arrived, refunded) > 0
        return arrived, refunded, self.currency_id, self._saas_arrived_on().date(), "" if here else "back"

    def _saas_said_by(self, orders):
        """Money that other payments of the orders are, too: see account.move."""
        return 0.0
