"""Columns that say what happened: the daemon and this addon write them, and people through no door."""

from odoo import _, api, models
from odoo.exceptions import AccessError


def is_by_hand(env):
    """Whether a person writes. Odoo runs server actions that write a record as superuser: see ir.actions.server."""
    return not env.su or bool(env.context.get("saas_by_hand"))


class SaasKeptMixin(models.AbstractModel):
    _name = "saas.kept.mixin"
    _description = "Columns that people do not write"

    # Names of the columns; filled in by each model.
    _saas_kept = frozenset()

    @api.model
    def default_get(self, fields):
        """A default from the context or from a person's own settings is a value by hand like any other."""
        values = super().default_get(fields)
        return {fname: value for fname, value in values.items() if fname not in self._saas_kept}

    @api.model_create_multi
    def create(self, vals_list):
        if is_by_hand(self.env):
            for vals in vals_list:
                self._check_kept({fname for fname in self._saas_kept & vals.keys() if vals[fname]})
            # Nothing is what a form sends of a column that it does not show, and no value.
            vals_list = [{fname: value for fname, value in vals.items() if fname not in self._saas_kept} for vals in vals_list]
        return super().create(vals_list)

    def write(self, vals):
        if is_by_hand(self.env):
            self._check_kept(self._saas_kept & vals.keys())
        return super().write(vals)

    @api.model
    def _check_kept(self, fnames):
        for fname in sorted(fnames):
            label = self._fields[fname]._description_string(self.env)
            raise AccessError(_("%s is kept by the daemon and cannot be changed by hand.", label))


ORDER_KEPT = frozenset(("saas_confirmed_on",))
LINE_KEPT = frozenset(("saas_keep_plan", "saas_period_count", "saas_period_unit", "saas_list_price"))


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "saas.kept.mixin"]
    _saas_kept = ORDER_KEPT


class SaleOrderLine(models.Model):
    _name = "sale.order.line"
    _inherit = ["sale.order.line", "saas.kept.mixin"]
    _saas_kept = LINE_KEPT


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "saas.kept.mixin"]
    _saas_kept = frozenset(
        ("saas_paid_on", "saas_paid_before", "saas_replaced_move_id", "saas_replacement_ids", "saas_instance_ids")
    )


class AccountMoveLine(models.Model):
    _name = "account.move.line"
    _inherit = ["account.move.line", "saas.kept.mixin"]
    _saas_kept = LINE_KEPT
