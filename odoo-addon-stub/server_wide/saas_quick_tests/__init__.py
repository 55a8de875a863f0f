"""Before the first test that opens a page Odoo makes every bundle of scripts and styles: a minute for each database.

Ours read what is on the pages. A bundle that one of them asks for is made when it is asked for.
"""
import logging

from odoo.addons.base.models.ir_qweb import IrQweb


def _pregenerate_nothing(self):
    return []


if hasattr(IrQweb, "_pregenerate_assets_bundles"):
    IrQweb._pregenerate_assets_bundles = _pregenerate_nothing
else:
    logging.getLogger(__name__).warning("This Odoo makes its bundles elsewhere: the tests take longer.")
