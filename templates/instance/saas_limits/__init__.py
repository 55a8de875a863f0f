"""Server-wide module: keeps the number of internal users within the plan, and notes visits. For Odoo 17 to 19."""
import logging
import sys

from odoo.tools import config

_logger = logging.getLogger(__name__)


def post_load():
    _load_the_other_defaults()
    try:
        from . import limits

        limits.patch()
    except Exception:
        # An instance without this check is better than none: the bridge measures the users as well.
        _logger.exception("the number of users is not limited")
    try:
        from . import visits

        visits.patch()
    except Exception:
        _logger.exception("visits are not noted")


def _load_the_other_defaults():
    """odoo.conf must name all server-wide modules to add one. It names those of every version; Odoo 19 also has rpc.
    The server is going through this very list, and loads next what is added."""
    defaults = getattr(sys.modules.get("odoo.tools.config"), "DEFAULT_SERVER_WIDE_MODULES", [])
    if isinstance(defaults, str):
        defaults = defaults.split(",")
    for name in defaults:
        if name not in config["server_wide_modules"]:
            config["server_wide_modules"].append(name)
