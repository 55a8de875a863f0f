"""Refuses what would make more internal users active than the plan includes.

Models of a module that is not installed do not reach a registry, so the methods of base itself are replaced, before the
first registry is built. Every module's own create and write end there.
"""
import functools
import importlib
import json
import logging
import os

from odoo import SUPERUSER_ID
from odoo.exceptions import UserError

from . import messages

_logger = logging.getLogger(__name__)

LIMITS_FILE = "/etc/odoo/limits.json"
NO_LIMITS = {"max_users": 0, "account_url": ""}

# Fields of res.users that decide whether a user is active and internal. The second is the first one's name before 19.
USER_FIELDS = {"active", "share", "group_ids", "groups_id", "role"}

# Also in templates/instance/measure.sh.
INTERNAL_USERS = """
    WITH RECURSIVE internal (id) AS (
        SELECT res_id FROM ir_model_data WHERE module = 'base' AND name = 'group_user' AND model = 'res.groups'
        UNION SELECT gid FROM res_groups_implied_rel JOIN internal ON hid = internal.id)
    SELECT count(*) FROM res_users WHERE active AND id != %s AND (share IS NOT TRUE
        OR id IN (SELECT uid FROM res_groups_users_rel WHERE gid IN (SELECT id FROM internal)))
"""

_read = (None, NO_LIMITS)


def patch():
    """Once for each process. Raises LookupError when base is not what it was in 17 to 19."""
    patched = []
    # Groups have a file of their own from 19 on.
    for name in ("res_users", "res_groups"):
        try:
            module = importlib.import_module("odoo.addons.base.models." + name)
        except ImportError:
            continue
        for cls in vars(module).values():
            model = _model_of(cls) if isinstance(cls, type) and cls.__module__ == module.__name__ else None
            if model == "res.users":
                patched += _patch_class(cls, {"create": None, "write": USER_FIELDS})
            elif model == "res.groups":
                # Users of a group, and groups that imply others.
                patched += _patch_class(cls, {"create": None, "write": None})
    if not patched:
        raise LookupError("base has no res.users with create and write")


def _model_of(cls):
    """The model that a class defines or extends, in whichever way it says so."""
    inherit = getattr(cls, "_inherit", None) or None
    if isinstance(inherit, (list, tuple)):
        inherit = inherit[0]
    return cls.__dict__.get("_name") or inherit


def _patch_class(cls, methods):
    names = [name for name in methods if name in cls.__dict__]
    for name in names:
        setattr(cls, name, _guarded(cls.__dict__[name], methods[name]))
    return names


def _guarded(original, fields):
    """The method with a count before and after. `fields`: values without any of them need no count."""

    # Copies the marks of Odoo's decorators, too.
    @functools.wraps(original)
    def method(self, *args, **kwargs):
        values = args[0] if args else next(iter(kwargs.values()), {})
        limits = current()
        # While modules are installed the registry is not ready: what they need is never refused.
        if not limits["max_users"] or not self.env.registry.ready or (fields and fields.isdisjoint(values)):
            return original(self, *args, **kwargs)
        before = _internal_users(self.env)
        result = original(self, *args, **kwargs)
        after = _internal_users(self.env)
        # More users than the plan includes (a smaller plan) may stay; they may not become more.
        if after > max(before, limits["max_users"]):
            raise UserError(_refusal(self.env, limits, before, after))
        return result

    return method


def _internal_users(env):
    """All of the database, whatever the caller may see. Neither OdooBot nor portal and public users count.

    Who is in the group of internal users works as one, whatever the column share says.
    """
    env.flush_all()
    env.cr.execute(INTERNAL_USERS, [SUPERUSER_ID])
    return env.cr.fetchone()[0]


def _refusal(env, limits, before, after):
    lang = env.context.get("lang") or env.user.lang
    # A visitor who signs up must not read about the company's plan.
    if not env.user._is_internal():
        return messages.signup(lang)
    return messages.refusal(lang, limits["max_users"], limits["account_url"], before, after)


def current():
    """What limits.json says now: {"max_users": 0 for any number, "account_url": "" for none}. Never raises."""
    global _read
    try:
        status = os.stat(LIMITS_FILE)
        stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
    except OSError:
        return NO_LIMITS
    if _read[0] != stamp:
        _read = (stamp, _parse())
    return _read[1]


def _parse():
    try:
        with open(LIMITS_FILE, encoding="utf-8") as file:
            found = json.load(file)
        url = found.get("account_url")
        return {
            "max_users": max(0, int(found.get("max_users") or 0)),
            "account_url": url if isinstance(url, str) else "",
        }
    except Exception:
        _logger.warning("%s cannot be read: users are not limited", LIMITS_FILE, exc_info=True)
        return NO_LIMITS
