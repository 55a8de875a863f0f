import json
from datetime import timedelta
from urllib.parse import urlsplit

from lxml import html

from odoo import fields, http
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import SaasCommon

PASSWORD = "S3cret-of-the-instance"
SENSITIVE = ("container-of-acme", "log line of acme", "error of acme", "sol:secret-key", "18999")


@tagged("post_install", "-at_install")
class PortalCase(SaasCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        users = cls.env(context=dict(cls.env.context, no_reset_password=True))
        cls.customer = new_test_user(users, "t-customer", groups="base.group_portal", password="t-customer")
        cls.customer.partner_id.write({"parent_id": cls.acme.id, "email": "admin@acme.example"})
        cls.other = new_test_user(users, "t-other", groups="base.group_portal", password="t-other")
        cls.pro = cls._plan("Pro", "t-pro", list_price=25, saas_max_users=10, saas_storage_gb=10)
        cls.small = cls._plan("Small", "t-small", list_price=5, saas_max_users=1, saas_storage_gb=1)
        cls.trial = cls._plan("Trial", "t-trial", list_price=0, saas_trial=True, saas_period_count=14, saas_period_unit="day")
        products = cls.pro | cls.small | cls.trial | cls.plan
        if "is_published" in products._fields:
            products.is_published = True
        cls.order = cls._order()
        cls.instance = cls._instance(
            key="sol:secret-key",
            requested=True,
            state="running",
            subscription_state="active",
            url="http://acme.example",
            http_port=18999,
            paid_until=fields.Datetime.now() + timedelta(days=20),
            users_used=2,
            storage_used_mb=410,
            measured_on=fields.Datetime.now(),
            odoo_container="container-of-acme",
            log="log line of acme",
            error_message="error of acme",
            contact_id=cls.customer.partner_id.id,
            admin_login="admin@acme.example",
            admin_password=PASSWORD,
            sale_order_id=cls.order.id,
        )
        cls.order.order_line.saas_instance_id = cls.instance
        cls.instance.message_post(body="internal note about acme")
        cls.url = f"/my/instances/{cls.instance.id}"

    def _get(self, url, user="t-customer", status=200):
        self.authenticate(user, user)
        response = self.url_open(url, allow_redirects=False)
        self.assertEqual(response.status_code, status, url)
        return response

    def _post(self, path, user="t-customer", csrf=True, **data):
        self.authenticate(user, user)
        if csrf:
            data["csrf_token"] = http.Request.csrf_token(self)
        return self.url_open(path, data=data or {"nothing": "1"}, allow_redirects=False)

    def _goes_to(self, response):
        self.assertIn(response.status_code, (302, 303), response.text[:500])
        return urlsplit(response.headers["Location"])

    def _set(self, **values):
        self.instance.write(values)
        self.env.flush_all()


class TestPortalPages(PortalCase):
    def test_home_counts_the_instances(self):
        page = self._get("/my").text
        self.assertIn("/my/instances", page)
        self.assertIn("My Odoo instances", page)
        reply = self.url_open("/my/counters", data=json.dumps({"params": {"counters": ["saas_instance_count"]}}), headers={"Content-Type": "application/json"})
        self.assertEqual(reply.json()["result"], {"saas_instance_count": 1})

    def test_list_shows_state_plan_and_use(self):
        page = self._get("/my/instances").text
        for text in ("acme", "Running", "Basic", "2 of 3", "0.4 of 2 GB", "Open my Odoo"):
            self.assertIn(text, page)
        self.assertNotIn("You have no Odoo yet", page)

    def test_list_is_sorted_and_paged(self):
        for number in range(25):
            self._instance(f"more-{number:02}", requested=True)
        page = self._get("/my/instances?sortby=newest").text
        self.assertIn("more-24", page)
        self.assertNotIn("more-00", page)
        self.assertIn("more-00", self._get("/my/instances/page/2?sortby=newest").text)
        self._get("/my/instances?sortby=nonsense")
        self._get("/my/instances/page/99")

    def test_list_of_nobody_leads_to_the_plans(self):
        page = self._get("/my/instances", "t-other").text
        self.assertIn("You have no Odoo yet", page)
        self.assertIn('href="/shop"', page)

    def test_page_of_the_instance(self):
        page = self._get(self.url).text
        for text in ("acme", "Running", "Basic", "2 of 3", "0.4 of 2 GB", "10.00", "per month", "admin@acme.example", self.order.name):
            self.assertIn(text, page)
        self.assertIn('role="progressbar"', page)
        self.assertIn(f"/my/orders/{self.order.id}?access_token=", page)
        self.assertNotIn(PASSWORD, page)
        for text in (*SENSITIVE, "internal note"):
            self.assertNotIn(text, page)

    def test_page_tells_of_the_backups_once_there_is_one(self):
        self.assertNotIn("saas_backup", self._get(self.url).text)
        self._set(backup_on="2026-01-16 03:00:00", backup_mb=1234.4, backup_proven_on="2026-01-02 03:30:00")
        page = self._get(self.url).text
        for text in ("Backups", "01/16/2026", "1,234 MB", "Proven on", "01/02/2026"):
            self.assertIn(text, page)
        self._set(backup_proof_error="rows are missing", backup_error="the target is full")
        page = self._get(self.url).text
        self.assertIn("01/16/2026", page)
        for text in ("Proven on", "rows are missing", "the target is full"):
            self.assertNotIn(text, page)

    def test_the_name_leads_to_the_page(self):
        self.assertEqual(self._goes_to(self._get("/my/instances/named/acme", status=303)).path, self.url)

    def test_page_shows_posted_invoices_of_the_customer_only(self):
        ours, draft = self._invoice(), self._invoice(post=False)
        theirs = self._invoice(partner=self.other.partner_id)
        self._set(invoice_ids=[(6, 0, (ours | draft | theirs).ids)])
        page = self._get(self.url).text
        self.assertIn(f"/my/invoices/{ours.id}?access_token=", page)
        self.assertNotIn(f"/my/invoices/{draft.id}", page)
        self.assertNotIn(f"/my/invoices/{theirs.id}", page)

    def test_drafts_of_staff_are_not_shown(self):
        draft = self._instance("draft-of-staff")
        self.assertNotIn("draft-of-staff", self._get("/my/instances").text)
        self._get(f"/my/instances/{draft.id}", status=404)
        draft.requested = True
        self.assertIn("Being prepared", self._get(f"/my/instances/{draft.id}").text)

    def test_states_in_words_and_colors(self):
        for state, color, label in (
            ("provisioning", "amber", "Being prepared"),
            ("running", "green", "Running"),
            ("stopped", "amber", "Stopped"),
            ("suspended", "red", "Suspended"),
            ("error", "red", "Not working"),
            ("deleting", "grey", "Being deleted"),
            ("deleted", "grey", "Deleted"),
        ):
            with self.subTest(state=state):
                self._set(state=state)
                self.assertIn(f'o_saas_state o_saas_{color}">{label}<', self._get(self.url).text)
        self._set(state="running", asleep_since=fields.Datetime.now())
        self.assertIn('o_saas_state o_saas_green">Asleep<', self._get(self.url).text)

    def test_suspended_says_why_and_how_long(self):
        past, future = fields.Datetime.now() - timedelta(days=3), fields.Datetime.now() + timedelta(days=27)
        unpaid = {"state": "suspended", "subscription_state": "expired", "paid_until": past, "delete_on": future}
        self._set(**unpaid)
        page = self._get(self.url).text
        self.assertIn("The time you paid for has ended", page)
        self.assertIn("Pay now", page)
        self.assertIn(self.instance._portal_date(future), page)
        self._set(hold="suspended")
        page = self._get(self.url).text
        self.assertIn("Our team has paused it", page)
        for text in ("Pay now", f"{self.url}/renew", f"{self.url}/plans"):
            self.assertNotIn(text, page)
        self._set(hold="none", subscription_state="active", paid_until=future, storage_over_since=past, delete_on=False)
        page = self._get(self.url).text
        self.assertIn("more storage than its plan includes", page)
        self.assertIn("/plans", page)
        self._set(subscription_state="cancelled", paid_until=False)
        self.assertIn("cancelled or refunded", self._get(self.url).text)

    def test_trial_leads_to_the_plans(self):
        self._set(plan_id=self.trial.id)
        page = self._get(self.url).text
        self.assertIn("free trial", page)
        self.assertIn("Choose a plan", page)
        self.assertNotIn("/renew", page)
        self.assertIn("no_renewal", self._goes_to(self._post(f"{self.url}/renew")).query)

    def test_deleted_offers_nothing_and_tells_no_password(self):
        self._set(state="deleted", hold="deleted")
        page = self._get(self.url).text
        for path in ("/renew", "/restart", "/plans", "/password"):
            self.assertNotIn(f"{self.url}{path}", page)
        self.assertEqual(self._post(f"{self.url}/password").json(), {"password": ""})
        self.assertIn("no_plan", self._goes_to(self._get(f"{self.url}/plans", status=303)).query)

    def test_no_technical_words(self):
        self._set(state="error")
        pages = [self._get(url).text for url in ("/my/instances", self.url, f"{self.url}/plans")]
        for page in pages:
            text = " ".join(html.document_fromstring(page).text_content().lower().split())
            for word in ("container", "docker", "daemon", "postgres", "http_port", "port ", "provision"):
                self.assertNotIn(word, text)

    def test_spanish(self):
        self.env["res.lang"]._activate_lang("es_ES")
        self.env["ir.module.module"].search([("name", "=", "saas_bridge")])._update_translations(["es_ES"])
        self.customer.lang = "es_ES"
        self.authenticate("t-customer", "t-customer")
        page = self.url_open(self.url).text
        for text in ("En marcha", "Abrir mi Odoo", "Renovar", "Cambiar de plan", "Reiniciar", "2 de 3", "0,4 de 2 GB", "al mes"):
            self.assertIn(text, page)
        self.plan.saas_customer_restore = True
        self._set(backup_on="2026-11-28 02:10:05", backup_moments="2026-11-28 02:10:05")
        page = self.url_open(f"{self.url}/backups?moment=2026-11-28 02:10:05").text
        said = ("Copias de seguridad", "Recuperar una copia", "28/11/2026 02:10:05", "Volver a este momento", "ya no estará")
        for text in said:
            self.assertIn(text, page)
        self.assertNotIn("Back to", page)


class TestPortalActions(PortalCase):
    def test_renew_leads_to_the_payment_of_one_quotation(self):
        location = self._goes_to(self._post(f"{self.url}/renew"))
        order = self.instance.renewal_order_id
        self.assertEqual(order.order_line.saas_instance_id, self.instance)
        self.assertEqual(order.amount_total, 10)
        self.assertEqual(location.path, f"/my/orders/{order.id}")
        self.assertIn("access_token=", location.query)
        self.assertIn("allow_payment=yes", location.query)
        self._post(f"{self.url}/renew")
        self.assertEqual(self.instance.renewal_order_id, order)
        # What the page says is what the quotation asks.
        self.assertEqual(self.instance._portal_next_amount()[0], order.amount_total)

    def test_the_amount_on_the_page_has_the_taxes_of_the_quotation(self):
        tax = self.env["account.tax"].create({"name": "21", "amount": 21, "type_tax_use": "sale", "company_id": self.company.id})
        self.plan.taxes_id = tax
        said = self.instance._portal_next_amount()[0]
        self.assertAlmostEqual(said, 12.1)
        self.assertAlmostEqual(self.instance._ensure_renewal().amount_total, said)

    def test_restart_is_asked_once_and_told(self):
        self.assertIn("/restart", self._get(self.url).text)
        self._post(f"{self.url}/restart")
        self._post(f"{self.url}/restart")
        command = self.instance.command_ids
        self.assertEqual(command.mapped("command"), ["restart"])
        self.assertEqual(command.requested_by, self.customer)
        page = self._get(self.url).text
        self.assertIn("is restarting", page)
        self.assertIn('data-poll="1"', page)
        self._push({"key": "c:1", "op": "command", "command_id": command.id, "result": "done", "message": {"code": "now_running", "params": {}}})
        self.assertIn("was restarted", self._get(self.url).text)

    def test_refused_restart_sends_no_words_for_staff_to_the_customer(self):
        self._post(f"{self.url}/restart")
        command = self.instance.command_ids
        self._push({"key": "c:2", "op": "command", "command_id": command.id, "result": "refused", "message": {"code": "down_never_paid", "params": {}}})
        self.assertEqual(command.state, "refused")
        self.assertNotIn(self.customer.partner_id, self.instance.message_ids.notified_partner_ids)
        page = self._get(self.url).text
        self.assertIn("could not be restarted", page)
        self.assertNotIn("Register the payment", page)

    def _backed_up(self):
        self.plan.saas_customer_restore = True
        self._set(backup_on="2026-11-28 02:10:05", backup_moments="2026-11-28 02:10:05,2026-11-27 02:10:04")

    def test_a_backup_is_chosen_confirmed_and_brought_back(self):
        self._backed_up()
        self.assertIn(f"{self.url}/backups", self._get(self.url).text)
        page = self._get(f"{self.url}/backups").text
        for text in ("11/28/2026 02:10:05", "11/27/2026 02:10:04", "Nothing is done before"):
            self.assertIn(text, page)
        page = self._get(f"{self.url}/backups?moment=2026-11-27 02:10:04").text
        for text in ("11/27/2026 02:10:04", "will not be there any more", "kept first", 'value="2026-11-27 02:10:04"'):
            self.assertIn(text, page)
        self.assertNotIn('name="moment"', self._get(f"{self.url}/backups?moment=2026-11-26 02:10:04").text)
        self.assertFalse(self.instance.command_ids)
        for _time in range(2):
            self._post(f"{self.url}/restore", moment="2026-11-27 02:10:04")
        command = self.instance.command_ids
        self.assertEqual(command.mapped("command"), ["restore"])
        self.assertEqual(str(command.moment), "2026-11-27 02:10:04")
        self.assertEqual(command.requested_by, self.customer)
        self.assertTrue(command.reason)
        page = self._get(self.url).text
        self.assertIn("is being brought back", page)
        self.assertIn('data-poll="1"', page)
        self.assertNotIn(f"{self.url}/backups", page)
        self._push({"key": "c:1", "op": "command", "command_id": command.id, "result": "done", "message": {"code": "restored", "params": {}}})
        self.assertIn("has the data of a backup again", self._get(self.url).text)

    def test_a_backup_that_was_not_brought_back_sends_no_words_for_staff_to_the_customer(self):
        self._backed_up()
        self._post(f"{self.url}/restore", moment="2026-11-28 02:10:05")
        command = self.instance.command_ids
        params = {"reason": "the target refuses"}
        self._push({"key": "c:1", "op": "command", "command_id": command.id, "result": "failed", "message": {"code": "restore_failed", "params": params}})
        self.assertEqual(command.state, "failed")
        page = self._get(self.url).text
        self.assertIn("could not be brought back; your Odoo is as it was", page)
        self.assertNotIn("the target refuses", page)

    def test_only_what_the_plan_permits_and_is_there_is_brought_back(self):
        self._backed_up()
        moment = "2026-11-28 02:10:05"
        for other in ("2026-11-28 02:10:06", "", "x", "2026-11-28 02:10:05,2026-11-27 02:10:04"):
            with self.subTest(moment=other):
                self.env["saas.limit"].search([]).unlink()
                self.assertIn("no_restore", self._goes_to(self._post(f"{self.url}/restore", moment=other)).query)
        for values in ({"state": "suspended"}, {"state": "stopped"}, {"hold": "stopped"}, {"backup_moments": False}):
            with self.subTest(**values):
                self._backed_up()
                self.env["saas.limit"].search([]).unlink()
                self._set(**values)
                self.assertNotIn(f"{self.url}/backups", self._get(self.url).text)
                self.assertIn("no_restore", self._goes_to(self._get(f"{self.url}/backups", status=303)).query)
                self.assertIn("no_restore", self._goes_to(self._post(f"{self.url}/restore", moment=moment)).query)
                self._set(state="running", hold="none")
        self._backed_up()
        self.plan.saas_customer_restore = False
        self.env["saas.limit"].search([]).unlink()
        self.assertIn("Write to us to have a former state back", self._get(self.url).text)
        self.assertIn("no_restore", self._goes_to(self._post(f"{self.url}/restore", moment=moment)).query)
        self.assertFalse(self.instance.command_ids)

    def test_restores_are_limited(self):
        self._backed_up()
        for _time in range(3):
            self._post(f"{self.url}/restore", moment="never")
        self.assertEqual(self._post(f"{self.url}/restore", moment="2026-11-28 02:10:05").status_code, 429)
        self.assertFalse(self.instance.command_ids)

    def test_restart_only_of_what_runs(self):
        for state in ("provisioning", "suspended", "stopped", "deleted"):
            with self.subTest(state=state):
                self._set(state=state)
                self.assertIn("no_restart", self._goes_to(self._post(f"{self.url}/restart")).query)
        self.assertFalse(self.instance.command_ids)

    def test_plans_are_compared_and_misfits_disabled(self):
        page = self._get(f"{self.url}/plans").text
        for text in ("Basic", "Your plan", "Pro", "25.00", "Small", "2 active users and the plan Small allows 1"):
            self.assertIn(text, page)
        self.assertNotIn(f'value="{self.trial.id}"', page)

    def test_choosing_a_plan_leads_to_its_payment(self):
        location = self._goes_to(self._post(f"{self.url}/plan", plan_id=self.pro.id))
        order = self.env["sale.order"].search([], order="id desc", limit=1)
        self.assertEqual(location.path, f"/my/orders/{order.id}")
        self.assertEqual(order.state, "sent")
        self.assertEqual(order.order_line.product_id.product_tmpl_id, self.pro)
        self.assertEqual(order.order_line.saas_instance_id, self.instance)
        self.assertEqual(order.partner_id.commercial_partner_id, self.acme)
        self.assertEqual(self.instance.plan_id, self.plan)
        again = self._goes_to(self._post(f"{self.url}/plan", plan_id=self.pro.id))
        self.assertEqual(again.path, location.path)

    def test_another_choice_replaces_the_unpaid_one(self):
        self._set(users_used=1)
        renewal = self.instance._ensure_renewal()
        self._post(f"{self.url}/plan", plan_id=self.pro.id)
        pro = self.env["sale.order"].search([], order="id desc", limit=1)
        self._post(f"{self.url}/plan", plan_id=self.small.id)
        small = self.env["sale.order"].search([], order="id desc", limit=1)
        self.assertEqual((pro.state, small.state, renewal.state), ("cancel", "sent", "sent"))
        # One that is being paid stays.
        self._transaction(small, state="pending")
        self._post(f"{self.url}/plan", plan_id=self.pro.id)
        self.assertEqual(small.state, "sent")

    def test_plans_that_are_not_offered_are_refused(self):
        count = self.env["sale.order"].search_count([])
        consulting = self.env["product.template"].create({"name": "Consulting", "list_price": 70})
        archived = self._plan("Old", "t-old", active=False)
        for plan in (self.small, self.plan, self.trial, consulting, archived):
            with self.subTest(plan=plan.name):
                self.assertTrue(self._goes_to(self._post(f"{self.url}/plan", plan_id=plan.id)).path.endswith("/plans"))
        for value in ("", "abc", "-1", "999999999"):
            self._goes_to(self._post(f"{self.url}/plan", plan_id=value))
        self.assertEqual(self.env["sale.order"].search_count([]), count)

    def test_password_on_request(self):
        response = self._post(f"{self.url}/password")
        self.assertEqual(response.json(), {"password": PASSWORD})
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self._set(admin_password=False)
        self.assertNotIn(f"{self.url}/password", self._get(self.url).text)

    def test_message_reaches_the_salesperson(self):
        self._post(f"{self.url}/message", body="My <b>question</b>\nsecond line")
        message = self.instance.message_ids[0]
        self.assertEqual(message.author_id, self.customer.partner_id)
        self.assertIn(self.salesman.partner_id, message.notified_partner_ids)
        page = self._get(self.url).text
        self.assertIn("My &lt;b&gt;question&lt;/b&gt;", page)
        self.assertNotIn("My <b>question</b>", page)

    def test_page_shows_answers_to_the_customer_only(self):
        self.instance.message_post(body="among staff", message_type="comment", subtype_xmlid="mail.mt_comment")
        self.instance.message_post(body="a note to you", partner_ids=self.customer.partner_id.ids)
        self.instance.message_post(body="the answer", message_type="comment", subtype_xmlid="mail.mt_comment", partner_ids=self.customer.partner_id.ids)
        page = self._get(self.url).text
        self.assertIn("the answer", page)
        self.assertNotIn("among staff", page)
        self.assertNotIn("a note to you", page)

    def test_empty_message_is_not_sent(self):
        count = len(self.instance.message_ids)
        self.assertIn("empty", self._goes_to(self._post(f"{self.url}/message", body="  \n ")).query)
        self.assertEqual(len(self.instance.message_ids), count)

    def test_status_tells_when_it_is_ready(self):
        self._set(state="provisioning")
        self.assertIn('data-poll="1"', self._get(self.url).text)
        first = self._get(f"{self.url}/status").json()
        self.assertTrue(first["poll"])
        self._set(state="running")
        second = self._get(f"{self.url}/status").json()
        self.assertFalse(second["poll"])
        self.assertNotEqual(first["version"], second["version"])
        self.assertIn("Open my Odoo", second["html"])
        self.assertEqual(second["text"], "acme: Running")
        for text in (PASSWORD, *SENSITIVE):
            self.assertNotIn(text, json.dumps(second))
        self.assertNotIn('data-poll="1"', self._get(self.url).text)


class TestPortalOrder(PortalCase):
    def _status(self, order, token=True, status=200):
        self.authenticate(None, None)
        query = f"?access_token={order._portal_ensure_token()}" if token else ""
        self.env.flush_all()
        response = self.url_open(f"/my/instances/order/{order.id}/status{query}")
        self.assertEqual(response.status_code, status)
        return response.json() if status == 200 else None

    def test_order_tells_of_its_instance_from_the_payment_on(self):
        order = self._order(confirm=False)
        self.assertEqual(self._status(order), {"version": "", "poll": False, "html": ""})
        transaction = self._transaction(order, state="pending")
        self.assertIn("As soon as your payment arrives", self._status(order)["html"])
        transaction.state = "done"
        preparing = self._status(order)
        self.assertTrue(preparing["poll"])
        self.assertIn("We are preparing your Odoo", preparing["html"])
        order.action_confirm()
        instance = self._instance("new-one", requested=True, state="provisioning", admin_password=PASSWORD)
        order.order_line.saas_instance_id = instance
        self.assertIn("Being prepared", self._status(order)["html"])
        instance.write({"state": "running", "url": "http://new.example"})
        running = self._status(order)
        self.assertFalse(running["poll"])
        self.assertIn("http://new.example", running["html"])
        self.assertNotIn(PASSWORD, running["html"])

    def test_page_of_the_order_has_the_box(self):
        page = self._get(self.order.get_portal_url()).text
        self.assertIn("js_saas_live", page)
        self.assertIn("Your Odoo", page)

    def test_what_takes_long_says_so(self):
        order = self._order()
        order.saas_confirmed_on = fields.Datetime.now() - timedelta(minutes=20)
        self.assertIn("longer than usual", self._status(order)["html"])
        order.saas_confirmed_on = fields.Datetime.now() - timedelta(days=3)
        self.assertFalse(self._status(order)["poll"])

    def test_other_orders_have_no_box(self):
        other = self.env["product.product"].create({"name": "Consulting", "list_price": 70})
        order = self._order(product_id=other.id)
        self.assertEqual(self._status(order)["html"], "")
        self.order._action_cancel()
        self.assertEqual(self._status(self.order)["html"], "")

    def test_order_of_somebody_else_tells_nothing(self):
        self._status(self.order, token=False, status=404)
        self._get(f"/my/instances/order/{self.order.id}/status", "t-other", status=404)
        self._get(f"/my/instances/order/{self.order.id}/status?access_token=wrong", "t-other", status=404)
        self._get("/my/instances/order/999999999/status", status=404)
        self._get(f"/my/instances/order/{self.order.id}/status")


class TestPortalAccess(PortalCase):
    PAGES = ("", "/status", "/plans", "/backups")
    ACTIONS = ("/password", "/renew", "/plan", "/restart", "/restore", "/message")

    @mute_logger("odoo.http")
    def test_another_customer_finds_nothing(self):
        for path in self.PAGES:
            with self.subTest(path=path):
                self._get(self.url + path, "t-other", status=404)
        before = (len(self.instance.message_ids), self.env["sale.order"].search_count([]))
        for path in self.ACTIONS:
            with self.subTest(path=path):
                response = self._post(self.url + path, "t-other", plan_id=self.pro.id, body="hello")
                self.assertEqual(response.status_code, 404)
                self.assertNotIn(PASSWORD, response.text)
        self.assertFalse(self.instance.command_ids or self.instance.renewal_order_id)
        self.assertEqual((len(self.instance.message_ids), self.env["sale.order"].search_count([])), before)
        self.assertNotIn("acme", self._get("/my/instances", "t-other").text)

    def test_a_foreign_number_looks_like_a_missing_one(self):
        def said(number):
            page = self._get(f"/my/instances/{number}", "t-other", status=404).text
            return html.document_fromstring(page).xpath("//main")[0].text_content().replace(str(number), "")

        self.assertEqual(said(self.instance.id), said(999999999))
        self.assertNotIn("acme", said(self.instance.id))

    def test_a_foreign_name_looks_like_a_missing_one(self):
        def said(name):
            page = self._get(f"/my/instances/named/{name}", "t-other", status=404).text
            return html.document_fromstring(page).xpath("//main")[0].text_content().replace(name, "")

        self.assertEqual(said("acme"), said("nobody"))
        self._instance("draft-of-staff")
        for name in ("nobody", "draft-of-staff", "ACME", "acm_", "acme%25"):
            with self.subTest(name=name):
                self._get(f"/my/instances/named/{name}", status=404)

    def test_colleagues_see_it_and_staff_of_ours_use_their_own_pages(self):
        users = self.env(context=dict(self.env.context, no_reset_password=True))
        colleague = new_test_user(users, "t-colleague", groups="base.group_portal", password="t-colleague")
        colleague.partner_id.parent_id = self.acme
        self._get(self.url, "t-colleague")
        new_test_user(users, "t-staff", groups="base.group_user", password="t-staff")
        self._get(self.url, "t-staff", status=404)

    @mute_logger("odoo.http")
    def test_visitors_must_log_in(self):
        self.authenticate(None, None)
        for path in ("/my/instances", *(self.url + path for path in self.PAGES)):
            response = self.url_open(path, allow_redirects=False)
            self.assertIn("/web/login", response.headers["Location"])
        for path in self.ACTIONS:
            token = http.Request.csrf_token(self)
            response = self.url_open(self.url + path, data={"csrf_token": token}, allow_redirects=False)
            self.assertNotIn(PASSWORD, response.text)
            self.assertIn("/web/login", response.headers.get("Location", ""))
        self.assertFalse(self.instance.command_ids or self.instance.renewal_order_id)

    def test_a_name_leads_visitors_through_the_login_and_back(self):
        self.authenticate(None, None)
        login = self.url_open("/my/instances/named/acme")
        self.assertIn("/web/login", login.url)
        form = {field.name: field.value for field in html.document_fromstring(login.text).xpath("//form//input[@name]")}
        form.update(login="t-customer", password="t-customer")
        page = self.url_open("/web/login", data=form)
        self.assertEqual(urlsplit(page.url).path, self.url)
        self.assertIn("admin@acme.example", page.text)

    @mute_logger("odoo.http")
    def test_actions_need_the_token_of_the_form(self):
        for path in self.ACTIONS:
            with self.subTest(path=path):
                response = self._post(self.url + path, csrf=False, body="hello", plan_id=self.pro.id)
                self.assertEqual(response.status_code, 400)
                self.assertEqual(self.url_open(self.url + path).status_code, 405)
        self.assertFalse(self.instance.command_ids or self.instance.renewal_order_id)

    def test_portal_users_read_no_model_of_ours(self):
        models = [name for name in self.env.registry if name.startswith("saas.") and name != "saas.line.mixin"]
        self.assertIn("saas.instance", models)
        public = self.env.ref("base.public_user")
        for user in (self.customer, self.other, public):
            for name in models:
                model = self.env[name].with_user(user)
                if model._abstract:
                    continue
                for call in (
                    lambda: model.search([]),  # noqa: B023
                    lambda: model.search_count([]),  # noqa: B023
                    lambda: model.search_read([], ["id"]),  # noqa: B023
                    lambda: model.create({}),  # noqa: B023
                    lambda: model.browse(self.instance.id).read(["id"]),  # noqa: B023
                    lambda: model.browse(self.instance.id).unlink(),  # noqa: B023
                ):
                    with self.subTest(user=user.login, model=name), self.assertRaises(AccessError):
                        call()
        for user in (self.customer, self.other, public):
            mine = self.instance.with_user(user)
            for fname in ("name", "log", "error_message", "admin_password", "key", "http_port", "odoo_container", "message_ids"):
                with self.subTest(user=user.login, field=fname), self.assertRaises(AccessError):
                    mine.read([fname])
            for call in (mine.action_restart, mine.action_delete, mine.action_resume, mine.action_extend):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    call()

    def test_portal_users_do_not_get_there_through_their_order(self):
        order = self.order.with_user(self.customer)
        self.assertTrue(order.read(["name"]))
        for path in ("order_line.saas_instance_id.name", "order_line.saas_instance_id.admin_password", "order_line.saas_instance_id.log"):
            with self.subTest(path=path), self.assertRaises(AccessError):
                order.search([(path, "=", "acme")])
        with self.assertRaises(AccessError):
            order.order_line.saas_instance_id.read(["name"])

    def test_messages_of_the_instance_are_closed_to_the_customer(self):
        note = self.instance.message_ids[-1]
        self._post(f"{self.url}/message", body="hello")
        self.assertNotIn(note, self.env["mail.message"].with_user(self.customer).search([("model", "=", "saas.instance")]))
        with self.assertRaises(AccessError):
            note.with_user(self.customer).read(["body"])

    @mute_logger("odoo.http", "odoo.addons.rpc.controllers.xmlrpc")
    def test_over_the_wire(self):
        self.authenticate("t-customer", "t-customer")
        for model in ("saas.instance", "saas.command", "saas.grant", "saas.bridge.effect"):
            for method, args in (("search_read", [[]]), ("read", [[self.instance.id]]), ("search_count", [[]])):
                payload = {"params": {"model": model, "method": method, "args": args, "kwargs": {}}}
                reply = self.url_open(
                    f"/web/dataset/call_kw/{model}/{method}", data=json.dumps(payload), headers={"Content-Type": "application/json"}
                )
                self.assertNotIn("result", reply.json(), (model, method))
        for method in ("poll", "push", "hello", "renewal"):
            payload = {"params": {"model": "saas.bridge", "method": method, "args": [], "kwargs": {}}}
            reply = self.url_open(
                f"/web/dataset/call_kw/saas.bridge/{method}", data=json.dumps(payload), headers={"Content-Type": "application/json"}
            )
            self.assertNotIn("result", reply.json(), method)
        with self.assertRaises(Exception) as caught:
            self.xmlrpc_object.execute_kw(self.env.cr.dbname, self.customer.id, "t-customer", "saas.instance", "search_read", [[]])
        self.assertNotIn("acme", str(caught.exception))
