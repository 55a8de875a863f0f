from odoo import models
from odoo.tools.sql import create_index


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def init(self):
        super().init()
        # A payment does not touch its order: the daemon learns of it from here.
        create_index(self.env.cr, "payment_transaction_saas_write_date_idx", self._table, ["write_date"])
