"""Writes what a program needs to reach one master: <project>.json and <project>.api-key, both 0600.

Runs as root in a one-shot container: /secrets is the volume of the master, /state the folder to write to.
The arguments are no secrets: project, folder as the host names it, owner, URLs.
"""

import json
import os
import sys


def write(name, text, owner):
    new = f"/state/.{name}.new"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    os.chown(new, *owner)
    os.replace(new, f"/state/{name}")


project, folder, owner, master_url, mail_url, mail_smtp = sys.argv[1:]
owner = tuple(int(number) for number in owner.split(":"))
with open("/secrets/credentials.json", encoding="utf-8") as file:
    credentials = json.load(file)

write(f"{project}.api-key", credentials.pop("api_key"), owner)
state = {
    "master_url": master_url,
    "master_db": "master",
    **dict(sorted(credentials.items())),
    "api_key_file": f"{folder}/{project}.api-key",
    "mail_url": mail_url,
    "mail_smtp": mail_smtp,
    "network": f"{project}_default",
}
write(f"{project}.json", json.dumps(state, indent=2) + "\n", owner)
