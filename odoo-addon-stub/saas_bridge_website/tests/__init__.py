from . import test_pages, test_wish
