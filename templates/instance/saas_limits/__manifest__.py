{
    "name": "Limits of the plan",
    "summary": "Loaded by the server from its configuration, never installed in a database.",
    "version": "1.0.0",
    "author": "odoo-saas-bridge",
    "license": "LGPL-3",
    "category": "Hidden",
    "depends": ["base"],
    "installable": False,
    "post_load": "post_load",
}
