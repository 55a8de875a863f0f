from . import account_move_reversal
from . import saas_command_wizard
