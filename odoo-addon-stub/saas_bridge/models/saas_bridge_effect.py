from odoo import api, fields, models

LOG_KEY_DAYS = 90


class SaasBridgeEffect(models.Model):
    _name = "saas.bridge.effect"
    _description = "SaaS Bridge Effect"
    _order = "id desc"
    _rec_name = "key"

    key = fields.Char(required=True, readonly=True)
    op = fields.Char(required=True, readonly=True)
    result = fields.Char(readonly=True)

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

    @api.autovacuum
    def _gc_log_keys(self):
        """Log lines are many, and nobody sends one again after months."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=LOG_KEY_DAYS)
        self.search([("key", "=like", "log:%"), ("create_date", "<", limit)]).unlink()
