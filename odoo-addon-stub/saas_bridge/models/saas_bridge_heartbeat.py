"""Whether the daemon lives. It says nothing of itself, but it asks every few seconds."""

from datetime import timedelta

from odoo import _, api, fields, models
from odoo.tools.misc import format_datetime

BEAT_SECONDS = 60
# After so long the pages say that nothing is done just now.
SILENT_MINUTES = 5
HEARTBEAT_DAYS = 1


class SaasBridgeHeartbeat(models.Model):
    """One row for each minute in which the daemon asked.

    Rows are added and never changed: of two polls at the same time that write one row, the second would wait for the
    first and then fail.
    """

    _name = "saas.bridge.heartbeat"
    _description = "SaaS Daemon Heartbeat"
    _order = "id desc"
    _rec_name = "heard_on"
    _log_access = False

    heard_on = fields.Datetime(required=True, readonly=True, index=True)
    # Which one it is, while it serves this database.
    daemon = fields.Char(readonly=True)
    host = fields.Char(readonly=True)
    # Of its process: copies of one data folder have the same `daemon`.
    run = fields.Char(readonly=True, index="btree_not_null")

    @api.autovacuum
    def _gc_heartbeats(self):
        """The last one stays, however old it is."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=HEARTBEAT_DAYS)
        last = self.search([], limit=1)
        self.search([("heard_on", "<", limit), ("id", "!=", last.id)]).unlink()


class SaasBridge(models.AbstractModel):
    _inherit = "saas.bridge"

    @api.model
    def _hear(self, caller=False):
        """Remember that the daemon was heard of: one row a minute, and nothing is written in between."""
        now = fields.Datetime.now()
        caller = caller or {}
        self.env.cr.execute(
            """
            INSERT INTO saas_bridge_heartbeat (heard_on, daemon, host, run) SELECT %(now)s, %(daemon)s, %(host)s, %(run)s
            WHERE NOT EXISTS (
                SELECT 1 FROM saas_bridge_heartbeat
                WHERE heard_on > %(since)s AND heard_on <= %(now)s AND daemon IS NOT DISTINCT FROM %(daemon)s
                    AND run IS NOT DISTINCT FROM %(run)s
            )
            RETURNING id
            """,
            {
                "now": now,
                "since": now - timedelta(seconds=BEAT_SECONDS),
                "daemon": caller.get("daemon") or None,
                "host": caller.get("host") or None,
                "run": caller.get("run") or None,
            },
        )
        if self.env.cr.fetchone():
            self.env["saas.bridge.outage"]._end_soon()

    @api.model
    def _daemon_heard_on(self):
        return self.env["saas.bridge.heartbeat"].sudo().search([], limit=1).heard_on

    @api.model
    def _daemon_state(self):
        """`connected`, `silent` or `never`."""
        heard_on = self._daemon_heard_on()
        if not heard_on:
            return "never"
        return "silent" if heard_on < fields.Datetime.now() - timedelta(minutes=SILENT_MINUTES) else "connected"

    @api.model
    def _daemon_silence(self):
        """Why nothing is done just now, as a sentence; "" while the daemon is heard of."""
        state = self._daemon_state()
        if state == "never":
            return _("The server's daemon was never heard of.")
        if state == "silent":
            return self._silent_since(self._daemon_heard_on())
        return ""

    @api.model
    def _silent_since(self, moment):
        return _("The server's daemon has not been heard of since %s.", self._moment_text(moment))

    @api.model
    def _daemon_words(self):
        """How the daemon is, for the settings."""
        heard_on, state = self._daemon_heard_on(), self._daemon_state()
        if state == "never":
            return _("Never heard of")
        if state == "silent":
            return _("Not heard of since %s", self._moment_text(heard_on))
        minutes = round((fields.Datetime.now() - heard_on).total_seconds() / 60)
        # It is written down once a minute only.
        if minutes <= 1:
            return _("Connected, last heard of less than a minute ago")
        return _("Connected, last heard of %s minutes ago", minutes)

    @api.model
    def _moment_text(self, moment):
        tz = self.env.context.get("tz") or self.env.user.tz
        return format_datetime(self.env, moment, tz=tz, dt_format="short")
