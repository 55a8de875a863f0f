"""What an instance has of names of its customer's own, and what its customer is told of them."""

from odoo import _, fields, models

from .saas_domain import HELD

REPORTED = ("state", "problem", "found", "proven", "pointed", "twin")
STATES = ("waiting", "certifying", "active", "lost")


class SaasInstance(models.Model):
    _inherit = "saas.instance"

    domain_ids = fields.One2many("saas.domain", "instance_id", string="Domains")
    domain_target = fields.Char(
        string="Leads To", readonly=True, copy=False, help="The host that a customer's own domain must lead to."
    )
    domain_addresses = fields.Char(string="Addresses", readonly=True, copy=False, help="Of the edge, for A and AAAA records.")

    def _portal_domain_limit(self):
        self.ensure_one()
        return 0 if self.state in ("deleting", "deleted") or self.hold == "deleted" else self.plan_id.saas_domains

    def _portal_domain_room(self):
        self.ensure_one()
        return max(0, self._portal_domain_limit() - len(self.domain_ids))

    def _portal_has_domains(self):
        """Whether its customer has anything to see of domains."""
        self.ensure_one()
        return bool(self._portal_domain_limit() or self.domain_ids) and self.state not in ("deleting", "deleted", "draft")

    def _portal_other_homes(self):
        """Instances of the same customer that have room for one more domain."""
        self.ensure_one()
        customer = self.partner_id.commercial_partner_id
        others = self.search([("partner_id.commercial_partner_id", "=", customer.id), ("id", "!=", self.id)])
        return others.filtered(lambda instance: instance.state != "draft" and instance._portal_domain_room())

    def _portal_domains_version(self):
        self.ensure_one()
        parts = [
            "/".join(str(domain[fname]) for fname in ("id", *REPORTED)) + str(domain._is_pending())
            for domain in self.domain_ids
        ]
        return "|".join([self.domain_target or "", self.domain_addresses or "", self.url or "", *parts])

    def _portal_domains_move(self):
        self.ensure_one()
        return any(domain._is_moving() for domain in self.domain_ids)

    def _take_domain_reports(self, reports):
        """What the daemon found. The customer is told of a domain that works, and of one that does not any more."""
        for report in reports:
            domain = self.domain_ids.filtered(lambda one: one.name == report["host"])  # noqa: B023
            if not domain or report["state"] not in STATES:
                continue
            values = {fname: report[fname] or False for fname in REPORTED}
            answered = report["answered_on"]
            values["answered_on"] = fields.Datetime.to_datetime(answered) if answered else domain.answered_on
            before = domain.state
            changed = {fname: value for fname, value in values.items() if (domain[fname] or False) != (value or False)}
            if changed:
                domain.write(changed)
            if domain.state != before:
                self._tell_domain(domain, before)

    def _tell_domain(self, domain, before):
        label = domain._portal_state()["label"]
        self.message_post(body=f"{domain.name}: {label}. {domain.problem_text or ''}".strip())
        if domain.state == "active":
            self._mail_customer(self._live_contact(), lambda one: one._domain_active_text(domain))
        elif before in HELD and domain.state in ("lost", "waiting"):
            self._mail_customer(self._live_contact(), lambda one: one._domain_lost_text(domain))

    def _domain_active_text(self, domain):
        return (
            _("%s is the address of your Odoo now", domain.shown_name),
            _(
                "Your Odoo %(instance)s is at https://%(host)s now. Whoever opens the old address is sent there. You log in"
                " there once more, with the same login and password.",
                instance=self.name,
                host=domain.name,
            ),
        )

    def _domain_lost_text(self, domain):
        domain = domain.with_env(self.env)
        return (
            _("%s does not lead to your Odoo any more", domain.shown_name),
            _(
                "%(problem)s\nUntil that is right your Odoo %(instance)s is reached at https://%(target)s.",
                problem=domain.problem_text or "",
                instance=self.name,
                target=self.domain_target or "",
            ),
        )
