{
    "name": "SaaS Bridge: Website",
    "summary": "Pages that sell plans, and a checkout that asks what the new Odoo is to be called",
    # Without one Odoo takes README.md for reStructuredText.
    "description": "Landing page, plans and prices, how it works, terms; blocks of plans for the Website Builder; and the questions of the cart about a new Odoo.",
    "version": "19.0.3.2.0",
    "category": "Sales/Subscriptions",
    "license": "LGPL-3",
    "author": "odoo-saas-bridge contributors",
    "depends": ["saas_bridge", "website_sale"],
    "data": [
        "views/plan_templates.xml",
        "views/snippets.xml",
        "views/shop_templates.xml",
        "views/sale_order_views.xml",
        "data/pages.xml",
        "data/menus.xml",
    ],
    "assets": {
        "web.assets_frontend": [
            "saas_bridge_website/static/src/shop.scss",
            "saas_bridge_website/static/src/wish.js",
        ],
        # Of the Website Builder only: visitors do not load it.
        "website.website_builder_assets": ["saas_bridge_website/static/src/builder/blocks.js"],
    },
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
    "installable": True,
}
