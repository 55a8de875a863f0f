from . import trial
from . import wish
