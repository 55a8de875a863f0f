from . import test_blocks, test_pages, test_promotions, test_translation, test_trial, test_wish
