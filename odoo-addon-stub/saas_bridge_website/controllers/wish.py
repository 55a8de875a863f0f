from odoo import http, release
from odoo.http import request

JSON = "jsonrpc" if release.version_info[0] >= 19 else "json"
GONE = {"name": "", "status": "gone", "message": ""}
# Who types asks about three times a second at most.
NAMES_A_MINUTE = 60
BACK = {"cart": "/shop/cart", "payment": "/shop/payment"}


class SaasWish(http.Controller):
    """What a visitor wants the new Odoo of a cart to be like. Nothing here can keep them from buying."""

    @http.route("/shop/saas/name", type=JSON, auth="public", website=True, sitemap=False)
    def name(self, name="", line_id=0, **_more):
        """While typing, for a cart only: see saas.instance._shop_name."""
        line = self._line(line_id)
        if not line or not line._saas_plan():
            return GONE
        limits = request.env["saas.limit"].sudo()
        if not limits._take(f"name:{line.order_id.id}", NAMES_A_MINUTE, 60):
            return GONE
        # A new cart is soon made.
        if not limits._take(f"name:{request.httprequest.remote_addr}", 5 * NAMES_A_MINUTE, 60):
            return GONE
        return request.env["saas.instance"]._shop_name(_text(name), line)

    @http.route("/shop/saas/wish", type=JSON, auth="public", website=True, sitemap=False)
    def save(self, line_id=0, **answers):
        """When something was chosen: see sale.order.line._saas_shop_save."""
        line = self._line(line_id)
        return line._saas_shop_save(**_answers(answers)) if line else GONE

    @http.route("/shop/saas/wish/save", type="http", auth="public", methods=["POST"], website=True, sitemap=False)
    def submit(self, line_id=0, back="cart", **answers):
        """The same for browsers without scripts."""
        line = self._line(line_id)
        if line:
            answer = line._saas_shop_save(**_answers(answers))
            if answer["status"] not in ("free", "empty"):
                line.order_id.shop_warning = answer["message"]
        return request.redirect(BACK.get(back, BACK["cart"]))

    def _line(self, line_id):
        """The line of the visitor's own cart, or None."""
        # 17 and 18 have no request.cart.
        cart = request.cart if hasattr(request, "cart") else request.website.sale_get_order()
        wanted = _text(line_id)
        return next((line for line in cart.order_line if str(line.id) == wanted), None) if cart else None


def _text(value):
    return str(value) if isinstance(value, (str, int)) else ""


def _answers(params):
    return {key: _text(params.get(key, "")) for key in ("name", "lang", "target")}
