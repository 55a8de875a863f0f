"""Notes when somebody last wanted something of this Odoo, as the time of change of a file: the bridge lets one sleep that
nobody visits (src/instance/sleep.ts)."""
import logging
import os
import time

from odoo import http
from odoo.tools import config

_logger = logging.getLogger(__name__)

VISITED_FILE = os.path.join(config["data_dir"], ".visited")
# Between two notes.
PAUSE_S = 60
# A tab that is only open asks for these, and so do programs that look whether it is up.
NO_VISITS = ("/websocket", "/longpolling", "/bus/", "/web/health", "/web/webclient/version_info", "/favicon.ico", "/robots.txt")
# The bridge's own question whether it is ready.
OWN_AGENT = "saas-bridge"

_noted_at = 0.0


def patch():
    """Once for each process."""
    original = http.Application.__call__

    def noting(self, environ, start_response):
        if is_visit(environ):
            _note()
        return original(self, environ, start_response)

    http.Application.__call__ = noting


def is_visit(environ):
    agent = environ.get("HTTP_USER_AGENT", "")
    return agent != OWN_AGENT and not environ.get("PATH_INFO", "").startswith(NO_VISITS)


def _note():
    """Never raises: a page is not lost for it."""
    global _noted_at
    now = time.monotonic()
    if _noted_at and now - _noted_at < PAUSE_S:
        return
    _noted_at = now
    try:
        with open(VISITED_FILE, "ab"):
            os.utime(VISITED_FILE)
    except OSError:
        _logger.warning("%s cannot be written: this Odoo may be taken for one without visitors", VISITED_FILE)
