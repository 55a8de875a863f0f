from odoo.tests import tagged

from odoo.addons.saas_bridge.tests.test_translation import TranslationCase


@tagged("post_install", "-at_install")
class TestWebsiteTranslation(TranslationCase):
    module = "saas_bridge_website"

    def test_template_has_every_word(self):
        self._test_template()

    def test_spanish_is_complete(self):
        self._test_spanish()
