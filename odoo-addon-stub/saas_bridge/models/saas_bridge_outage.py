from datetime import timedelta

from odoo import _, api, fields, models

OUTAGE_MINUTES = 15
# The daemon tries again every half a minute while the master is away.
COMES_BACK_MINUTES = 2


class SaasBridgeOutage(models.Model):
    """A time in which the daemon was not heard of: what keeps its managers from being told at every look."""

    _name = "saas.bridge.outage"
    _description = "SaaS Daemon Outage"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    # Who has the to-do can mark it done.
    _mail_post_access = "read"

    since = fields.Datetime(string="Not Heard Of Since", required=True, readonly=True)
    until = fields.Datetime(string="Heard Of Again On", readonly=True)

    @api.depends_context("lang")
    def _compute_display_name(self):
        for outage in self:
            outage.display_name = _("Daemon Outage")

    @api.model
    def _watch(self):
        """Tell the managers once that the daemon is silent, and once that it is back."""
        self = self.with_env(self.env["saas.bridge"]._as_superuser().env)  # noqa: PLW0642
        heard_on = self.env["saas.bridge"]._daemon_heard_on()
        outage = self.search([("until", "=", False)], limit=1)
        if outage:
            if heard_on and heard_on > outage.since:
                outage._end()
        elif heard_on and heard_on < fields.Datetime.now() - timedelta(minutes=OUTAGE_MINUTES) and self._was_awake():
            self.with_context(mail_create_nolog=True).create({"since": heard_on})._tell()

    @api.model
    def _was_awake(self):
        """Whether this master could be asked all the time: one that was down itself waits until the daemon is back."""
        lastcall, now = self.env.context.get("lastcall"), fields.Datetime.now()
        if not lastcall:
            return False
        return timedelta(minutes=COMES_BACK_MINUTES) <= now - lastcall <= timedelta(minutes=OUTAGE_MINUTES)

    @api.model
    def _end_soon(self):
        """The daemon is here again. Its poll only asks for the run that says so, and writes nothing another one writes."""
        cron = self.env.ref("saas_bridge.ir_cron_watch_daemon", raise_if_not_found=False)
        if cron and self.search_count([("until", "=", False)], limit=1):
            cron._trigger()

    def _tell(self):
        self.ensure_one()
        bridge = self.env["saas.bridge"]

        def subject(user):
            return self._for(user)._silent_subject()

        def text(user):
            return self._for(user)._silent_text()

        # Everybody gets the message: the to-do is not mailed beside it.
        quiet = self.with_context(mail_activity_quick_update=True)
        bridge._schedule_todo(quiet, self._people(), text, subject)
        bridge._notify(self._people(), subject, text, self)

    def _end(self):
        self.ensure_one()
        heartbeats = self.env["saas.bridge.heartbeat"]
        self.until = heartbeats.search([("heard_on", ">", self.since)], order="id", limit=1).heard_on
        self.activity_feedback(["saas_bridge.mail_activity_type"], feedback=self._back_text())
        self.env["saas.bridge"]._notify(
            self._people(), lambda user: self._for(user)._back_subject(), lambda user: self._for(user)._back_text(), self
        )

    def _people(self):
        bridge = self.env["saas.bridge"]
        return self.env["res.users"].union(*map(bridge._saas_staff, bridge._selling_companies())) | bridge._saas_managers()

    def _for(self, user):
        return self.with_context(lang=user.lang or None, tz=user.tz)

    def _silent_subject(self):
        return _("The SaaS daemon is silent")

    def _silent_text(self):
        silence = self.env["saas.bridge"]._silent_since(self.since)
        return silence + " " + _("Purchases and buttons wait until it is back: see whether it runs and reaches this Odoo.")

    def _back_subject(self):
        return _("The SaaS daemon is back")

    def _back_text(self):
        when = self.env["saas.bridge"]._moment_text(self.until)
        return _("The server's daemon is heard of again since %s. What waited is done now.", when)
