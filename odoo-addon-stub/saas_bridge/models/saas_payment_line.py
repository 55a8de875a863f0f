"""Odoo can do with one payment method line of a provider alone, and makes it with the first payment."""

from odoo import _, api, models


class PaymentProvider(models.Model):
    _inherit = "payment.provider"

    def _ensure_payment_method_line(self, allow_create=True):
        # One of whose kind Odoo makes no line is asked for again and again.
        has_line = self.id and (self._saas_payment_lines() or not self._get_provider_payment_method(self._get_code()))
        if allow_create and self.id and not has_line:
            self._saas_take_turns()
        return super()._ensure_payment_method_line(allow_create=allow_create)

    def _saas_payment_lines(self):
        """Those in a journal, the oldest first."""
        lines = self.env["account.payment.method.line"].sudo()
        return lines.search([("payment_provider_id", "in", self.ids), ("journal_id", "!=", False)], order="id")

    def _saas_take_turns(self):
        """Two at the same moment would make a line each: the second one's transaction ends here, and Odoo begins it again."""
        self.env.cr.execute("UPDATE payment_provider SET write_date = write_date WHERE id IN %s", [tuple(self.ids)])

    def _saas_extra_lines(self):
        """The lines of one journal beside the oldest one."""
        seen, extra = set(), self.env["account.payment.method.line"].sudo()
        for line in self._saas_payment_lines():
            key = (line.payment_provider_id, line.payment_type)
            if key in seen:
                extra |= line
            seen.add(key)
        return extra

    def _saas_mend_lines(self):
        """Give what was paid by an extra line to the oldest one, and remove it."""
        for provider in self:
            for line in provider._saas_extra_lines():
                kept = provider._saas_payment_lines().filtered(lambda it: it.payment_type == line.payment_type)[:1]  # noqa: B023
                payments = self.env["account.payment"].sudo().search([("payment_method_line_id", "=", line.id)])
                # Of a posted payment Odoo lets nobody change it, and nothing of its entry is changed by it.
                if payments:
                    payments.flush_recordset()
                    self.env.cr.execute(
                        "UPDATE account_payment SET payment_method_line_id = %s WHERE id IN %s", [kept.id, tuple(payments.ids)]
                    )
                    payments.invalidate_recordset()
                # It is no longer the provider's: Odoo removes none that is in use.
                self.env.cr.execute("UPDATE account_payment_method_line SET payment_provider_id = NULL WHERE id = %s", [line.id])
                line.invalidate_recordset()
                line.unlink()


class SaasBridge(models.AbstractModel):
    _inherit = "saas.bridge"

    @api.model
    def _payment_warnings(self):
        providers = self.env["payment.provider"].search([("state", "in", ("enabled", "test"))])
        # Reading the journal makes the line: before two visitors do at once.
        providers.mapped("journal_id")
        warnings = super()._payment_warnings()
        for provider in providers.filtered(lambda it: it._saas_extra_lines()):
            warnings.append(
                _(
                    "%(provider)s has more than one payment method line: no payment by it can be finished. Press “Mend Payments” in Settings → SaaS.",
                    provider=provider.name,
                )
            )
        return warnings
