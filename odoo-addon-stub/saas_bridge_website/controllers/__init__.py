from . import wish
