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
