from lxml import html

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_portal import PortalCase

PROOF = r"odoo-saas=[0-9a-f]{32}"


@tagged("post_install", "-at_install")
class DomainCase(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan.saas_domains = 2
        cls.instance.domain_target = "acme.clientes.example"
        cls.domains = cls.env["saas.domain"]
        cls.page = f"{cls.url}/domains"

    def _told(self, instance=None):
        """What a poll tells of the domains of the instance."""
        return self.env["saas.bridge"]._instance_row(instance or self.instance)["domains"]

    def _report(self, host, **values):
        report = {
            **{"host": host, "state": "waiting", "problem": False, "found": "", "proven": False, "pointed": False},
            **{"twin": False, "answered_on": fields.Datetime.to_string(fields.Datetime.now())},
            **values,
        }
        values = {"domain_target": "acme.clientes.example", "domain_addresses": "198.51.100.7, 2001:db8::7", "domains": [report]}
        [result] = self._push(
            {"op": "instance", "key": "instance:1", "instance_key": self.instance.key, "values": values}
        )
        self.assertEqual(result["status"], "done", result["message"])


class TestDomain(DomainCase):
    def test_what_people_type_becomes_a_name_of_dns(self):
        for typed, host in (
            ("acme.example", "acme.example"),
            ("  WWW.Acme.Example. ", "www.acme.example"),
            ("https://www.acme.example/shop?x=1#y", "www.acme.example"),
            ("http://acme.example:8069", "acme.example"),
            ("münchen.example", "xn--mnchen-3ya.example"),
            ("ａｃｍｅ.example", "acme.example"),
            ("erp.acme.co.uk", "erp.acme.co.uk"),
        ):
            self.assertEqual(self.domains._clean_host(typed), host, typed)

    def test_what_is_no_name_is_told_so(self):
        for typed in (
            *("", " ", "acme", "*.acme.example", "acme..example", ".acme.example", "-acme.example", "acme-.example"),
            *("acme.example%2f..", "../acme.example", "%2e%2e", "a b.example", "acme.e*", "[::1]", "127.0.0.1", "10.0.0.300"),
            *("acme.localhost", "x.local", "user@acme.example", "acme_x.example", "a" * 64 + ".example", "a." * 200 + "example"),
            *("acme.example\n.evil", "javascript:alert(1)", "{acme}.example", "$x.example", "\u202eacme.example", "acme\x00.example"),
        ):
            with self.assertRaises(UserError, msg=repr(typed)):
                self.domains._clean_host(typed)

    def test_the_sellers_names_are_no_customers(self):
        self.env["ir.config_parameter"].set_param("web.base.url", "https://tienda.example")
        for typed in ("beta.clientes.example", "clientes.example", "tienda.example", "www.TIENDA.example"):
            with self.assertRaises(UserError, msg=typed):
                self.domains._ask(self.instance, typed)

    def test_the_daemon_is_told_in_order(self):
        before = self.instance.write_date
        self.domains._ask(self.instance, "www.acme.example")
        self.domains._ask(self.instance, "erp.acme.example")
        self.assertEqual([row["host"] for row in self._told()], ["www.acme.example", "erp.acme.example"])
        self.assertRegex(self._told()[0]["proof"], PROOF)
        self.assertEqual(self._told()[0]["held"], False)
        self.assertGreaterEqual(self.instance.write_date, before)
        self.assertIn("www.acme.example", self.instance.log)

    def test_the_proof_is_of_one_customer_and_name(self):
        domain = self.domains._ask(self.instance, "www.acme.example")
        other = self._instance("other", partner_id=self.other.partner_id.id, state="running", domain_target="other.clientes.example")
        second = self._instance("second", state="running")
        proofs = {
            name: self.domains._ask(instance, host)._proof()
            for name, instance, host in (
                ("another customer", other, "acme.example"),
                ("another name", self.instance, "acme2.example"),
                ("without www", second, "acme.example"),
            )
        }
        self.assertNotEqual(proofs["another customer"], domain._proof())
        self.assertNotEqual(proofs["another name"], domain._proof())
        self.assertEqual(proofs["without www"], domain._proof())

    def test_the_plan_says_how_many(self):
        self.domains._ask(self.instance, "one.example")
        self.domains._ask(self.instance, "two.example")
        with self.assertRaises(UserError):
            self.domains._ask(self.instance, "three.example")
        self.plan.saas_domains = 3
        with self.assertRaises(UserError, msg="with www and without is one"):
            self.domains._ask(self.instance, "www.two.example")
        self.domains._ask(self.instance, "three.example")
        self.instance.hold = "deleted"
        self.assertEqual(self.instance._portal_domain_room(), 0)

    def test_a_look_is_asked_for_and_answered(self):
        domain = self.domains._ask(self.instance, "acme.example")
        self.assertTrue(domain._is_pending())
        asked = domain.asked_on
        self._report("acme.example", problem="no_proof", answered_on=fields.Datetime.to_string(asked))
        self.assertFalse(domain._is_pending())
        domain._look_again()
        self.assertGreater(domain.asked_on, asked)
        self.assertTrue(domain._is_pending())
        self.assertEqual(self._told()[0]["asked_on"], fields.Datetime.to_string(domain.asked_on))

    def test_the_report_is_written_down_once_and_the_customer_told(self):
        domain = self.domains._ask(self.instance, "acme.example")
        mails = self.env["mail.mail"].sudo().search_count([])
        for _again in range(2):
            self._report("acme.example", state="active", proven=True, pointed=True, twin=True)
        self.assertEqual((domain.state, domain.twin, domain.pointed), ("active", True, True))
        self.assertEqual(self._told()[0]["held"], True)
        self.assertEqual(self.env["mail.mail"].sudo().search_count([]), mails + 1)
        self.assertEqual(self.instance.domain_addresses, "198.51.100.7, 2001:db8::7")
        self._report("acme.example", state="lost", problem="wrong_target", found="9.9.9.9")
        self.assertIn("9.9.9.9", domain.problem_text)
        self.assertEqual(self.env["mail.mail"].sudo().search_count([]), mails + 2)
        # Of one that was removed meanwhile nothing is written.
        domain._give_up()
        self._report("acme.example", state="active")
        self.assertFalse(self.instance.domain_ids)

    def test_each_problem_has_a_sentence_in_each_language(self):
        domain = self.domains._ask(self.instance, "acme.example")
        problems = (
            *("bad_name", "sellers_name", "mixed_scripts", "no_proof", "wrong_proof", "no_address", "wrong_target", "proxied"),
            *("inside", "caa", "unanswered", "taken", "over_limit", "no_edge", "no_certificate"),
        )
        said = set()
        for problem in problems:
            domain.write({"problem": problem, "found": "9.9.9.9"})
            said.add(domain.problem_text)
        self.assertEqual(len(said), len(problems))

    def test_a_deleted_instance_has_none(self):
        self.domains._ask(self.instance, "acme.example")
        self._push({"op": "instance", "key": "x", "instance_key": self.instance.key, "values": {"state": "deleted"}})
        self.assertFalse(self.instance.domain_ids)

    def test_people_of_the_office_read_them_and_write_none(self):
        domain = self.domains._ask(self.instance, "acme.example")
        self.assertEqual(domain.with_user(self.saas_user).name, "acme.example")
        for user in (self.saas_user, self.saas_manager):
            with self.assertRaises(AccessError):
                domain.with_user(user).write({"state": "active"})
            with self.assertRaises(AccessError):
                self.domains.with_user(user).create({"instance_id": self.instance.id, "name": "a.example", "base": "a.example", "asked_on": "2026-01-01"})
        with self.assertRaises(AccessError):
            domain.with_user(self.customer).read(["name"])


class TestDomainPages(DomainCase):
    def _add(self, host, **values):
        return self._post(f"{self.page}/add", host=host, **values)

    def test_it_is_offered_where_the_plan_has_some(self):
        self.assertIn("/domains", self._get(self.url).text)
        self.plan.saas_domains = 0
        self.env.flush_all()
        self.assertNotIn("/domains", self._get(self.url).text)
        self._get(self.page, status=303)

    def test_add_shows_what_is_to_be_set(self):
        self._goes_to(self._add("https://WWW.Acme.example/"))
        domain = self.instance.domain_ids
        self.assertEqual(domain.name, "www.acme.example")
        self._report("www.acme.example", problem="no_proof")
        page = html.fromstring(self._get(self.page).text)
        rows = [" ".join(row.text_content().split()) for row in page.xpath("//tbody/tr")]
        self.assertEqual(
            rows,
            [
                f"TXT _odoo-saas.acme.example {domain._proof()} not yet",
                "CNAME www.acme.example acme.clientes.example not yet",
                "or A www.acme.example 198.51.100.7 not yet",
                "or AAAA www.acme.example 2001:db8::7 not yet",
            ],
        )
        status = self._get(f"{self.page}/status").json()
        self.assertTrue(status["poll"])
        self._report("www.acme.example", state="active", proven=True, pointed=True)
        news = self._get(f"{self.page}/status").json()
        self.assertNotEqual(news["version"], status["version"])
        self.assertFalse(news["poll"])
        self.assertIn("https://www.acme.example", news["html"])

    def test_a_mistake_is_said_beside_what_was_typed(self):
        response = self._add("acme<script>alert(1)</script>")
        self.assertEqual(response.status_code, 200)
        self.assertNotIn("<script>alert(1)", response.text)
        page = html.fromstring(response.text)
        self.assertTrue(page.xpath("//*[@id='saas_domain_error']")[0].text_content().strip())
        self.assertEqual(page.xpath("//input[@id='saas_host']/@value"), ["acme<script>alert(1)</script>"])
        self.assertFalse(self.instance.domain_ids)

    def test_check_remove_and_move(self):
        second = self._instance("second", state="running", requested=True)
        domain = self.domains._ask(self.instance, "acme.example")
        asked = domain.asked_on
        self._goes_to(self._post(f"{self.page}/{domain.id}/check"))
        self.assertGreater(domain.asked_on, asked)
        self._goes_to(self._post(f"{self.page}/{domain.id}/move", to=str(second.id)))
        self.assertEqual(domain.instance_id, second)
        self.assertEqual((self._told(), [row["host"] for row in self._told(second)]), ([], ["acme.example"]))
        self._goes_to(self._post(f"/my/instances/{second.id}/domains/{domain.id}/remove"))
        self.assertFalse(domain.exists())

    @mute_logger("odoo.http")
    def test_nobody_touches_those_of_another(self):
        other = self._instance("other", partner_id=self.other.partner_id.id, state="running", requested=True)
        theirs = self.domains._ask(other, "other.example")
        for path in (f"/my/instances/{other.id}/domains", f"/my/instances/{other.id}/domains/status"):
            self._get(path, status=404)
        self.assertEqual(self._post(f"/my/instances/{other.id}/domains/add", host="a.example").status_code, 404)
        # By the door of one's own instance, too.
        self._post(f"{self.page}/{theirs.id}/remove")
        self.assertTrue(theirs.exists())
        mine = self.domains._ask(self.instance, "acme.example")
        self._post(f"{self.page}/{mine.id}/move", to=str(other.id))
        self.assertEqual(mine.instance_id, self.instance)
        self.assertEqual(self._post(f"{self.page}/add", csrf=False, host="b.example").status_code, 400)
        self.assertEqual(self.instance.domain_ids, mine)

    def test_who_asks_too_often_waits(self):
        domain = self.domains._ask(self.instance, "acme.example")
        statuses = [self._post(f"{self.page}/{domain.id}/check").status_code for _number in range(22)]
        self.assertEqual(statuses[-1], 429)
