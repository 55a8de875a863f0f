"""Whose an instance is today, and whom to write to about it."""

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL


FORMER_ADDRESSES = 5


class SaasInstance(models.Model):
    _inherit = "saas.instance"

    contact_id = fields.Many2one(index="btree_not_null")
    # The daemon may hold a mail to the address that was right when it was owed.
    former_email = fields.Char(
        readonly=True, copy=False, groups="base.group_system", help="The addresses the customer had before the one of today."
    )

    def write(self, vals):
        result = super().write(vals)
        # A draft that an order or invoice names stays its customer's. Hand-overs, and a customer who moved, are ours.
        if "partner_id" in vals and not self.env.su:
            for line in self._named_on_lines():
                line._check_saas_instance_customer()
        return result

    def action_hand_over(self):
        self.ensure_one()
        self._check_hand_over()
        return {
            "type": "ir.actions.act_window",
            "name": _("Hand over to another customer"),
            "res_model": "saas.handover.wizard",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_instance_id": self.id},
        }

    def _check_hand_over(self):
        self._check_saas_group("saas_bridge.group_manager")
        self.check_access("write")
        if self.state in ("deleting", "deleted") or self.hold == "deleted":
            raise UserError(_("%s is being deleted.", self.name))
        if self.state == "draft" and not self.requested:
            raise UserError(_("%s is a draft: change its customer there.", self.name))

    def _hand_over(self, contact, reason):
        """Make the instance another customer's. Both are told, and nobody pays an open quotation of the old one any more.

        What was bought for it stays bought: the new customer has the rest of the time.
        """
        self.ensure_one()
        self._check_hand_over()
        person, self = self.env.user, self.sudo()  # noqa: PLW0642
        old, old_contact, new = self.partner_id, self._live_contact(), contact.commercial_partner_id
        if new == old.commercial_partner_id:
            raise UserError(_("%(instance)s belongs to %(customer)s already.", instance=self.name, customer=new.display_name))
        self._withdraw_quotations()
        self.write({"partner_id": new.id, "contact_id": contact.id, "former_email": False})
        self.message_unsubscribe((old | old.child_ids | self.message_partner_ids.filtered("partner_share")).ids)
        self.message_post(
            body=_(
                "%(person)s handed %(instance)s over from %(old)s to %(new)s: %(reason)s",
                person=person.name,
                instance=self.name,
                old=old.display_name,
                new=new.display_name,
                reason=reason,
            ),
            author_id=person.partner_id.id,
        )
        for partner, text in ((old_contact, "_handed_away_text"), (self._live_contact(), "_handed_over_text")):
            self._mail_customer(partner, lambda one: getattr(one, text)(old, new))  # noqa: B023

    def _handed_away_text(self, _old, new):
        return (
            _("%s has another owner now", self.name),
            _(
                "Your Odoo %(instance)s was handed over to %(new)s. You need not pay for it any more. If you did not ask for"
                " this, answer this e-mail.",
                instance=self.name,
                new=new.name,
            ),
        )

    def _handed_over_text(self, old, _new):
        text = _("The Odoo %(instance)s of %(old)s is yours now.", instance=self.name, old=old.name)
        if self.paid_until:
            text += " " + _("It is paid until %s.", self._portal_date(self.paid_until))
        if self.url:
            text += " " + _("Its address is %s. Logins and passwords are as they were.", self.url)
        return _("%s is yours now", self.name), text

    def _withdraw_quotations(self):
        """Cancel the open quotations that name the instance; lines of drafts that somebody is working on only lose it."""
        lines = self.env["sale.order.line"].search([("saas_instance_id", "=", self.id)])
        for order in lines.order_id.filtered(lambda order: order._saas_is_unconfirmed()):
            if order._saas_payment_begun():
                raise UserError(_("%s is being paid. Wait for its payment, or cancel it.", order.name))
            if order.state == "sent":
                order._action_cancel()
            else:
                order.order_line.filtered(lambda line: line.saas_instance_id == self).saas_instance_id = False
        drafts = self.env["account.move.line"].search([("saas_instance_id", "=", self.id), ("parent_state", "=", "draft")])
        drafts.filtered(lambda line: not line.move_id.posted_before).saas_instance_id = False
        self.renewal_order_id = False

    def _named_on_lines(self):
        """Order and invoice lines that name these instances: a list, because they are of two models."""
        domain = [("saas_instance_id", "in", self.ids)]
        return [*self.env["sale.order.line"].sudo().search(domain), *self.env["account.move.line"].sudo().search(domain)]

    def _person(self):
        """Who the documents of the instance are made for: its contact, while that is one of the customer and still there."""
        self.ensure_one()
        contact = self.contact_id
        if contact.commercial_partner_id != self.partner_id.commercial_partner_id:
            contact = self.partner_id
        return contact if contact.active else contact._saas_live_contact()

    def _live_contact(self):
        """Who is written to: see res.partner._saas_live_contact."""
        return self._person()._saas_live_contact()

    def _keep_former_email(self, address):
        """The last ones are enough: nobody changes their address as often while a mail is on its way."""
        self.ensure_one()
        known = [one for one in (self.former_email or "").split() if one != address]
        self.former_email = " ".join([address, *known][:FORMER_ADDRESSES])

    def _follow_customer(self, moved=None):
        """Bring the customer up to what the contacts say today.

        `moved`: {contact: its customer before}. Who moved to another company takes the instances along that they bought,
        as Odoo takes along their orders and invoices.
        """
        for instance in self.sudo():
            customer = instance.partner_id.commercial_partner_id
            buyer = instance._buyer()
            if moved and moved.get(buyer) == customer:
                customer = buyer.commercial_partner_id
            values = {}
            if customer != instance.partner_id:
                values["partner_id"] = customer.id
            if instance.contact_id.commercial_partner_id != customer:
                values["contact_id"] = buyer.id if buyer.commercial_partner_id == customer else customer.id
            if not values:
                continue
            old = instance.partner_id
            instance.write(values)
            if customer != old:
                instance.message_post(
                    body=_("The customer is %(new)s now, and was %(old)s: so say the contacts.", new=customer.display_name, old=old.display_name)
                )

    def _buyer(self):
        """Who the first order or invoice of the instance is for."""
        return self.sale_order_id.partner_id or self.invoice_ids[:1]._saas_buyer()

    def _touch(self):
        """Let the next poll tell the daemon of them: what it says of their customer has changed, and no column of theirs."""
        if not self:
            return
        self.flush_recordset()
        self.env.cr.execute(
            SQL("UPDATE saas_instance SET write_date = now() AT TIME ZONE 'UTC' WHERE id IN %s", tuple(self.ids))
        )
        self.invalidate_recordset(["write_date"])


class SaasLineMixin(models.AbstractModel):
    _inherit = "saas.line.mixin"

    def _saas_is_foreign(self):
        """Whether the line names an instance of somebody else."""
        self.ensure_one()
        instance = self.saas_instance_id.sudo()
        return bool(instance) and instance.partner_id.commercial_partner_id != self.sudo()._saas_customer()

    def _saas_foreign_text(self):
        return _(
            "%(instance)s belongs to %(owner)s, not to %(customer)s: take it off the line, or let a SaaS manager hand it over.",
            instance=self.saas_instance_id.sudo().name,
            owner=self.saas_instance_id.sudo().partner_id.display_name,
            customer=self.sudo()._saas_customer().display_name,
        )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    @api.constrains("partner_id")
    def _check_saas_instance_customer(self):
        self.sudo().order_line.filtered("saas_instance_id")._check_saas_instance_customer()

    def _check_saas_lines(self):
        """An order that was confirmed once stays served, whoever the instance was handed over to since."""
        if not self.saas_confirmed_on:
            for line in self.order_line.filtered(lambda line: line._saas_is_foreign()):
                if not self._saas_payment_given():
                    raise UserError(line._saas_foreign_text())
                # The money is here: the buyer gets an Odoo of their own, and a person sees why.
                instance, line.saas_instance_id = line.saas_instance_id, False
                self._saas_todo(lambda order: order._saas_foreign_paid_text(instance))  # noqa: B023
        return super()._check_saas_lines()

    def _saas_foreign_paid_text(self, instance):
        return _(
            "%(order)s was paid and named %(instance)s, which belongs to %(owner)s: it pays for an instance of its own customer now.",
            order=self.name,
            instance=instance.sudo().name,
            owner=instance.sudo().partner_id.display_name,
        )


class AccountMove(models.Model):
    _inherit = "account.move"

    @api.constrains("partner_id")
    def _check_saas_instance_customer(self):
        self.sudo().invoice_line_ids.filtered("saas_instance_id")._check_saas_instance_customer()

    def _post(self, soft=True):
        # One that was posted before is corrected: whoever the instance was handed over to since, it stays served.
        first = self.sudo().filtered(lambda move: move.move_type == "out_invoice" and not move.posted_before)
        for line in first.invoice_line_ids.filtered("saas_instance_id"):
            if line._saas_is_foreign():
                raise ValidationError(line._saas_foreign_text())
        return super()._post(soft=soft)

    def _saas_buyer(self):
        """Who bought what is invoiced: of an order its customer, whoever gets the invoice."""
        return self.invoice_line_ids.sale_line_ids.order_id[:1].partner_id or self.partner_id
