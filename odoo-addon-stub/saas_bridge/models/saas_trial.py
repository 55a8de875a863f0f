from datetime import timedelta

from odoo import _, api, fields, models

from ..persons import person_of, tax_number_of

# In the shop, by everybody together: a robot with many addresses shall not fill the server.
TRIALS_AN_HOUR = 20
TRIALS_PARAMETER = "saas_bridge.trials_an_hour"


class SaasTrial(models.Model):
    """Who had a free trial, as they were then: an address changed later makes no new person."""

    _name = "saas.trial"
    _description = "Free SaaS Trial"
    _order = "id desc"
    _rec_name = "person"

    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True, index=True, ondelete="set null")
    person = fields.Char(readonly=True, index=True, help="The mailbox of who took it.")
    tax_number = fields.Char(readonly=True, index="btree_not_null")
    order_id = fields.Many2one("sale.order", readonly=True, index="btree_not_null", ondelete="set null")
    move_id = fields.Many2one("account.move", readonly=True, index="btree_not_null", ondelete="set null")

    _create_date_idx = models.Index("(create_date)")

    @api.model
    def _keys(self, partner):
        """What a customer is known by: (persons, tax number)."""
        customer = partner.commercial_partner_id
        persons = {person_of(one._saas_email()) for one in partner | customer} - {""}
        country = customer.country_id or self.env.company.country_id
        return persons, tax_number_of(customer.vat, country.code or "")

    @api.model
    def _record(self, partner, **document):
        """Write down that the customer has the trial of a document; once."""
        if self.search_count([(fname, "=", record.id) for fname, record in document.items()], limit=1):
            return
        persons, number = self._keys(partner)
        values = {fname: record.id for fname, record in document.items()}
        values |= {"partner_id": partner.commercial_partner_id.id, "tax_number": number or False}
        self.create([{**values, "person": person} for person in persons or {False}])

    @api.model
    def _was_had(self, partner, document):
        """Whether the customer, or the person behind it, had a trial by another document than this one."""
        persons, number = self._keys(partner)
        known = [("partner_id", "=", partner.commercial_partner_id.id)]
        if persons:
            known = ["|", ("person", "in", list(persons)), *known]
        if number:
            # An older version wrote it down as it was typed.
            known = ["|", ("tax_number", "in", [number, tax_number_of(partner.commercial_partner_id.vat)]), *known]
        trials = self.search(known)
        return bool(trials.filtered(lambda trial: document not in (trial.order_id, trial.move_id) and trial._counts()))

    def _counts(self):
        """One that nothing was made for is none."""
        self.ensure_one()
        if order := self.order_id:
            return order.state in ("sale", "done") or bool(order.order_line.saas_instance_id)
        if move := self.move_id:
            return move.state == "posted" or bool(move.invoice_line_ids.saas_instance_id)
        return True

    @api.model
    def _wait_for_each_other(self, partner):
        """Two who order at the same moment as one person come one after the other."""
        persons, number = self._keys(partner)
        for key in sorted(filter(None, (*persons, number, f"partner {partner.commercial_partner_id.id}"))):
            self.env["saas.limit"]._take(f"trial:{key}", 1, 1)

    @api.model
    def _are_too_many(self):
        most = int(self.env["ir.config_parameter"].get_param(TRIALS_PARAMETER, TRIALS_AN_HOUR))
        since = fields.Datetime.now() - timedelta(hours=1)
        documents = self._read_group([("create_date", ">=", since)], [], ["order_id:count_distinct", "move_id:count_distinct"])
        return sum(documents[0]) >= most


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _saas_had_trial(self):
        partner = self.sudo().partner_id
        # A visitor who is nobody yet is asked again when there is a name.
        if "website_id" in self._fields and partner and partner == self.sudo().website_id.user_id.partner_id:
            return False
        return super()._saas_had_trial() or self.env["saas.trial"].sudo()._was_had(partner, self)

    def _saas_trial_refusal(self, name, quantity):
        refusal = super()._saas_trial_refusal(name, quantity)
        if not refusal and self._saas_is_cart() and self.env["saas.trial"].sudo()._are_too_many():
            return _("%s: very many people are trying it just now. Please come back in an hour, or write to us.", name)
        return refusal

    def action_confirm(self):
        trials = self.env["saas.trial"].sudo()
        for order in self.sudo():
            if order._saas_trial_lines():
                trials._wait_for_each_other(order.partner_id)
        result = super().action_confirm()
        for order in self.sudo():
            if order.state == "sale" and order._saas_trial_lines():
                trials._record(order.partner_id, order_id=order)
        return result


class AccountMove(models.Model):
    _inherit = "account.move"

    def _post(self, soft=True):
        posted = super()._post(soft=soft)
        for move in posted.sudo().filtered(lambda move: move.move_type == "out_invoice"):
            lines = move.invoice_line_ids.filtered(lambda line: not line.sale_line_ids and line._saas_plan().saas_trial)
            if lines:
                self.env["saas.trial"].sudo()._record(move.partner_id, move_id=move)
        return posted
