from odoo import api, fields, models
from odoo.tools import SQL


class SaasReport(models.Model):
    """What happened, one row a movement, and what there was at the end of each month, one row an active instance."""

    _name = "saas.report"
    _description = "SaaS Report"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "date"

    date = fields.Date(readonly=True)
    # Set on what counts at the end of a month, empty on what happened.
    snapshot = fields.Date(string="Month End", readonly=True)
    instance_id = fields.Many2one("saas.instance", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    seller_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    plan_id = fields.Many2one("product.template", string="Plan", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    mrr = fields.Monetary(
        string="MRR",
        readonly=True,
        currency_field="currency_id",
        help="Monthly recurring revenue at the end of the month, or today. Over several months: their average.",
    )
    active_count = fields.Integer(
        string="Active Subscriptions", readonly=True, help="At the end of the month, or today. Over several months: their average."
    )
    new_count = fields.Integer(string="New Subscriptions", readonly=True)
    churned_count = fields.Integer(
        string="Lost Subscriptions", readonly=True, help="Suspended because nobody paid, taken back, or deleted."
    )
    returned_count = fields.Integer(string="Returned Subscriptions", readonly=True, help="Active again after they were lost.")
    renewed_count = fields.Integer(string="Renewals", readonly=True, help="Paid for longer before they were suspended.")
    renewal_rate = fields.Float(
        string="Renewal Rate (%)",
        readonly=True,
        aggregator="avg",
        help="Of the subscriptions that were renewed or lost, how many were renewed or came back.",
    )
    failed_count = fields.Integer(string="Failures", readonly=True, help="How often an instance went into the state Error.")
    provision_seconds = fields.Float(
        string="Provisioning Time (s, median)",
        readonly=True,
        aggregator="avg",
        digits=(16, 0),
        help="From the confirmation or payment until the instance ran for the first time: half were faster.",
    )

    @property
    def _table_query(self):
        """Months are those of UTC, as the dates are stored.

        An id is made of what a row stands for: numbering the rows would sort all of them for each question.
        """
        # PostgreSQL would take longer to compile the query than to answer it.
        self.env.cr.execute("SET LOCAL jit = off")
        return SQL(
            """
            WITH month AS (
                -- Those that are over. A subscription has a row a month: 4,096 of them are room until the year 2341.
                SELECT first::date AS first, (first + interval '1 month')::date AS next, (first + interval '1 month - 1 day')::date AS last,
                       (12 * (date_part('year', first) - 2000) + date_part('month', first))::bigint AS number
                  FROM generate_series(
                       (SELECT date_trunc('month', min(date)) FROM saas_movement),
                       date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month', interval '1 month') AS first
            ), span AS (
                SELECT instance_id, plan_id, subscribed, mrr, date, lead(date) OVER later AS until
                  FROM saas_movement
                WINDOW later AS (PARTITION BY instance_id ORDER BY date, id)
            ), fact AS (
                -- What a movement says holds at the end of its month and of those until the next one.
                SELECT 4 * (4096 * span.instance_id + month.number) AS id, span.instance_id, span.plan_id, month.last AS date, month.first AS snapshot,
                       span.mrr, 1 AS active_count, NULL AS kind, NULL::integer AS provision_seconds
                  FROM span
                  JOIN month ON span.date < month.next AND (span.until IS NULL OR span.until >= month.next)
                 WHERE span.subscribed
                UNION ALL
                -- Today is what the instances say: the price list may have changed since the last movement.
                SELECT 4 * (4096::bigint * id + 4095), id, plan_id, (now() AT TIME ZONE 'UTC')::date, date_trunc('month', now() AT TIME ZONE 'UTC')::date,
                       mrr, 1, NULL, NULL
                  FROM saas_instance WHERE subscribed
                UNION ALL
                SELECT 4 * id::bigint + 1, instance_id, plan_id, date::date, NULL, NULL, NULL, kind, NULL FROM saas_movement
                UNION ALL
                SELECT 4 * id::bigint + 2, id, plan_id, started_on::date, NULL, NULL, NULL, NULL, provision_seconds
                  FROM saas_instance WHERE provision_seconds > 0
            )
            SELECT fact.id, fact.date, fact.snapshot, fact.instance_id, i.partner_id, i.seller_id, fact.plan_id,
                   i.company_id, company.currency_id,
                   fact.mrr, fact.active_count,
                   (fact.kind = 'new')::integer AS new_count,
                   (fact.kind = 'churned')::integer AS churned_count,
                   (fact.kind = 'returned')::integer AS returned_count,
                   (fact.kind = 'renewed')::integer AS renewed_count,
                   CASE WHEN fact.kind IN ('renewed', 'returned') THEN 100.0 WHEN fact.kind = 'churned' THEN 0.0 END AS renewal_rate,
                   (fact.kind = 'failed')::integer AS failed_count,
                   fact.provision_seconds::double precision AS provision_seconds
              FROM fact
              JOIN saas_instance i ON i.id = fact.instance_id
              JOIN res_company company ON company.id = i.company_id
            """
        )

    @api.model
    def _read_group_select(self, aggregate_spec, query):
        """Stocks are not added up over months, a rate is one of counts, and a median is no average."""

        def column(fname):
            return self._field_to_sql(self._table, fname, query)

        if aggregate_spec in ("mrr:sum", "active_count:sum"):
            return SQL(
                "COALESCE(SUM(%s) / NULLIF(COUNT(DISTINCT %s), 0), 0)",
                column(aggregate_spec.partition(":")[0]),
                column("snapshot"),
            )
        if aggregate_spec == "renewal_rate:avg":
            ended = SQL("SUM(%s) + SUM(%s)", column("renewed_count"), column("churned_count"))
            kept = SQL("SUM(%s) + SUM(%s)", column("renewed_count"), column("returned_count"))
            # Of a month in which nothing ended there is no rate; who comes back may have been lost in another month.
            return SQL("CASE WHEN %s > 0 THEN LEAST(100.0, 100.0 * (%s) / (%s)) END", ended, kept, ended)
        if aggregate_spec == "provision_seconds:avg":
            return SQL("PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY %s)", column("provision_seconds"))
        return super()._read_group_select(aggregate_spec, query)
