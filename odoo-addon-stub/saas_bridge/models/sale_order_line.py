from odoo import _, api, fields, models
from odoo.exceptions import UserError

# What decides how much of a line is paid.
PRICED_BY = frozenset(
    ("product_id", "product_uom_qty", "product_uom_id", "price_unit", "discount", "tax_ids", "sequence", "order_id")
)


class SaleOrderLine(models.Model):
    _name = "sale.order.line"
    _inherit = ["sale.order.line", "saas.line.mixin"]

    saas_part_ids = fields.One2many("saas.part", "order_line_id", groups="base.group_system")
    # Wishes, not facts: the daemon finds a name like it when it is taken, and a language it has.
    saas_wanted_name = fields.Char(
        string="Wanted Name", copy=False, help="What the buyer wants a new instance to be called."
    )
    saas_wanted_lang = fields.Char(
        string="Wanted Language", copy=False, help="Code of the language the buyer wants a new instance in, e.g. es_ES."
    )

    # The daemon asks every few seconds which lines changed: the answer must come from an index.
    _saas_write_date_idx = models.Index("(write_date)")

    @api.constrains("product_id", "product_uom_qty")
    def _check_saas_trial_in_cart(self):
        """The shop shows this to the customer, and the cart stays as it was. Staff are told when they confirm."""
        if not any(line._saas_plan().saas_trial for line in self):
            return
        for order in self.order_id.sudo():
            if order._saas_is_cart() and (problem := order._saas_trial_problem()):
                raise UserError(problem)

    @api.constrains("product_id", "product_uom_id")
    def _check_saas_unit(self):
        for line in self:
            if problem := line._saas_unit_problem():
                raise UserError(problem)

    @api.model_create_multi
    def create(self, vals_list):
        orders = self.env["sale.order"].browse({vals.get("order_id") for vals in vals_list} - {None, False})
        orders._saas_settle()
        lines = super().create(vals_list)
        lines.order_id._saas_settle()
        return lines

    def write(self, vals):
        """What was paid and ordered until now is written down before an edit, and what the edit adds is dated by it."""
        if not PRICED_BY & vals.keys():
            return super().write(vals)
        if self.env.context.get("skip_uom_conversion") and vals.keys() == {"product_uom_id"}:
            # Odoo gives a product and its lines another unit together: what was sold is the same before and after.
            return super().write(vals)
        self.order_id._saas_settle()
        if "product_id" in vals:
            self._check_saas_plan_is_not_paid(vals["product_id"])
        result = super().write(vals)
        self.order_id._saas_settle()
        return result

    def unlink(self):
        """Odoo deletes the rewards of an order that is cancelled: one that an instance lives of stays, with none of it."""
        kept = self.filtered(lambda line: line.saas_instance_id and line.order_id.state == "cancel" and line._saas_reward())
        if kept:
            kept.write({"product_uom_qty": 0, "reward_id": False, "coupon_id": False, "points_cost": 0})
        return super(SaleOrderLine, self - kept).unlink()

    def _check_saas_plan_is_not_paid(self, product_id):
        for line in self.sudo():
            paid = any(part.quantity > 0 and not part.source.startswith("ordered:") for part in line.saas_part_ids)
            if paid and line.order_id._saas_is_live() and line.product_id.id != product_id:
                raise UserError(
                    _("%s is paid: add a line for another plan, and credit this one if you give money back.", line.product_id.name)
                )

    def _saas_customer(self):
        return self.order_id.partner_id.commercial_partner_id

    def _saas_invoice_lines(self):
        """The lines of customer invoices made from it, drafts and cancelled ones too."""
        return self.invoice_lines.filtered(lambda line: line.move_id.move_type == "out_invoice")

    def _saas_invoiced_periods(self, made):
        """Periods that an invoice line made from the line is for."""
        unit = made.product_uom_id
        quantity = unit._compute_quantity(made.quantity, self.product_uom_id, round=False) if unit else made.quantity
        return self._saas_periods(quantity)

    def _saas_given_back(self):
        """How many of the invoiced units posted credit notes gave back."""
        self.ensure_one()
        posted = self.invoice_lines.filtered(lambda line: line.parent_state == "posted")
        invoiced = posted.filtered(lambda line: line.move_id.move_type == "out_invoice")
        return invoiced._saas_quantity_given_back(posted - invoiced) + sum(one._saas_refunded_quantity() for one in invoiced)

    def _saas_given_back_of(self, made):
        """How many units of one invoice line made from it were given back by credit notes of that invoice, and refunds."""
        self.ensure_one()
        if made.move_id._saas_made_instead():
            return 0.0
        credited = self.invoice_lines.filtered(
            lambda line: line.parent_state == "posted"
            and line.move_id.move_type == "out_refund"
            and line.move_id.reversed_entry_id == made.move_id
        )
        return made._saas_quantity_given_back(credited) + made._saas_refunded_quantity()

    def _saas_credited_quantity(self):
        """How many of the ordered units were given back by credit notes and not invoiced again.

        “Reverse and create invoice” leaves the new invoice as a draft: nothing was given back then either.
        """
        self.ensure_one()
        credited = self._saas_given_back()
        if not credited:
            return 0.0
        standing = self._saas_invoice_lines().filtered(lambda line: line.parent_state != "cancel")
        return max(0.0, credited - max(0.0, sum(standing.mapped("quantity")) - self.product_uom_qty))

    def _saas_part_date(self, source):
        """The date of the document that a part is of; False where it is not known there."""
        kind, _colon, number = source.partition(":")
        if kind in ("ordered", "free", "card"):
            return self.order_id.saas_confirmed_on or self.order_id.date_order
        if kind == "tx":
            return next((tx._saas_arrived_on() for tx in self.order_id.transaction_ids if tx.id == int(number)), False)
        lines = self._saas_invoice_lines() if kind == "inv" else self.order_id._saas_down_lines()
        moves = [line.move_id for line in lines if int(number) == (line.id if kind == "inv" else line.move_id.id)]
        return moves[0].saas_paid_on if moves else False

    def _saas_pot(self, orders):
        """What a gift card pays: as payment.transaction._saas_pot."""
        self.ensure_one()
        order = self.order_id
        return -self.price_total, 0.0, order.currency_id, (order.saas_confirmed_on or order.date_order).date(), ""

    def _saas_said_by(self, orders):
        return 0.0

    def _saas_told_parts(self, ledger):
        """The parts of the line for the daemon: see Ledger.told."""
        sold = self._saas_periods(self.product_uom_qty - self._saas_credited_quantity())
        return ledger.told(max(0.0, sold), trusted=True)

    def _saas_parts(self):
        """The same, worked out without writing anything down."""
        self.ensure_one()
        line = self.sudo()
        ledger = line.order_id._saas_fold().ledgers.get(line)
        return line._saas_told_parts(ledger) if ledger else []

    def _saas_paid_on(self, parts=None):
        """When the line was paid in full; False while it is not. `parts`: its parts, where the caller knows them."""
        parts = self._saas_parts() if parts is None else parts
        if not parts or not all(part["paid_on"] and not part["vanished_on"] for part in parts):
            return False
        return max(part["paid_on"] for part in parts)

    def _saas_pending_since(self, paid=None):
        """Since when a payment of the line is under way; False when it is paid, or when nobody pays.

        The money of a quotation may have arrived already: until the order is confirmed that is under way as well.
        `paid`: whether the line is paid, where the caller knows.
        """
        self.ensure_one()
        order = self.order_id
        since = (order.transaction_ids | self.invoice_lines.move_id.transaction_ids)._saas_pending_since()
        if order._saas_is_unconfirmed():
            return since or order._saas_paid_by_transactions()
        if since and (bool(self._saas_paid_on()) if paid is None else paid):
            return False
        return since
