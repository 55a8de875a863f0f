from odoo import http
from odoo.http import request

from odoo.addons.website_sale.controllers.main import WebsiteSale


class SaasTrialShop(WebsiteSale):
    """A trial that the visitor may not have, or not yet, is said in the cart: before they type in a card."""

    def _check_cart_and_addresses(self, order_sudo):
        if redirection := super()._check_cart_and_addresses(order_sudo):
            return redirection
        if problem := order_sudo._saas_cart_problem():
            if problem == order_sudo._saas_guest_problem():
                order_sudo._saas_ask_guest()
            order_sudo.shop_warning = problem
            return request.redirect("/shop/cart")
        return None

    @http.route(
        "/shop/saas/confirm/<int:order_id>/<string:token>", type="http", auth="public", website=True, sitemap=False
    )
    def saas_confirm_address(self, order_id, token, **_more):
        """The link of the e-mail. Whoever opens it elsewhere goes on where the cart is."""
        order = request.env["sale.order"].sudo().browse(order_id).exists()
        if not order or order.state != "draft" or not order._saas_confirm_guest(token):
            return request.render("saas_bridge_website.address_confirmed", {"confirmed": False}, status=404)
        if request.session.get("sale_order_id") == order.id:
            return request.redirect("/shop/payment")
        return request.render("saas_bridge_website.address_confirmed", {"confirmed": True})
