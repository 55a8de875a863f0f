from . import test_access
from . import test_plan
from . import test_instance
from . import test_poll
from . import test_push
from . import test_invoice
from . import test_commands
