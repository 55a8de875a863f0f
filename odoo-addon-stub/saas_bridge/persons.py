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
# Signs in the name that a provider takes for nothing.
IGNORED = {"gmail.com": r"\.", "proton.me": r"[._-]"}
# How a tax number begins that says its country.
TAX_COUNTRY = re.compile(
    r"(AT|BE|BG|CH|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|HR|HU|IE|IS|IT|LI|LT|LU|LV|MT|NL|NO|PL|PT|RO|SE|SI|SK|XI)(?=[0-9A-Z]*[0-9])"
)
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
    if domain in IGNORED:
        name = re.sub(IGNORED[domain], "", name) or name
    return f"{name}@{domain}"


def tax_number_of(vat, country=""):
    """A tax number without what people write between its signs, and with its country (`ES`) in front; "" for none."""
    number = re.sub(r"[^A-Z0-9]", "", (vat or "").upper())
    if len(number) <= 3:
        return ""
    if TAX_COUNTRY.match(number):
        return number
    country = {"GR": "EL"}.get(country, country) or ""
    return number if number.startswith(country) else f"{country}{number}"
