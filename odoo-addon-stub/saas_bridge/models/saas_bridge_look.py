from odoo import api, models
from odoo.tools import SQL

from ..const import PROTOCOL
from .saas_bridge_poll import MODELS


class SaasBridge(models.AbstractModel):
    _inherit = "saas.bridge"

    @api.model
    def _look(self, instance_key, purchase_keys):
        """What a full pass would tell of one instance, from the indexes of its customer alone."""
        self.env.flush_all()
        instance = self.env["saas.instance"].search([("key", "=", instance_key)])
        known = {kind: [] for kind in MODELS}
        for record in self._purchases(purchase_keys or []):
            kind = next(kind for kind, model in MODELS.items() if model == record._name)
            known[kind].append(record.id)
        customer = instance.partner_id.commercial_partner_id
        self._confirm_paid_orders(False, customer)
        wanted = {
            "plan": SQL("t.id = %s", instance.plan_id.id or 0),
            "instance": SQL("i.id = %s", instance.id or 0),
            "sol": SQL(
                "(l.id = ANY(%s) OR l.saas_instance_id = %s OR (l.saas_instance_id IS NULL AND %s))",
                known["sol"],
                instance.id or 0,
                self._is_order_of(customer),
            ),
            "aml": SQL(
                "(a.id = ANY(%s) OR a.saas_instance_id = %s OR (a.saas_instance_id IS NULL AND m.partner_id IN (%s)))",
                known["aml"],
                instance.id or 0,
                self._people_of(customer),
            ),
            "grant": SQL("(g.id = ANY(%s) OR g.instance_id = %s)", known["grant"], instance.id or 0),
        }
        rows = {kind: self._rows(kind, self._wanted_ids(kind, wanted[kind])) for kind in MODELS}
        return {
            "protocol": PROTOCOL,
            "plans": rows["plan"],
            "purchases": rows["sol"] + rows["aml"] + rows["grant"],
            "instances": rows["instance"],
            "commands": self._command_rows(),
        }

    @api.model
    def _wanted_ids(self, kind, wanted):
        self.env.cr.execute(SQL("%s ORDER BY 1", getattr(self, f"_{kind}_query")(wanted, 0)))
        return [row[0] for row in self.env.cr.fetchall()]

    @api.model
    def _people_of(self, customer):
        return SQL("SELECT c.id FROM res_partner c WHERE c.commercial_partner_id = %s", customer.id or 0)

    @api.model
    def _is_order_of(self, customer):
        return SQL("o.partner_id IN (%s)", self._people_of(customer))
