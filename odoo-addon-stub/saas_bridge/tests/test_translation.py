import io
import re

import polib

from odoo.tests import tagged
from odoo.tools import file_path
from odoo.tools.translate import trans_export

from .common import SaasCommon

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")


@tagged("post_install", "-at_install")
class TestTranslation(SaasCommon):
    """Every word of the addon is in the template, and every one of the template is in Spanish."""

    def test_template_has_every_word(self):
        if "website" in self.env:
            self.skipTest("the shop's modules add fields, and words, to the addon's models")
        with io.BytesIO() as buffer:
            trans_export(False, ["saas_bridge"], buffer, "po", self.env)
            words = {entry.msgid for entry in polib.pofile(buffer.getvalue().decode())}
        template = {entry.msgid for entry in polib.pofile(file_path("saas_bridge/i18n/saas_bridge.pot"))}
        self.assertEqual(sorted(words - template), [], "missing: export the template again")
        self.assertEqual(sorted(template - words), [], "gone from the addon")

    def test_spanish_is_complete(self):
        template = {entry.msgid for entry in polib.pofile(file_path("saas_bridge/i18n/saas_bridge.pot"))}
        spanish = {entry.msgid: entry for entry in polib.pofile(file_path("saas_bridge/i18n/es.po"))}
        self.assertEqual(sorted(template - spanish.keys()), [], "without a translation")
        self.assertEqual(sorted(spanish.keys() - template), [], "translations of nothing")
        for msgid, entry in spanish.items():
            with self.subTest(msgid=msgid):
                self.assertTrue(entry.msgstr and not entry.fuzzy)
                self.assertEqual(sorted(PLACEHOLDER.findall(msgid)), sorted(PLACEHOLDER.findall(entry.msgstr)))
