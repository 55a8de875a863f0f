"""Names of their own that customers have for their instances: asked for here, looked at and decided by the daemon."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import idna

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import hmac

# As in src/domains/name.ts: lower case, ASCII, two labels at least, and nothing that means something in a path.
HOST = re.compile(r"(?=.{4,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")
SPECIAL = re.compile(r"\.(localhost|local|internal|arpa|onion|invalid|home|lan|corp|\d+)\Z")
TYPED_LENGTH = 500
PROOF_LENGTH = 32
# How long the page looks by itself whether DNS says something new.
LOOKING = timedelta(minutes=10)
HELD = ("active", "lost")


class SaasDomain(models.Model):
    _name = "saas.domain"
    _description = "Domain of a Customer"
    _order = "id"

    instance_id = fields.Many2one("saas.instance", required=True, readonly=True, index=True, ondelete="cascade")
    name = fields.Char(string="Domain", required=True, readonly=True, help="As DNS has it, in ASCII.")
    base = fields.Char(required=True, readonly=True, help="Without www: with and without it is one name.")
    shown_name = fields.Char(string="Shown As", compute="_compute_shown_name")
    state = fields.Selection(
        [
            ("waiting", "Waiting for DNS"),
            ("certifying", "Waiting for its certificate"),
            ("active", "Active"),
            ("lost", "Leads elsewhere"),
        ],
        required=True,
        readonly=True,
        default="waiting",
    )
    problem = fields.Char(readonly=True, help="What the daemon found wrong, as one word.")
    problem_text = fields.Char(string="What Is Wrong", compute="_compute_problem_text")
    found = fields.Char(readonly=True, help="What DNS says instead.")
    proven = fields.Boolean(readonly=True)
    pointed = fields.Boolean(readonly=True)
    twin = fields.Boolean(string="www Too", readonly=True, help="With and without www: both lead here.")
    asked_on = fields.Datetime(required=True, readonly=True, help="When it was asked for, or a look at it.")
    answered_on = fields.Datetime(string="Looked At", readonly=True)

    _base_unique = models.Constraint("UNIQUE(instance_id, base)", "The instance has this domain already.")

    @api.depends("name")
    def _compute_shown_name(self):
        for domain in self:
            try:
                domain.shown_name = idna.decode(domain.name or "")
            except idna.IDNAError:
                domain.shown_name = domain.name

    @api.depends("problem", "found", "name", "instance_id.domain_target")
    @api.depends_context("lang")
    def _compute_problem_text(self):
        for domain in self:
            domain.problem_text = domain._problem_text() if domain.problem else False

    def _problem_text(self):
        """One plain sentence: what is wrong, and what to do."""
        self.ensure_one()
        found, proof_host = self.found or "", self._proof_host()
        sentences = {
            "bad_name": _("This is no name that DNS can have. Check how it is written."),
            "sellers_name": _("This name is ours, or looks like ours: choose a domain of your own."),
            "mixed_scripts": _("This name mixes letters of several alphabets, which people take for another name. Choose another one."),
            "no_proof": _("We do not find the TXT record %s yet. DNS may need some minutes after you have saved it.", proof_host),
            "wrong_proof": _("The TXT record %(name)s says %(found)s. Add one with the value below.", name=proof_host, found=found),
            "no_address": _("The name leads nowhere yet. Add the record below; DNS may need some minutes after you have saved it."),
            "wrong_target": _("The name leads to %s too, which is not us. Let only the record below stay: no other A, AAAA or CNAME record.", found),
            "proxied": _("The name leads to a proxy before your site (%s). Switch the proxy off for this name, so that DNS answers with our address.", found),
            "inside": _("The name leads to an address inside of a private network (%s), which nobody else can reach. Use the record below.", found),
            "caa": _("Your CAA records let only %s issue certificates. Allow our authority too, or remove them.", found),
            "unanswered": _("DNS does not answer just now. We ask again by ourselves."),
            "taken": _("Another instance has this domain. Remove it there first; if it is not yours, the TXT record of the other owner must go."),
            "over_limit": _("Your plan has no room for this domain. Remove another one, or choose a larger plan."),
            "no_edge": _("Domains of your own are not offered here at the moment. Write to us."),
            "no_certificate": _("DNS is right, but the certificate could not be issued yet. We try again by ourselves."),
        }
        return sentences.get(self.problem) or _("Something is wrong with this name. Write to us.")

    def _proof_host(self):
        return f"_odoo-saas.{self.base}"

    def _proof(self):
        """What proves whose the name is: the same for a customer and a name, whatever the instance; another for another customer."""
        self.ensure_one()
        customer = self.sudo().instance_id.partner_id.commercial_partner_id
        # A database that was restored gives numbers out again.
        words = f"{customer.id}|{fields.Datetime.to_string(customer.create_date)}|{self.base}"
        return f"odoo-saas={hmac(self.env(su=True), 'saas.domain', words)[:PROOF_LENGTH]}"

    def _records(self):
        """What is to be set at the customer's DNS provider: `[{"type", "name", "value", "right", "or"}]`."""
        self.ensure_one()
        instance = self.instance_id
        target, addresses = instance.domain_target or "", instance.domain_addresses or ""
        rows = [{"type": "TXT", "name": self._proof_host(), "value": self._proof(), "right": self.proven, "or": False}]
        if target:
            rows.append({"type": "CNAME", "name": self.name, "value": target, "right": self.pointed, "or": False})
        for address in filter(None, addresses.split(", ")):
            kind = "AAAA" if ":" in address else "A"
            rows.append({"type": kind, "name": self.name, "value": address, "right": self.pointed, "or": True})
        return rows

    def _twin_name(self):
        return self.base if self.name != self.base else f"www.{self.base}"

    @api.model
    def _clean_host(self, text):
        """The host that a person has typed, pasted or written in their alphabet; a UserError with what is wrong."""
        typed = (text or "").strip()[:TYPED_LENGTH].lower()
        typed = re.sub(r"\A[a-z][a-z0-9+.-]*://", "", typed)
        typed = re.sub(r"[/?#].*\Z", "", typed, flags=re.DOTALL)
        typed = re.sub(r":\d*\Z", "", typed).removesuffix(".")
        try:
            host = idna.encode(typed, uts46=True, transitional=False).decode()
        except (idna.IDNAError, UnicodeError):
            host = ""
        if not typed:
            raise UserError(_("Write the name of your domain, such as www.example.com."))
        if not HOST.fullmatch(host) or SPECIAL.search(host):
            raise UserError(_("%s is no name of a domain. Write it as in www.example.com.", typed[:100]))
        return host

    @api.model
    def _ask(self, instance, text):
        """The domain that the customer asks for. UserError: why not."""
        host = self._clean_host(text)
        base = host.removeprefix("www.")
        if self._is_sellers(instance, host):
            raise UserError(_("This name is ours, or looks like ours: choose a domain of your own."))
        # Two who ask at the same time stay within the limit.
        self.env.cr.execute("SELECT 1 FROM saas_instance WHERE id = %s FOR NO KEY UPDATE", [instance.id])
        instance.invalidate_recordset(["domain_ids"])
        if base in instance.domain_ids.mapped("base"):
            raise UserError(_("The domain %s is in the list already.", host))
        if not instance._portal_domain_room():
            raise UserError(_("Your plan has no room for this domain. Remove another one, or choose a larger plan."))
        domain = self.create({"instance_id": instance.id, "name": host, "base": base, "asked_on": fields.Datetime.now()})
        instance._touch()
        instance._append_log([_("%(person)s asked for the domain %(host)s.", person=self.env.user.name, host=host)])
        return domain

    @api.model
    def _is_sellers(self, instance, host):
        """The daemon looks closer: at what only looks like the seller's."""
        addresses = [instance.get_base_url(), self.env["ir.config_parameter"].sudo().get_param("web.base.url")]
        hosts = [urlsplit(address or "").hostname for address in addresses]
        hosts.append((instance.domain_target or "").partition(".")[2])
        return any(host == one or host.endswith(f".{one}") for one in hosts if one and HOST.fullmatch(one))

    def _look_again(self):
        self.ensure_one()
        # Later than the last time, or it would be the same question.
        self.asked_on = max(fields.Datetime.now(), self.asked_on + timedelta(seconds=1))
        self.instance_id._touch()

    def _give_up(self):
        self.ensure_one()
        instance, host = self.instance_id, self.name
        self.unlink()
        instance._touch()
        instance._append_log([_("%(person)s removed the domain %(host)s.", person=self.env.user.name, host=host)])

    def _move(self, instance):
        """To another instance of the same customer; a UserError where that has no room."""
        self.ensure_one()
        before = self.instance_id
        if instance.partner_id.commercial_partner_id != before.partner_id.commercial_partner_id:
            raise UserError(_("%(instance)s belongs to another customer.", instance=instance.name))
        if not instance._portal_domain_room() or self.base in instance.domain_ids.mapped("base"):
            raise UserError(_("%s has no room for this domain.", instance.name))
        self.write({"instance_id": instance.id, "state": "waiting", "problem": False, "asked_on": fields.Datetime.now()})
        (before | instance)._touch()
        line = _("%(person)s moved the domain %(host)s from %(old)s to %(new)s.", person=self.env.user.name, host=self.name, old=before.name, new=instance.name)
        (before | instance)._append_log([line])

    def _is_pending(self):
        """Whether the answer to the last question is not here yet."""
        self.ensure_one()
        return not self.answered_on or self.answered_on < self.asked_on

    def _is_moving(self):
        self.ensure_one()
        young = self.asked_on > fields.Datetime.now() - LOOKING
        return self._is_pending() or (self.state in ("waiting", "certifying") and young)

    def _portal_state(self):
        self.ensure_one()
        color = {"waiting": "amber", "certifying": "amber", "active": "green", "lost": "red"}[self.state]
        return {"color": color, "label": dict(self._fields["state"]._description_selection(self.env))[self.state]}

    def _row(self):
        self.ensure_one()
        return {
            "host": self.name,
            "proof": self._proof(),
            "asked_on": fields.Datetime.to_string(self.asked_on),
            "held": self.state in HELD,
        }
