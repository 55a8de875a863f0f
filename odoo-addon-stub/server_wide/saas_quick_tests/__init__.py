"""Odoo's own tests are made for a machine that has nothing else to do, and make what none of ours asks for.

Before the first test that opens a page Odoo makes every bundle of scripts and styles: a minute for each database. Ours read
what is on the pages. A bundle that one of them asks for is made when it is asked for.

A page of which nothing comes for 12 seconds fails a test, as does a request that waits 20 for the one before it: the first
page of a shop, whose templates are compiled, takes as long where other suites run beside this one.
"""
import logging

from odoo.addons.base.models.ir_qweb import IrQweb
from odoo.tests import common

_logger = logging.getLogger(__name__)
SECONDS = 120


def _pregenerate_nothing(self):
    return []


def _patient(method):
    """The method waits longer than 12 seconds unless it is told how long."""
    method.__defaults__ = tuple(SECONDS if default == 12 else default for default in method.__defaults__)
    return SECONDS in method.__defaults__


if hasattr(IrQweb, "_pregenerate_assets_bundles"):
    IrQweb._pregenerate_assets_bundles = _pregenerate_nothing
else:
    _logger.warning("This Odoo makes its bundles elsewhere: the tests take longer.")
if not (_patient(common.HttpCase.url_open) and _patient(common.HttpCase.make_jsonrpc_request)):
    _logger.warning("This Odoo waits for its pages elsewhere: a busy machine fails the tests.")
common.BaseCase.test_cursor_lock_timeout = SECONDS
