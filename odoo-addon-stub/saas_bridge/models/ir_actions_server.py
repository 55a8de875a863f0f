from odoo import _, models
from odoo.exceptions import AccessError

# What the daemon and the addon alone write down.
OWN = frozenset(
    (
        "saas.bridge.effect",
        "saas.bridge.generation",
        "saas.bridge.heartbeat",
        "saas.bridge.outage",
        "saas.command",
        "saas.domain",
        "saas.limit",
        "saas.movement",
        "saas.part",
        "saas.trial",
    )
)


class IrActionsServer(models.Model):
    """Odoo makes, copies and updates records in server actions as superuser. Behind each of them is a person all the same."""

    _inherit = "ir.actions.server"

    def _run_action_object_write(self, eval_context=None):
        return super(IrActionsServer, self._saas_by_hand())._run_action_object_write(eval_context=eval_context)

    def _run_action_object_create(self, eval_context=None):
        return super(IrActionsServer, self._saas_by_hand())._run_action_object_create(eval_context=eval_context)

    def _run_action_object_copy(self, eval_context=None):
        return super(IrActionsServer, self._saas_by_hand())._run_action_object_copy(eval_context=eval_context)

    def _saas_by_hand(self):
        for action in self:
            written = {
                "object_write": action.update_field_id.model,
                "object_create": action.crud_model_id.model,
                "object_copy": action.crud_model_id.model,
            }
            if (model := written.get(action.state)) in OWN:
                raise AccessError(_("%s is kept by the daemon and cannot be changed by hand.", self.env[model]._description))
        return self.with_context(saas_by_hand=True)
