from odoo import models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    # A payment that is cancelled after it was taken off its invoice does not touch it: the daemon learns of it from here.
    _saas_write_date_idx = models.Index("(write_date)")
