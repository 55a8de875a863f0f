from odoo import api, fields, models


class SaasLimit(models.Model):
    """How often somebody did something lately. One row a key, counted in SQL: workers share nothing else."""

    _name = "saas.limit"
    _description = "SaaS Rate Limit"
    _rec_name = "key"

    key = fields.Char(required=True, readonly=True)
    begun_on = fields.Datetime(required=True, readonly=True)
    count = fields.Integer(required=True, readonly=True)

    _key_unique = models.Constraint("UNIQUE(key)", "Counted already.")

    @api.model
    def _take(self, key, most, seconds):
        """Count one more; whether it is within `most` in so many seconds.

        Two at the same moment wait for each other, and Odoo repeats the second: nobody slips through between.
        """
        self.env.cr.execute(
            """
            INSERT INTO saas_limit AS l (key, begun_on, count) VALUES (%(key)s, now() AT TIME ZONE 'UTC', 1)
            ON CONFLICT (key) DO UPDATE SET
                count = CASE WHEN l.begun_on < excluded.begun_on - make_interval(secs => %(seconds)s) THEN 1 ELSE l.count + 1 END,
                begun_on = CASE WHEN l.begun_on < excluded.begun_on - make_interval(secs => %(seconds)s) THEN excluded.begun_on ELSE l.begun_on END
            RETURNING count
            """,
            {"key": key, "seconds": seconds},
        )
        [count] = self.env.cr.fetchone()
        return count <= most

    @api.autovacuum
    def _gc_limits(self):
        self.search([("begun_on", "<", fields.Datetime.subtract(fields.Datetime.now(), days=1))]).unlink()
