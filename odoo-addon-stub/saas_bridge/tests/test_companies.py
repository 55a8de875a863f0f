from odoo.tests import new_test_user, tagged

from .common import SaasCommon


@tagged("post_install", "-at_install")
class TestCompanies(SaasCommon):
    """Two companies sell side by side, and nothing depends on which one sorts first."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("es_ES")
        cls.company.write({"name": "One, S.L.", "email": "one@one.example", "sequence": 50})
        cls.second = cls.env["res.company"].create({"name": "Two, S.A.", "email": "two@two.example", "sequence": 1})
        cls.second.partner_id.lang = "es_ES"
        cls.env["account.chart.template"].try_loading("generic_coa", cls.second, install_demo=False)
        cls.two = cls._plan("Two", "t-two", company_id=cls.second.id)
        users = cls.env(context=dict(cls.env.context, no_reset_password=True))
        cls.helper = new_test_user(
            users, "t-helper", groups="saas_bridge.group_manager", company_id=cls.second.id, company_ids=[(6, 0, cls.second.ids)]
        )
        cls.ana.email = "ana@acme.example"

    def _sold(self, company, plan, name):
        order = self.env["sale.order"].with_company(company).create(
            {
                "partner_id": self.ana.id,
                "company_id": company.id,
                "user_id": False,
                "order_line": [(0, 0, {"product_id": plan.product_variant_id.id})],
            }
        )
        order.action_confirm()
        key = f"sol:{order.order_line.id}"
        self._push_instance(key, name=name, plan_id=plan.id, purchase_keys=[key], state="running", url=f"http://{name}.example")
        return order.order_line.saas_instance_id

    def _notice(self, instance):
        operation = {"key": f"n:{instance.key}", "op": "notice", "instance_key": instance.key, "notice": "welcome", "to": "ana@acme.example"}
        operation |= {"contact_id": self.ana.id, "lang": "en_US", "subject": instance.name, "html": "<p/>", "text": ""}
        self.assertEqual(self._push(operation)[0]["status"], "done")
        return self.env["mail.mail"].search([("subject", "=", instance.name)])

    def test_sender_seller_and_language(self):
        first, second = self._sold(self.company, self.plan, "first"), self._sold(self.second, self.two, "second")
        self.assertEqual((first.company_id, second.company_id), (self.company, self.second))
        self.assertIn("one@one.example", self._notice(first).email_from)
        self.assertIn("two@two.example", self._notice(second).email_from)
        reply = self._poll(limit=2000)
        sellers = {row["key"]: row["seller"]["name"] for row in reply["instances"] + reply["purchases"]}
        for instance, name in ((first, "One, S.L."), (second, "Two, S.A.")):
            self.assertEqual(sellers[instance.key], name)
        rows = {row["name"]: row["seller"] for row in reply["instances"]}
        self.assertEqual((rows["second"]["id"], rows["second"]["lang"]), (self.second.id, "es_ES"))
        self.assertRegex(rows["first"]["shop_url"], "^https?://")
        self.assertNotIn("en marcha", first.sale_order_id.message_ids[0].body)
        self.assertIn("running", first.sale_order_id.message_ids[0].body)
        self.assertIn("en marcha", second.sale_order_id.message_ids[0].body)

    def test_to_dos_are_of_the_company(self):
        second = self._sold(self.second, self.two, "second")
        for number, instance in enumerate((self._sold(self.company, self.plan, "first"), second)):
            alert = {"key": f"a{number}", "op": "todo", "instance_key": instance.key, "message": {"code": "verbatim", "params": {"text": "Look"}}}
            self.assertEqual(self._push(alert)[0]["status"], "done")
            self.assertIn(instance.company_id, instance.activity_ids.user_id.company_ids)
        self.assertEqual(second._portal_helpers(), self.helper)

    def test_each_offers_its_own_plans(self):
        first, second = self._sold(self.company, self.plan, "first"), self._sold(self.second, self.two, "second")
        own = self._plan("One only", "t-one", company_id=self.company.id)
        if "is_published" in own._fields:
            (own | self.plan | self.two).is_published = True
        offers = {instance: {offer["plan"] for offer in instance._portal_plans()} for instance in (first, second)}
        self.assertTrue({own, self.plan} <= offers[first])
        self.assertNotIn(self.two, offers[first])
        self.assertIn(self.two, offers[second])
        self.assertNotIn(own, offers[second])
        self.assertEqual(second._ensure_renewal().company_id, self.second)

    def test_hello_names_who_sells(self):
        self._sold(self.company, self.plan, "first")
        self._sold(self.second, self.two, "second")
        self.assertEqual(self.bridge.hello()["company"], "One, S.L., Two, S.A.")
        self.second.email = False
        warnings = " ".join(self.bridge.hello()["warnings"])
        self.assertIn("Two, S.A.", warnings)
        self.assertNotIn("One, S.L.", warnings)

    def test_the_order_of_companies_changes_nothing(self):
        first = self._sold(self.company, self.plan, "first")
        before = self._poll(limit=2000)["instances"]
        self.company.sequence, self.second.sequence = 1, 50
        self.assertEqual(self._poll(limit=2000)["instances"], before)
        self.assertIn("one@one.example", self._notice(first).email_from)
