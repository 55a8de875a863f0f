import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessDenied, AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import SaasCommon

SECRET = "S3cret-of-the-instance"


@tagged("post_install", "-at_install")
class TestStolenKey(SaasCommon):
    """Whoever has the API key of the daemon's user can do what SECURITY.md says, and no more."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._order()
        cls.order.order_line.product_uom_qty = 2
        cls.invoice = cls._invoice()
        cls.instance = cls._instance(
            key="sol:900", state="running", admin_login="a@acme.example", admin_password=SECRET, contact_id=cls.ana.id
        )
        cls.ana.email = "ana@acme.example"
        cls.env["ir.config_parameter"].set_param("database.secret", "the-secret-of-the-master")

    def test_it_reads_who_bought_what_and_no_password(self):
        replies = [self._poll(limit=2000), self.bridge.hello(), self.bridge.look("sol:900", []), self.bridge.renewal("sol:900")]
        told = json.dumps(replies, default=str)
        self.assertIn("Acme, S.A.", told, "it reads customers and what they bought")
        self.assertNotIn(SECRET, told)
        self.assertNotIn("the-secret-of-the-master", told)
        for model, fname in (("saas.instance", "admin_password"), ("res.users", "password"), ("res.users.apikeys", "name")):
            with self.subTest(model=model), self.assertRaises(AccessError), mute_logger("odoo.models"):
                self.env[model].with_user(self.bridge_user).search_read([], [fname])

    def test_it_pays_confirms_and_prices_nothing(self):
        draft = self._order(confirm=False)
        before = self._money(draft)
        key = f"sol:{self.order.order_line.id}"
        values = {"name": "acme", "customer_id": self.acme.id, "contact_id": self.ana.id, "plan_id": self.plan.id}
        self._push(
            {"key": "k1", "op": "instance", "instance_key": "sol:900", "values": {**values, "state": "running", "paid_until": "2099-01-01 00:00:00"}},
            {"key": "k2", "op": "instance", "instance_key": key, "values": {**values, "name": "beta", "purchase_keys": [key]}},
            {"key": "k3", "op": "log", "instance_key": "sol:900", "lines": ["x"]},
        )
        for name, value in (("amount_total", 0), ("sale_order_id", self.order.id), ("message_ids", []), ("create_uid", 1)):
            [result] = self.bridge.push([{"key": f"x{name}", "op": "instance", "instance_key": "sol:900", "values": {name: value}}])
            self.assertEqual(result["status"], "refused", name)
        self.assertEqual(self._money(draft), before)

    def _money(self, draft):
        self.env.flush_all()
        self.env.invalidate_all()
        orders = self.order | draft
        return (
            orders.mapped("state"),
            orders.mapped("amount_total"),
            orders.order_line.mapped("product_uom_qty"),
            self.invoice.payment_state,
            self.invoice.amount_residual,
            self.env["payment.transaction"].search_count([]),
            self.env["account.payment"].search_count([]),
            self.env["saas.grant"].search_count([]),
            self.plan.list_price,
        )

    def test_it_writes_to_the_customer_of_an_instance_alone(self):
        notice = {"op": "notice", "instance_key": "sol:900", "notice": "welcome", "contact_id": self.ana.id, "lang": "en_US"}
        notice |= {"subject": "x", "html": "<p>x</p>", "text": "x"}
        mails = self.env["mail.mail"].sudo()
        before = mails.search([])
        for number, to in enumerate(("stranger@x.example", "ana@acme.example, stranger@x.example", "ana@acme.example\nBcc: stranger@x.example", "")):
            self.bridge.push([{**notice, "key": f"n{number}", "to": to}])
        self.bridge.push([{**notice, "key": "n9", "to": "ana@acme.example"}])
        made = mails.search([]) - before
        self.assertTrue(made)
        reached = " ".join(f"{mail.email_to} {mail.email_cc} {mail.recipient_ids.mapped('email')}" for mail in made)
        self.assertNotIn("stranger", reached)

    def test_it_opens_no_page(self):
        for password in ("", " ", "x"):
            credential = {"type": "password", "login": self.bridge_user.login, "password": password}
            with self.subTest(password=password), self.assertRaises(AccessDenied):
                self.env["res.users"].with_user(self.bridge_user)._check_credentials(credential, {"interactive": True})
        expires = fields.Datetime.now() + timedelta(days=1)
        key = self.env["res.users.apikeys"].with_user(self.bridge_user).sudo()._generate("rpc", "stolen", expires)
        credential = {"type": "password", "login": self.bridge_user.login, "password": key}
        users = self.env["res.users"].with_user(self.bridge_user)
        self.assertTrue(users._check_credentials(credential, {"interactive": False}), "it is for calls of programs")
        with self.assertRaises(AccessDenied):
            users._check_credentials(credential, {"interactive": True})

    def test_it_is_taken_away_at_once(self):
        keys = self.env["res.users.apikeys"].with_user(self.bridge_user).sudo()
        key = keys._generate("rpc", "stolen", fields.Datetime.now() + timedelta(days=1))
        self.assertEqual(keys._check_credentials(scope="rpc", key=key), self.bridge_user.id)
        keys.search([("user_id", "=", self.bridge_user.id)]).unlink()
        self.assertFalse(keys._check_credentials(scope="rpc", key=key))


@tagged("post_install", "-at_install")
class TestStolenLogin(SaasCommon):
    """Whoever has the login of a customer's portal."""

    def test_it_raises_no_right_of_its_own(self):
        users = self.env(context=dict(self.env.context, no_reset_password=True))
        portal = new_test_user(users, "t-portal", groups="base.group_portal")
        groups = "group_ids" if "group_ids" in portal._fields else "groups_id"
        bridge = self.env.ref("saas_bridge.group_bridge")
        for values in ({groups: [(4, bridge.id)]}, {"share": False}, {"login": self.bridge_user.login}):
            with self.subTest(values=str(values)), self.assertRaises(AccessError), mute_logger("odoo.models", "odoo.addons.base.models.ir_model"):
                portal.with_user(portal).write(values)
                self.env.flush_all()
        with self.assertRaises(AccessError):
            self.env["saas.bridge"].with_user(portal).poll(False)
        with self.assertRaises(AccessError):
            self.env["saas.bridge"].with_user(portal).push([])
