from . import test_blocks, test_pages, test_wish
