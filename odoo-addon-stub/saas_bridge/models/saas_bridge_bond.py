"""What ties this database to its daemon: the generation that both know, and which daemon serves it."""

from datetime import timedelta

from odoo import _, api, fields, models

from ..const import PROTOCOL

# A daemon asks every few seconds and is written down once a minute.
LEASE_MINUTES = 3


class SaasBridgeGeneration(models.Model):
    """A number for each push, given by the daemon: the highest that is here is how far this database has come.

    Rows are added and never changed: two pushes at the same time do not wait for each other.
    """

    _name = "saas.bridge.generation"
    _description = "SaaS Bridge Generation"
    _order = "number desc"
    _rec_name = "number"
    _log_access = False

    number = fields.Integer(required=True, readonly=True, index=True)

    @api.autovacuum
    def _gc_generations(self):
        self.search([("number", "<", self.env["saas.bridge"]._generation())]).unlink()


class SaasBridge(models.AbstractModel):
    _inherit = "saas.bridge"

    @api.model
    def resume(self, caller):
        """An admin has seen that this database went back in time, and wants daemon and database to go on together."""
        bridge = self._as_superuser()
        bridge._grow(max(int(caller["generation"]), bridge._generation()))
        return bridge._identity()

    @api.model
    def leave(self, caller):
        """The daemon stops: another one need not wait."""
        bridge = self._as_superuser()
        bridge.env["saas.bridge.heartbeat"].search([("daemon", "=", caller["daemon"])]).write({"daemon": False})
        return True

    @api.model
    def _identity(self):
        uuid = self.env["ir.config_parameter"].get_param("database.uuid")
        return {"protocol": PROTOCOL, "database_uuid": uuid or "", "generation": self._generation()}

    @api.model
    def _generation(self):
        self.env.flush_all()
        self.env.cr.execute("SELECT coalesce(max(number), 0) FROM saas_bridge_generation")
        return self.env.cr.fetchone()[0]

    @api.model
    def _grow(self, generation):
        self.env["saas.bridge.generation"].create({"number": int(generation)})

    @api.model
    def _refusal(self, caller):
        """Why nothing is told to the caller, and nothing taken from it; {} where there is no reason.

        The caller names itself (`daemon`, `host`, `run`), the database that it knows and the generations that it has given to
        pushes: the highest, and the highest that was answered.
        """
        if not caller:
            return {}
        identity = self._identity()
        code, known = "", {"host": "", "heard_on": False}
        holder = self._leased_to(caller["daemon"])
        if caller.get("database") and caller["database"] != identity["database_uuid"]:
            code = "other_database"
        elif holder:
            code, known = "leased", {"host": holder.host or "", "heard_on": self._datetime(holder.heard_on)}
        elif copy := self._superseded_by(caller):
            code, known = "copied", {"host": copy.host or "", "heard_on": self._datetime(copy.heard_on)}
        elif int(caller.get("answered") or 0) > identity["generation"]:
            code = "gone_back"
        elif caller.get("generation") is not False and int(caller["generation"]) < identity["generation"]:
            code = "daemon_behind"
        if code in ("gone_back", "copied"):
            self._alarm(code, caller, known["host"])
        return code and {**identity, **known, "refused": code}

    @api.model
    def _alarm(self, code, caller, host):
        """Tell the managers, once: the daemon itself can write nothing here."""
        which = caller["run"] if code == "copied" else f"{caller['daemon']}:{caller['answered']}"
        if not self.env["saas.bridge.effect"]._claim(f"alarm:{code}:{which}", "alarm"):
            return
        hosts = {"waiting": caller.get("host") or "?", "working": host or "?"}

        def mine(user):
            return self.with_context(lang=user.lang or None)

        self._notify(
            self._saas_managers(),
            lambda user: mine(user)._alarm_subject(),
            lambda user: mine(user)._alarm_text(code, hosts),
        )

    @api.model
    def _alarm_subject(self):
        return _("The SaaS daemon waits for an administrator")

    @api.model
    def _alarm_text(self, code, hosts):
        if code == "copied":
            return _(
                "Two copies of the daemon's data folder are in use, as after a server was cloned: the daemon on"
                " %(waiting)s does nothing any more, since the one on %(working)s began later. Have the one stopped that is"
                " not meant to run, and then the other one restarted.",
                **hosts,
            )
        return _(
            "This database has gone back in time, as after a restore from a backup: the server's daemon knows more than it"
            " does. Customers work on, but nobody new is served, suspended or deleted, and no button has an effect. Have"
            " an administrator of the server run: saas-bridge reconcile-master"
        )

    @api.model
    def _superseded_by(self, caller):
        """The last sign of life of a process with a copy of the caller's data folder that began later; empty where there is none."""
        beats = self.env["saas.bridge.heartbeat"]
        last = beats.search([("daemon", "=", caller["daemon"])], limit=1) if caller.get("run") else beats
        if not last.run or last.run == caller["run"] or not beats.search_count([("run", "=", caller["run"])], limit=1):
            return beats
        return last

    @api.model
    def _leased_to(self, daemon):
        """The last sign of life of another daemon that serves this database."""
        since = fields.Datetime.now() - timedelta(minutes=LEASE_MINUTES)
        last = self.env["saas.bridge.heartbeat"].search([("heard_on", ">", since), ("daemon", "!=", False)], limit=1)
        return last if last.daemon != daemon else last.browse()
