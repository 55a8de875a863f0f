"""Visits the pages that people open first, so that the prepared database holds their compiled styles and scripts.

Also renders one PDF, which shows that wkhtmltopdf works before anybody pays for an order.
"""

import http.cookiejar
import json
import re
import sys
import time
import urllib.error
import urllib.request

BASE = "http://127.0.0.1:8069"
LANGUAGES = "es-ES,es;q=0.9"
opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))


def get(path, data=None):
    headers = {"Accept-Language": LANGUAGES, "User-Agent": "Mozilla/5.0"}
    if data is not None:
        headers["Content-Type"] = "application/json"
        data = json.dumps({"jsonrpc": "2.0", "params": data}).encode()
    with opener.open(urllib.request.Request(BASE + path, data, headers), timeout=120) as response:
        return response.read()


def visit(path):
    page = get(path).decode()
    for asset in sorted(set(re.findall(r'"(/web/assets/[^"]+\.(?:js|css))"', page))):
        get(asset)


deadline = time.monotonic() + 60
while True:
    try:
        get("/web/health")
        break
    except (urllib.error.URLError, ConnectionError):
        if time.monotonic() > deadline:
            sys.exit("Odoo did not answer in 60 s")
        time.sleep(0.2)

for path in ("/", "/shop", "/shop/cart", "/web/login"):
    visit(path)
with open("/secrets/credentials.json", encoding="utf-8") as file:
    credentials = json.load(file)
login = {"db": "master", "login": credentials["admin_login"], "password": credentials["admin_password"]}
get("/web/session/authenticate", login)
visit("/odoo")
visit("/my")
# The printed guide of a small module stands for every PDF: it needs no order and leaves nothing behind.
search = {"model": "ir.module.module", "method": "search", "args": [[["name", "=", "payment_demo"]]], "kwargs": {}}
module = json.loads(get("/web/dataset/call_kw/ir.module.module/search", search))["result"][0]
if not get(f"/report/pdf/base.report_irmodulereference/{module}").startswith(b"%PDF"):
    sys.exit("rendering a PDF failed: is wkhtmltopdf in the Odoo image?")
get("/web/session/logout")
