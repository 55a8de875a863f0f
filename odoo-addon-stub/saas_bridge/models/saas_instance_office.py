from datetime import timedelta

from odoo import _, api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date, html2plaintext

# Made within seconds; after so long somebody should look.
LATE_MINUTES = 10
COLORS = {"draft": 0, "provisioning": 4, "running": 10, "suspended": 2, "stopped": 3, "error": 1, "deleting": 0, "deleted": 0}


class SaasInstance(models.Model):
    """What the pages of the staff need beside the facts."""

    _inherit = "saas.instance"

    color = fields.Integer(compute="_compute_color")
    seller_id = fields.Many2one(
        "res.users",
        string="Salesperson",
        compute="_compute_seller_id",
        store=True,
        index="btree_not_null",
        help="Of the first order, or else of the customer.",
    )
    is_trial = fields.Boolean(string="Trial", related="plan_id.saas_trial")
    order_count = fields.Integer(compute="_compute_document_counts")
    invoice_count = fields.Integer(compute="_compute_document_counts")
    attention = fields.Char(
        string="Needs Attention", compute="_compute_attention", search="_search_attention", help="Why somebody should look."
    )
    daemon_silence = fields.Char(string="Daemon", compute="_compute_daemon_silence")

    @api.model
    def _group_expand_state(self, states, _domain):
        """Columns in the order of a life, and none that is empty."""
        return [state for state, _label in self._fields["state"].selection if state in states]

    @api.depends("state")
    def _compute_color(self):
        for instance in self:
            instance.color = COLORS.get(instance.state, 0)

    @api.depends("sale_order_id.user_id", "partner_id.user_id")
    def _compute_seller_id(self):
        for instance in self:
            instance.seller_id = instance.sale_order_id.user_id or instance.partner_id.user_id

    @api.depends("sale_order_id", "invoice_ids")
    def _compute_document_counts(self):
        for instance in self:
            instance.order_count = len(instance._orders())
            instance.invoice_count = len(instance._invoices())

    def _orders(self):
        sudo = self.sudo()
        lines = self.env["sale.order.line"].sudo().search([("saas_instance_id", "in", self.ids)])
        return sudo.sale_order_id | lines.order_id

    def _invoices(self):
        sudo = self.sudo()
        lines = self.env["account.move.line"].sudo().search([("saas_instance_id", "in", self.ids)])
        moves = sudo.invoice_ids | lines.move_id | self._orders().invoice_ids
        return moves.filtered(lambda move: move.state != "cancel")

    @api.depends("state", "over_limit", "delete_on", "requested", "hold", "activity_ids", "subscription_state")
    def _compute_attention(self):
        late = fields.Datetime.now() - timedelta(minutes=LATE_MINUTES)
        silence = self.env["saas.bridge"]._daemon_silence()
        for instance in self:
            reasons = []
            if instance.state == "error":
                reasons.append(_("Error: %s", instance.error_message or "?"))
            if instance._is_late(late):
                reasons.append(silence or _("Still being made"))
            if instance.over_limit and instance.state != "deleted":
                reasons.append(_("Over its limits"))
            if instance.delete_on and instance.state not in ("deleting", "deleted"):
                reasons.append(_("Deleted on %s unless paid", format_date(self.env, instance.delete_on)))
            for activity in instance.activity_ids[:1]:
                text = " ".join(html2plaintext(activity.note or "").split()) or activity.summary or activity.activity_type_id.name
                reasons.append(_("To-do: %s", text))
            instance.attention = " · ".join(reason.rstrip(".") for reason in reasons)

    @api.depends_context("uid", "lang", "tz")
    def _compute_daemon_silence(self):
        self.daemon_silence = self.env["saas.bridge"]._daemon_silence()

    def _is_late(self, late):
        return self.requested and self.state in ("draft", "provisioning") and self.write_date and self.write_date < late

    def _search_attention(self, operator, value):
        values = value if operator in ("in", "not in") else [value]
        if operator not in ("in", "not in", "=", "!=") or any(values):
            raise NotImplementedError
        late = fields.Datetime.now() - timedelta(minutes=LATE_MINUTES)
        alive = Domain("state", "not in", ("deleting", "deleted"))
        domain = Domain("activity_ids", "!=", False) | Domain("state", "=", "error") | (
            alive & (Domain("over_limit", "=", True) | Domain("delete_on", "!=", False))
        )
        domain |= (
            Domain("requested", "=", True)
            & Domain("state", "in", ("draft", "provisioning"))
            & Domain("write_date", "<", late)
        )
        return ~domain if operator in ("in", "=") else domain

    def action_view_orders(self):
        self.ensure_one()
        return self._documents_action(_("Orders of %s", self.name), self._orders())

    def action_view_invoices(self):
        self.ensure_one()
        return self._documents_action(_("Invoices of %s", self.name), self._invoices())

    def action_view_customer(self):
        self.ensure_one()
        return self._documents_action(self.partner_id.display_name, self.partner_id)

    def _documents_action(self, name, records):
        action = {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": records._name,
            "view_mode": "list,form",
            "domain": [("id", "in", records.ids)],
            "context": {"create": False},
        }
        if records._name == "account.move":
            # Without it the list is the accountants' one of all entries.
            action["context"]["default_move_type"] = "out_invoice"
        if len(records) == 1:
            action.update(view_mode="form", views=[(False, "form")], res_id=records.id)
        return action

    @api.model_create_multi
    def create(self, vals_list):
        instances = super().create(vals_list)
        instances._tell_open_pages()
        return instances

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"state", "url", "hold", "paid_until", "error_message", "requested"}:
            self._tell_open_pages()
        return result

    def _tell_open_pages(self):
        """Whoever has the instance, its orders or invoices open sees the change: numbers only, each page reads for itself."""
        if not self:
            return
        documents = {
            "saas.instance": self.ids,
            "sale.order": self._orders().ids,
            "account.move": self._invoices().ids,
        }
        self.env.ref("base.group_user")._bus_send("saas_bridge.changed", documents)
