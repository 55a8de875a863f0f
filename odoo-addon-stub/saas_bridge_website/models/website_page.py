from odoo import models


class WebsitePage(models.Model):
    _inherit = "website.page"

    def _allow_to_use_cache(self, request):
        """Prices depend on the visitor and change with the plans: an hour-old page would promise another price.

        17 and 18 ask `_can_be_cached` instead.
        """
        return super()._allow_to_use_cache(request) and not (self.view_id.key or "").startswith("saas_bridge_website.")
