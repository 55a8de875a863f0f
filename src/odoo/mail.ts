import { readdirSync, readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import type { Notice } from '../protocol/push.js';
import { contextOf, type Language, languageOf, type NoticeValues } from './mail-values.js';
import { oneLine } from './text.js';

export type { BothLanguages, NoticeValues, SuspendReason } from './mail-values.js';

export interface Mail {
  subject: string;
  html: string;
  text: string;
}

type MailType = 'html' | 'txt';

const FOLDER = new URL('../../templates/mail/', import.meta.url);
const PARTIALS = new URL('partials/', FOLDER);
/** `button.html.hbs`, `greeting.es.hbs`, `renew.es.txt.hbs`: without language or type it is for each. */
const PARTIAL = /^([a-z-]+)(?:\.(es|en))?(?:\.(html|txt))?\.hbs$/;

/**
 * The e-mail of a notice, in Spanish where `lang` (an Odoo code such as `es_MX`) starts with `es`, else in English.
 * Values are data: escaped in the HTML, on one line and bounded everywhere. The first line of a `.txt.hbs` is the subject.
 * @throws TerminalError `mail.bad_url` where an address is neither http nor https.
 */
export function renderNotice(notice: Notice, lang: string, values: NoticeValues): Mail {
  const language = languageOf(lang);
  const context = contextOf(notice, lang, values);
  const [subject = '', ...lines] = render(notice, language, 'txt', context).split('\n');
  const html = render(notice, language, 'html', { ...context, subject });
  // What is left out leaves its empty lines.
  const text = lines.join('\n').replace(/\n{3,}/g, '\n\n');
  return { subject: oneLine(subject), html: html.trimStart(), text: `${text.trim()}\n` };
}

function render(notice: Notice, language: Language, type: MailType, context: object): string {
  const engine = Handlebars.create();
  engine.registerHelper('is', (left: unknown, right: unknown) => left === right);
  for (const file of readdirSync(PARTIALS)) {
    const [, name, itsLanguage = language, itsType = type] = PARTIAL.exec(file) ?? [];
    if (name && itsLanguage === language && itsType === type) engine.registerPartial(name, source(PARTIALS, file));
  }
  const template = source(FOLDER, `${notice}.${language}.${type}.hbs`);
  return engine.compile(template, { strict: true, noEscape: type === 'txt' })(context);
}

function source(folder: URL, file: string): string {
  return readFileSync(new URL(file, folder), 'utf8');
}
