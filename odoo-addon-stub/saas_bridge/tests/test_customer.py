from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import SaasCommon


@tagged("post_install", "-at_install")
class CustomerCase(SaasCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sofia = cls.env["res.partner"].create({"name": "Sofía", "email": "sofia@sofia.example", "company_name": "Sofía, S.L."})
        cls.beta = cls.env["res.partner"].create({"name": "Beta", "is_company": True, "email": "info@beta.example"})

    def _bought(self, partner, name):
        order = self._order(partner=partner)
        self._push_instance(
            f"sol:{order.order_line.id}",
            name=name,
            customer_id=partner.commercial_partner_id.id,
            contact_id=partner.id,
            purchase_keys=[f"sol:{order.order_line.id}"],
            order_id=order.id,
            state="running",
            subscription_state="active",
            paid_until="2099-01-01 00:00:00",
        )
        return order.order_line.saas_instance_id

    def _told(self, instance, cursor):
        """What the next poll says of the customer; None when it says nothing."""
        rows = [row for row in self._poll(cursor)["instances"] if row["key"] == instance.key]
        return rows[0]["customer"] if rows else None

    def _renewal(self, partner, instance, **values):
        return self._order(partner=partner, confirm=False, saas_instance_id=instance.id, **values)


class TestCustomerOfToday(CustomerCase):
    def test_contact_made_a_company(self):
        instance = self._bought(self.sofia, "sofia")
        cursor = self._since_now()
        self.sofia.create_company()
        company = self.sofia.parent_id
        self.assertEqual(instance.partner_id, company)
        told = self._told(instance, cursor)
        self.assertEqual((told["id"], told["contact_id"], told["email"]), (company.id, self.sofia.id, "sofia@sofia.example"))
        self.assertIn("Sofía, S.L.", instance.message_ids[0].body)
        order = self._renewal(self.sofia, instance)
        order.action_confirm()
        self.assertEqual(self._purchase(order.order_line)["customer"]["id"], company.id)
        self.assertTrue(instance._ensure_renewal())
        portal = new_test_user(self.env, "t-sofia", groups="base.group_portal")
        portal.partner_id.parent_id = company
        self.assertTrue(instance.filtered_domain(instance._portal_domain(portal)))

    def test_person_moved_under_a_company(self):
        instance = self._bought(self.sofia, "sofia")
        cursor = self._since_now()
        self.sofia.parent_id = self.beta
        self.assertEqual((instance.partner_id, instance.contact_id), (self.beta, self.sofia))
        self.assertEqual(self._told(instance, cursor)["id"], self.beta.id)
        self._renewal(self.beta, instance).action_confirm()

    def test_what_waits_for_an_instance_is_told_anew(self):
        order = self._order(partner=self.sofia)
        cursor = self._since_now()
        self.sofia.parent_id = self.beta
        self.assertEqual(self._purchase(order.order_line, cursor)["customer"]["id"], self.beta.id)

    def test_buyer_moved_to_another_company_takes_it_along_like_the_orders(self):
        instance = self._bought(self.ana, "acme")
        self.ana.parent_id = self.beta
        self.assertEqual((instance.partner_id, instance.contact_id), (self.beta, self.ana))

    def test_colleague_who_leaves_takes_nothing_along(self):
        instance = self._bought(self.acme, "acme")
        instance.contact_id = self.ana
        cursor = self._since_now()
        self.ana.parent_id = self.beta
        self.assertEqual((instance.partner_id, instance.contact_id), (self.acme, self.acme))
        self.assertEqual(self._told(instance, cursor)["email"], "info@acme.example")

    def test_merged(self):
        instance = self._bought(self.sofia, "sofia")
        twin = self.env["res.partner"].create({"name": "Sofía Gil", "parent_id": self.beta.id, "email": "gil@beta.example"})
        cursor = self._since_now()
        self.env["base.partner.merge.automatic.wizard"]._merge((self.sofia | twin).ids, twin)
        self.assertFalse(self.sofia.exists())
        self.assertEqual((instance.partner_id, instance.contact_id), (self.beta, twin))
        self.assertEqual(self._told(instance, cursor)["email"], "gil@beta.example")
        self._renewal(twin, instance).action_confirm()

    def test_renamed_address_changed_and_archived(self):
        self.ana.email = "ana@acme.example"
        instance = self._bought(self.ana, "acme")
        for partner, values, told in (
            (self.ana, {"email": "ana.gil@acme.example"}, {"email": "ana.gil@acme.example"}),
            (self.ana, {"name": "Ana Gil"}, {"contact_name": "Ana Gil"}),
            (self.acme, {"name": "Acme Two"}, {"name": "Acme Two"}),
            (self.ana, {"active": False}, {"email": "info@acme.example", "contact_id": self.acme.id, "contact_name": "Acme Two"}),
        ):
            with self.subTest(values=values):
                cursor = self._since_now()
                partner.with_user(self.salesman).sudo().write(values)
                row = self._told(instance, cursor)
                self.assertEqual({key: row[key] for key in told}, told)
                self.assertIsNone(self._told(instance, self._since_now()), "told once")

    def test_archived_contact_of_a_company_without_an_address(self):
        self.ana.email = "ana@acme.example"
        self.acme.email = False
        luis = self.env["res.partner"].create({"name": "Luis", "parent_id": self.acme.id, "email": "luis@acme.example"})
        instance = self._bought(self.ana, "acme")
        cursor = self._since_now()
        self.ana.active = False
        self.assertEqual(self._told(instance, cursor)["email"], "luis@acme.example")
        order = instance._ensure_renewal()
        self.assertEqual(order.partner_id, luis)

    def test_deleted_contact(self):
        instance = self._bought(self.acme, "acme")
        other = self.env["res.partner"].create({"name": "Eva", "parent_id": self.acme.id, "email": "eva@acme.example"})
        instance.contact_id = other
        cursor = self._since_now()
        other.unlink()
        self.assertEqual(self._told(instance, cursor)["email"], "info@acme.example")

    def test_what_says_nothing_of_a_customer_is_not_told(self):
        instance = self._bought(self.acme, "acme")
        cursor = self._since_now()
        self.acme.write({"comment": "x", "phone": "1"})
        self.sofia.email = "other@sofia.example"
        self.assertIsNone(self._told(instance, cursor))

    def test_a_page_of_instances_asks_no_query_a_row(self):
        def make(number):
            for _index in range(number):
                partner = self.env["res.partner"].create({"name": "P", "is_company": True, "email": "p@p.example"})
                contact = self.env["res.partner"].create({"name": "C", "parent_id": partner.id, "active": False})
                self._instance(self.env["saas.instance"]._free_name("many"), partner_id=partner.id, contact_id=contact.id)

        def queries():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.bridge.poll(False, limit=2000)
            return self.env.cr.sql_log_count - before

        make(5)
        few = queries()
        make(40)
        self.assertLessEqual(queries(), few + 3)

    def test_the_daemon_does_not_say_whose_it_is(self):
        instance = self._bought(self.acme, "acme")
        instance.contact_id = self.ana
        self._push_instance(instance.key, customer_id=self.beta.id, contact_id=self.beta.id)
        self.assertEqual((instance.partner_id, instance.contact_id), (self.acme, self.ana))


class TestForeignInstance(CustomerCase):
    def test_draft_whose_customer_is_changed(self):
        instance = self._bought(self.acme, "acme")
        order = self._renewal(self.acme, instance)
        with self.assertRaisesRegex(ValidationError, "belongs to Acme"):
            order.with_user(self.salesman).partner_id = self.beta
        invoice = self._invoice(partner=self.acme, post=False)
        invoice.invoice_line_ids.saas_instance_id = instance
        with self.assertRaisesRegex(ValidationError, "belongs to Acme"):
            invoice.with_user(self.saas_user).partner_id = self.beta
        order.partner_id = self.ana
        invoice.partner_id = self.ana

    def test_line_that_names_it(self):
        instance = self._bought(self.acme, "acme")
        with self.assertRaises(ValidationError):
            self._renewal(self.beta, instance)
        order = self._order(partner=self.beta, confirm=False)
        with self.assertRaises(ValidationError):
            order.order_line.saas_instance_id = instance
        with self.assertRaises(ValidationError):
            self._invoice(partner=self.beta, post=False).invoice_line_ids.saas_instance_id = instance

    def _make_foreign(self, record, partner):
        """As an import in SQL, or an older version of this addon, left it."""
        self.env.flush_all()
        self.env.cr.execute(f"UPDATE {record._table} SET partner_id = %s WHERE id = %s", [partner.id, record.id])
        self.env.invalidate_all()

    def test_confirm_and_post(self):
        instance = self._bought(self.acme, "acme")
        order = self._renewal(self.acme, instance)
        self._make_foreign(order, self.beta)
        with self.assertRaisesRegex(UserError, "belongs to Acme"):
            order.with_user(self.salesman).action_confirm()
        invoice = self._invoice(partner=self.acme, post=False)
        invoice.invoice_line_ids.saas_instance_id = instance
        self._make_foreign(invoice, self.beta)
        with self.assertRaisesRegex(ValidationError, "belongs to Acme"):
            invoice.with_user(self.saas_user).action_post()

    def test_paid_order_gets_its_own_and_a_person_is_told(self):
        instance = self._bought(self.acme, "acme")
        order = self._renewal(self.acme, instance)
        self._make_foreign(order, self.beta)
        self._transaction(order)
        order.action_confirm()
        self.assertEqual(order.state, "sale")
        self.assertFalse(order.order_line.saas_instance_id)
        self.assertIn("belongs to Acme", order.activity_ids.note)

    def test_draft_instance_on_a_line(self):
        instance = self._instance("acme")
        self._renewal(self.acme, instance)
        with self.assertRaises(ValidationError):
            instance.with_user(self.saas_user).partner_id = self.beta

    def test_invoice_to_another_address(self):
        """The invoice goes to the accountant's office; the instance is the customer's."""
        order = self._order(partner=self.ana)
        order.partner_invoice_id = self.beta
        invoice = order._create_invoices()
        invoice.action_post()
        self.assertEqual(invoice.partner_id, self.beta)
        self._pay(invoice)
        action = invoice.with_user(self.saas_user).action_saas_create_instance()
        form = Form(self.env["saas.instance"].with_user(self.saas_user).with_context(**action["context"]))
        instance = form.save()
        self.assertEqual((instance.partner_id, instance.contact_id), (self.acme, self.ana))
        instance.action_provision()
        self.assertEqual(order.order_line.saas_instance_id.id, instance.id)

    def test_invoice_to_an_invoice_address_of_the_customer(self):
        address = self.env["res.partner"].create({"name": "Facturas", "parent_id": self.acme.id, "type": "invoice"})
        invoice = self._invoice(partner=address)
        self._pay(invoice)
        action = invoice.with_user(self.saas_user).action_saas_create_instance()
        instance = Form(self.env["saas.instance"].with_user(self.saas_user).with_context(**action["context"])).save()
        self.assertEqual((instance.partner_id, instance.contact_id), (self.acme, self.acme))
        instance.action_provision()
        self.assertEqual(invoice.invoice_line_ids.saas_instance_id.id, instance.id)


class TestHandOver(CustomerCase):
    def _wizard(self, instance, user, **values):
        action = instance.with_user(user).action_hand_over()
        return self.env[action["res_model"]].with_user(user).with_context(**action["context"]).create(values)

    def _mails(self):
        return {mail.email_to: mail for mail in self.env["mail.mail"].sudo().search([("email_to", "!=", False)])}

    def test_manager_hands_over(self):
        instance = self._bought(self.ana, "acme")
        instance.subscription_state = "expiring_soon"
        renewal = instance._ensure_renewal()
        draft = self._renewal(self.acme, instance)
        cursor = self._since_now()
        self._wizard(instance, self.saas_manager, contact_id=self.beta.id, reason="sold the bakery").action_confirm()
        self.assertEqual((instance.partner_id, instance.contact_id), (self.beta, self.beta))
        self.assertEqual(self._told(instance, cursor)["id"], self.beta.id)
        self.assertEqual(renewal.state, "cancel")
        self.assertFalse(draft.order_line.saas_instance_id or instance.renewal_order_id)
        self.assertIn("sold the bakery", " ".join(instance.message_ids.mapped("body")))
        mails = self._mails()
        self.assertIn("handed over to Beta", mails["info@acme.example"].body_html)
        self.assertIn("is yours now", mails["info@beta.example"].body_html)
        self._renewal(self.beta, instance).action_confirm()
        with self.assertRaises(ValidationError):
            self._renewal(self.acme, instance)
        self.ana.name = "Ana Two"
        self.assertEqual(instance.partner_id, self.beta, "the first order says no more whose it is")

    def test_old_documents_can_still_be_corrected(self):
        instance = self._bought(self.acme, "acme")
        invoice = self._invoice(partner=self.acme)
        invoice.invoice_line_ids.saas_instance_id = instance
        self._wizard(instance, self.saas_manager, contact_id=self.beta.id, reason="sold").action_confirm()
        invoice.button_draft()
        invoice.action_post()
        order = instance.sale_order_id
        order._action_cancel()
        order.action_draft()
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    def test_who_and_what_is_refused(self):
        instance = self._bought(self.acme, "acme")
        with self.assertRaises(AccessError):
            instance.with_user(self.saas_user).action_hand_over()
        with self.assertRaises(AccessError):
            self.env["saas.handover.wizard"].with_user(self.saas_user).create({"instance_id": instance.id})
        with self.assertRaisesRegex(UserError, "reason"):
            self._wizard(instance, self.saas_manager, contact_id=self.beta.id, reason=" ").action_confirm()
        with self.assertRaisesRegex(UserError, "already"):
            self._wizard(instance, self.saas_manager, contact_id=self.ana.id, reason="x").action_confirm()
        self._transaction(self._renewal(self.acme, instance), state="pending")
        with self.assertRaisesRegex(UserError, "being paid"):
            self._wizard(instance, self.saas_manager, contact_id=self.beta.id, reason="x").action_confirm()
        instance.hold = "deleted"
        with self.assertRaises(UserError):
            instance.with_user(self.saas_manager).action_hand_over()


class TestAddresses(CustomerCase):
    def _notice(self, instance, to, key):
        operation = {"key": key, "op": "notice", "instance_key": instance.key, "notice": "reminder", "to": to}
        operation |= {"contact_id": self.ana.id, "lang": "en_US", "subject": "s", "html": "<p>h</p>", "text": "t"}
        return self._push(operation)[0]

    def test_mail_goes_to_the_customer_only(self):
        self.ana.email = "Ana <Ana@acme.example>"
        instance = self._bought(self.ana, "acme")
        for number, to in enumerate(("ana@acme.example", "info@acme.example")):
            self.assertEqual(self._notice(instance, to, f"n:{number}")["status"], "done", to)
        for number, to in enumerate(("victim@elsewhere.example", "info@beta.example", "", "info@acme.example,victim@elsewhere.example")):
            with self.subTest(to=to):
                self.assertEqual(self._notice(instance, to, f"x:{number}")["status"], "refused")
        self.assertFalse(self.env["mail.mail"].search([("email_to", "ilike", "elsewhere")]))

    def test_mail_that_was_owed_to_the_address_of_yesterday(self):
        self.ana.email = "ana@acme.example"
        instance = self._bought(self.ana, "acme")
        self.ana.email = "ana.gil@acme.example"
        self.assertEqual(self._notice(instance, "ana@acme.example", "n:1")["status"], "done")
        self.assertTrue(self.env["mail.mail"].search([("email_to", "=", "ana.gil@acme.example")]))
        self.assertFalse(self.env["mail.mail"].search([("email_to", "=", "ana@acme.example")]))

    def test_address_of_an_instance_is_one_of_the_web(self):
        for url in ("javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://a.example", "http://", "https://a.example/ \n"):
            with self.subTest(url=url):
                self.assertEqual(self._push_instance(url=url)["status"], "refused")
        for url in ("http://localhost:20000", "https://acme.example"):
            self.assertEqual(self._push_instance(url=url)["status"], "done")
        self.assertEqual(self._push_instance(url=False)["status"], "done")


class TestWhoGetsTheToDo(CustomerCase):
    def _problem(self, order, key="problem:1"):
        line = order.order_line
        operation = {"key": key, "op": "todo", "purchase_key": f"sol:{line.id}"}
        return self._push({**operation, "message": {"code": "verbatim", "params": {"text": "Which one?"}}})[0]

    def test_salesperson_has_the_column_and_answers(self):
        mine, second = self._bought(self.acme, "acme"), self._instance("acme-2", requested=True, state="running", key="rec:x")
        theirs = self._bought(self.beta, "beta")
        order = self._order()
        self.assertEqual(self._problem(order)["status"], "done")
        self.assertEqual(order.activity_ids.user_id, self.salesman)
        names = self.env["saas.instance"].with_user(self.salesman)
        domain = [("partner_id", "parent_of", self.ana.id)]
        self.assertEqual({one for one, _name in names.name_search("", domain)}, {mine.id, second.id})
        self.assertEqual(names.name_search("acme-2", domain), [(second.id, "acme-2")])
        with Form(order.with_user(self.salesman)) as form, form.order_line.edit(0) as line:
            line.saas_instance_id = second.with_user(self.salesman)
        self.assertEqual(order.order_line.saas_instance_id, second)
        shown = order.with_user(self.salesman).web_read(
            {"order_line": {"fields": {"saas_instance_id": {"fields": {"display_name": {}}}}}}
        )
        self.assertEqual(shown[0]["order_line"][0]["saas_instance_id"], {"id": second.id, "display_name": "acme-2"})
        with self.assertRaises(ValidationError):
            order.with_user(self.salesman).order_line.saas_instance_id = theirs

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_the_column_opens_nothing_else(self):
        instance = self._bought(self.acme, "acme")
        instance.sudo().admin_password = "s3cret"
        names = self.env["saas.instance"].with_user(self.salesman)
        others = [("admin_password", "=like", "s%")], [("partner_id.email", "!=", False)]
        for domain in (None, [], *others, ["|", ("partner_id", "=", self.acme.id), ("log", "!=", False)]):
            with self.subTest(domain=domain), self.assertRaises(AccessError):
                names.name_search("", domain)
        for spec in ({"name": {}}, {"display_name": {}}, {"id": {}, "admin_password": {}}):
            with self.subTest(spec=spec), self.assertRaises(AccessError):
                instance.with_user(self.salesman).web_read(spec)
        with self.assertRaises(AccessError):
            instance.with_user(self.salesman).read(["name"])
        portal = new_test_user(self.env, "t-portal", groups="base.group_portal")
        with self.assertRaises(AccessError):
            names.with_user(portal).name_search("", [("partner_id", "=", self.acme.id)])

    def test_somebody_who_has_the_column_to_answer_in(self):
        """Who may read the order by another right, and has no column there, is followed by who has."""
        self.salesman.group_ids = self.env.ref("base.group_user") + self.env.ref("account.group_account_readonly")
        able = new_test_user(self.env, "t-able", groups="saas_bridge.group_user,sales_team.group_sale_salesman_all_leads")
        self.company.saas_user_id = able
        order = self._order()
        self._problem(order)
        self.assertEqual(order.activity_ids.user_id, able)

    def test_somebody_who_is_still_here(self):
        order = self._order()
        self.salesman.active = False
        self._problem(order)
        self.assertNotEqual(order.activity_ids.user_id, self.salesman)
        self.assertTrue(order.activity_ids.user_id.active)
