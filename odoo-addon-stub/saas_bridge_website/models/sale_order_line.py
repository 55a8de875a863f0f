from odoo import _, api, fields, models
from odoo.tools.misc import format_date

GONE = ("deleting", "deleted")


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def unlink(self):
        """A line of a cart that nobody is paying for pays for no instance yet: its buyer may take it out again."""
        chosen = self.filtered(
            lambda line: line.saas_instance_id and line.order_id._saas_is_cart() and not line._saas_pending_since()
        )
        chosen.sudo().saas_instance_id = False
        return super().unlink()

    def _saas_shop_instances(self):
        """The instances that whoever is logged in may have the line pay for: their own, never those of another."""
        self.ensure_one()
        instances = self.env["saas.instance"].sudo()
        user, plan = self.env.user, self._saas_plan()
        customer = user.partner_id.commercial_partner_id
        if not plan or plan.saas_trial or user._is_public() or self.sudo()._saas_customer() != customer:
            return instances
        found = instances.search([("partner_id", "=", customer.id), ("state", "not in", GONE), ("hold", "!=", "deleted")])
        found = found.filtered(lambda instance: instance.state != "draft" or instance.requested)
        # Those of the plan first: the likely renewal.
        return found.sorted(lambda instance: (instance.plan_id != plan, instance.name))

    def _saas_shop_default(self, instances):
        """What becomes of a line that says nothing, as the daemon decides: an instance, "new", or "" if it must ask."""
        self.ensure_one()
        plan = self._saas_plan()
        candidates = instances.filtered(lambda instance: instance.plan_id == plan)
        candidates = candidates or instances.filtered(lambda instance: instance.plan_id.saas_trial)
        if not candidates:
            return "new"
        return str(candidates.id) if len(candidates) == 1 else ""

    def _saas_shop_wish(self):
        """What the cart asks about a plan; {} for another product.

        `{"target", "choices": [{"value", "label", "problem"}], "name", "hint", "lang", "langs", "length"}`
        """
        self.ensure_one()
        sudo = self.sudo()
        plan = sudo._saas_plan()
        if not plan or sudo.order_id.state != "draft":
            return {}
        instances = self._saas_shop_instances()
        target = self._saas_shop_default(instances)
        if sudo.saas_additional:
            target = "new"
        elif sudo.saas_instance_id in instances:
            target = str(sudo.saas_instance_id.id)
        website = sudo.order_id.website_id
        customer = sudo.order_id.partner_id
        known = customer if not self.env.user._is_public() else customer.browse()
        langs = [(lang.code, lang.name.split(" / ")[-1]) for lang in website.language_ids.sorted("name")]
        lang = sudo.saas_wanted_lang or known.lang or self.env.lang
        names = self.env["saas.instance"]
        company = known.commercial_company_name or known.commercial_partner_id.name
        return {
            "target": target,
            "choices": [self._saas_shop_choice(instance) for instance in instances],
            "name": sudo.saas_wanted_name or "",
            "hint": names._shop_name(company, sudo)["name"] if known else "",
            "lang": lang if lang in dict(langs) else website.default_lang_id.code,
            "langs": langs if len(langs) > 1 else [],
            "length": plan._saas_shop_length(sudo.product_uom_qty),
        }

    def _saas_shop_choice(self, instance):
        plan = self._saas_plan()
        label = _("Renew %s", instance.name)
        if instance.plan_id != plan:
            label = _(
                "Change %(instance)s from %(old)s to %(new)s", instance=instance.name, old=instance.plan_id.name, new=plan.name
            )
        elif instance.paid_until:
            day = format_date(self.env, fields.Datetime.context_timestamp(self, instance.paid_until))
            label = _("Renew %(instance)s (paid until %(day)s)", instance=instance.name, day=day)
        problem = "" if instance.plan_id == plan else instance._plan_misfit(plan.sudo())
        if problem:
            label = _("%(instance)s uses more than %(plan)s has", instance=instance.name, plan=plan.name)
        return {"value": str(instance.id), "label": label, "problem": problem}

    def _saas_shop_decided(self):
        """Whether nothing needs to be asked any more on the way to the payment."""
        self.ensure_one()
        instances = self._saas_shop_instances()
        return not instances or self.sudo().saas_additional or self.sudo().saas_instance_id in instances

    def _saas_shop_save(self, name="", lang="", target=""):
        """Take a visitor's answers. What cannot be taken is left out or replaced, and said in `message`: never an error.

        `{"name", "status", "message"}` as of `saas.instance._shop_name`; status `refused` for an instance.
        """
        self.ensure_one()
        line = self.sudo()
        if not line._saas_plan() or line.order_id.state != "draft":
            return {"name": "", "status": "refused", "message": ""}
        answer = line.env["saas.instance"]._shop_name(name, line)
        values = {"saas_wanted_name": answer["name"] or False, "saas_wanted_lang": line._saas_shop_lang(lang)}
        if target:
            instances = self._saas_shop_instances()
            instance = instances.filtered(lambda one: str(one.id) == str(target))
            problem = instance and self._saas_shop_choice(instance)["problem"]
            if problem:
                answer |= {"status": "refused", "message": problem}
            elif instance:
                values |= {"saas_instance_id": instance.id, "saas_additional": False}
            elif target == "new":
                values |= {"saas_instance_id": False, "saas_additional": bool(instances)}
            else:
                answer |= {"status": "refused", "message": _("This Odoo cannot be chosen.")}
        line.write(values)
        return answer

    @api.model
    def _saas_shop_lang(self, code):
        return code if code and self.env["res.lang"].sudo().search_count([("code", "=", code)]) else False
