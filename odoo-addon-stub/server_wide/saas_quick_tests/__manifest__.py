{
    "name": "SaaS Bridge: quick tests",
    "summary": "Server-wide while run-tests.sh runs: the tests do not wait for what none of them asks for",
    "license": "LGPL-3",
    "depends": ["base"],
    "installable": False,
}
