from odoo import _, http, release
from odoo.http import request

JSON = "jsonrpc" if release.version_info[0] >= 19 else "json"
GONE = {"name": "", "status": "gone", "message": ""}
BACK = {"cart": "/shop/cart", "payment": "/shop/payment"}


class SaasWish(http.Controller):
    """What a visitor wants the new Odoo of a cart to be like. Nothing here can keep them from buying."""

    @http.route("/shop/saas/name", type=JSON, auth="public", website=True, sitemap=False)
    def name(self, name="", line_id=0, **_more):
        """While typing, for a cart only: see saas.instance._shop_name."""
        line = self._line(line_id)
        if not line or not line._saas_plan():
            return GONE
        if not self._within(line):
            return self._later()
        return request.env["saas.instance"]._shop_name(_text(name), line)

    @http.route("/shop/saas/wish", type=JSON, auth="public", website=True, sitemap=False)
    def save(self, line_id=0, **answers):
        """When something was chosen: see sale.order.line._saas_shop_save."""
        line = self._line(line_id)
        if line and not self._within(line):
            return self._later()
        return line._saas_shop_save(**_answers(answers)) if line else GONE

    @http.route("/shop/saas/wish/save", type="http", auth="public", methods=["POST"], website=True, sitemap=False)
    def submit(self, line_id=0, back="cart", **answers):
        """The same for browsers without scripts."""
        line = self._line(line_id)
        if line:
            answer = line._saas_shop_save(**_answers(answers)) if self._within(line) else self._later()
            if answer["status"] not in ("free", "empty"):
                line.order_id.shop_warning = answer["message"]
        return request.redirect(BACK.get(back, BACK["cart"]))

    def _within(self, line):
        """Whether neither the cart nor its visitor, nor all of their address, try very many names."""
        user = request.env.user
        account = "" if user._is_public() else f"user {user.id}"
        return request.env["saas.limit"].sudo()._within("names", f"cart {line.order_id.id}", account)

    def _later(self):
        message = _("Those were many names. Go on, or try another one in a minute: a free name is found in any case.")
        return {"name": "", "status": "later", "message": message}

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
