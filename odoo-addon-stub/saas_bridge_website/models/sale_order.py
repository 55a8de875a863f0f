from odoo import _, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _verify_updated_quantity(self, order_line, product_id, new_qty, uom_id, **kwargs):
        """What the customer may not have is refused as the shop refuses: of an error a visitor would see nothing."""
        new_qty, warning = super()._verify_updated_quantity(order_line, product_id, new_qty, uom_id, **kwargs)
        product = self.env["product.product"].browse(product_id)
        plan = product.product_tmpl_id.sudo().filtered("saas_plan")
        if new_qty <= 0 or not plan:
            return new_qty, warning
        if refusal := self._saas_unit_refusal(product.sudo(), uom_id):
            return 0, refusal
        if not plan.saas_trial:
            return new_qty, warning
        if refusal := self._saas_trial_refusal(product.name, 1):
            return 0, refusal
        return min(new_qty, 1), warning or self._saas_trial_refusal(product.name, new_qty)

    def _saas_unit_refusal(self, product, uom_id):
        """Why a visitor may not have a plan in a unit; "" if they may.

        The unit is what they say. Of a smaller one than the plan's the price of each is rounded, perhaps to nothing, so
        that only the seller may offer it.
        """
        own = product.uom_id
        unit = self.env["uom.uom"].sudo().search([("id", "=", uom_id)]) if type(uom_id) is int else own
        if unit in own | product.uom_ids or (unit and unit._has_common_reference(own) and unit.factor >= own.factor):
            return ""
        return _("%(plan)s can be bought by %(unit)s only.", plan=product.name, unit=own.name)
