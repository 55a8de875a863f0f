"""Words shared with the daemon. Its side of them is src/odoo/protocol.ts."""

PROTOCOL = 3

PERIOD_UNITS = [("hour", "Hour"), ("day", "Day"), ("month", "Month"), ("year", "Year")]

# What a customer's Odoo may reach beside its visitors; the names are those of src/instance/egress.ts.
EGRESS = [
    ("closed", "Nothing"),
    ("relay", "Our mail relay"),
    ("web", "Web, and mail with a login"),
    ("all", "Everything public, port 25 too"),
]

# How long a unit lasts on the average: what a part of a period is worth, never when one ends.
UNIT_DAYS = {"hour": 1 / 24, "day": 1.0, "month": 30.4375, "year": 365.25}

PAID_STATES = ("paid", "in_payment")

# Hosts and addresses that mean something to people. The same list as in src/instance/naming.ts: a name the daemon
# suggests must pass here.
RESERVED_NAMES = frozenset(
    (
        "www mail smtp imap pop mx ns ns1 ns2 ftp sftp ssh vpn api app apps admin administrator root webmaster"
        " postmaster hostmaster abuse security support help status blog shop store portal my account accounts billing"
        " login auth sso static assets cdn test staging dev demo docs localhost default master saas odoo db postgres"
        " traefik proxy health metrics autodiscover autoconfig"
    ).split()
)
NAME_LENGTH = 40
LOG_LENGTH = 10_000
