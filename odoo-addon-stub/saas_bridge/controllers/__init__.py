from . import portal
from . import domains
from . import signup
