import logging
from datetime import timedelta

import psycopg2

from odoo import _, api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.tools.misc import formatLang

from ..const import PROTOCOL

_logger = logging.getLogger(__name__)

# An older quotation gets the prices of today; its link stays the one in the e-mails.
PRICES_DAYS = 30
PAYMENT_STATES = ("pending", "authorized", "done")


class SaasBridge(models.AbstractModel):
    _inherit = "saas.bridge"

    @api.model
    def renewal(self, instance_key):
        """Where the customer of an instance pays for more time, and how much; `url` is False where they cannot."""
        instance = self._as_superuser()._instance(instance_key)
        order = instance._ensure_renewal()
        return {
            "protocol": PROTOCOL,
            "url": order._saas_pay_url() if order else False,
            "amount": order._saas_amount_text() if order else "",
        }

    @api.model
    def _renew_after_push(self, instance, before):
        """The quotation is there when the time runs out, and gone when it was paid for in another way.

        It is for people's comfort: a failure of it never refuses what the daemon says about the instance.
        """
        changed = {fname for fname, value in before.items() if instance[fname] != value}
        running_out = instance.subscription_state in ("expiring_soon", "expired")
        due = running_out and "subscription_state" in changed
        due = due or (instance.state == "suspended" and instance.hold == "none" and "state" in changed)
        if instance.renewal_order_id:
            # Nobody shall pay for a plan or an instance that is no more.
            due = due or (running_out and "plan_id" in changed) or instance.state in ("deleting", "deleted")
        longer = instance.paid_until and (not before["paid_until"] or instance.paid_until > before["paid_until"])
        paid = instance.subscription_state == "active" and ("subscription_state" in changed or longer)
        gone = instance.renewal_order_id and (paid or "plan_id" in changed)
        if not due and not gone:
            return
        try:
            with self.env.cr.savepoint():
                if due:
                    instance._ensure_renewal()
                else:
                    instance._drop_renewal()
        except (psycopg2.OperationalError, ConcurrencyError):
            raise
        except Exception:
            _logger.warning("The renewal quotation of %s could not be brought up to date", instance.name, exc_info=True)


class SaasInstance(models.Model):
    _inherit = "saas.instance"

    def _ensure_renewal(self):
        """The open quotation that renews the instance, made if there is none; empty where it cannot be renewed."""
        self.ensure_one()
        # Two who ask at the same time get the same one.
        self.env.cr.execute("SELECT 1 FROM saas_instance WHERE id = %s FOR NO KEY UPDATE", [self.id])
        self = self.with_company(self.company_id)  # noqa: PLW0642
        order = self.renewal_order_id
        if order and not self._is_renewal(order):
            for_us = self in order.order_line.saas_instance_id
            if for_us and order.state in ("draft", "sent") and not order._saas_payment_begun():
                order._action_cancel()
            order = self.env["sale.order"]
        if not self._is_renewable():
            if order and not order._saas_payment_begun():
                order._action_cancel()
            order = self.env["sale.order"]
        elif not order:
            order = self._create_renewal()
        else:
            order._saas_refresh_prices()
        if self.renewal_order_id != order:
            self.renewal_order_id = order
        return order

    def _drop_renewal(self):
        """The time was paid for in another way, or is to be of another plan. What somebody worked on or pays stays."""
        self.ensure_one()
        order = self.renewal_order_id
        if order.state in ("draft", "sent"):
            if not order._saas_is_untouched():
                return
            order._action_cancel()
        self.renewal_order_id = False

    def _is_renewal(self, order):
        """Whether the order is an open quotation for the instance and its plan."""
        line = order.order_line.filtered(lambda line: line.saas_instance_id == self)
        return order._saas_is_unconfirmed() and line._saas_plan() == self.plan_id

    def _is_renewable(self):
        plan = self.plan_id
        if self.state in ("deleting", "deleted") or self.hold == "deleted":
            return False
        if not plan.active or not plan.saas_plan or not plan.sale_ok or plan.saas_trial:
            return False
        # Nobody can pay nothing.
        return bool(self._renewal_product(plan)) and self._renewal_price(plan)[0] > 0

    def _create_renewal(self):
        return self._create_quotation(self.plan_id, _("Renewal of %s", self.name))

    def _create_quotation(self, plan, origin):
        """One period of the plan for the instance, marked as sent: whoever has its link pays it."""
        customer = self._person()
        seller = self.sale_order_id.user_id or customer.user_id or self.partner_id.user_id
        # The seller has nothing to do yet, and so need not hear of it.
        Order = self.env["sale.order"].with_context(mail_auto_subscribe_no_notify=True)
        order = Order.create(
            {
                "partner_id": customer.id,
                "company_id": self.company_id.id,
                "user_id": seller.filtered("active").id,
                "origin": origin,
                "sale_order_template_id": False,
                "require_payment": True,
                "prepayment_percent": 1.0,
                "require_signature": False,
                "validity_date": False,
                **self._renewal_order_values(plan),
                "order_line": [
                    (
                        0,
                        0,
                        {
                            "product_id": self._renewal_product(plan).id,
                            "product_uom_qty": 1,
                            "saas_instance_id": self.id,
                            **self._sold_line(plan)._saas_agreed(),
                        },
                    )
                ],
            }
        )
        order.with_context(tracking_disable=True).action_quotation_sent()
        return order


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _saas_pay_url(self):
        """A link that opens the payment of the quotation at once, for whoever has it."""
        self.ensure_one()
        return self.get_base_url() + self._saas_pay_path()

    def _saas_pay_path(self):
        self.ensure_one()
        return self.get_portal_url(query_string="&allow_payment=yes")

    def _saas_amount_text(self):
        """The total as the customer reads it: `14,52 €`."""
        self.ensure_one()
        lang = self.partner_id.lang or self.env.context.get("lang")
        return formatLang(self.with_context(lang=lang).env, self.amount_total, currency_obj=self.currency_id)

    def _saas_payment_begun(self):
        return any(tx.state in PAYMENT_STATES and tx.operation != "validation" for tx in self.transaction_ids)

    def _saas_is_untouched(self):
        """Nobody pays it, and no colleague changed it."""
        self.ensure_one()
        writers = self.write_uid | self.order_line.write_uid
        people = writers.filtered(lambda user: user._is_internal() and not user._is_superuser())
        return not self._saas_payment_begun() and not people

    def _saas_refresh_prices(self):
        self.ensure_one()
        now = fields.Datetime.now()
        if self.date_order > now - timedelta(days=PRICES_DAYS) or not self._saas_is_untouched():
            return
        self.write({"date_order": now, "validity_date": False})
        self._recompute_taxes()
        self._recompute_prices()
        for line in self.order_line.filtered("saas_instance_id"):
            if agreed := line.saas_instance_id._sold_line(line._saas_plan())._saas_agreed():
                line.write(agreed)
