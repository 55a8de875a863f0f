"""Words shared with the daemon. Its side of them is src/odoo/protocol.ts."""

PROTOCOL = 1

PERIOD_UNITS = [("hour", "Hour"), ("day", "Day"), ("month", "Month"), ("year", "Year")]

PAID_STATES = ("paid", "in_payment")

# Names that would read as a part of the platform itself in a container name, a host name or a folder.
RESERVED_NAMES = frozenset(
    (
        "admin api app backup daemon db default demo docker ftp health imap localhost mail master metrics ns1 ns2 odoo "
        "pool portal postgres postgresql proxy root saas shop smtp status support template templates test www"
    ).split()
)
NAME_LENGTH = 40
LOG_LENGTH = 10_000
