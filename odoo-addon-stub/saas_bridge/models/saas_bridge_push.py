import logging
import re
from datetime import timezone

import psycopg2

from odoo import SUPERUSER_ID, _, api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, MissingError, UserError, ValidationError
from odoo.tools import plaintext2html

_logger = logging.getLogger(__name__)

# What the daemon calls a value, and the column that holds it.
COLUMNS = {
    "name": "name",
    "customer_id": "partner_id",
    "contact_id": "contact_id",
    "plan_id": "plan_id",
    "order_id": "sale_order_id",
    "invoice_ids": "invoice_ids",
    "state": "state",
    "subscription_state": "subscription_state",
    "hold": "hold",
    "url": "url",
    "http_port": "http_port",
    "longpolling_port": "longpolling_port",
    "started_on": "started_on",
    "paid_until": "paid_until",
    "suspended_on": "suspended_on",
    "last_payment_on": "last_payment_on",
    "delete_on": "delete_on",
    "users_used": "users_used",
    "storage_used_mb": "storage_used_mb",
    "modules_installed": "modules_installed",
    "asleep_since": "asleep_since",
    "measured_on": "measured_on",
    "storage_over_since": "storage_over_since",
    "domain_target": "domain_target",
    "domain_addresses": "domain_addresses",
    "odoo_container": "odoo_container",
    "db_container": "db_container",
    "error_message": "error_message",
    "backup_on": "backup_on",
    "backup_mb": "backup_mb",
    "backup_error": "backup_error",
    "backup_moments": "backup_moments",
    "backup_proven_on": "backup_proven_on",
    "backup_proof_error": "backup_proof_error",
    "admin_login": "admin_login",
    "admin_password": "admin_password",
    "first_login_on": "first_login_on",
}
# It becomes a link that people press.
WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+(/\S*)?", re.IGNORECASE)
OPERATIONS = ("instance", "log", "notice", "todo", "summary", "command")
PURCHASE_MODELS = {"sol": "sale.order.line", "aml": "account.move.line", "grant": "saas.grant"}


# Less than the daemon waits for a push.
LOCK_TIMEOUT = "5s"


class Locked(Exception):
    """What the operation writes is in the hands of somebody else."""


class Refused(UserError):
    """This operation will never be accepted as it is."""


class SaasBridge(models.AbstractModel):
    _inherit = "saas.bridge"

    @api.model
    def _push(self, operations):
        # One record that somebody keeps locked must not use up the time of all.
        self.env.cr.execute("SET LOCAL lock_timeout = %s", [LOCK_TIMEOUT])
        return [self._push_one(operation) for operation in operations or []]

    @api.model
    def _push_one(self, operation):
        """One operation in its own savepoint, so that a refused one does not hurt the others.

        Serialization failures and deadlocks are not refusals: they go up, and Odoo repeats the whole call.
        """
        key = str(operation.get("key") or "") if isinstance(operation, dict) else ""
        try:
            if not key:
                raise Refused(_("The operation has no key."))
            if operation.get("op") not in OPERATIONS:
                raise Refused(_("Unknown operation: %s.", operation.get("op")))
            with self.env.cr.savepoint():
                bridge = self._for_company(self._company_of(operation))
                status, message = getattr(bridge, f"_push_{operation['op']}")(operation)
        except psycopg2.errors.LockNotAvailable as error:
            # Not repeated by Odoo at once: the daemon finds the one by sending each alone.
            raise Locked(f"{key} waits for a lock: {error}") from error
        except psycopg2.OperationalError:
            raise
        except (AccessError, MissingError, UserError, ValidationError) as error:
            status, message = "refused", str(error.args[0] if error.args else error)
        except psycopg2.Error as error:
            status, message = "refused", str(error).strip().splitlines()[0]
        except (KeyError, TypeError, ValueError) as error:
            status, message = "refused", _("Not understood: %s", repr(error))
        except ConcurrencyError:
            raise
        except Exception as error:
            # The code of another addon, whatever it raises, spoils its own operation only.
            _logger.warning("Operation %s failed", key, exc_info=True)
            status, message = "refused", repr(error)
        return {"key": key, "status": status, "message": message or ""}

    @api.model
    def _push_instance(self, operation):
        """Make the record what the daemon says. Repeating it changes nothing, so it needs no key of its own."""
        key, values = operation["instance_key"], dict(operation.get("values") or {})
        purchases = self._purchases(values.pop("purchase_keys", None) or [])
        customer_created_on = values.pop("customer_created_on", False)
        domains = values.pop("domains", None) or []
        unknown = values.keys() - COLUMNS.keys()
        if unknown:
            raise Refused(_("Unknown values: %s.", ", ".join(sorted(unknown))))
        vals = {COLUMNS[name]: self._column_value(name, value) for name, value in values.items()}
        instance = self.env["saas.instance"].search([("key", "=", key)])
        if not instance:
            self._check_customer(vals.get("partner_id"), customer_created_on)
            instance = self._create_instance(key, vals, purchases)
            before = {"state": "draft", "subscription_state": "draft", "plan_id": instance.plan_id, "paid_until": False}
        else:
            before = {fname: instance[fname] for fname in ("state", "subscription_state", "plan_id", "paid_until")}
            if vals.get("name") and vals["name"] != instance.name:
                holder = self._free_wanted_name(vals["name"])
                if holder:
                    self._tell_other_name(instance, vals.pop("name"), holder)
            # Whose an instance is, the master says.
            for fname in ("partner_id", "contact_id"):
                vals.pop(fname, None)
            changed = self._changed_values(instance, instance._without_spent_password(vals))
            if changed:
                instance.write(changed)
        instance._take_domain_reports(domains)
        if instance.state == "deleted":
            instance.domain_ids.unlink()
        message = self._link_purchases(instance, purchases)
        if instance.state != before["state"] and instance.state in ("running", "error"):
            self._tell_document(instance)
        self._renew_after_push(instance, before)
        return "done", message

    @api.model
    def _check_customer(self, customer_id, created_on):
        """A database that was restored gives ids out again: nobody gets the instance of somebody else."""
        customer = self.env["res.partner"].browse(customer_id or []).exists()
        if customer and created_on and self._datetime(customer.create_date) != created_on:
            raise Refused(_("The customer of this instance does not exist: %s has its number now.", customer.display_name))

    @api.model
    def _create_instance(self, key, vals, purchases):
        if not vals.get("name") or not vals.get("partner_id"):
            raise Refused(_("A new instance needs a name and a customer."))
        # Two deliveries at the same time meet here, see saas.bridge.effect.
        self.env["saas.bridge.effect"]._claim(f"instance:{key}", "instance")
        wanted = vals["name"]
        holder = self._free_wanted_name(wanted)
        if holder:
            vals = {**vals, "name": holder._free_name(wanted)}
        orders = self.env["sale.order"].union(*(line.order_id for line in purchases if line._name == "sale.order.line"))
        moves = self.env["account.move"].union(*(line.move_id for line in purchases if line._name == "account.move.line"))
        order = self.env["sale.order"].browse(vals.get("sale_order_id") or orders[:1].id)
        defaults = {
            "key": key,
            "requested": True,
            "sale_order_id": order.id,
            "invoice_ids": [(6, 0, moves.ids)],
            "company_id": (order.company_id or moves.company_id[:1] or self.env.company).id,
        }
        instance = self.env["saas.instance"].create({**defaults, **vals})
        if holder:
            self._tell_other_name(instance, wanted, holder)
        return instance

    @api.model
    def _free_wanted_name(self, name):
        """Make a record that has nothing on the server give the name up; the one that has something is returned.

        The instance that wants the name has its containers under it already: only text can give way.
        """
        holder = self.env["saas.instance"].search([("name", "=", name)])
        made = holder.odoo_container or holder.db_container or holder.state in ("running", "suspended", "stopped", "deleting")
        if made and holder.state != "deleted":
            return holder
        if holder:
            holder.name = holder._free_name(name)
            holder.message_post(
                body=_("Renamed to %(new)s: the name %(old)s went to an instance that was made first.", new=holder.name, old=name)
            )
            # The unique constraint must see the old name gone before the new record comes.
            holder.flush_recordset()
        return self.env["saas.instance"]

    @api.model
    def _tell_other_name(self, instance, wanted, holder):
        """Once: the record is called differently from the containers."""
        if not self.env["saas.bridge.effect"]._claim(f"name:{instance.key}:{wanted}", "name"):
            return
        body = _(
            "The containers of this instance are named %(wanted)s, and the record %(name)s: %(wanted)s is the name of"
            " another instance that is on the server, with the key %(key)s.",
            wanted=wanted,
            name=instance.name,
            key=holder.key,
        )
        instance.message_post(body=body)
        self._schedule_todo(instance, self._saas_staff(instance.company_id), lambda user: body)

    @api.model
    def _column_value(self, name, value):
        if value is None or value == "":
            value = False
        if name.endswith("_on") or name in ("paid_until", "asleep_since", "storage_over_since"):
            return fields.Datetime.to_datetime(value.split(".")[0]) if value else False
        if name == "url" and value and not WEB_ADDRESS.fullmatch(value):
            raise Refused(_("Not an address of the web: %s.", value))
        if name == "backup_moments":
            # People choose among them.
            return ",".join(str(fields.Datetime.to_datetime(moment)) for moment in value.split(",")) if value else False
        if name == "invoice_ids":
            return [(4, move.id) for move in self.env["account.move"].browse(value or []).exists()]
        if name in ("customer_id", "contact_id", "plan_id", "order_id"):
            record = self.env[self.env["saas.instance"]._fields[COLUMNS[name]].comodel_name].browse(value or []).exists()
            if value and not record:
                raise Refused(_("%(name)s %(value)s does not exist.", name=name, value=value))
            return record.commercial_partner_id.id if name == "customer_id" else record.id
        return value

    @api.model
    def _changed_values(self, instance, vals):
        """Only what differs: a write of equal values would come back to the daemon as news."""
        changed = {}
        for fname, value in vals.items():
            current = instance[fname]
            if fname == "invoice_ids":
                # Added, never taken away: staff may have linked others.
                equal = {command[1] for command in value} <= set(current.ids)
            elif instance._fields[fname].type == "many2one":
                equal = current.id == value
            else:
                equal = (current or False) == (value or False)
            if not equal:
                changed[fname] = value
        return changed

    @api.model
    def _purchases(self, keys):
        """The records behind purchase keys; those that are gone are left out, and those that have only the number of one."""
        records = []
        for key in keys:
            kind, _colon, name = str(key).partition(":")
            number, _dot, made = name.partition(".")
            if kind not in PURCHASE_MODELS or not number.isdecimal() or not (made or "0").isdecimal():
                raise Refused(_("Not a purchase: %s.", key))
            record = self.env[PURCHASE_MODELS[kind]].with_context(active_test=False).browse(int(number)).exists()
            if not made or (record and int(record.create_date.replace(tzinfo=timezone.utc).timestamp()) == int(made)):
                records.extend(record)
        return records

    @api.model
    def _link_purchases(self, instance, purchases):
        """Link the lines to the instance. A line that a person gave to another instance in between stays there."""
        kept = []
        for line in purchases:
            if line._name == "saas.grant":
                continue
            if not line.saas_instance_id:
                line.saas_instance_id = instance
            elif line.saas_instance_id != instance:
                kept.append(_("%(line)s belongs to %(instance)s.", line=line.display_name, instance=line.saas_instance_id.name))
                continue
            if line._name == "sale.order.line" and not instance.sale_order_id:
                instance.sale_order_id = line.order_id
            elif line._name == "account.move.line" and line.move_id not in instance.invoice_ids:
                instance.invoice_ids = [(4, line.move_id.id)]
        return " ".join(kept)

    @api.model
    def _tell_document(self, instance):
        """The salesperson looks at the order or the invoice, not at the instance."""
        document = instance.sale_order_id or instance.invoice_ids[:1]
        if not document:
            return
        if instance.state == "running":
            body = _("Instance %(name)s: running, %(url)s", name=instance.name, url=instance.url or "")
        else:
            body = _("Instance %(name)s: error. %(message)s", name=instance.name, message=instance.error_message or "")
        document.message_post(body=body)

    @api.model
    def _push_log(self, operation):
        instance = self._instance(operation["instance_key"])
        if not self.env["saas.bridge.effect"]._claim(operation["key"], "log"):
            return "duplicate", ""
        instance._append_log([str(line) for line in operation["lines"]])
        return "done", ""

    @api.model
    def _push_notice(self, operation):
        """An e-mail once per key. It may hold a password, so it is no message of any record and goes when sent."""
        instance = self._instance(operation["instance_key"])
        sent = {
            "welcome": _("Welcome e-mail sent to %s"),
            "reminder": _("Reminder e-mail sent to %s"),
            "renewed": _("Renewal e-mail sent to %s"),
            "plan_changed": _("E-mail about the new plan sent to %s"),
            "plan_refused": _("E-mail about the refused change of plan sent to %s"),
            "suspended": _("Suspension e-mail sent to %s"),
            "reactivated": _("Reactivation e-mail sent to %s"),
            "storage_over": _("E-mail about the used up storage sent to %s"),
            "rebuilt": _("E-mail about the rebuilt instance sent to %s"),
            "deletion_warning": _("Warning of the deletion sent to %s"),
            "deleted": _("E-mail about the deletion sent to %s"),
        }
        if operation.get("notice") not in sent:
            raise Refused(_("Unknown notice: %s.", operation.get("notice")))
        to = instance._notice_address(operation.get("to"))
        if not to:
            raise Refused(_("No address of the customer to send to: %s.", operation.get("to")))
        if not self.env["saas.bridge.effect"]._claim(operation["key"], "notice", operation["notice"]):
            return "duplicate", ""
        html = operation.get("html") or plaintext2html(operation.get("text") or "")
        mail = instance._send_mail(to, operation.get("subject"), html)
        self.env["saas.bridge.effect"].search([("key", "=", operation["key"])]).write(
            {"mail_id": mail.id, "instance_id": instance.id}
        )
        instance.message_post(body=sent[operation["notice"]] % to)
        return "done", ""

    @api.model
    def _push_todo(self, operation):
        """Something that a person has to see to: in the chatter of its document, and as a to-do of who answers for it.

        About a purchase it is the salesperson's, about an instance a manager's. With `keep_plan` the line of the purchase
        stays one of another plan than its instance has.
        """
        message = self._message(operation)
        if operation.get("instance_key"):
            document = self._instance(operation["instance_key"])
            line, responsible = None, self.env["res.users"]
        else:
            line, document, responsible = self._purchase(operation.get("purchase_key"))
        if not self.env["saas.bridge.effect"]._claim(operation["key"], "todo"):
            return "duplicate", ""
        if line and operation.get("keep_plan") and line._name != "saas.grant":
            line.saas_keep_plan = True
        people = responsible.filtered("active") | self._saas_staff(document.company_id)
        document.message_post(body=self._say(message, document.company_id.partner_id))
        self._schedule_todo(document, people, lambda user: self._say(message, user))
        return "done", ""

    @api.model
    def _purchase(self, key):
        """The line, its document and who sold it.

        :raise Refused: there is none.
        """
        records = self._purchases([key])
        if not records:
            raise Refused(_("%s does not exist.", key))
        line = records[0]
        if line._name == "sale.order.line":
            return line, line.order_id, line.order_id.user_id
        if line._name == "account.move.line":
            return line, line.move_id, line.move_id.invoice_user_id
        return line, line.instance_id, line.user_id

    @api.model
    def _push_summary(self, operation):
        """One message to all managers, by the inbox or by e-mail as each has chosen."""
        message = self._message(operation)
        if not self.env["saas.bridge.effect"]._claim(operation["key"], "summary"):
            return "duplicate", ""
        self._notify(
            self._saas_managers(),
            lambda user: self.with_context(lang=user.lang or None)._summary_subject(),
            lambda user: self._say(message, user),
        )
        return "done", ""

    @api.model
    def _notify(self, users, subject, body, record=None):
        """One message to all of the users, each in their language, by the inbox or by e-mail as each has chosen."""
        for lang in sorted(set(users.mapped(lambda user: user.lang or ""))):
            group = users.filtered(lambda user: (user.lang or "") == lang)  # noqa: B023
            thread = self.env["mail.thread"] if record is None else record
            thread.with_context(lang=lang or None).message_notify(
                partner_ids=group.partner_id.ids, subject=subject(group[0]), body=plaintext2html(body(group[0]))
            )

    @api.model
    def _summary_subject(self):
        return _("SaaS summary")

    @api.model
    def _schedule_todo(self, document, people, note, summary=None):
        """A to-do for the first of the people, or else of the managers, who may read the document and answer in it.

        Where none of them may do both, who may read it gets the to-do, else the first one: it says what is wrong.
        """
        people |= self._saas_managers(document.company_id if "company_id" in document._fields else None)
        people = people.filtered("active")
        readers = people.filtered(
            lambda user: document.with_user(user).with_context(allowed_company_ids=user.company_ids.ids).has_access("read")
        )
        if not readers and "company_id" in document._fields:
            readers = self._readers_in(document)
        able = readers.filtered(lambda user: self._can_answer(user, document))
        for user in (able or readers or people)[:1]:
            document.activity_schedule(
                "saas_bridge.mail_activity_type",
                user_id=user.id,
                summary=summary(user) if summary else _("SaaS instance"),
                note=plaintext2html(note(user)),
            )

    @api.model
    def _readers_in(self, document):
        """Who works in the company of the document and may read it: of a company without people of SaaS."""
        people = [("share", "=", False), ("active", "=", True), ("company_ids", "in", document.company_id.ids)]
        return self.env["res.users"].search([*people, ("id", "!=", SUPERUSER_ID)], order="id").filtered(
            lambda user: document.with_user(user).with_context(allowed_company_ids=user.company_ids.ids).has_access("read")
        )

    @api.model
    def _push_command(self, operation):
        command = self.env["saas.command"].browse(int(operation["command_id"])).exists()
        if not command:
            raise Refused(_("Command %s does not exist.", operation["command_id"]))
        if operation.get("result") not in ("done", "refused", "failed"):
            raise Refused(_("Unknown result: %s.", operation.get("result")))
        if command.state != "pending":
            return "duplicate", ""
        result, message = operation["result"], self._say(self._message(operation), command.requested_by)
        if result == "done":
            try:
                with self.env.cr.savepoint():
                    command._apply()
            except UserError as error:
                # What the daemon agreed to became impossible in between: the command must not stay pending for ever.
                result, message = "failed", str(error.args[0] if error.args else error)
        command.write({"state": result, "done_on": fields.Datetime.now(), "message": message or False})
        if result != "done":
            self._tell_requester(command)
        return "done", ""

    @api.model
    def _tell_requester(self, command):
        """Who pressed the button has left the page long ago."""
        command = command.with_context(lang=command.requested_by.lang or self.env.context.get("lang"))
        labels = {
            fname: dict(command._fields[fname]._description_selection(command.env))[command[fname]]
            for fname in ("command", "state")
        }
        command.instance_id.message_post(
            body=f"{labels['command']}: {labels['state']}. {command.message or ''}".strip(),
            partner_ids=command.requested_by.partner_id.ids,
        )

    @api.model
    def _instance(self, key):
        instance = self.env["saas.instance"].search([("key", "=", key)])
        if not instance:
            raise Refused(_("No instance has the key %s.", key))
        return instance

    @api.model
    def _saas_staff(self, company):
        """Who is told where no salesperson is known: whom the company's settings name, or else its managers."""
        named = company.saas_user_id.filtered(
            lambda user: user.active and company in user.company_ids and user.has_group("saas_bridge.group_user")
        )
        return named or self._saas_managers(company)

    @api.model
    def _saas_managers(self, company=None):
        """The managers who work in the company; without one, all."""
        users = self.env.ref("saas_bridge.group_manager").all_user_ids.filtered(lambda user: user.active and not user.share)
        return users.filtered(lambda user: company is None or company in user.company_ids).sorted("id")

    @api.model
    def _message(self, operation):
        """The message `{code, params}` of an operation."""
        message = operation["message"]
        if not isinstance(message, dict) or not isinstance(message.get("code"), str):
            raise Refused(_("Not understood: %s", repr(message)))
        return message
