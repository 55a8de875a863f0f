from odoo.exceptions import UserError
from odoo.modules.migration import load_script
from odoo.tests import BaseCase, tagged
from odoo.tools import file_path

from odoo.addons.saas_bridge.persons import person_of, tax_number_of

from .common import SaasCommon


@tagged("post_install", "-at_install")
class TestPersons(BaseCase):
    def test_one_mailbox_under_several_names(self):
        for address, person in (
            ("Ana@Example.com", "ana@example.com"),
            (" ana@example.com ", "ana@example.com"),
            ("ana.gil@example.com", "ana.gil@example.com"),
            ("ana+odoo@example.com", "ana@example.com"),
            ("A.n.a+trial2@Gmail.com", "ana@gmail.com"),
            ("ana@googlemail.com", "ana@gmail.com"),
            ("ana+x@hotmail.es", "ana@hotmail.es"),
            ("ana.gil+x@outlook.com", "ana.gil@outlook.com"),
            ("ana-shop@yahoo.es", "ana@yahoo.es"),
            ("ana-shop@example.com", "ana-shop@example.com"),
            ("ana@me.com", "ana@icloud.com"),
            ("a.na@pm.me", "ana@proton.me"),
            ("a-n_a+x@protonmail.com", "ana@proton.me"),
            ("+@example.com", "+@example.com"),
            ("nobody", ""),
            ("@x.example", ""),
            (False, ""),
        ):
            with self.subTest(address=address):
                self.assertEqual(person_of(address), person)

    def test_tax_numbers(self):
        for vat, country, number in (
            (" es-B12.345.678 ", "", "ESB12345678"),
            ("B12.345.678", "ES", "ESB12345678"),
            ("ESB12345678", "FR", "ESB12345678"),
            ("094259216", "GR", "EL094259216"),
            ("EL094259216", "GR", "EL094259216"),
            ("12345678Z", "ES", "ES12345678Z"),
            ("12345678Z", "", "12345678Z"),
        ):
            self.assertEqual(tax_number_of(vat, country), number)
        for nothing in ("/", "-", "", False, "ES"):
            self.assertEqual(tax_number_of(nothing), "")


@tagged("post_install", "-at_install")
class TestTrialOfAPerson(SaasCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.trial = cls._plan("Trial", "t-trial", list_price=0, saas_trial=True)

    def _visitor(self, email, **values):
        return self.env["res.partner"].create({"name": "Visitor", "email": email, **values})

    def _refused(self, partner):
        with self.assertRaisesRegex(UserError, "already"):
            self._order(partner=partner, plan=self.trial)

    def test_one_mailbox_is_one_person(self):
        self._order(partner=self._visitor("lucia.gil@gmail.com"), plan=self.trial)
        for address in ("lucia.gil@gmail.com", "Lucia.Gil@GMAIL.com", "luciagil+2@gmail.com", "l.u.c.i.a.gil@googlemail.com"):
            with self.subTest(address=address):
                self._refused(self._visitor(address))
        self.assertEqual(self._order(partner=self._visitor("lucia@gmail.com"), plan=self.trial).state, "sale")

    def test_address_changed_afterwards(self):
        visitor = self._visitor("old@x.example")
        self._order(partner=visitor, plan=self.trial)
        visitor.email = "new@x.example"
        self._refused(self._visitor("old@x.example"))

    def test_company_and_tax_number(self):
        self._order(partner=self.ana, plan=self.trial)
        self._refused(self.env["res.partner"].create({"name": "Luis", "parent_id": self.acme.id, "email": "luis@acme.example"}))
        self._order(partner=self._visitor("a@one.example", vat="BE0477472701"), plan=self.trial)
        self._refused(self._visitor("b@two.example", vat="BE 0477.472.701"))

    def test_trial_on_an_invoice(self):
        self._invoice(partner=self._visitor("eva@x.example"), product=self.trial.product_variant_id)
        self._refused(self._visitor("Eva+1@x.example"))

    def test_trial_that_was_never_served_may_be_ordered_again(self):
        self._order(partner=self._visitor("eva@x.example"), plan=self.trial)._action_cancel()
        self.assertEqual(self._order(partner=self._visitor("eva@x.example"), plan=self.trial).state, "sale")

    def test_so_many_an_hour_in_the_shop(self):
        self.env["ir.config_parameter"].set_param("saas_bridge.trials_an_hour", 2)
        for number in range(2):
            self._order(partner=self._visitor(f"a{number}@x.example"), plan=self.trial)
        cart = self._order(partner=self._visitor("late@x.example"), confirm=False)
        self.assertEqual(cart._saas_trial_refusal("Trial", 1), "", "staff know what they do")
        self.patch(type(cart), "_saas_is_cart", lambda order: order == cart)
        self.assertIn("in an hour", cart._saas_trial_refusal("Trial", 1))
        with self.assertRaisesRegex(UserError, "in an hour"):
            self.env["sale.order.line"].create({"order_id": cart.id, "product_id": self.trial.product_variant_id.id})
        self.env.cr.execute("UPDATE saas_trial SET create_date = create_date - interval '61 minutes'")
        self.env["saas.trial"].invalidate_model()
        self.assertEqual(cart._saas_trial_refusal("Trial", 1), "")

    def test_limits_count(self):
        limit = self.env["saas.limit"]
        self.assertEqual([limit._take("k", 2, 60) for _n in range(4)], [True, True, False, False])
        self.assertTrue(limit._take("other", 2, 60))
        self.env.cr.execute("UPDATE saas_limit SET begun_on = begun_on - interval '61 seconds' WHERE key = 'k'")
        self.assertTrue(limit._take("k", 2, 60))


@tagged("post_install", "-at_install")
class TestUpgrade(SaasCommon):
    def test_who_had_a_trial_before(self):
        trial = self._plan("Trial", "t-trial", list_price=0, saas_trial=True)
        self.ana.email = "ana@gmail.com"
        self._order(plan=trial)
        self._invoice(partner=self.env["res.partner"].create({"name": "Eva", "email": "eva@x.example"}), product=trial.product_variant_id)
        self.env["saas.trial"].search([]).unlink()
        script = load_script(file_path("saas_bridge/migrations/19.0.2.2.0/post-customers.py"), "post_customers")
        for _again in range(2):
            script.migrate(self.env.cr, "19.0.2.1.0")
            self.assertEqual(sorted(filter(None, self.env["saas.trial"].search([]).mapped("person")))[:2], ["ana@gmail.com", "eva@x.example"])
        stranger = self.env["res.partner"].create({"name": "A", "email": "a.n.a@gmail.com"})
        with self.assertRaisesRegex(UserError, "already"):
            self._order(partner=stranger, plan=trial)
        self.assertFalse(self.env["saas.trial"]._are_too_many())
