from . import saas_command_wizard
