from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _verify_updated_quantity(self, order_line, product_id, new_qty, uom_id, **kwargs):
        """A trial that the customer may not have is refused as the shop refuses: of an error a visitor would see nothing."""
        new_qty, warning = super()._verify_updated_quantity(order_line, product_id, new_qty, uom_id, **kwargs)
        product = self.env["product.product"].browse(product_id)
        if new_qty <= 0 or not product.product_tmpl_id.sudo().saas_trial:
            return new_qty, warning
        if refusal := self._saas_trial_refusal(product.name, 1):
            return 0, refusal
        return min(new_qty, 1), warning or self._saas_trial_refusal(product.name, new_qty)
