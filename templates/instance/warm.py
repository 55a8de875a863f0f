# Read by `odoo shell` while a template is built, after a line that sets `modules`. Odoo only warns of a module it does
# not have; we refuse it. Then what the first visitor of every copy would wait for is made now.
installed = env['ir.module.module'].search([('name', 'in', modules), ('state', '=', 'installed')]).mapped('name')
missing = sorted(set(modules) - set(installed))
if missing:
    print('missing:', ', '.join(missing))
    raise SystemExit(65)
if hasattr(env['ir.qweb'], '_pregenerate_assets_bundles'):
    env['ir.qweb']._pregenerate_assets_bundles()
for model in ('iap.account',):
    if model in env:
        env[model].sudo().search([]).unlink()
env.cr.commit()
