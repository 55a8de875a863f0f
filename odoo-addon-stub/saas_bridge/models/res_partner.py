from odoo import api, fields, models

# What the daemon is told of a customer, and what decides whose an instance is.
TOLD = frozenset(("name", "email", "lang", "active", "company_name", "parent_id", "is_company"))
MOVES = frozenset(("parent_id", "is_company"))


class ResPartner(models.Model):
    _inherit = "res.partner"

    saas_instance_ids = fields.One2many(
        "saas.instance", "partner_id", string="SaaS Instances", groups="saas_bridge.group_user"
    )
    saas_instance_count = fields.Integer(compute="_compute_saas_instance_count", groups="saas_bridge.group_user")

    def _compute_saas_instance_count(self):
        for partner in self:
            partner.saas_instance_count = len(partner.commercial_partner_id.saas_instance_ids)

    def write(self, vals):
        if not TOLD & vals.keys():
            return super().write(vals)
        instances = self._saas_instances_about()
        # A department takes its people along.
        moving = self.sudo().with_context(active_test=False).search([("id", "child_of", self.ids)]) if MOVES & vals.keys() else self.browse()
        before = {partner: partner.commercial_partner_id for partner in moving}
        addresses = {instance: instance._live_contact()._saas_email() for instance in instances}
        result = super().write(vals)
        if before:
            (instances | self._saas_instances_about())._follow_customer(before)
            self._saas_touch_waiting_lines()
        for instance, address in addresses.items():
            if address and address != instance._live_contact()._saas_email():
                instance._keep_former_email(address)
        instances._touch()
        return result

    def unlink(self):
        instances = self._saas_instances_about()
        result = super().unlink()
        instances._touch()
        return result

    def action_view_saas_instances(self):
        return self.commercial_partner_id.saas_instance_ids._action_open()

    def _saas_instances_about(self):
        """The instances about which these contacts, or somebody else of their company, may be written to."""
        partners = self.sudo()
        # They follow, whoever moves a contact and by which door.
        return self.env["saas.instance"].sudo().with_context(saas_by_hand=False).search(
            ["|", ("contact_id", "in", self.ids), ("partner_id", "in", (partners | partners.commercial_partner_id).ids)]
        )

    def _saas_touch_waiting_lines(self):
        """What these customers bought and no instance serves yet is for another customer now: the daemon decides anew."""
        lines = self.env["sale.order.line"].sudo().search(
            [
                ("order_id.partner_id", "child_of", self.ids),
                ("saas_instance_id", "=", False),
                ("product_id.product_tmpl_id.saas_plan", "=", True),
                ("state", "!=", "cancel"),
            ]
        )
        lines.flush_recordset()
        if lines:
            self.env.cr.execute("UPDATE sale_order_line SET write_date = now() AT TIME ZONE 'UTC' WHERE id IN %s", [tuple(lines.ids)])
            lines.invalidate_recordset(["write_date"])

    def _saas_email(self):
        return self.env["saas.bridge"]._first_email(self.email)

    def _saas_live_contact(self):
        """Who is written to for this contact: they, else their company, else who else works there and has an address."""
        customer = self.commercial_partner_id
        for partner in self | customer:
            if partner.active and partner._saas_email():
                return partner
        colleagues = customer.child_ids.filtered(lambda one: one.active and one._saas_email())
        people = colleagues.filtered(lambda one: one.type == "contact")
        return (people or colleagues).sorted("id")[:1] or (customer if customer.active and not self.active else self)


class MergePartner(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        """Odoo moves the instances in SQL: neither their customer's company nor the daemon would hear of it."""
        instances = (src_partners | dst_partner)._saas_instances_about()
        result = super()._update_foreign_keys(src_partners, dst_partner)
        instances.invalidate_recordset()
        instances._follow_customer()
        instances._touch()
        return result
