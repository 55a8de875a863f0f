from odoo import _, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import consteq, hmac

from odoo.addons.saas_bridge.models.saas_kept import ORDER_KEPT as KEPT
from odoo.addons.saas_bridge.persons import person_of

SCOPE = "saas_bridge_website-trial-address"
# Who mistyped their address asks again; who writes to strangers through us does not get far.
MAILS_AN_HOUR = 3


class SaleOrder(models.Model):
    _inherit = "sale.order"

    # Of a visitor without an account: nothing else says that the address is theirs.
    saas_confirmed_email = fields.Char(string="Confirmed E-mail", copy=False, readonly=True)
    _saas_kept = KEPT | {"saas_confirmed_email"}

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

    def _check_cart_is_ready_to_be_paid(self):
        """Whoever comes past the pages that say it is refused all the same."""
        if problem := self._saas_cart_problem():
            raise ValidationError(problem)
        return super()._check_cart_is_ready_to_be_paid()

    def _saas_cart_problem(self):
        """Why the cart cannot be ordered as it is, in a sentence for its visitor; "" if it can."""
        if not self or not self._saas_trial_lines():
            return ""
        return self._saas_trial_problem() or self._saas_guest_problem()

    def _saas_guest_problem(self):
        """Whether a visitor without an account has yet to show that their address is theirs."""
        partner = self.sudo().partner_id
        # Who has not said yet who they are is asked on the way.
        if partner == self.sudo().website_id.user_id.partner_id:
            return ""
        if partner.user_ids or not self.website_id or self.saas_confirmed_email == self._saas_guest_address():
            return ""
        return _(
            "We have written to %s. Open the link in that e-mail to start your free trial, or log in to your account.",
            partner.email or "",
        )

    def _saas_guest_address(self):
        return person_of(self.sudo().partner_id._saas_email())

    def _check_saas_lines(self):
        """A free trial is for who can be reached. Staff who confirm know whom they sell to."""
        self.ensure_one()
        by_visitor = self.env.user._is_public() or self._saas_payment_given()
        if by_visitor and self._saas_trial_lines() and (problem := self._saas_guest_problem()):
            if not self._saas_payment_given():
                raise UserError(problem)
            # The money is for what is beside it in the order.
            self._saas_trial_lines().product_uom_qty = 0
            self.message_post(body=problem)
        return super()._check_saas_lines()

    def _saas_ask_guest(self):
        """Send the link that confirms the address of the cart; not often."""
        self.ensure_one()
        order = self.sudo()
        to = order.partner_id._saas_email()
        limit = self.env["saas.limit"].sudo()
        if not to or not limit._take(f"confirm:{order._saas_guest_address()}", MAILS_AN_HOUR, 3600):
            return
        visitor = limit._visitor()
        if visitor and not limit._take(f"confirm:{visitor}", 10 * MAILS_AN_HOUR, 3600):
            return
        company = order.company_id
        body = self.env["ir.qweb"]._render("saas_bridge_website.confirm_address_mail", {"order": order, "link": order._saas_confirm_url()})
        self.env["saas.instance"].sudo()._send_mail_of(company, to, _("Confirm your address for the free trial"), body)

    def _saas_confirm_url(self):
        self.ensure_one()
        return f"{self.get_base_url()}/shop/saas/confirm/{self.id}/{self._saas_confirm_token()}"

    def _saas_confirm_token(self):
        return hmac(self.env(su=True), SCOPE, (self.id, self._saas_guest_address()))

    def _saas_confirm_guest(self, token):
        """Whether the link is the one that was sent to the address the cart has now."""
        self.ensure_one()
        address = self._saas_guest_address()
        if not address or not consteq(token, self._saas_confirm_token()):
            return False
        self.saas_confirmed_email = address
        return True
