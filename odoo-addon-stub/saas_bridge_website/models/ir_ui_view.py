from collections import defaultdict

from odoo import _, api, models
from odoo.http import request

from .ir_qweb import without_live_parts

SNIPPETS = ("s_saas_plans", "s_saas_compare", "s_saas_trial", "s_saas_start", "s_saas_company")


class IrUiView(models.Model):
    _inherit = "ir.ui.view"

    def save(self, value, xpath=None):
        """Prices of today do not belong into a page, only the place where they appear."""
        return super().save(without_live_parts(value), xpath=xpath)

    @api.model
    def save_snippet(self, name, arch, *args, **kwargs):
        return super().save_snippet(name, without_live_parts(arch), *args, **kwargs)

    @api.model
    def _copy_custom_snippet_translations(self, record, html_field):
        """Called after each save of the Website Builder."""
        super()._copy_custom_snippet_translations(record, html_field)
        website = self.env.context.get("website_id")
        if record._name == "ir.ui.view" and record.key and website and not record.website_id:
            # What was written is the copy that the website has of it.
            record = self.search([("key", "=", record.key), ("website_id", "=", website)], limit=1) or record
        if "data-saas-live" in (record[html_field] or ""):
            self._saas_translate_blocks(record, html_field)

    @api.model
    def _saas_translate_blocks(self, record, html_field):
        """Put the words of our blocks into the other languages, in which Odoo leaves them as they were typed.

        Odoo goes on showing the other languages as they were ("_en_US" is what waits) until somebody has translated them.
        Where a block of ours was dropped, moved or deleted there is nothing to translate: they are shown at once.
        """
        field = record._fields[html_field]
        stored = field._get_stored_translations(record) or {}
        words = self._saas_block_words(stored)
        values = dict(stored)
        for key, text in stored.items():
            lang = key.removeprefix("_")
            if lang == self.env.lang or f"_{key}" in stored:
                continue
            translated = field.translate(words[lang].get, text)
            known = {*field.get_trans_terms(stored.get(lang, "")), *words[lang].values()}
            if key != lang and known.issuperset(field.get_trans_terms(translated)):
                values.pop(key)
                key = lang
            values[key] = translated
        if values != stored:
            record.env.cache.update_raw(record, field, [values], dirty=True)
            record.modified([html_field])

    @api.model
    def _saas_block_words(self, langs):
        """`{language: {words of our blocks in the language of now: in that one}}`"""
        field = self._fields["arch_db"]
        words = defaultdict(dict)
        for name in SNIPPETS:
            view = self.env.ref(f"saas_bridge_website.{name}").sudo()
            others = {lang: view.with_context(lang=lang).arch_db for lang in langs if not lang.startswith("_")}
            for term, translations in field.get_translation_dictionary(view.arch_db, others).items():
                for lang, translation in translations.items():
                    words[lang][term] = translation
        return words

    def _default_website_meta(self):
        """The shop's own page is a template with an English name and no description."""
        meta = super()._default_website_meta()
        if self.key == "website_sale.products":
            title = f"{_('Shop')} | {request.website.name}"
            text = _("Your own Odoo, ready to use: plans, free trial and help of %s.", request.website.name)
            meta["default_meta_description"] = text
            for tags, prefix in ((meta["default_opengraph"], "og"), (meta["default_twitter"], "twitter")):
                tags |= {f"{prefix}:title": title, f"{prefix}:description": text}
        return meta
