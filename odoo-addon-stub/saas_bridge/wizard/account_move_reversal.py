from odoo import models


class AccountMoveReversal(models.TransientModel):
    _inherit = "account.move.reversal"

    def reverse_moves(self, is_modify=False):
        """“Reverse and create invoice” sets the payment free for the new invoice, which says what it is made instead of."""
        action = super().reverse_moves(is_modify=is_modify)
        if is_modify and len(self.new_move_ids) == len(self.move_ids):
            for move, made in zip(self.move_ids.sorted("id"), self.new_move_ids.sorted("id")):
                made.sudo().saas_replaced_move_id = move
        return action
