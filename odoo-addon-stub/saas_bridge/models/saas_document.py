from datetime import timedelta

from markupsafe import Markup

from odoo import _, api, fields, models

from .saas_bridge_heartbeat import SILENT_MINUTES

# From what a person must look at down to what needs nobody.
GRAVITY = ("error", "late", "down", "preparing", "unpaid", "running", "gone")
OF_STATE = {
    "draft": "preparing",
    "provisioning": "preparing",
    "running": "running",
    "suspended": "down",
    "stopped": "down",
    "error": "error",
    "deleting": "gone",
    "deleted": "gone",
}
BADGES = {
    "error": "text-bg-danger",
    "late": "text-bg-warning",
    "down": "text-bg-warning",
    "preparing": "text-bg-info",
    "unpaid": "text-bg-secondary",
    "running": "text-bg-success",
    "gone": "text-bg-secondary",
}


class SaasDocument(models.AbstractModel):
    """What an order and an invoice say of the instances they pay for, to whoever may read the document."""

    _name = "saas.document"
    _description = "Document that pays for SaaS instances"

    saas_status = fields.Selection(
        [
            ("error", "Error"),
            ("late", "Late"),
            ("down", "Not running"),
            ("preparing", "Preparing"),
            ("unpaid", "Waiting for payment"),
            ("running", "Running"),
            ("gone", "Deleted"),
        ],
        string="Instance Status",
        compute="_compute_saas_status",
    )
    saas_status_html = fields.Html(string="Instance", compute="_compute_saas_status", sanitize=False)

    @api.depends_context("uid", "lang")
    def _compute_saas_status(self):
        known = self.sudo()._saas_status_known()
        for document in self:
            rows = document.sudo()._saas_status_rows(known)
            statuses = {status for status, _html in rows}
            document.saas_status = next((status for status in GRAVITY if status in statuses), False)
            document.saas_status_html = Markup("").join(html for _status, html in rows) or False

    def _saas_todo(self, text):
        """Say in the chatter, and as a to-do of whoever can answer, what a person must look at.

        `text(document)` is the sentence, in the language of the document's environment.
        """
        self.ensure_one()
        bridge, document = self.env["saas.bridge"], self.sudo()
        people = document._saas_responsible() | bridge._saas_staff(document.company_id)
        document.message_post(body=text(document.with_context(lang=document.company_id.partner_id.lang)))
        bridge._schedule_todo(document, people, lambda user: text(document.with_context(lang=user.lang or None)))

    def _saas_responsible(self):
        """The salesperson of the document."""
        raise NotImplementedError

    def _saas_status_known(self):
        """What is asked once for all these documents: `{"silence", "instances": {document: instances}, "ledgers"}`."""
        return {
            "silence": self.env["saas.bridge"]._daemon_silence(),
            "instances": {document: document._saas_instances().sudo() for document in self},
            "ledgers": {},
        }

    def _saas_status_rows(self, known):
        """One pair (status, HTML) an instance, and one for what no instance serves yet."""
        self.ensure_one()
        silence = known["silence"]
        rows = [self._saas_instance_row(instance, silence) for instance in known["instances"][self]]
        if waiting := self._saas_waiting_status(known["ledgers"]):
            if waiting == "preparing" and silence:
                waiting = "late"
            rows.append((waiting, self._saas_row_html(waiting, *self._saas_waiting_words(waiting, silence))))
        return rows

    def _saas_waiting_status(self, ledgers):
        """Of a plan that was sold and has no instance; False when there is none. `ledgers`: of the lines of orders."""
        raise NotImplementedError

    def _saas_waiting_words(self, status, silence):
        if silence:
            late = _("No instance yet. %s Tell a SaaS manager.", silence)
        else:
            late = _("No instance yet, although the server's daemon runs: ask a SaaS manager to look at the to-dos.")
        unpaid = _("The instance is made as soon as the payment is here. Where unpaid orders are served too, ask a SaaS manager.")
        return {
            "preparing": (_("Preparing…"), _("The instance is made within seconds.")),
            "late": (_("Waiting"), late),
            "unpaid": (_("Waiting for payment"), " ".join(filter(None, (unpaid, silence)))),
        }[status]

    def _saas_instance_row(self, instance, silence):
        status = OF_STATE[instance.state]
        if status == "preparing":
            label = _("Preparing…")
        else:
            label = dict(instance._fields["state"]._description_selection(self.env))[instance.state]
        name = Markup("<b>%s</b>") % instance.name
        # Who may not open the instance gets its name without a link.
        if self.env.user.has_group("saas_bridge.group_user"):
            name = Markup('<a href="/odoo/saas.instance/%s" class="fw-bold text-reset text-decoration-underline">%s</a>') % (instance.id, instance.name)
        detail = Markup("")
        if status == "running" and instance.url:
            detail = Markup('<a href="%s" class="text-reset text-decoration-underline" target="_blank" rel="noopener">%s</a>') % (instance.url, instance.url)
        elif status == "error":
            detail = instance.error_message or ""
        elif status == "preparing" and not instance.requested:
            status, label, detail = "unpaid", _("Draft"), ""
        elif status == "preparing" and silence:
            status, label, detail = "late", _("Waiting"), silence
        return status, self._saas_row_html(status, label, detail, name)

    @api.model
    def _saas_row_html(self, status, label, detail, name=""):
        parts = [Markup('<span class="badge rounded-pill %s">%s</span>') % (BADGES[status], label), name, detail]
        return Markup('<div class="d-flex flex-wrap gap-2 align-items-center">%s</div>') % Markup("").join(
            Markup("<span>%s</span>") % part for part in parts if part
        )

    @api.model
    def _saas_late_before(self):
        return fields.Datetime.now() - timedelta(minutes=SILENT_MINUTES)


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "saas.document"]

    @api.depends("state", "order_line.saas_instance_id.state", "order_line.product_uom_qty", "transaction_ids.state")
    def _compute_saas_status(self):
        return super()._compute_saas_status()

    def _saas_responsible(self):
        return self.user_id

    def _saas_status_known(self):
        made = self.env["saas.instance"]._read_group([("sale_order_id", "in", self.ids)], ["sale_order_id"], ["id:recordset"])
        made = {order.id: instances for order, instances in made}
        waiting = self.filtered(lambda order: order._saas_waiting_lines())
        self.env["saas.bridge"]._sol_prefetch(waiting.order_line)
        self.env["saas.instance"].union(self.order_line.saas_instance_id, *made.values()).mapped("state")
        return {
            "silence": self.env["saas.bridge"]._daemon_silence(),
            "instances": {order: order.order_line.saas_instance_id.union(*filter(None, [made.get(order._origin.id)])) for order in self},
            "ledgers": waiting._saas_fold().ledgers,
        }

    def _saas_waiting_lines(self):
        self.ensure_one()
        if self.state != "sale":
            return self.order_line.browse()
        return self.order_line.filtered(
            lambda line: line._saas_plan() and not line.saas_instance_id and line.product_uom_qty > 0
        )

    def _saas_waiting_status(self, ledgers):
        self.ensure_one()
        lines = self._saas_waiting_lines()
        if not lines:
            return False
        paid = [line._saas_paid_on(line._saas_told_parts(ledgers[line]) if line in ledgers else []) for line in lines]
        since = max(filter(None, [*paid, self.saas_confirmed_on]), default=fields.Datetime.now())
        if since >= self._saas_late_before():
            return "preparing"
        # Whether an order is trusted is set on the server, which serves a trusted one at once.
        return "late" if all(paid) else "unpaid"


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "saas.document"]

    @api.depends("state", "payment_state", "invoice_line_ids.saas_instance_id.state")
    def _compute_saas_status(self):
        return super()._compute_saas_status()

    def _saas_responsible(self):
        return self.invoice_user_id

    def _saas_waiting_status(self, _ledgers):
        self.ensure_one()
        if self.move_type != "out_invoice" or self.state != "posted":
            return False
        if self.payment_state == "reversed" and not self._saas_is_paid():
            return False
        lines = self.invoice_line_ids.filtered(
            lambda line: line._saas_plan() and line.quantity > 0 and not line.saas_instance_id and not line.sale_line_ids
        )
        # What was given by hand for the invoice is an instance of it, without one on the line.
        if not lines or self.saas_instance_ids:
            return False
        if not self._saas_is_paid():
            return "unpaid"
        return "preparing" if self.saas_paid_on and self.saas_paid_on >= self._saas_late_before() else "late"
