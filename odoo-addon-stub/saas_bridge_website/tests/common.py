import json

from odoo.tests import HttpCase, new_test_user

from odoo.addons.saas_bridge.tests.common import SaasCommon


class ShopCommon(SaasCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.website = cls.env["website"].search([], limit=1)
        cls.plan.write({"is_published": True, "saas_max_users": 3, "saas_storage_gb": 2, "saas_retention_days": 30})
        cls.big = cls._plan("Large", "t-large", is_published=True, saas_max_users=20, saas_storage_gb=40)
        users = cls.env(context=dict(cls.env.context, no_reset_password=True))
        address = {"street": "A 1", "city": "B", "zip": "1", "phone": "1", "country_id": cls.env.ref("base.be").id}
        cls.ana.write({**address, "email": "ana@acme.example"})
        cls.buyer = new_test_user(users, "t-buyer", password="t-buyer-1", groups="base.group_portal", partner_id=cls.ana.id)
        cls.bea = cls.env["res.partner"].create({"name": "Bea", "email": "bea@x.example", "lang": "en_US", **address})
        cls.other = new_test_user(users, "t-other", password="t-other-1", groups="base.group_portal", partner_id=cls.bea.id)

    def _json(self, route, **params):
        response = self.url_open(
            route,
            data=json.dumps({"jsonrpc": "2.0", "method": "call", "params": params}),
            headers={"Content-Type": "application/json"},
        )
        reply = response.json()
        self.assertNotIn("error", reply)
        return reply["result"]

    def _add(self, plan=None):
        """Put a plan into the cart of whoever visits; its line."""
        plan = plan or self.plan
        self._json("/shop/cart/add", product_template_id=plan.id, product_id=plan.product_variant_id.id, quantity=1)
        return self.env["sale.order.line"].search([("product_id", "=", plan.product_variant_id.id)], order="id desc", limit=1)
