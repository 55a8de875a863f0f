from types import SimpleNamespace
from unittest.mock import patch

from odoo import http
from odoo.tests import HttpCase, tagged
from odoo.tools import config, mute_logger

from .common import SaasCommon

TOO_MANY = "Many accounts were made from here"


@tagged("post_install", "-at_install")
class TestLimits(SaasCommon):
    def _from(self, address):
        visitor = SimpleNamespace(httprequest=SimpleNamespace(remote_addr=address))
        return patch("odoo.addons.saas_bridge.models.saas_limit.request", visitor)

    def test_address_and_account_count_by_themselves(self):
        limit = self.env["saas.limit"]
        with self._from("203.0.113.7"):
            answers = [limit._within("signups", f"person{number}@x.example") for number in range(6)]
        self.assertEqual(answers, [True] * 5 + [False], "another account each time, and one address")
        answers = []
        for number in range(6):
            with self._from(f"198.51.100.{number}"):
                answers.append(limit._within("signups", "same@x.example"))
        self.assertEqual(answers, [True] * 5 + [False], "another address each time, and one account")
        self.assertTrue(limit._within("resets", "same@x.example"), "something else is counted by itself")

    def test_an_address_of_ipv6_is_its_network(self):
        limit = self.env["saas.limit"]
        cases = {
            "203.0.113.7": "203.0.113.7",
            "::ffff:203.0.113.7": "203.0.113.7",
            "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
            "2001:db8:1:2::1": "2001:db8:1:2::/64",
            "unix:": "",
            "": "",
        }
        for address, word in cases.items():
            with self.subTest(address=address), self._from(address):
                self.assertEqual(limit._visitor(), word)
        self.assertEqual(limit._visitor(), "", "outside of a request")

    def test_the_settings_say_how_many(self):
        limit, parameters = self.env["saas.limit"], self.env["ir.config_parameter"]
        for value, expected in (("2", [True, True, False, False]), ("0", [True] * 4), ("many", [True] * 4), ("-1", [True] * 4)):
            with self.subTest(value=value):
                parameters.set_param("saas_bridge.signups_an_hour", value)
                answers = [limit._within("signups", f"{value}@x.example") for _number in range(4)]
                self.assertEqual(answers, expected)

    def test_what_is_old_is_cleared_away(self):
        limit = self.env["saas.limit"]
        limit._within("signups", "old@x.example")
        self.env.cr.execute("UPDATE saas_limit SET begun_on = begun_on - interval '25 hours' WHERE key = 'signups:old@x.example'")
        limit.invalidate_model()
        limit._within("signups", "new@x.example")
        limit._gc_limits()
        kept = limit.search([("key", "like", "signups:%")]).mapped("key")
        self.assertEqual(kept, ["signups:new@x.example"])

    def test_a_proxy_that_odoo_does_not_know_is_told_of(self):
        parameters = self.env["ir.config_parameter"]
        for url, is_known, warns in (
            ("https://shop.example.com", False, True),
            ("https://shop.example.com", True, False),
            ("http://localhost:8069", False, False),
        ):
            with self.subTest(url=url, known=is_known), patch.dict(config.options, {"proxy_mode": is_known}):
                parameters.set_param("web.base.url", url)
                warnings = " ".join(self.bridge.hello()["warnings"])
                self.assertEqual("behind a proxy" in warnings, warns)


@tagged("post_install", "-at_install")
class TestSignup(SaasCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.config_parameter"].set_param("auth_signup.invitation_scope", "b2c")
        cls.env["ir.config_parameter"].set_param("auth_signup.reset_password", "True")
        if "website" in cls.env:
            cls.env["website"].search([]).write({"auth_signup_uninvited": "b2c"})

    def setUp(self):
        super().setUp()
        self.env.cr.execute("DELETE FROM saas_limit")

    def _sign_up(self, login, **headers):
        self.authenticate(None, None)
        form = {"login": login, "name": login, "password": "a-Long-one-7", "confirm_password": "a-Long-one-7"}
        form["csrf_token"] = http.Request.csrf_token(self)
        return self.url_open("/web/signup", data=form, headers=headers)

    def _users(self):
        return self.env["res.users"].search_count([("login", "like", "visitor%@x.example")])

    @mute_logger("odoo.addons.mail.models.mail_mail", "odoo.addons.auth_signup.controllers.main")
    def test_ten_sign_ups_from_one_address(self):
        """Ten within half a minute went through, each with a mail."""
        mails = self.env["mail.mail"].sudo().search_count([])
        pages = [self._sign_up(f"visitor{number}@x.example") for number in range(10)]
        self.assertEqual(self._users(), 5)
        self.assertLessEqual(self.env["mail.mail"].sudo().search_count([]) - mails, 5)
        self.assertEqual([TOO_MANY in page.text for page in pages], [False] * 5 + [True] * 5)

    @mute_logger("odoo.addons.mail.models.mail_mail", "odoo.addons.auth_signup.controllers.main")
    def test_behind_a_proxy_each_visitor_is_one(self):
        self.env["ir.config_parameter"].set_param("saas_bridge.signups_an_hour", "1")
        through = {"X-Forwarded-Host": "127.0.0.1", "X-Forwarded-Proto": "http"}
        with patch.dict(config.options, {"proxy_mode": True}):
            for number in range(3):
                self._sign_up(f"visitor{number}@x.example", **through, **{"X-Forwarded-For": f"203.0.113.{number}"})
            self.assertEqual(self._users(), 3)
            # What the visitor writes before the proxy's own word counts for nothing.
            self._sign_up("visitor8@x.example", **through, **{"X-Forwarded-For": "198.51.100.1, 203.0.113.0"})
            self.assertEqual(self._users(), 3)
        # Nobody chooses an address where there is no proxy.
        for number in range(3):
            self._sign_up(f"visitor{20 + number}@x.example", **through, **{"X-Forwarded-For": f"203.0.113.{50 + number}"})
        self.assertEqual(self._users(), 4)

    @mute_logger("odoo.addons.mail.models.mail_mail", "odoo.addons.auth_signup.controllers.main")
    def test_mails_for_a_forgotten_password(self):
        self.env["ir.config_parameter"].set_param("saas_bridge.password_mails_an_hour", "2")
        statuses = []
        for _number in range(4):
            self.authenticate(None, None)
            form = {"login": "t-sales", "csrf_token": http.Request.csrf_token(self)}
            statuses.append(self.url_open("/web/reset_password", data=form).status_code)
        self.assertEqual(statuses, [200, 200, 429, 429])
