from . import account_move_reversal
from . import saas_command_wizard
from . import saas_handover_wizard
from . import saas_access_wizard
