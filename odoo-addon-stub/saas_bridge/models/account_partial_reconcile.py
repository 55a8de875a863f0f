from odoo import models


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    def unlink(self):
        """What a payment paid is written down before it is taken off its invoice."""
        (self.debit_move_id | self.credit_move_id).move_id._saas_settle()
        return super().unlink()
