from odoo import models
from odoo.tools.sql import create_index


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def init(self):
        super().init()
        # A payment that is cancelled after it was taken off its invoice does not touch it: the daemon learns of it from here.
        create_index(self.env.cr, "account_payment_saas_write_date_idx", self._table, ["write_date"])
