# Runs in a one-shot container of the Odoo image, on the loopback that serve.sh listens on and no other network, with a
# restored filestore that is thrown away afterwards. Starts Odoo without its scheduled actions, gives one of its users a
# password and logs in. Prints `login <id>`. Code 78: Odoo does not answer. Code 79: nobody can log in.
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request

import psycopg2
from passlib.context import CryptContext

ADDRESS = "http://127.0.0.1:8069"
CONF = "/tmp/odoo.conf"
LOG = "/tmp/odoo.log"


def connect():
    for _ in range(300):
        try:
            return psycopg2.connect(host="127.0.0.1", user="odoo", dbname="odoo")
        except psycopg2.OperationalError:
            time.sleep(0.2)
    sys.exit("the restored database does not answer")


def give_password():
    """(login, password, id) of an administrator, or of any user who works in it."""
    password = secrets.token_urlsafe(24)
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, login FROM res_users WHERE active AND share IS NOT TRUE AND id <> 1 ORDER BY id LIMIT 1")
        found = cursor.fetchone()
        if not found:
            print("it has no user who could log in", file=sys.stderr)
            sys.exit(79)
        digest = CryptContext(["pbkdf2_sha512"], pbkdf2_sha512__rounds=1000).hash(password)
        cursor.execute("UPDATE res_users SET password = %s WHERE id = %s", (digest, found[0]))
        cursor.execute("SELECT 1 FROM information_schema.columns WHERE table_name = 'res_users' AND column_name = 'totp_secret'")
        if cursor.fetchone():
            cursor.execute("UPDATE res_users SET totp_secret = NULL WHERE id = %s", (found[0],))
    return found[1], password, found[0]


def answers(process):
    for _ in range(600):
        if process.poll() is not None:
            return False
        try:
            with urllib.request.urlopen(f"{ADDRESS}/web/login", timeout=30) as reply:
                return reply.status == 200
        except OSError:
            time.sleep(0.3)
    return False


def log_in(login, password):
    params = {"db": "odoo", "login": login, "password": password}
    body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params}).encode()
    request = urllib.request.Request(f"{ADDRESS}/web/session/authenticate", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return (json.load(reply).get("result") or {}).get("uid")


login, password, user = give_password()
with open(CONF, "w") as conf:
    conf.write(
        "[options]\ndb_host = 127.0.0.1\ndb_user = odoo\ndb_name = odoo\ndata_dir = /var/lib/odoo\n"
        "max_cron_threads = 0\nworkers = 0\nhttp_interface = 127.0.0.1\nlist_db = False\n"
    )
with open(LOG, "w") as log:
    process = subprocess.Popen(["odoo", f"--config={CONF}"], stdout=log, stderr=log)
try:
    if not answers(process):
        with open(LOG) as log:
            print("Odoo does not answer:", log.read()[-600:], file=sys.stderr)
        sys.exit(78)
    if log_in(login, password) != user:
        print("nobody can log in", file=sys.stderr)
        sys.exit(79)
    print("login", user)
finally:
    process.kill()
    os.unlink(CONF)
