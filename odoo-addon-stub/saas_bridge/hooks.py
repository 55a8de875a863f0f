from psycopg2 import Error

from odoo.exceptions import UserError

from .models.saas_bridge_connect import BRIDGE_USER


def pre_init_hook(env):
    """Give old documents their dates in SQL.

    Computed at installation, every paid invoice of a large database would get the moment of the installation as
    its payment, one record at a time.
    """
    env.cr.execute(
        """
        ALTER TABLE account_move ADD COLUMN IF NOT EXISTS saas_paid_on timestamp;
        UPDATE account_move SET saas_paid_on = write_date
         WHERE move_type = 'out_invoice' AND payment_state IN ('paid', 'in_payment') AND saas_paid_on IS NULL;
        ALTER TABLE sale_order ADD COLUMN IF NOT EXISTS saas_confirmed_on timestamp;
        UPDATE sale_order SET saas_confirmed_on = date_order
         WHERE state IN ('sale', 'done') AND saas_confirmed_on IS NULL;
        ALTER TABLE sale_order_line ADD COLUMN IF NOT EXISTS saas_period_count integer;
        ALTER TABLE sale_order_line ADD COLUMN IF NOT EXISTS saas_period_unit varchar;
        ALTER TABLE sale_order_line ADD COLUMN IF NOT EXISTS saas_list_price double precision;
        ALTER TABLE account_move_line ADD COLUMN IF NOT EXISTS saas_list_price double precision;
        ALTER TABLE account_move_line ADD COLUMN IF NOT EXISTS saas_period_count integer;
        ALTER TABLE account_move_line ADD COLUMN IF NOT EXISTS saas_period_unit varchar;
        """
    )


def uninstall_hook(env):
    """Take away what Odoo itself leaves behind when the addon's models go."""
    names = env["ir.model.data"]
    own = names.search([("module", "=", "saas_bridge"), ("model", "=", "ir.model"), ("name", "=like", r"model\_saas\_%")])
    models = env["ir.model"].browse(own.mapped("res_id"))
    kind = env.ref("saas_bridge.mail_activity_type")
    env["mail.activity"].with_context(active_test=False).search([("activity_type_id", "=", kind.id)]).unlink()
    env["ir.filters"].with_context(active_test=False).search([("model_id", "in", models.mapped("model"))]).unlink()
    for model in models:
        # How other addons call parts of our models.
        part = f"{model.model.replace('.', '_')}__%".replace("_", r"\_")
        for prefix in (r"selection\_\_", r"model\_inherit\_\_", r"field\_"):
            names.search([("module", "!=", "saas_bridge"), ("name", "=like", prefix + part)]).unlink()
    _remove_bridge_user(env)


def _remove_bridge_user(env):
    user = env.ref(BRIDGE_USER, raise_if_not_found=False)
    if not user:
        return
    partner = user.partner_id
    try:
        with env.cr.savepoint():
            user.unlink()
            partner.unlink()
    except (UserError, Error):
        # Some document names it. Without its keys and archived it can do nothing.
        env["res.users.apikeys"].search([("user_id", "=", user.id)]).unlink()
        user.active = False
