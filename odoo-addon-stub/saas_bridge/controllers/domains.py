from psycopg2 import IntegrityError

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from .portal import SaasPortal

# What people type is asked DNS about.
ASKED_MOST = 20


class SaasDomains(SaasPortal):
    """The customer's page of the domains of an instance."""

    @http.route("/my/instances/<int:instance_id>/domains", type="http", auth="user", website=True)
    def saas_domains(self, instance_id, **kwargs):
        instance = self._saas_instance(instance_id)
        if not instance._portal_has_domains():
            return self._saas_back(instance)
        return self._saas_domains_page(instance)

    @http.route("/my/instances/<int:instance_id>/domains/status", type="http", auth="user", website=True, multilang=False)
    def saas_domains_status(self, instance_id, **kwargs):
        instance = self._saas_instance(instance_id)
        html = request.env["ir.qweb"]._render("saas_bridge.portal_domains_content", self._saas_values(instance))
        return self._saas_json(
            version=instance._portal_domains_version(),
            poll=instance._portal_domains_move(),
            text=" ".join(f"{one.name}: {one._portal_state()['label']}" for one in instance.domain_ids),
            html=html,
        )

    @http.route("/my/instances/<int:instance_id>/domains/add", type="http", auth="user", methods=["POST"], website=True)
    def saas_domains_add(self, instance_id, host="", **kwargs):
        instance = self._saas_instance(instance_id)
        return self._saas_domains_do(instance, lambda: instance.env["saas.domain"]._ask(instance, host), typed=host)

    @http.route(
        "/my/instances/<int:instance_id>/domains/<int:domain_id>/<any(check,remove,move):act>",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
    )
    def saas_domains_act(self, instance_id, domain_id, act, to=None, **kwargs):
        instance = self._saas_instance(instance_id)
        domain = instance.domain_ids.filtered(lambda one: one.id == domain_id)
        if not domain:
            return self._saas_to_domains(instance)
        if act == "check":
            return self._saas_domains_do(instance, domain._look_again)
        if act == "remove":
            return self._saas_domains_do(instance, domain._give_up)
        # The page is not to be trusted: only to where it would offer.
        home = instance._portal_other_homes().filtered(lambda one: str(one.id) == to)
        return self._saas_domains_do(instance, lambda: domain._move(home)) if home else self._saas_to_domains(instance)

    def _saas_domains_do(self, instance, work, typed=""):
        if self._saas_too_often("domain", ASKED_MOST):
            return self._saas_slow_down(instance)
        try:
            with request.env.cr.savepoint():
                work()
        except IntegrityError:
            # A colleague asked at the same moment.
            pass
        except UserError as error:
            return self._saas_domains_page(instance, error=str(error.args[0]), typed=str(typed or "")[:253])
        return self._saas_to_domains(instance)

    def _saas_domains_page(self, instance, error="", typed=""):
        values = self._prepare_portal_layout_values()
        values.update(self._saas_values(instance), page_name="saas_domains", error=error, typed=typed)
        return self._saas_private(request.render("saas_bridge.portal_instance_domains", values))

    def _saas_to_domains(self, instance):
        return request.redirect(f"/my/instances/{instance.id}/domains")
