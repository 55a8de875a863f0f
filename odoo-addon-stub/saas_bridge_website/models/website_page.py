from odoo import models


class WebsitePage(models.Model):
    _inherit = "website.page"

    def _allow_cache_insertion(self, layout):
        """Prices depend on the visitor and change with the plans: an hour-old page would promise another price.

        17 and 18 have `_can_be_cached` instead, which is asked before the page is made.
        """
        return "data-saas-live" not in layout and super()._allow_cache_insertion(layout)
