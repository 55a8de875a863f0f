from unittest.mock import patch

from psycopg2.errors import LockNotAvailable

from odoo import api
from odoo.sql_db import db_connect
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import SaasCommon


@tagged("post_install", "-at_install")
class TestPaymentLine(SaasCommon):
    """Two first payments at one moment left two lines of the provider, and no payment could be finished from then on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider = cls.env["payment.provider"].search([("code", "=", "stripe"), ("company_id", "=", cls.company.id)], limit=1)
        cls.provider.write({"name": "Cards", "state": "test", "stripe_publishable_key": "x", "stripe_secret_key": "x"})
        cls.provider.invalidate_recordset()
        cls.journal = cls.provider.journal_id
        cls.line = cls.provider._saas_payment_lines()

    def _second_line(self):
        """As the second of two transactions leaves it: neither sees the other's."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO account_payment_method_line (name, sequence, payment_method_id, journal_id, payment_provider_id, payment_account_id)
            SELECT name, sequence, payment_method_id, journal_id, payment_provider_id, payment_account_id
            FROM account_payment_method_line WHERE id = %s RETURNING id
            """,
            [self.line.id],
        )
        [line_id] = self.env.cr.fetchone()
        self.env.invalidate_all()
        return self.line.browse(line_id)

    def _pay(self):
        transaction = self._transaction(self._order(), state="draft")
        transaction.provider_id = self.provider
        transaction._set_done()
        return transaction._create_payment()

    def test_the_damage(self):
        self.assertTrue(self.journal and len(self.line) == 1)
        self.assertTrue(self._pay())
        self._second_line()
        with self.assertRaisesRegex(ValueError, "Expected singleton"):
            self._pay()

    def test_it_is_told_and_mended(self):
        self.assertFalse([it for it in self.bridge.hello()["warnings"] if "Cards" in it and "more than one" in it])
        payment = self._pay()
        second = self._second_line()
        self.env.cr.execute("UPDATE account_payment SET payment_method_line_id = %s WHERE id = %s", [second.id, payment.id])
        self.env.invalidate_all()
        self.assertTrue([it for it in self.bridge.hello()["warnings"] if "Cards" in it and "Mend Payments" in it])
        admin = new_test_user(self.env, "t-admin", groups="base.group_system", context={"no_reset_password": True})
        settings = self.env["res.config.settings"].with_user(admin).create({})
        self.assertTrue(settings.saas_payments_broken)
        settings.action_saas_mend_payments()
        self.assertFalse(second.exists())
        self.assertEqual(payment.payment_method_line_id, self.line, "the oldest one stays, with what was paid by the other")
        self.assertFalse([it for it in self.bridge.hello()["warnings"] if "more than one" in it])
        self.assertTrue(self._pay())

    def test_the_daemon_makes_the_line_before_anybody_pays(self):
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM account_payment_method_line WHERE payment_provider_id = %s", [self.provider.id])
        self.env.invalidate_all()
        self.bridge.hello()
        self.assertEqual(len(self.provider._saas_payment_lines()), 1)

    def test_who_makes_a_line_takes_turns(self):
        turns = []
        with patch.object(type(self.provider), "_saas_take_turns", lambda provider: turns.append(provider)):
            self.provider._ensure_payment_method_line()
            self.assertFalse(turns, "there is a line")
            self.env.cr.execute("DELETE FROM account_payment_method_line WHERE payment_provider_id = %s", [self.provider.id])
            self.env.invalidate_all()
            self.assertTrue(self.provider.journal_id)
        self.assertTrue(turns)
        self.assertEqual(set(turns), {self.provider})

    @mute_logger("odoo.sql_db")
    def test_of_two_at_the_same_moment_one_waits(self):
        """Two connections of their own, as two workers have; nothing is committed. Who has waited begins again (PostgreSQL)."""
        # Not the one that this test has changed and not committed.
        provider = self.env["payment.provider"].search([("id", "!=", self.provider.id)], limit=1)
        database = db_connect(self.env.cr.dbname)
        with database.cursor() as first, database.cursor() as second:
            mine, theirs = (api.Environment(cursor, self.env.uid, {})["payment.provider"] for cursor in (first, second))
            second.execute("SET LOCAL lock_timeout = '200ms'")
            mine.browse(provider.id)._saas_take_turns()
            with self.assertRaises(LockNotAvailable):
                theirs.browse(provider.id)._saas_take_turns()
            second.rollback()
            first.rollback()
