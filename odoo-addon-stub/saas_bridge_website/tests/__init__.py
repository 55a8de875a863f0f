from . import test_blocks, test_pages, test_translation, test_wish
