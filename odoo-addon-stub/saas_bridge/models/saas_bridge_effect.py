from datetime import timedelta

from odoo import _, api, fields, models

LOG_KEY_DAYS = 90
# Twenty tries with a wait that grows by a quarter of an hour: a little more than two days, a weekend.
MAIL_TRIES = 20
MAIL_WAIT_MINUTES = 15


class SaasBridgeEffect(models.Model):
    _name = "saas.bridge.effect"
    _description = "SaaS Bridge Effect"
    _order = "id desc"
    _rec_name = "key"

    key = fields.Char(required=True, readonly=True)
    op = fields.Char(required=True, readonly=True)
    result = fields.Char(readonly=True)
    # A notice's e-mail until it is sent: then Odoo deletes it.
    mail_id = fields.Many2one("mail.mail", readonly=True, ondelete="set null", index="btree_not_null")
    instance_id = fields.Many2one("saas.instance", readonly=True, ondelete="set null", index="btree_not_null")
    tries = fields.Integer(readonly=True)

    _key_unique = models.Constraint("UNIQUE(key)", "This effect was made already.")

    @api.model
    def _claim(self, key, op, result=""):
        """Whether the key is new; from now on, and if this transaction succeeds, it is not.

        Of two transactions with one key the second waits for the first. If that commits, PostgreSQL ends the second
        one with a serialization failure, Odoo repeats it, and it finds the key: one effect for one key.
        """
        self.env.cr.execute(
            """
            INSERT INTO saas_bridge_effect (key, op, result, create_uid, create_date, write_uid, write_date)
            VALUES (%s, %s, %s, %s, now() AT TIME ZONE 'UTC', %s, now() AT TIME ZONE 'UTC')
            ON CONFLICT (key) DO NOTHING
            RETURNING id
            """,
            [key, op, result, self.env.uid, self.env.uid],
        )
        return bool(self.env.cr.fetchone())

    @api.model
    def _send_failed_notices(self):
        """Send again what the mail server did not take, each time after a longer wait: Odoo itself tries only once.

        The mail may hold a password, so that it is not kept for ever: in the end the staff is told.
        """
        bridge = self.env["saas.bridge"]._as_superuser()
        self = self.with_env(bridge.env)
        now, sent_again = fields.Datetime.now(), False
        for effect in self.search([("mail_id.state", "=", "exception")], order="id"):
            mail = effect.mail_id
            if mail.write_date > now - timedelta(minutes=MAIL_WAIT_MINUTES * (effect.tries + 1)):
                continue
            if effect.tries < MAIL_TRIES:
                effect.tries += 1
                mail.mark_outgoing()
                sent_again = True
                continue
            body = _("An e-mail to %(to)s could not be sent: %(reason)s", to=mail.email_to, reason=mail.failure_reason or "")
            mail.unlink()
            if effect.instance_id:
                effect.instance_id.message_post(body=body)
                people = bridge._saas_staff(effect.instance_id.company_id)
                bridge._schedule_todo(effect.instance_id, people, lambda user: body)  # noqa: B023
        if sent_again:
            self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()

    @api.autovacuum
    def _gc_log_keys(self):
        """Log lines are many, and nobody sends one again after months."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=LOG_KEY_DAYS)
        self.search([("key", "=like", "log:%"), ("create_date", "<", limit)]).unlink()
