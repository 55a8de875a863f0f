from odoo import fields, models
from odoo.tools import SQL


class SaasPart(models.Model):
    """Which part of a line was ordered or paid by what: written once and kept, whatever becomes of the documents.

    A part without a date of its own has the date of its document, which keeps it: see `_saas_part_date`.
    """

    _name = "saas.part"
    _description = "Part of a Line That Sells a SaaS Plan"
    _order = "id"
    _rec_name = "source"

    order_line_id = fields.Many2one("sale.order.line", index="btree_not_null", ondelete="cascade", readonly=True)
    invoice_line_id = fields.Many2one("account.move.line", index="btree_not_null", ondelete="cascade", readonly=True)
    # ordered:<number>, inv:<invoice line>, down:<down payment invoice>, tx:<transaction>,
    # card:<order line of a gift card or e-wallet>, free:<order line>
    source = fields.Char(required=True, readonly=True)
    # Periods of the plan; those whose money vanished included, those whose money was given back not.
    quantity = fields.Float(digits=0, readonly=True)
    lost = fields.Float(digits=0, readonly=True, help="Periods of the quantity whose money vanished without a refund.")
    amount = fields.Float(digits=0, readonly=True, help="Money used for the quantity, in the currency of what paid it.")
    credited = fields.Float(digits=0, readonly=True, help="Money that paid periods which credit notes took away.")
    spent_before = fields.Float(digits=0, readonly=True, help="Money of the same payment that had paid something else before.")
    returned = fields.Float(string="Given Back", digits=0, readonly=True, help="Periods that refunds of the payment took away.")
    date = fields.Datetime(readonly=True)
    vanished_on = fields.Datetime(readonly=True)
    told = fields.Boolean(readonly=True, help="Staff got their to-do for the money that vanished.")
    activity_id = fields.Many2one("mail.activity", index="btree_not_null", ondelete="set null", readonly=True)

    _write_date_idx = models.Index("(write_date)")

    _order_line_source = models.UniqueIndex("(order_line_id, source) WHERE order_line_id IS NOT NULL")
    _invoice_line_source = models.UniqueIndex("(invoice_line_id, source) WHERE invoice_line_id IS NOT NULL")

    def _keep(self, parts):
        """Write down parts of lines that are not known yet.

        `parts`: (line, source, values). Two transactions that see the same payment meet here: PostgreSQL ends the second
        one with a serialization failure, and Odoo repeats it.
        """
        rows = [
            SQL(
                "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s::timestamp, %s::timestamp)",
                line.id if line._name == "sale.order.line" else None,
                line.id if line._name == "account.move.line" else None,
                source,
                *(values[name] for name in ("quantity", "lost", "amount", "credited", "spent_before", "returned")),
                *(values[name] or None for name in ("date", "vanished_on")),
            )
            for line, source, values in parts
        ]
        if not rows:
            return
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO saas_part (order_line_id, invoice_line_id, source, quantity, lost, amount, credited,
                                       spent_before, returned, date, vanished_on, create_uid, create_date, write_uid, write_date)
                SELECT new.order_line_id::integer, new.invoice_line_id::integer, new.source, new.quantity, new.lost,
                       new.amount, new.credited, new.spent_before, new.returned, new.date, new.vanished_on, %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM (VALUES %(rows)s) AS new (order_line_id, invoice_line_id, source, quantity, lost, amount, credited,
                                                 spent_before, returned, date, vanished_on)
                ON CONFLICT DO NOTHING
                """,
                rows=SQL(", ").join(rows),
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        for model in ("sale.order.line", "account.move.line"):
            lines = self.env[model].browse({line.id for line, _source, _values in parts if line._name == model})
            lines.invalidate_recordset(["saas_part_ids"], flush=False)

    def _tell_vanished(self):
        """One to-do for staff where money of a part vanished; it goes when the money is back."""
        bridge = self.env["saas.bridge"]
        back = self.filtered(lambda part: part.told and not part.lost)
        back.activity_id.unlink()
        back.told = False
        for part in self.filtered(lambda part: part.lost and not part.told):
            line = part.order_line_id or part.invoice_line_id
            document = part.order_line_id.order_id or part.invoice_line_id.move_id
            people = part.order_line_id.order_id.user_id or part.invoice_line_id.move_id.invoice_user_id
            before = document.activity_ids
            bridge._schedule_todo(
                document, people | bridge._saas_staff(document.company_id), lambda user: part._vanished_note(user, document, line)  # noqa: B023
            )
            part.write({"told": True, "activity_id": (document.activity_ids - before)[:1].id})

    def _vanished_note(self, user, document, line):
        return self.with_context(lang=user.lang or None).env._(
            "The payment of %(line)s in %(document)s is no longer there, and no credit note or refund says why."
            " Match it again or register what was given back: until then its time ends soon.",
            line=line.product_id.display_name,
            document=document.display_name,
        )
