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
