import re
import unicodedata

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools.misc import formatLang

from ..const import LOG_LENGTH, NAME_LENGTH, RESERVED_NAMES
from .saas_kept import is_by_hand

MB_PER_GB = 1024
NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
# What people write, and only until they ask for the instance; everything else is the daemon's.
DRAFT_FIELDS = frozenset(("name", "partner_id", "plan_id", "sale_order_id", "invoice_ids", "company_id"))
BRIDGE_FIELDS = frozenset(
    (
        "key",
        "state",
        "subscription_state",
        "hold",
        "requested",
        "url",
        "http_port",
        "longpolling_port",
        "started_on",
        "paid_until",
        "suspended_on",
        "last_payment_on",
        "renewal_order_id",
        "delete_on",
        "users_used",
        "storage_used_mb",
        "modules_installed",
        "asleep_since",
        "measured_on",
        "storage_over_since",
        "odoo_container",
        "db_container",
        "error_message",
        "backup_on",
        "backup_mb",
        "backup_error",
        "backup_moments",
        "backup_proven_on",
        "backup_proof_error",
        "log",
        "admin_login",
        "admin_password",
        "first_login_on",
        "password_set_on",
        "password_cleared_on",
        "former_email",
        "subscribed",
        "mrr",
        "provision_seconds",
        "seller_id",
        "domain_target",
        "domain_addresses",
    )
)
BRIDGE_DEFAULTS = {"state": "draft", "subscription_state": "draft", "hold": "none"}


class SaasInstance(models.Model):
    _name = "saas.instance"
    _description = "SaaS Instance"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "id desc"

    name = fields.Char(
        required=True,
        copy=False,
        tracking=True,
        help="Name of the instance's containers and host: small letters, digits and single hyphens.",
    )
    key = fields.Char(
        copy=False,
        readonly=True,
        help="What the daemon knows the instance by: the purchase it was born from, or this record.",
    )
    partner_id = fields.Many2one("res.partner", string="Customer", required=True, ondelete="restrict", index=True)
    contact_id = fields.Many2one(
        "res.partner",
        string="Contact",
        ondelete="set null",
        domain="[('commercial_partner_id', '=', partner_id)]",
        help="Who receives the e-mails about the instance.",
    )
    plan_id = fields.Many2one(
        "product.template", string="Plan", domain="[('saas_plan', '=', True)]", ondelete="restrict", tracking=True
    )
    sale_order_id = fields.Many2one("sale.order", string="Sales Order", ondelete="set null", index="btree_not_null")
    invoice_ids = fields.Many2many(
        "account.move", "saas_instance_invoice_rel", "instance_id", "invoice_id", string="Invoices", copy=False
    )
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("provisioning", "Provisioning"),
            ("running", "Running"),
            ("suspended", "Suspended"),
            ("stopped", "Stopped"),
            ("error", "Error"),
            ("deleting", "Deleting"),
            ("deleted", "Deleted"),
        ],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        index=True,
        tracking=True,
        group_expand="_group_expand_state",
    )
    subscription_state = fields.Selection(
        [
            ("draft", "Draft"),
            ("active", "Active"),
            ("expiring_soon", "Expiring Soon"),
            ("expired", "Expired"),
            ("cancelled", "Cancelled"),
        ],
        string="Subscription",
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    hold = fields.Selection(
        [
            ("none", "None"),
            ("stopped", "Stopped by staff"),
            ("suspended", "Suspended by staff"),
            ("deleted", "Deleted by staff"),
        ],
        required=True,
        readonly=True,
        default="none",
        copy=False,
        help="What staff decided: a held instance stays down although it is paid, until somebody starts it.",
    )
    requested = fields.Boolean(
        readonly=True, copy=False, help="Somebody asked for this instance; the daemon makes it within seconds."
    )
    url = fields.Char(string="URL", readonly=True, copy=False)
    http_port = fields.Integer(string="HTTP Port", readonly=True, copy=False)
    longpolling_port = fields.Integer(string="Longpolling Port", readonly=True, copy=False)
    started_on = fields.Datetime(string="Running Since", readonly=True, copy=False)
    paid_until = fields.Datetime(readonly=True, copy=False, index=True, tracking=True)
    suspended_on = fields.Datetime(readonly=True, copy=False)
    last_payment_on = fields.Datetime(string="Last Payment", readonly=True, copy=False)
    renewal_order_id = fields.Many2one(
        "sale.order",
        string="Renewal Quotation",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        help="The open quotation by which the customer renews; its link is in the reminders.",
    )
    delete_on = fields.Datetime(
        string="Deletion", readonly=True, copy=False, index=True, help="When the instance is deleted if nobody pays."
    )
    users_used = fields.Integer(readonly=True, copy=False, help="Internal users that are active in the instance.")
    storage_used_mb = fields.Float(
        string="Storage Used (MB)", readonly=True, copy=False, help="Database and files together."
    )
    modules_installed = fields.Text(
        string="Installed Modules", readonly=True, copy=False, help="Technical names, separated by commas."
    )
    # With blanks, so that the line can break.
    modules_text = fields.Text(string="Modules", compute="_compute_modules_text")
    asleep_since = fields.Datetime(
        readonly=True, copy=False, help="Since when it is stopped until somebody visits it: its plan says so."
    )
    measured_on = fields.Datetime(readonly=True, copy=False, help="When users, storage and modules were looked at.")
    storage_over_since = fields.Datetime(
        string="Over Storage Since",
        readonly=True,
        copy=False,
        help="Since when the instance has used more storage than its plan has.",
    )
    max_users = fields.Integer(string="Users Allowed", related="plan_id.saas_max_users")
    storage_gb = fields.Integer(related="plan_id.saas_storage_gb")
    storage_used_gb = fields.Float(string="Storage Used (GB)", digits=(16, 1), compute="_compute_storage_used")
    storage_percent = fields.Float(compute="_compute_storage_used")
    over_limit = fields.Boolean(
        compute="_compute_over_limit",
        search="_search_over_limit",
        help="It has more active users or uses more storage than its plan allows.",
    )
    renewal_order_name = fields.Char(related="renewal_order_id.name")
    odoo_container = fields.Char(string="Odoo Container", readonly=True, copy=False)
    db_container = fields.Char(string="Database Container", readonly=True, copy=False)
    error_message = fields.Text(readonly=True, copy=False)
    backup_on = fields.Datetime(
        string="Last Backup", readonly=True, copy=False, help="When database and files were last backed up."
    )
    backup_mb = fields.Float(
        string="Backup Size (MB)", readonly=True, copy=False, help="Database and files of the last backup."
    )
    backup_error = fields.Text(
        string="Backup Failing", readonly=True, copy=False, help="Why the last try to make a backup has failed."
    )
    backup_moments = fields.Text(
        readonly=True, copy=False, help="When the backups were made that there are, the newest first, separated by commas."
    )
    backup_proven_on = fields.Datetime(
        string="Backup Proven",
        readonly=True,
        copy=False,
        help="When a backup was last restored on trial: every file and row was there, and Odoo let a user in.",
    )
    backup_proof_error = fields.Text(
        string="Trial Failed", readonly=True, copy=False, help="Why the last trial of a backup has failed."
    )
    log = fields.Text(readonly=True, copy=False)
    admin_login = fields.Char(string="Administrator Login", readonly=True, copy=False)
    # Never tracked: the chatter is read by more people than this field.
    admin_password = fields.Char(
        string="Temporary Password", readonly=True, copy=False, groups="saas_bridge.group_manager"
    )
    command_ids = fields.One2many("saas.command", "instance_id", string="Commands")
    pending_commands = fields.Char(compute="_compute_pending_commands")
    grant_ids = fields.One2many("saas.grant", "instance_id", string="Granted Time")

    _name_unique = models.Constraint("UNIQUE(name)", "Another instance has this name already.")
    _key_unique = models.Constraint("UNIQUE(key)", "Another instance has this key already.")
    _write_date_idx = models.Index("(write_date)")

    @api.depends("storage_used_mb", "plan_id.saas_storage_gb")
    def _compute_storage_used(self):
        for instance in self:
            instance.storage_used_gb = instance.storage_used_mb / MB_PER_GB
            instance.storage_percent = instance.storage_used_gb * 100 / (instance.plan_id.saas_storage_gb or 1)

    @api.depends("modules_installed")
    def _compute_modules_text(self):
        for instance in self:
            instance.modules_text = (instance.modules_installed or "").replace(",", ", ")

    @api.depends("users_used", "storage_used_mb", "plan_id.saas_max_users", "plan_id.saas_storage_gb")
    def _compute_over_limit(self):
        for instance in self:
            plan = instance.plan_id
            instance.over_limit = bool(plan) and (
                instance.users_used > plan.saas_max_users or instance.storage_used_mb > plan.saas_storage_gb * MB_PER_GB
            )

    def _search_over_limit(self, operator, value):
        plans = self.env["product.template"].sudo().with_context(active_test=False).search([("saas_plan", "=", True)])
        over = [(0, "=", 1)]
        for plan in plans:
            over = [
                "|",
                *over,
                "&",
                ("plan_id", "=", plan.id),
                "|",
                ("users_used", ">", plan.saas_max_users),
                ("storage_used_mb", ">", plan.saas_storage_gb * MB_PER_GB),
            ]
        # 19 asks with a set of values, 17 and 18 with one.
        asked = True in value if operator in ("in", "not in") else bool(value)
        wanted = asked == (operator in ("=", "in"))
        return over if wanted else ["!", *over]

    @api.depends("command_ids.state", "command_ids.command")
    def _compute_pending_commands(self):
        labels = dict(self.env["saas.command"]._fields["command"]._description_selection(self.env))
        for instance in self:
            pending = instance.command_ids.filtered(lambda command: command.state == "pending")
            instance.pending_commands = ", ".join(labels[command.command] for command in pending.sorted("id"))

    @api.constrains("name")
    def _check_name(self):
        for instance in self:
            name = instance.name or ""
            if not NAME.fullmatch(name) or "--" in name:
                raise ValidationError(
                    _(
                        "The name of an instance has at most %s small letters, digits and single hyphens, begins with"
                        " a letter and does not end with a hyphen.",
                        NAME_LENGTH,
                    )
                )
            if name in RESERVED_NAMES:
                raise ValidationError(_("The name %s is reserved.", name))

    @api.constrains("partner_id", "contact_id")
    def _check_contact(self):
        for instance in self:
            contact = instance.contact_id
            if contact and contact.commercial_partner_id != instance.partner_id.commercial_partner_id:
                raise ValidationError(
                    _("%(contact)s is not a contact of %(customer)s.", contact=contact.name, customer=instance.partner_id.name)
                )

    @api.onchange("partner_id")
    def _onchange_partner_id(self):
        customer = self.partner_id.commercial_partner_id
        if customer and customer != self.partner_id:
            self.contact_id = self.partner_id
            self.partner_id = customer
        if customer and not self.name:
            self.name = self._free_name(customer.name)
        if self.contact_id.commercial_partner_id != customer:
            self.contact_id = customer

    @api.model
    def default_get(self, fields):
        """A default from the context or from a person's own settings is a value by hand like any other."""
        values = super().default_get(fields)
        if not self.env.su:
            for fname in BRIDGE_FIELDS & values.keys():
                values[fname] = BRIDGE_DEFAULTS.get(fname, False)
        return values

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [self._commercial_vals(vals) for vals in vals_list]
        if is_by_hand(self.env):
            for vals in vals_list:
                self._check_bridge_fields(vals, self.browse())
        instances = super().create(vals_list)
        for instance in instances.filtered(lambda i: not i.key):
            # With the moment: a database that was restored gives the number out again.
            instance.sudo().with_context(saas_by_hand=False).key = f"rec:{instance.id}.{int(fields.Datetime.now().timestamp())}"
        return instances

    def write(self, vals):
        vals = self._commercial_vals(vals)
        if is_by_hand(self.env):
            self._check_bridge_fields(vals, self)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_draft(self):
        for instance in self:
            if instance.state != "draft" or instance.requested:
                raise UserError(_("%s was asked for already: only a draft can be deleted.", instance.name))

    def action_provision(self):
        """Ask the daemon for the instance of this draft."""
        self.ensure_one()
        self._check_saas_group("saas_bridge.group_user")
        self.check_access("write")
        if self.state != "draft" or self.requested:
            raise UserError(_("%s was asked for already.", self.name))
        sudo = self.sudo()
        sudo._claim_purchase()
        sudo.requested = True
        sudo.message_post(body=_("%s asked for this instance.", self.env.user.name), author_id=self.env.user.partner_id.id)
        return self._notify_and_reload(_("%s is being created: it takes some seconds.", self.name))

    def action_start(self):
        return self._request_command("start")

    def action_stop(self):
        return self._request_command("stop")

    def action_restart(self):
        return self._request_command("restart")

    def action_retry(self):
        return self._request_command("retry")

    def action_resume(self):
        return self._request_command("resume")

    def action_rebuild(self):
        return self._request_command("rebuild")

    def action_restore(self):
        return self._ask_for_command("restore", _("Restore a backup"))

    def action_back_up(self):
        return self._request_command("back_up")

    def action_suspend(self):
        return self._ask_for_command("suspend", _("Suspend the instance"))

    def action_extend(self):
        return self._ask_for_command("extend", _("Extend the paid time"))

    def action_change_plan(self):
        return self._ask_for_command("change_plan", _("Change the plan"))

    def action_delete(self):
        return self._ask_for_command("delete", _("Delete the instance"))

    def action_delete_without_copy(self):
        return self._ask_for_command("delete_without_copy", _("Delete the instance without a copy"))

    def action_view_renewal(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "view_mode": "form",
            "views": [(False, "form")],
            "res_id": self.renewal_order_id.id,
        }

    def action_open_url(self):
        self.ensure_one()
        if not self.url:
            raise UserError(_("%s has no address yet.", self.name))
        return {"type": "ir.actions.act_url", "url": self.url, "target": "new"}

    def _action_open(self):
        """One instance: its form. Several: the list."""
        action = {
            "type": "ir.actions.act_window",
            "name": _("SaaS Instances"),
            "res_model": "saas.instance",
            "view_mode": "list,kanban,form",
            "domain": [("id", "in", self.ids)],
            "context": {"create": False},
        }
        if len(self) == 1:
            action.update(view_mode="form", views=[(False, "form")], res_id=self.id)
        return action

    def _notify_and_reload(self, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _check_saas_group(self, group):
        if not self.env.su and not self.env.user.has_group(group):
            raise AccessError(_("Only a SaaS manager or a user of SaaS with the right to it may do this."))

    @api.model
    def _commercial_vals(self, vals):
        """A company is one customer, whichever of its people buys."""
        partner = self.env["res.partner"].browse(vals.get("partner_id") or [])
        if not partner:
            return vals
        customer = partner.sudo().commercial_partner_id
        vals = dict(vals, partner_id=customer.id)
        if not vals.get("contact_id") and not (self and self.contact_id.sudo().commercial_partner_id == customer):
            vals["contact_id"] = partner.id
        return vals

    @api.model
    def _check_bridge_fields(self, vals, instances):
        """The daemon's columns say what is; a person who changes them changes nothing but the truth of the page."""
        for fname in BRIDGE_FIELDS & vals.keys():
            if not instances and (not vals[fname] or vals[fname] == BRIDGE_DEFAULTS.get(fname)):
                continue
            label = self._fields[fname]._description_string(self.env)
            raise AccessError(_("%s is kept by the daemon and cannot be changed by hand.", label))
        if DRAFT_FIELDS & vals.keys():
            for instance in instances.sudo():
                if instance.state != "draft" or instance.requested:
                    raise UserError(
                        _("%s was asked for already: its name, customer, plan and documents stay.", instance.name)
                    )

    def _claim_purchase(self):
        """Find what pays for the draft: a line without an instance, or else one period given for the invoice."""
        self.ensure_one()
        if not self.partner_id:
            raise UserError(_("Choose the customer first."))
        invoices = self.invoice_ids
        for invoice in invoices:
            invoice._check_saas_can_create()
            if invoice._saas_buyer().commercial_partner_id != self.partner_id:
                raise UserError(_("The invoice %s belongs to another customer.", invoice.name))
        lines = [line for invoice in invoices for line in invoice._saas_purchase_lines()]
        if not invoices and self.sale_order_id.state == "sale":
            lines = [line for line in self.sale_order_id.order_line if line._saas_plan()]
        lines = [line for line in lines if not line.saas_instance_id and line._saas_plan() == (self.plan_id or line._saas_plan())]
        if not self.plan_id and lines:
            self.plan_id = lines[0]._saas_plan()
        if not self.plan_id:
            raise UserError(_("Choose the plan of the instance first."))
        if not self.plan_id.saas_plan:
            raise UserError(_("%s is not a SaaS plan.", self.plan_id.display_name))
        if lines:
            lines[0].saas_instance_id = self
        elif invoices:
            self.env["saas.grant"].create(
                {
                    "instance_id": self.id,
                    "quantity": 1,
                    "period_count": self.plan_id.saas_period_count,
                    "period_unit": self.plan_id.saas_period_unit,
                    "reason": _("Invoice %s", invoices[:1].name),
                }
            )
        elif not self.grant_ids:
            raise UserError(_("Nothing pays for %s: add a paid invoice, or grant some time first.", self.name))

    def _plan_misfit(self, plan):
        """What must be reduced before the instance fits the plan: sentences in the user's language, "" if it fits."""
        self.ensure_one()
        # Asked for salespeople too, who read no instances.
        instance = self.sudo()
        problems = []
        if instance.users_used > plan.saas_max_users:
            problems.append(
                _(
                    "%(instance)s has %(used)s active users and the plan %(plan)s allows %(limit)s: archive some of them"
                    " first.",
                    instance=instance.name,
                    used=instance.users_used,
                    plan=plan.name,
                    limit=plan.saas_max_users,
                )
            )
        if instance.storage_used_mb > plan.saas_storage_gb * MB_PER_GB:
            problems.append(
                _(
                    "%(instance)s uses %(used)s GB of storage and the plan %(plan)s allows %(limit)s GB: delete data first.",
                    instance=instance.name,
                    used=formatLang(self.env, instance.storage_used_gb, digits=1),
                    plan=plan.name,
                    limit=plan.saas_storage_gb,
                )
            )
        return " ".join(problems)

    def _ask_for_command(self, command, title):
        """The dialog of a command that needs more than a click; what is not possible is refused before it opens."""
        self.ensure_one()
        self._check_command(command)
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "saas.command.wizard",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_instance_id": self.id, "default_command": command},
        }

    def _request_command(self, command, **values):
        """Leave a command for the daemon. The same one asked for twice is one.

        Values are those of saas.command: days, plan_id, moment, reason.
        """
        self.ensure_one()
        label = self._check_command(command)
        same = self.sudo().command_ids.filtered(lambda c: c.state == "pending" and c.command == command)
        if not same:
            self.env["saas.command"].sudo().create(
                {"instance_id": self.id, "command": command, "requested_by": self.env.uid, **values}
            )
        elif values:
            raise UserError(_("%s: asked for already. Wait for its result.", label))
        return self._notify_and_reload(_("%(command)s: asked for %(instance)s.", command=label, instance=self.name))

    def _check_command(self, command):
        """Refuse what this person, or this instance as it is, cannot be asked. Returns what people call the command."""
        self._check_saas_group("saas_bridge.group_user" if command == "retry" else "saas_bridge.group_manager")
        self.check_access("read")
        label = dict(self.env["saas.command"]._fields["command"]._description_selection(self.env))[command]
        pending = self.sudo().command_ids.filtered(lambda c: c.state == "pending")
        is_deleted = self.hold == "deleted" or "delete" in pending.mapped("command")
        if is_deleted and command not in ("retry", "delete_without_copy"):
            raise UserError(_("%s is being deleted.", self.name))
        if self.state not in self.env["saas.command"]._allowed_states()[command]:
            state = dict(self._fields["state"]._description_selection(self.env))[self.state]
            raise UserError(
                _("%(instance)s is in the state %(state)s: %(command)s is not possible.", instance=self.name, state=state, command=label)
            )
        return label

    @api.model
    def _free_name(self, wanted):
        """A valid name near the wanted one that no instance has."""
        ascii_name = unicodedata.normalize("NFKD", wanted or "").encode("ascii", "ignore").decode().lower()
        base = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")
        if not base[:1].isalpha():
            base = f"c{base}" if base else "cliente"
        base = base[: NAME_LENGTH - 5].strip("-")
        taken = set(self.sudo().search([("name", "=like", f"{base}%")]).mapped("name")) | RESERVED_NAMES
        name, number = base, 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        return name

    def _append_log(self, lines):
        """Add lines; of a log grown too long the oldest whole lines go."""
        for instance in self.sudo():
            text = "\n".join(part for part in (instance.log, *lines) if part)
            if len(text) > LOG_LENGTH:
                text = text[-LOG_LENGTH:]
                cut = text.find("\n")
                text = text[cut + 1 :] if cut >= 0 else text
            instance.log = text
