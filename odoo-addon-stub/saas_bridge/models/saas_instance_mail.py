from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import email_normalize, plaintext2html

# For so long a new e-mail is left to who sends it at once. Odoo's queue locks nothing before it sends: an e-mail that
# both of them hold goes out twice. Longer than a mail server may take to answer (a minute).
QUEUE_WAITS_SECONDS = 120


class SaasInstance(models.Model):
    """E-mails to the customer. They may hold a password: no message of any record, and gone when sent."""

    _inherit = "saas.instance"

    def _mail_customer(self, partner, text):
        """Write to a contact in their language. `text(instance)` gives subject and plain text; False without an address."""
        self.ensure_one()
        to = partner._saas_email()
        if not to:
            return False
        lang = partner.lang or self.company_id.partner_id.lang
        subject, body = text(self.with_context(lang=lang))
        return self._send_mail(to, subject, plaintext2html(body))

    def _send_mail(self, to, subject, html):
        """An e-mail of the company of the instance; see _send_mail_of."""
        self.ensure_one()
        return self._send_mail_of(self.company_id, to, subject, html)

    @api.model
    def _send_mail_of(self, company, to, subject, html):
        """An e-mail of the company, sent when this transaction is done; returns it."""
        sender = company.email_formatted or self.env.ref("base.partner_root").email_formatted
        # The customer waits for it: at once where Odoo has a way to (17 has none), and by the queue what did not go.
        at_once = hasattr(self.env["mail.mail"], "send_after_commit")
        queue_at = fields.Datetime.now() + timedelta(seconds=QUEUE_WAITS_SECONDS if at_once else 0)
        mail = self.env["mail.mail"].sudo().create(
            {
                "subject": " ".join(str(subject or "").split()),
                "body_html": html,
                "email_to": to,
                "email_from": sender,
                "reply_to": sender,
                "auto_delete": True,
                "scheduled_date": queue_at,
            }
        )
        if at_once:
            mail.send_after_commit()
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger(queue_at + timedelta(seconds=1))
        return mail

    def _customer_addresses(self):
        """Where e-mails about the instance may go: the addresses of its customer and the people there."""
        self.ensure_one()
        customer = self.partner_id.commercial_partner_id
        partners = self.env["res.partner"].sudo().search([("commercial_partner_id", "=", customer.id), ("email", "!=", False)])
        return set(filter(None, (partner._saas_email() for partner in partners)))

    def _notice_address(self, to):
        """The address for a mail of the daemon; "" for one that is none of the customer's.

        One that the customer had until lately was right when the mail was owed: it goes to that of today.
        """
        to = email_normalize(to or "")
        if to and to in self._customer_addresses():
            return to
        former = (self.sudo().former_email or "").split()
        return self._live_contact()._saas_email() if to and to in former else ""
