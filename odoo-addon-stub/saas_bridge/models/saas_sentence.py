"""What the daemon tells the staff: it sends a code with parameters, and the sentence is made here for who reads it."""

from odoo import _, api, fields, models
from odoo.tools.misc import format_date, formatLang

# A reason may be what some program printed; what is longer is in the daemon's log.
TEXT_LENGTH = 1000
LIST_LENGTH = 20


class SaasBridge(models.AbstractModel):
    _inherit = "saas.bridge"

    @api.model
    def _sentences(self):
        """Code → sentence. Codes and parameters are those of protocol.schema.json."""
        return {
            # About a purchase, for its salesperson.
            "plan_incomplete": _(
                "%(document)s: the product is no complete SaaS plan, so nothing could be provisioned. Complete the"
                " product's SaaS plan page; it goes on by itself then."
            ),
            "instance_ambiguous": _(
                "%(document)s: the customer has several instances of this plan (%(instances)s); set on the line which"
                " one it is for."
            ),
            "instance_unknown": _(
                "%(document)s: the instance on the line (%(instance)s) does not exist or was not asked for yet; create"
                " it, or set another on the line."
            ),
            "instance_deleted": _(
                "%(document)s pays for %(instance)s, which was deleted. Give the money back, or take the instance off"
                " the line to make a new one."
            ),
            "trial_used": _(
                "%(document)s: the free trial is for new customers, and this one has or had an instance. Nothing was made."
            ),
            "purchase_rejected": _("%(reason)s. Nothing was provisioned for it."),
            "instance_not_made": _("The instance %(instance)s could not be made: %(reason)s"),
            "instance_stuck": _("The instance %(instance)s needs a person: %(reason)s"),
            "still_not_made": _(
                "%(instance)s could not be made since %(since)s, and its customer waits: %(reason)s. It is tried again"
                " and again; see to the cause."
            ),
            "still_failing": _(
                "What is to be done with %(instance)s has failed since %(since)s: %(reason)s. It is tried again and again;"
                " see to the cause."
            ),
            "write_failing": _(
                "The server's daemon has tried since %(since)s to write here about %(instance)s, or to mail its customer:"
                " %(reason)s. It is tried again and again; see to the cause."
            ),
            "customer_without_email": _(
                "%(instance)s is running, but the customer has no e-mail address: give them the address and password"
                " shown on the instance."
            ),
            "plan_change_refused": _(
                "%(document)s: the change of plan of %(instance)s was refused. %(misfits)s What was paid extends its"
                " present plan, %(plan)s."
            ),
            # About an instance, for a manager.
            "instance_rebuilt": _(
                "%(instance)s kept dying and was rebuilt from its own data. Its log may tell why: docker logs, memory."
            ),
            "storage_over": _(
                "%(instance)s uses more storage than %(plan)s includes; it is suspended when its grace ends."
            ),
            "deletion_unannounced": _(
                "%(instance)s is deleted on %(day)s, and its customer has no e-mail address: tell them."
            ),
            "stopped_for_space": _(
                "The server's disk is nearly full, and %(instance)s is the furthest over its plan %(plan)s: it is suspended at once."
                " A larger plan or Resume brings it back."
            ),
            "copy_failing": _(
                "No final copy of %(instance)s can be made (%(reason)s). Its volumes are copied as they are instead. If that"
                " fails, too, its record has the button Delete without a copy."
            ),
            "usage_unreadable": _(
                "What %(instance)s uses could not be measured since %(since)s: %(reason)s. It counts as over its storage from"
                " now on, and is suspended when its grace ends: see what was done to its database. Resume gives it another day."
            ),
            "backup_overdue": _(
                "%(instance)s has not been backed up since %(since)s: %(reason)s. It is tried again and again; see to the"
                " cause."
            ),
            "backup_not_proven": _(
                "A backup of %(instance)s was restored on trial and is not whole: %(reason)s. Make another one with Back up"
                " now, and see to the target of the backups."
            ),
            # About the night, for all managers.
            "night": _(
                "Night of %(day)s: suspended %(suspended)s, reminded %(reminded)s, warned of the deletion %(warned)s,"
                " deleted %(deleted)s, with an error %(failed)s."
            ),
            "night_with_backups": _(
                "Night of %(day)s: suspended %(suspended)s, reminded %(reminded)s, warned of the deletion %(warned)s,"
                " deleted %(deleted)s, with an error %(failed)s; backed up %(backed_up)s, backup failing %(not_backed_up)s,"
                " backup not whole %(not_whole)s."
            ),
            # About the daemon's own work, for all managers.
            "engine_away": _(
                "The container engine of the server has not answered since %(since)s: nobody new is served. %(reason)s"
            ),
            "disk_low": _(
                "Only %(free_percent)s %% of the server's disk are free. Under 12 %% whoever is the furthest over the plan is stopped."
            ),
            "full_pass_failing": _(
                "The server's daemon has not been able to read everything since %(since)s, only what changes: %(reason)s"
            ),
            "template_failing": _(
                "New instances of %(plans)s cannot be made since %(since)s: %(reason)s. It is tried again and again; see"
                " to the modules of the plan."
            ),
            "backups_failing": _(
                "Nobody has been backed up since %(since)s: %(reason)s. It is tried again and again; see to the target of"
                " the backups."
            ),
            # Answers to a command, for who asked.
            "now_running": _("The instance is running."),
            "now_suspended": _("The instance is suspended."),
            "now_stopped": _("The instance is stopped."),
            "now_deleted": _("The instance is deleted."),
            "containers_rebuilt": _("Its containers were made anew from its own data."),
            "restored": _("It has the data of the backup again. What it had before is a backup of its own."),
            "no_such_backup": _("There is no backup of that moment or before."),
            "restore_not_running": _("It was not restored: only what runs, or has lost its data, can be."),
            "restore_stopped": _("It was stopped meanwhile, and its data is as it was. Restore it when it runs again."),
            "restore_failed": _("It was not restored, and its data is as it was: %(reason)s"),
            "backup_failed": _("It could not be backed up, and is tried again: %(reason)s"),
            "backup_made": _("A backup of %(size_mb)s MB was made."),
            "time_added": _("The time was added."),
            "time_added_held": _("The time was added. It stays down until staff start it."),
            "plan_changed": _("The plan was changed."),
            "plan_changed_held": _("The plan was changed. It stays down until staff start it."),
            "down_unpaid": _("It does not run: it was paid until %(paid_until)s. Register the payment, or extend it."),
            "down_never_paid": _("It does not run: nothing has been paid for it. Register the payment, or extend it."),
            "down_taken_back": _(
                "It does not run: everything bought for it was cancelled or refunded. Sell it again, or extend it."
            ),
            "down_storage": _("It does not run: it uses more storage than its plan includes. Change its plan."),
            "down_held": _("It does not run: staff stopped it."),
            "plan_unknown": _("That product is no complete SaaS plan."),
            "plan_misfit": _("%(instance)s does not fit into %(plan)s. %(misfits)s"),
            "instance_gone": _("There is no such instance any more."),
            # What a program said, in its own language.
            "verbatim": "%(text)s",
            # What is too much for a plan: parts of the sentences above.
            "users_over_plan": _("It has %(used)s active users, and %(plan)s includes %(limit)s."),
            "storage_over_plan": _("It uses %(used_gb)s GB, and %(plan)s includes %(limit_gb)s GB."),
        }

    @api.model
    def _say(self, message, reader):
        """The sentence of a message `{code, params}`, in language and time zone of a reader (user or partner).

        What is not understood, from a newer daemon, is shown as it came. The text is not escaped.
        """
        return self.with_context(lang=reader.lang or self.env.context.get("lang"), tz=reader.tz)._sentence(message)

    @api.model
    def _sentence(self, message):
        code, params = message["code"], message.get("params") or {}
        words = {name: self._sentence_word(name, value) for name, value in params.items()}
        sentence = self._sentences().get(code)
        try:
            return (sentence % words).strip()
        except (KeyError, TypeError):
            return _(
                "The server's daemon sent “%(code)s”, which this version of SaaS Bridge cannot put into words: %(params)s",
                code=self._sentence_text(code),
                params=", ".join(f"{name} {word}" for name, word in words.items()),
            )

    @api.model
    def _sentence_word(self, name, value):
        """A parameter as people read it. Its name says what it is."""
        try:
            if name == "misfits":
                return " ".join(self._sentence(misfit) for misfit in value[:LIST_LENGTH])
            if name == "day":
                return format_date(self.env, fields.Date.to_date(value), date_format="long")
            if name in ("paid_until", "since"):
                return self._moment_text(fields.Datetime.to_datetime(value))
            if name.endswith("_gb"):
                # A limit is a whole number.
                return formatLang(self.env, value, digits=0 if value == int(value) else 1)
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
        if isinstance(value, list):
            return ", ".join(self._sentence_text(item) for item in value[:LIST_LENGTH])
        return self._sentence_text(value)

    @api.model
    def _sentence_text(self, value):
        text = " ".join(str(value).split())
        return text if len(text) <= TEXT_LENGTH else f"{text[: TEXT_LENGTH - 1]}…"
