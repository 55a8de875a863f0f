# Runs in a one-shot container of the Odoo image, without a network, with an instance's filestore read-only. Takes what
# dump.sh prints and writes Odoo's own kind of backup: a zip with dump.sql, filestore/ and manifest.json. Its last line on
# standard error tells how long the zip is. Code 66: there is no filestore. Code 65: the dump is not whole.
import json
import os
import stat
import sys
import zipfile

import odoo.release as release

VOLUME = "/filestore"
FILES = VOLUME + "/filestore/odoo"
PIECE = 1 << 20


class Output:
    """Standard output, with its length."""

    length = 0

    def write(self, data):
        sys.stdout.buffer.write(data)
        self.length += len(data)
        return len(data)

    def flush(self):
        sys.stdout.buffer.flush()


def new_entry(name):
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def copy(source, target):
    """Copies all of it; gives the last bytes."""
    end = b""
    while piece := source.read(PIECE):
        target.write(piece)
        end = (end + piece)[-500:]
    return end


def regular_files():
    """(path, name in the zip) of what Odoo has stored; nothing that is a link or whose name is not text."""
    for folder, folders, names in os.walk(FILES):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            try:
                inside = "filestore/" + os.path.relpath(path, FILES)
                inside.encode("utf-8")
            except UnicodeEncodeError:
                continue
            if stat.S_ISREG(os.lstat(path).st_mode):
                yield path, inside


if not os.listdir(VOLUME):
    sys.exit(66)
facts = json.loads(sys.stdin.buffer.readline(PIECE) or "{}")
output = Output()
with zipfile.ZipFile(output, "w", allowZip64=True) as archive:
    with archive.open(new_entry("dump.sql"), "w", force_zip64=True) as target:
        end = copy(sys.stdin.buffer, target)
    if b"PostgreSQL database dump complete" not in end:
        sys.exit(65)
    for path, inside in regular_files():
        with open(path, "rb") as source, archive.open(new_entry(inside), "w", force_zip64=True) as target:
            copy(source, target)
    manifest = {
        "odoo_dump": "1",
        "db_name": "odoo",
        "version": release.version,
        "version_info": release.version_info,
        "major_version": release.major_version,
        "pg_version": facts.get("pg_version"),
        "modules": facts.get("modules") or {},
    }
    archive.writestr(new_entry("manifest.json"), json.dumps(manifest, indent=4))
output.flush()
print("bytes", output.length, file=sys.stderr)
