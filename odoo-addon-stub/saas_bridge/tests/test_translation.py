import io
import re

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools import file_path
from odoo.tools.translate import trans_export

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")


class TranslationCase(TransactionCase):
    """Every word of an addon is in its template, and every one of the template is in Spanish."""

    module = ""

    def _template(self):
        return {entry.msgid for entry in polib.pofile(file_path(f"{self.module}/i18n/{self.module}.pot"))}

    def _test_template(self):
        with io.BytesIO() as buffer:
            trans_export(False, [self.module], buffer, "po", self.env)
            words = {entry.msgid for entry in polib.pofile(buffer.getvalue().decode())}
        template = self._template()
        self.assertEqual(sorted(words - template), [], "missing: export the template again")
        self.assertEqual(sorted(template - words), [], "gone from the addon")

    def _test_spanish(self):
        template = self._template()
        spanish = {entry.msgid: entry for entry in polib.pofile(file_path(f"{self.module}/i18n/es.po"))}
        self.assertEqual(sorted(template - spanish.keys()), [], "without a translation")
        self.assertEqual(sorted(spanish.keys() - template), [], "translations of nothing")
        for msgid, entry in spanish.items():
            with self.subTest(msgid=msgid):
                self.assertTrue(entry.msgstr and not entry.fuzzy)
                self.assertEqual(sorted(PLACEHOLDER.findall(msgid)), sorted(PLACEHOLDER.findall(entry.msgstr)))


@tagged("post_install", "-at_install")
class TestTranslation(TranslationCase):
    module = "saas_bridge"

    def test_template_has_every_word(self):
        if "website" in self.env:
            self.skipTest("the shop's modules add fields, and words, to the addon's models")
        self._test_template()

    def test_spanish_is_complete(self):
        self._test_spanish()
