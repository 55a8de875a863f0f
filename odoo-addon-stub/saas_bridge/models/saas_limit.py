import ipaddress

from odoo import api, fields, models
from odoo.http import request

# What of, the parameter that says how many, and how many without it. 0 in the parameter: any number.
MOST = {
    # Who types asks about three times a second at most.
    "names": ("saas_bridge.name_checks_a_minute", 60, 60),
    "signups": ("saas_bridge.signups_an_hour", 5, 3600),
    "resets": ("saas_bridge.password_mails_an_hour", 5, 3600),
}


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
    def _within(self, what, *accounts):
        """Count one more by the visitor's address and by each account; whether none of them has done it too often."""
        parameter, default, seconds = MOST[what]
        most = self._most(parameter, default)
        keys = [f"{what}:{who}" for who in (self._visitor(), *accounts) if who]
        return not most or all([self._take(key, most, seconds) for key in keys])

    @api.model
    def _most(self, parameter, default):
        try:
            return max(0, int(self.env["ir.config_parameter"].sudo().get_param(parameter, default)))
        except ValueError:
            return default

    @api.model
    def _visitor(self):
        """Whose request it is, as one word; "" outside of a request.

        Behind a proxy Odoo takes the address from its headers, if it is told to (proxy_mode). Of IPv6 it is the network:
        everybody has more addresses there than anyone can count.
        """
        try:
            address = ipaddress.ip_address(request.httprequest.remote_addr) if request else None
        except ValueError:
            return ""
        if address is None:
            return ""
        address = getattr(address, "ipv4_mapped", None) or address
        return str(address if address.version == 4 else ipaddress.ip_network((address, 64), strict=False))

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
