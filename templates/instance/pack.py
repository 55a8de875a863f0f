# Runs in a one-shot container of the Odoo image, without a network, with an instance's filestore read-only. Takes what
# dump.sh prints and writes Odoo's own kind of backup: a zip with dump.sql, filestore/ and manifest.json; what Odoo never
# stores is left out, and named in left_out.txt. The argument is how many bytes may be read, and how long the zip may be. Its
# last line on standard error tells how long the zip is. Code 66: there is no filestore. Code 65: the dump is not whole.
# Code 67: it is more than may be read or written.
import json
import os
import stat
import sys
import zipfile

import odoo.release as release

VOLUME = "/filestore"
FILES = VOLUME + "/filestore/odoo"
PIECE = 1 << 20
ZEROS = bytes(PIECE)
MOST_BYTES = int(sys.argv[1])
# Each takes memory until the end of the zip.
MOST_FILES = 500_000
# Odoo writes its files whole; zeros that are nowhere on the disk would only keep the processor busy.
MOST_HOLE_BYTES = 16 << 20
MOST_LEFT_OUT = 10_000


class TooMuch(Exception):
    pass


class Budget:
    def __init__(self, what):
        self.what = what
        self.used = 0

    def spend(self, size):
        self.used += size
        if self.used > MOST_BYTES:
            raise TooMuch(f"{self.what} more than {MOST_BYTES >> 30} GB")


class Output:
    """Standard output, with its length."""

    def __init__(self):
        self.length = Budget("the copy is")

    def write(self, data):
        self.length.spend(len(data))
        sys.stdout.buffer.write(data)
        return len(data)

    def flush(self):
        sys.stdout.buffer.flush()


reading = Budget("database and files are")
left_out = []


def leave_out(name, reason):
    if len(left_out) < MOST_LEFT_OUT:
        left_out.append(f"{name!r}: {reason}\n")


def new_entry(name):
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def copy_dump(source, target):
    """Copies all of it; gives the last bytes."""
    end = b""
    while piece := source.read(PIECE):
        reading.spend(len(piece))
        target.write(piece)
        end = (end + piece)[-500:]
    return end


def extents(descriptor, size):
    """(how many zeros come first, where data follows, how much of it), to the end of the file."""
    at = 0
    while at < size:
        try:
            data = os.lseek(descriptor, at, os.SEEK_DATA)
        except OSError:
            # Nothing but zeros up to the end.
            yield size - at, size, 0
            return
        end = min(size, os.lseek(descriptor, data, os.SEEK_HOLE))
        yield data - at, data, end - data
        at = end


def copy_file(source, size, target):
    descriptor = source.fileno()
    for zeros, at, data in extents(descriptor, size):
        reading.spend(zeros + data)
        for _ in range(zeros // PIECE):
            target.write(ZEROS)
        target.write(ZEROS[: zeros % PIECE])
        end = at + data
        while at < end and (piece := os.pread(descriptor, min(PIECE, end - at), at)):
            target.write(piece)
            at += len(piece)


def entries():
    """(path, name in the zip) of everything that Odoo has stored, folder by folder."""
    folders = [FILES]
    files = 0
    while folders:
        try:
            found = os.scandir(folders.pop())
        except OSError as error:
            leave_out(os.path.relpath(error.filename, FILES), error.strerror)
            continue
        with found:
            for entry in found:
                files += 1
                if files > MOST_FILES:
                    raise TooMuch(f"there are more than {MOST_FILES} files")
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    yield entry.path, os.path.relpath(entry.path, FILES)


def add_files(archive):
    seen = set()
    for path, name in entries():
        status = os.lstat(path)
        try:
            name.encode("utf-8")
        except UnicodeEncodeError:
            leave_out(name, "its name is no text")
            continue
        if not stat.S_ISREG(status.st_mode):
            leave_out(name, "it is no file")
            continue
        if status.st_nlink > 1 and status.st_ino in seen:
            leave_out(name, "it is another name of a file that is in the copy")
            continue
        seen.add(status.st_ino)
        with open(path, "rb", buffering=0) as source:
            if sum(zeros for zeros, _, _ in extents(source.fileno(), status.st_size)) > MOST_HOLE_BYTES:
                leave_out(name, "most of it was never written")
                continue
            with archive.open(new_entry("filestore/" + name), "w", force_zip64=True) as target:
                copy_file(source, status.st_size, target)


def write_zip(output):
    facts = json.loads(sys.stdin.buffer.readline(PIECE) or "{}")
    with zipfile.ZipFile(output, "w", allowZip64=True) as archive:
        with archive.open(new_entry("dump.sql"), "w", force_zip64=True) as target:
            end = copy_dump(sys.stdin.buffer, target)
        if b"PostgreSQL database dump complete" not in end:
            sys.exit(65)
        add_files(archive)
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
        if left_out:
            archive.writestr(new_entry("left_out.txt"), "".join(left_out))


if not os.listdir(VOLUME):
    sys.exit(66)
output = Output()
try:
    write_zip(output)
except TooMuch as error:
    print(error, file=sys.stderr, flush=True)
    # Nothing of the zip is of use any more; closing it would write on.
    os._exit(67)
output.flush()
print("bytes", output.length.used, file=sys.stderr)
