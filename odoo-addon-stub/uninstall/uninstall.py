# For odoo shell.
env["ir.module.module"].search([("name", "=", "saas_bridge")]).button_immediate_uninstall()
print("uninstalled")
