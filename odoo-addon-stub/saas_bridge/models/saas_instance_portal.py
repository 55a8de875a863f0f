"""What the customer's own pages say about an instance: in plain words, and without what is staff's."""

from datetime import timedelta

from odoo import SUPERUSER_ID, _, api, fields, models
from odoo.tools.misc import format_date, format_datetime

from .saas_instance import MB_PER_GB

PREPARING = ("draft", "provisioning")
GONE = ("deleting", "deleted")
# How long the page tells of a restart or a restore that is over.
TOLD_MINUTES = 10


class SaasInstance(models.Model):
    _inherit = "saas.instance"

    @api.model
    def _portal_domain(self, user):
        """The instances a person may see as a customer: those of their company. Drafts are staff's until asked for."""
        customer = user.partner_id.commercial_partner_id
        return [
            ("partner_id.commercial_partner_id", "=", customer.id),
            "|",
            ("state", "!=", "draft"),
            ("requested", "=", True),
        ]

    def _portal_state(self):
        """Color (`green`, `amber`, `red`, `grey`), name and one sentence of the state."""
        self.ensure_one()
        if self.state in PREPARING:
            return {
                "color": "amber",
                "label": _("Being prepared"),
                "text": _("We are preparing your Odoo. It takes some seconds, and this page shows it when it is ready."),
            }
        if self.state == "running" and self.asleep_since:
            return {
                "color": "green",
                "label": _("Asleep"),
                "text": _("Nobody has used it for a while. It starts within seconds as soon as somebody opens it."),
            }
        if self.state == "running":
            return {"color": "green", "label": _("Running"), "text": _("Your Odoo is ready to use.")}
        if self.state == "stopped":
            return {
                "color": "amber",
                "label": _("Stopped"),
                "text": _("Our team has stopped it for a while. Your data is safe."),
            }
        if self.state == "suspended":
            return {"color": "red", "label": _("Suspended"), "text": self._portal_suspension()["text"]}
        if self.state == "error":
            return {
                "color": "red",
                "label": _("Not working"),
                "text": _("Something is wrong with it. Our team has been told and is working on it."),
            }
        if self.state == "deleting":
            return {"color": "grey", "label": _("Being deleted"), "text": _("It is being deleted.")}
        return {"color": "grey", "label": _("Deleted"), "text": _("It was deleted.")}

    def _portal_suspension(self):
        """Why a suspended instance is suspended: `cause` staff, unpaid, taken_back or storage, in the daemon's order."""
        self.ensure_one()
        if self.hold == "suspended":
            return {"cause": "staff", "text": _("Our team has paused it. Write to us to know more.")}
        if self.subscription_state == "cancelled":
            return {"cause": "taken_back", "text": _("What was bought for it was cancelled or refunded.")}
        ended = not self.paid_until or self.paid_until <= fields.Datetime.now()
        if self.storage_over_since and not ended:
            return {
                "cause": "storage",
                "text": _("It uses more storage than its plan includes. Choose a larger plan to use it again."),
            }
        if self.plan_id.saas_trial:
            return {"cause": "unpaid", "text": _("Your free trial has ended. Choose a plan to go on where you left off.")}
        return {"cause": "unpaid", "text": _("The time you paid for has ended. Pay now and it is back within seconds.")}

    def _portal_warning(self):
        """What the customer of a running instance should do soon; "" mostly."""
        self.ensure_one()
        if self.state != "running":
            return ""
        if self.storage_over_since:
            return _(
                "It uses more storage than its plan includes. Delete data or choose a larger plan, or it will be suspended."
            )
        if self.subscription_state in ("expiring_soon", "expired") and self.paid_until:
            day = self._portal_date(self.paid_until)
            if self.plan_id.saas_trial:
                return _("Your free trial lasts until %s. Choose a plan to keep your Odoo.", day)
            return _("It is paid until %s. Renew it to keep using it.", day)
        return ""

    def _portal_date(self, moment):
        return format_date(self.env, fields.Datetime.context_timestamp(self, moment)) if moment else ""

    def _portal_moment(self, moment):
        return format_datetime(self.env, moment, tz=str(self.env.tz)) if moment else ""

    def _portal_usage(self):
        """Use against limits: `{"name", "text", "percent" (0 to 100), "over"}` for users and storage; [] before it is measured."""
        self.ensure_one()
        plan = self.plan_id
        if not plan or not self.measured_on or self.state in GONE:
            return []
        storage_gb = self.storage_used_mb / MB_PER_GB
        number = self.env["ir.qweb.field.float"].value_to_html(storage_gb, {"precision": 1})
        return [
            self._portal_bar(
                _("Users"),
                _("%(used)s of %(limit)s", used=self.users_used, limit=plan.saas_max_users),
                self.users_used,
                plan.saas_max_users,
            ),
            self._portal_bar(
                _("Storage"),
                _("%(used)s of %(limit)s GB", used=number, limit=plan.saas_storage_gb),
                storage_gb,
                plan.saas_storage_gb,
            ),
        ]

    def _portal_backup(self):
        """`{"made", "size", "proven"}`, days and MB as they are written; {} before the first one."""
        self.ensure_one()
        if not self.backup_on or self.state in GONE:
            return {}
        number = self.env["ir.qweb.field.float"].value_to_html(self.backup_mb, {"precision": 0})
        return {
            "made": self._portal_date(self.backup_on),
            "size": _("%s MB", number),
            "proven": "" if self.backup_proof_error else self._portal_date(self.backup_proven_on),
        }

    def _portal_moments(self):
        """The states that can be brought back: `{"value", "text"}`, the newest first."""
        self.ensure_one()
        moments = (self.backup_moments or "").split(",") if self.backup_on else []
        return [
            {"value": moment, "text": self._portal_moment(fields.Datetime.to_datetime(moment))} for moment in moments if moment
        ]

    @api.model
    def _portal_bar(self, name, text, used, limit):
        percent = min(100, round(used * 100 / limit)) if limit else 100
        return {"name": name, "text": text, "percent": percent, "over": used > limit}

    def _portal_price(self, plan):
        """What one period of the plan costs this customer today: (amount with taxes, currency)."""
        self.ensure_one()
        company = self.company_id
        customer = self._person().with_company(company)
        product = self._renewal_product(plan).with_company(company)
        price, currency = self.with_company(company)._renewal_price(plan)
        taxes = self._renewal_fiscal_position(plan).map_tax(product.taxes_id._filter_taxes_by_company(company))
        total = taxes.compute_all(price, currency, 1.0, product=product, partner=customer)["total_included"]
        return total, currency

    def _portal_next_amount(self):
        """What the next renewal costs: (amount, currency), or False if it cannot be renewed."""
        self.ensure_one()
        if not self._is_renewable():
            return False
        order = self.renewal_order_id
        if order and self._is_renewal(order):
            return order.amount_total, order.currency_id
        return self._portal_price(self.plan_id)

    def _portal_can_change_plan(self):
        self.ensure_one()
        return self.hold != "deleted" and self.state in self.env["saas.command"]._allowed_states()["change_plan"]

    def _portal_plans(self):
        """The plans the shop sells: `{"plan", "amount", "currency", "period", "current", "misfit"}`, the cheapest first."""
        self.ensure_one()
        offers = []
        for plan in self.env["product.template"].search(self._portal_plan_domain()):
            amount, currency = self._portal_price(plan)
            # Nobody can pay nothing.
            if amount <= 0 or not plan.product_variant_id:
                continue
            current = plan == self.plan_id
            offers.append(
                {
                    "plan": plan,
                    "amount": amount,
                    "currency": currency,
                    "period": plan._saas_period_text(),
                    "current": current,
                    "misfit": "" if current else self._plan_misfit(plan),
                }
            )
        return sorted(offers, key=lambda offer: (offer["amount"], offer["plan"].id))

    def _portal_plan_domain(self):
        """Which plans the seller of the instance offers its customer."""
        domain = [("saas_plan", "=", True), ("saas_trial", "=", False), ("sale_ok", "=", True)]
        domain += [("company_id", "in", (False, self.company_id.id))]
        if "is_published" in self.env["product.template"]._fields:
            domain += ["|", ("is_published", "=", True), ("id", "=", self.plan_id.id)]
        return domain

    def _ensure_plan_quotation(self, plan):
        """An open quotation by which the customer changes to the plan; one that nobody pays, for another plan, goes."""
        self.ensure_one()
        self = self.with_company(self.company_id)  # noqa: PLW0642
        # Two who ask at the same time get the same one.
        self.env.cr.execute("SELECT 1 FROM saas_instance WHERE id = %s FOR NO KEY UPDATE", [self.id])
        lines = self.env["sale.order.line"].search(
            [("saas_instance_id", "=", self.id), ("order_id.state", "=", "sent"), ("order_id", "!=", self.renewal_order_id.id)]
        )
        found = self.env["sale.order"]
        for order in lines.order_id:
            if not order._saas_is_unconfirmed() or not order._saas_is_untouched():
                continue
            if not found and order.order_line._saas_plan() == plan:
                order._saas_refresh_prices()
                found = order
            else:
                order._action_cancel()
        return found or self._create_quotation(plan, _("Change of %(instance)s to %(plan)s", instance=self.name, plan=plan.name))

    def _portal_orders(self):
        """Orders and open quotations of the instance that its customer may see, newest first."""
        self.ensure_one()
        lines = self.env["sale.order.line"].search([("saas_instance_id", "=", self.id)])
        orders = (lines.order_id | self.sale_order_id).filtered(
            lambda order: order.state in ("sent", "sale", "done") and self._portal_is_ours(order.partner_id)
        )
        return orders.sorted(lambda order: (order.date_order, order.id), reverse=True)

    def _portal_invoices(self):
        self.ensure_one()
        lines = self.env["account.move.line"].search([("saas_instance_id", "=", self.id)])
        moves = (self.invoice_ids | lines.move_id | self._portal_orders().invoice_ids).filtered(
            lambda move: move.state == "posted"
            and move.move_type in ("out_invoice", "out_refund")
            and self._portal_is_ours(move.partner_id)
        )
        return moves.sorted(lambda move: (move.invoice_date or move.date, move.id), reverse=True)

    def _portal_is_ours(self, partner):
        return partner.commercial_partner_id == self.partner_id.commercial_partner_id

    def _portal_last(self, name):
        """The last command of that name the customer may have asked for, while the page tells of it."""
        self.ensure_one()
        last = self.command_ids.filtered(lambda command: command.command == name).sorted("id")[-1:]
        is_over = last and last.state != "pending" and last.done_on < fields.Datetime.now() - timedelta(minutes=TOLD_MINUTES)
        return self.env["saas.command"] if is_over else last

    def _portal_result(self, name):
        """What became of it: pending, done, not_done or ""."""
        last = self._portal_last(name)
        return {"pending": "pending", "done": "done"}.get(last.state, "not_done") if last else ""

    def _portal_restart(self):
        return self._portal_result("restart")

    def _portal_restore(self):
        """Of the last restore: `{"result", "moment"}`; {} where the page tells of none."""
        last = self._portal_last("restore")
        return {"result": self._portal_result("restore"), "moment": self._portal_moment(last.moment)} if last else {}

    def _portal_can_restore(self):
        """Whether the customer may bring a former state back now."""
        self.ensure_one()
        allowed = self.state in self.env["saas.command"]._allowed_states()["restore"] and self.hold == "none"
        permitted = self.plan_id.saas_customer_restore and bool(self._portal_moments())
        return allowed and permitted and self._portal_result("restore") != "pending"

    def _portal_can_restart(self):
        self.ensure_one()
        allowed = self.state in self.env["saas.command"]._allowed_states()["restart"] and self.hold == "none"
        return allowed and self._portal_restart() != "pending"

    def _portal_is_moving(self):
        """Whether the page is to look again in a moment."""
        self.ensure_one()
        return self.state in (*PREPARING, "deleting") or "pending" in (
            self._portal_restart(),
            self._portal_result("restore"),
        )

    def _portal_version(self):
        """Differs when the page has something new to show."""
        self.ensure_one()
        shown = (self.state, self.hold, self.subscription_state, self.url, self.paid_until, self.plan_id.id)
        results = (self._portal_restart(), self._portal_result("restore"))
        return "|".join(str(value) for value in (*shown, bool(self.admin_password), *results))

    def _portal_helpers(self):
        """Who reads what the customer writes."""
        self.ensure_one()
        seller = self.sale_order_id.user_id or self.contact_id.user_id or self.partner_id.user_id
        seller = seller.filtered("active")
        return seller or self.env["saas.bridge"]._saas_staff(self.company_id)

    def _portal_write(self, author, text):
        """A message of the customer to the salesperson; the answer reaches them by e-mail."""
        self.ensure_one()
        people = self._portal_helpers().partner_id
        return self.message_post(
            body=text,
            author_id=author.id,
            email_from=author.email_formatted,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=people.ids,
        )

    def _portal_messages(self):
        """What the customer wrote, and the answers that were sent to them; never notes or what staff say to each other."""
        self.ensure_one()
        comments = self.message_ids.filtered(
            lambda message: message.message_type in ("comment", "email")
            and message.subtype_id == self.env.ref("mail.mt_comment")
            and not message.is_internal
        )
        ours = comments.filtered(
            lambda message: self._portal_is_ours(message.author_id)
            or any(self._portal_is_ours(partner) for partner in message.notified_partner_ids)
        )
        return ours.sorted("id")


class SaasBridge(models.AbstractModel):
    _inherit = "saas.bridge"

    @api.model
    def _tell_requester(self, command):
        """The customer's page says it in the customer's words: the daemon's are for staff."""
        if not command.requested_by.share:
            return super()._tell_requester(command)
        label = dict(command._fields["command"]._description_selection(self.env))[command.command]
        command.instance_id.message_post(body=f"{label}: {command.message or command.state}")


class ProductTemplate(models.Model):
    _inherit = "product.template"

    def _saas_period_text(self):
        """How often the price is paid: `per month`, `every 3 months`."""
        self.ensure_one()
        count, unit = self.saas_period_count, self.saas_period_unit
        one = {"hour": _("per hour"), "day": _("per day"), "month": _("per month"), "year": _("per year")}
        if count == 1:
            return one[unit]
        many = {
            "hour": _("every %s hours"),
            "day": _("every %s days"),
            "month": _("every %s months"),
            "year": _("every %s years"),
        }
        return many[unit] % count


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _saas_portal_box(self):
        """What the buyer's page of the order shows of its instances; {} while there is nothing to tell.

        `{"instances", "preparing", "late", "waiting", "poll", "version"}`
        """
        self.ensure_one()
        order = self.with_user(SUPERUSER_ID)
        lines = order.order_line.filtered(lambda line: line._saas_plan() and line.product_uom_qty > 0)
        if not lines or order.state == "cancel":
            return {}
        confirmed, paid = not order._saas_is_unconfirmed(), order._saas_payment_given()
        waiting = not paid and any(tx.state == "pending" for tx in order.transaction_ids)
        if not confirmed and not paid:
            return {"waiting": True, "poll": True, "version": "waiting"} if waiting else {}
        instances = lines.saas_instance_id | order._saas_instances().sudo()
        missing = bool(lines.filtered(lambda line: not line.saas_instance_id))
        age = fields.Datetime.now() - (order.saas_confirmed_on or order.date_order)
        # An order of long ago is not being prepared: it was served in another way, or people know of its problem.
        preparing = missing and age < timedelta(days=1)
        late = preparing and age > timedelta(minutes=10)
        back = [i for i in instances if i.state == "suspended" and i.hold == "none" and age < timedelta(minutes=10)]
        moving = preparing or bool(back) or any(instance._portal_is_moving() for instance in instances)
        versions = [instance._portal_version() for instance in instances]
        return {
            "instances": instances,
            "preparing": preparing,
            "late": late,
            "waiting": waiting and not instances,
            "poll": moving,
            "version": "/".join([str(preparing), str(late), *versions]),
        }
