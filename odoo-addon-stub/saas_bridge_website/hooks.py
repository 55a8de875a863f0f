def post_init_hook(env):
    """Give every website the pages that have one place only: the home page and the footer. What was edited stays."""
    for website in env["website"].search([]):
        website._saas_set_up()


def uninstall_hook(env):
    """Leave the menus of the websites as they were, and a footer."""
    for website in env["website"].search([]):
        website._saas_take_down()
