from psycopg2 import IntegrityError

from odoo import SUPERUSER_ID, _, http
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal, pager

PAGE = 20
MESSAGE_LENGTH = 4000
LIMIT_SECONDS = 600
# A restore is work for minutes, and the state that was left is kept.
RESTORE_SECONDS = 3600


class SaasPortal(CustomerPortal):
    """The customer's pages of their instances.

    Portal users have no access to any saas.* model: a record rule filters rows and not columns, and an instance holds
    a log, ports, a password and what staff write in its chatter. So nothing is readable by RPC, and each page here checks
    whose instance it is before it goes on as the superuser.
    """

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        # The page itself asks for none; later the page asks for those it shows as they come.
        if not counters or "saas_instance_count" in counters:
            values["saas_instance_count"] = self._saas_instances().search_count(self._saas_domain())
        return values

    @http.route(["/my/instances", "/my/instances/page/<int:page>"], type="http", auth="user", website=True)
    def saas_my_instances(self, page=1, sortby="name", **kwargs):
        sortings = {
            "name": {"label": _("Name"), "order": "name, id"},
            "newest": {"label": _("Newest"), "order": "id desc"},
            "paid": {"label": _("Paid until"), "order": "paid_until, id"},
            "state": {"label": _("State"), "order": "state, name, id"},
        }
        sortby = sortby if sortby in sortings else "name"
        found, domain = self._saas_instances(), self._saas_domain()
        pages = pager(
            url="/my/instances",
            url_args={"sortby": sortby},
            total=found.search_count(domain),
            page=page,
            step=PAGE,
        )
        # The pager of a list that is empty begins before its beginning.
        offset = max(0, pages["offset"])
        values = self._prepare_portal_layout_values()
        values.update(
            instances=found.search(domain, order=sortings[sortby]["order"], limit=PAGE, offset=offset),
            page_name="saas_instances",
            pager=pages,
            default_url="/my/instances",
            searchbar_sortings=sortings,
            sortby=sortby,
        )
        return request.render("saas_bridge.portal_my_instances", values)

    @http.route("/my/instances/<int:instance_id>", type="http", auth="user", website=True)
    def saas_my_instance(self, instance_id, message=None, **kwargs):
        instance = self._saas_instance(instance_id)
        values = self._prepare_portal_layout_values()
        values.update(self._saas_values(instance), message=message, message_length=MESSAGE_LENGTH)
        return self._saas_private(request.render("saas_bridge.portal_my_instance", values))

    @http.route("/my/instances/named/<string:name>", type="http", auth="user", website=True)
    def saas_my_instance_named(self, name, **kwargs):
        """The page in place of an instance that is down leads here: it tells every visitor the name, and no number."""
        instance = self._saas_instances().search([*self._saas_domain(), ("name", "=", name)])
        return self._saas_back(self._saas_instance(instance.id))

    @http.route("/my/instances/<int:instance_id>/status", type="http", auth="user", website=True, multilang=False)
    def saas_instance_status(self, instance_id, **kwargs):
        instance = self._saas_instance(instance_id)
        html = request.env["ir.qweb"]._render("saas_bridge.portal_instance_content", self._saas_values(instance))
        return self._saas_json(
            version=instance._portal_version(),
            poll=instance._portal_is_moving(),
            text=f"{instance.name}: {instance._portal_state()['label']}",
            html=html,
        )

    @http.route("/my/instances/<int:instance_id>/password", type="http", auth="user", methods=["POST"], website=True)
    def saas_instance_password(self, instance_id, **kwargs):
        instance = self._saas_instance(instance_id)
        if self._saas_too_often("password"):
            return self._saas_private(request.make_json_response({}, status=429))
        return self._saas_json(password=self._saas_password(instance))

    @http.route("/my/instances/<int:instance_id>/renew", type="http", auth="user", methods=["POST"], website=True)
    def saas_instance_renew(self, instance_id, **kwargs):
        instance = self._saas_instance(instance_id)
        if self._saas_too_often("renew"):
            return self._saas_slow_down(instance)
        order = instance._ensure_renewal()
        return self._saas_back(instance, "no_renewal") if not order else request.redirect(order._saas_pay_path())

    @http.route("/my/instances/<int:instance_id>/plans", type="http", auth="user", website=True)
    def saas_instance_plans(self, instance_id, **kwargs):
        instance = self._saas_instance(instance_id)
        if not instance._portal_can_change_plan():
            return self._saas_back(instance, "no_plan")
        values = self._prepare_portal_layout_values()
        values.update(self._saas_values(instance), page_name="saas_plans", offers=instance._portal_plans())
        return self._saas_private(request.render("saas_bridge.portal_instance_plans", values))

    @http.route("/my/instances/<int:instance_id>/plan", type="http", auth="user", methods=["POST"], website=True)
    def saas_instance_plan(self, instance_id, plan_id=None, **kwargs):
        """The page is not to be trusted: only a plan that it would offer now is quoted."""
        instance = self._saas_instance(instance_id)
        if self._saas_too_often("plan"):
            return self._saas_slow_down(instance)
        if not instance._portal_can_change_plan():
            return self._saas_back(instance, "no_plan")
        offers = [offer for offer in instance._portal_plans() if str(offer["plan"].id) == plan_id]
        if not offers or offers[0]["current"] or offers[0]["misfit"]:
            return request.redirect(f"/my/instances/{instance.id}/plans")
        return request.redirect(instance._ensure_plan_quotation(offers[0]["plan"])._saas_pay_path())

    @http.route("/my/instances/<int:instance_id>/restart", type="http", auth="user", methods=["POST"], website=True)
    def saas_instance_restart(self, instance_id, **kwargs):
        instance = self._saas_instance(instance_id)
        if self._saas_too_often("restart", 10):
            return self._saas_slow_down(instance)
        if instance._portal_restart() != "pending" and not instance._portal_can_restart():
            return self._saas_back(instance, "no_restart")
        try:
            with request.env.cr.savepoint():
                # As the customer, so that staff see who asked.
                instance.with_user(request.env.user).sudo()._request_command("restart")
        except IntegrityError:
            # A colleague asked at the same moment: one restart is enough.
            pass
        except UserError:
            return self._saas_back(instance, "no_restart")
        return self._saas_back(instance)

    @http.route("/my/instances/<int:instance_id>/backups", type="http", auth="user", website=True)
    def saas_instance_backups(self, instance_id, moment=None, **kwargs):
        """The states that can be brought back; with a moment what that one would do, to be confirmed."""
        instance = self._saas_instance(instance_id)
        if not instance._portal_can_restore():
            return self._saas_back(instance, "no_restore")
        moments = instance._portal_moments()
        values = self._prepare_portal_layout_values()
        chosen = next((one for one in moments if one["value"] == moment), None)
        values.update(self._saas_values(instance), page_name="saas_backups", moments=moments, chosen=chosen)
        return self._saas_private(request.render("saas_bridge.portal_instance_backups", values))

    @http.route("/my/instances/<int:instance_id>/restore", type="http", auth="user", methods=["POST"], website=True)
    def saas_instance_restore(self, instance_id, moment=None, **kwargs):
        """The page is not to be trusted: only a moment that it would offer now is restored."""
        instance = self._saas_instance(instance_id)
        if self._saas_too_often("restore", 3, RESTORE_SECONDS):
            return self._saas_slow_down(instance)
        if not instance._portal_can_restore() or moment not in [one["value"] for one in instance._portal_moments()]:
            return self._saas_back(instance, "no_restore")
        try:
            with request.env.cr.savepoint():
                # As the customer, so that staff see who asked.
                instance.with_user(request.env.user).sudo()._request_command(
                    "restore", moment=moment, reason=_("Asked for in the customer's account")
                )
        except (IntegrityError, UserError):
            return self._saas_back(instance, "no_restore")
        return self._saas_back(instance)

    @http.route("/my/instances/<int:instance_id>/message", type="http", auth="user", methods=["POST"], website=True)
    def saas_instance_message(self, instance_id, body="", **kwargs):
        instance = self._saas_instance(instance_id)
        if self._saas_too_often("message", 10):
            return self._saas_slow_down(instance)
        text = (body or "").strip()[:MESSAGE_LENGTH]
        if not text:
            return self._saas_back(instance, "empty", "#message")
        instance._portal_write(request.env.user.partner_id, text)
        return self._saas_back(instance, "sent", "#message")

    @http.route("/my/instances/<int:instance_id>/access", type="http", auth="user", methods=["POST"], website=True)
    def saas_instance_access(self, instance_id, **kwargs):
        """The e-mail with the login once more: for the person whose login it is, to their own address."""
        instance = self._saas_instance(instance_id)
        if self._saas_too_often("access", 3):
            return self._saas_slow_down(instance)
        partner = request.env.user.partner_id.with_user(SUPERUSER_ID)
        if not instance._can_send_access() or not instance._is_login_of(request.env.user) or not partner._saas_email():
            return self._saas_back(instance, "no_access")
        instance.with_user(request.env.user).sudo()._send_access(partner)
        return self._saas_back(instance, "access_sent")

    @http.route("/my/instances/order/<int:order_id>/status", type="http", auth="public", website=True, multilang=False)
    def saas_order_status(self, order_id, access_token=None, **kwargs):
        """The box of an order's instances, for its customer, for who has its link, and for who has just bought it."""
        order = request.env["sale.order"].sudo().browse(order_id)
        if request.session.get("sale_last_order_id") != order_id:
            try:
                order = self._document_check_access("sale.order", order_id, access_token=access_token)
            except (AccessError, MissingError):
                raise request.not_found() from None
        if not order.exists():
            raise request.not_found()
        box = order._saas_portal_box()
        html = request.env["ir.qweb"]._render("saas_bridge.portal_order_box_content", {"box": box, "sale_order": order})
        return self._saas_json(version=box.get("version", ""), poll=box.get("poll", False), html=html if box else "")

    def _document_check_access(self, model_name, document_id, access_token=None):
        """An instance is its customer's, whatever access rights say; a link of it opens it for nobody."""
        if model_name != "saas.instance":
            return super()._document_check_access(model_name, document_id, access_token=access_token)
        instance = self._saas_instances().browse(document_id)
        if not instance.exists():
            raise MissingError(_("This document does not exist."))
        if request.env.user._is_public() or not instance.filtered_domain(self._saas_domain()):
            raise AccessError(_("This instance belongs to another customer."))
        return instance

    def _saas_instance(self, instance_id):
        """Whoever guesses numbers does not learn which of them are somebody's."""
        try:
            return self._document_check_access("saas.instance", instance_id)
        except (AccessError, MissingError):
            raise request.not_found() from None

    def _saas_instances(self):
        return request.env["saas.instance"].with_user(SUPERUSER_ID)

    def _saas_domain(self):
        return self._saas_instances()._portal_domain(request.env.user)

    def _saas_values(self, instance):
        return {
            "instance": instance,
            "page_name": "saas_instance",
            "state": instance._portal_state(),
            "next_amount": instance._portal_next_amount(),
            "has_password": bool(self._saas_password(instance)),
            "can_send_access": instance._can_send_access() and instance._is_login_of(request.env.user),
        }

    def _saas_password(self, instance):
        return instance._first_password() if instance._is_login_of(request.env.user) else ""

    def _saas_too_often(self, what, most=20, seconds=LIMIT_SECONDS):
        """Whether this person has done it too often lately."""
        limits = request.env["saas.limit"].sudo()
        return not limits._take(f"portal:{what}:{request.env.user.id}", most, seconds)

    def _saas_slow_down(self, instance):
        values = self._prepare_portal_layout_values()
        values.update(self._saas_values(instance), message="too_often", message_length=MESSAGE_LENGTH)
        return self._saas_private(request.render("saas_bridge.portal_my_instance", values, status=429))

    def _saas_back(self, instance, message=None, anchor=""):
        query = f"?message={message}" if message else ""
        return request.redirect(f"/my/instances/{instance.id}{query}{anchor}")

    def _saas_json(self, **values):
        return self._saas_private(request.make_json_response(values))

    def _saas_private(self, response):
        response.headers["Cache-Control"] = "no-store"
        return response
