"""Which addresses and numbers are one person's. Pure."""

import re

# One mailbox under several names.
SAME_DOMAIN = {
    "googlemail.com": "gmail.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "protonmail.com": "proton.me",
    "pm.me": "proton.me",
    "ya.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
}
# Providers that take dots in the name for nothing.
NO_DOTS = frozenset(("gmail.com", "proton.me"))
# Where a tag begins with a hyphen. Everywhere else it begins with a plus.
HYPHEN_TAGS = re.compile(r"yahoo\.[a-z.]+|ymail\.com|rocketmail\.com")


def person_of(email):
    """The mailbox an address ends in, as `name@domain` in small letters; "" for what is no address."""
    name, at, domain = (email or "").strip().lower().rpartition("@")
    if not at or not name or not domain:
        return ""
    domain = SAME_DOMAIN.get(domain, domain)
    name = name.split("+")[0] or name
    if HYPHEN_TAGS.fullmatch(domain):
        name = name.split("-")[0] or name
    if domain in NO_DOTS:
        name = name.replace(".", "") or name
    return f"{name}@{domain}"


def tax_number_of(vat):
    """A tax number without what people write between its signs; "" for none."""
    number = re.sub(r"[^A-Z0-9]", "", (vat or "").upper())
    return number if len(number) > 3 else ""
