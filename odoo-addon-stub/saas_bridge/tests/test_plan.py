from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged

from .common import SaasCommon


@tagged("post_install", "-at_install")
class TestPlan(SaasCommon):
    def test_bad_plans_are_refused(self):
        for number, values in enumerate(
            (
                {"saas_plan_code": False},
                {"saas_plan_code": "Bad Code"},
                {"saas_plan_code": "x\ny"},
                {"saas_plan_code": "x" * 33},
                {"saas_period_count": 0},
                {"saas_period_count": -1},
                {"saas_period_unit": False},
                {"saas_memory_mb": 255},
                {"saas_cpu": 0},
                {"saas_storage_gb": 0},
                {"saas_max_users": 0},
                {"saas_grace_days": -1},
                {"saas_retention_days": -1},
                {"saas_modules": "crm;rm -rf /"},
                {"saas_modules": "crm,,sale"},
                {"saas_modules": "$(id)"},
                {"saas_modules": "../base"},
                {"saas_modules": "crm\nbase"},
                {"type": "consu"},
            )
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self._plan("Bad", f"t-bad-{number}", **{"saas_plan_code": f"t-bad-{number}", **values})

    def test_code_is_unique_among_plans(self):
        with self.assertRaises(ValidationError):
            self._plan("Twin", "t-basic")
        self.plan.active = False
        with self.assertRaises(ValidationError):
            self._plan("Twin", "t-basic")

    def test_ordinary_products_need_nothing(self):
        self.env["product.template"].create({"name": "Chair", "saas_memory_mb": 0, "saas_modules": "???"})

    def test_blanks_around_modules_go(self):
        plan = self._plan("Blank", "t-blank", saas_modules=" crm , sale_management ")
        self.assertEqual(plan.saas_modules, "crm,sale_management")

    def test_period_is_frozen_on_the_line(self):
        line = self._order().order_line
        invoice_line = self._invoice().invoice_line_ids
        self.plan.write({"saas_period_count": 7, "saas_period_unit": "day"})
        for old in (line, invoice_line):
            self.assertEqual((old.saas_period_count, old.saas_period_unit), (1, "month"))
        new = self._order().order_line
        self.assertEqual((new.saas_period_count, new.saas_period_unit), (7, "day"))
        self.assertEqual(self._purchase(line)["period_unit"], "month")

    def test_other_product_other_period(self):
        yearly = self._plan("Yearly", "t-yearly", saas_period_unit="year")
        line = self._order(confirm=False).order_line
        line.product_id = yearly.product_variant_id
        self.assertEqual(line.saas_period_unit, "year")

    def test_product_that_becomes_a_plan_later(self):
        product = self.env["product.template"].create({"name": "Late", "type": "service"})
        line = self._order(plan=product).order_line
        self.assertFalse(line.saas_period_unit)
        self.assertIsNone(self._purchase(line))
        product.write({"saas_plan": True, "saas_plan_code": "t-late", "saas_period_unit": "year"})
        self.assertEqual(line.saas_period_unit, "year")
        product.saas_period_unit = "day"
        self.assertEqual(self._purchase(line)["period_unit"], "year")

    def test_trials_are_free_plans(self):
        trial = self._plan("Trial", "t-trial", list_price=0, saas_trial=True)
        with self.assertRaises(ValidationError):
            trial.list_price = 1
        with self.assertRaises(ValidationError):
            trial.saas_plan = False
        with self.assertRaises(ValidationError):
            self._plan("Paid", "t-paid", saas_trial=True)
        trial.saas_trial = False
        trial.list_price = 1

    def test_trial_makes_the_price_zero(self):
        with Form(self.plan) as form:
            form.saas_trial = True
            self.assertEqual(form.list_price, 0)
            self.assertEqual(form.saas_sleep_hours, 2, "what nobody tries costs nothing")
        self.assertTrue(self.plan.saas_trial)

    def test_sleep_is_told(self):
        row = self.env["saas.bridge"]._plan_row(self.plan)
        self.assertEqual((row["sleep_after_hours"], row["sleep_wakes_hourly"]), (0, False))
        self.plan.write({"saas_sleep_hours": 6, "saas_sleep_wakes": True})
        row = self.env["saas.bridge"]._plan_row(self.plan)
        self.assertEqual((row["sleep_after_hours"], row["sleep_wakes_hourly"]), (6, True))
