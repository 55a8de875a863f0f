from odoo import models


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    # A payment does not touch its order: the daemon learns of it from here.
    _saas_write_date_idx = models.Index("(write_date)")

    def _saas_pending_since(self):
        """When the earliest payment began that is under way and has not arrived; False if there is none."""
        pending = self.filtered(
            lambda tx: tx.state in ("pending", "authorized") and tx.operation not in ("validation", "refund")
        )
        return min(pending.mapped("last_state_change"), default=False)

    def _saas_pot(self, orders):
        """What arrived, what of it was refunded, currency, date, and what became of it: "back", or "" while it is here."""
        self.ensure_one()
        refunds = self.child_transaction_ids.filtered(lambda tx: tx.state == "done" and tx.operation == "refund")
        refunded = sum(abs(tx.amount) for tx in refunds)
        here = self.state == "done" and self.currency_id.compare_amounts(self.amount, refunded) > 0
        return self.amount, refunded, self.currency_id, self.last_state_change.date(), "" if here else "back"
