import { readdirSync, readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import { DateTime } from 'luxon';
import { TerminalError } from '../errors.js';
import { oneLine, stripControls } from './text.js';

export type Notice = 'welcome' | 'suspended' | 'reactivated';

export interface NoticeValues {
  contactName: string;
  instanceName: string;
  /** Address of the customer's Odoo, http or https. */
  url: string;
  login: string;
  /** The temporary password, in `welcome` only. */
  password: string | null;
  planName: string;
  paidUntil: Date | null;
  /** Whose calendar the dates are of: an IANA name. */
  timeZone: string;
  /** Who sells. */
  companyName: string;
  /** Where to renew, http or https; for `suspended`. */
  payUrl?: string | null;
  /** Until when the data of a suspended instance is kept. */
  keptUntil?: Date | null;
}

export interface Mail {
  subject: string;
  html: string;
  text: string;
}

const FOLDER = new URL('../../templates/mail/', import.meta.url);
const PARTIAL = /^([a-z]+)\.html\.hbs$/;

/**
 * The e-mail of a notice, in Spanish where `lang` (an Odoo code such as `es_MX`) starts with `es`, else in English.
 * Values are data: escaped in the HTML, on one line and bounded everywhere. The first line of a `.txt.hbs` is the subject.
 * @throws TerminalError `mail.bad_url` where an address is neither http nor https.
 */
export function renderNotice(notice: Notice, lang: string, values: NoticeValues): Mail {
  const language = /^es/i.test(lang) ? 'es' : 'en';
  const context = {
    lang: language,
    ...contextOf(values, localeOf(lang, language)),
  };
  const source = (name: string) => readFileSync(new URL(name, FOLDER), 'utf8');
  const engine = Handlebars.create();
  for (const file of readdirSync(FOLDER)) {
    const name = PARTIAL.exec(file)?.[1];
    if (name) engine.registerPartial(name, source(file));
  }
  const render = (type: 'html' | 'txt', data: object) =>
    engine.compile(source(`${notice}.${language}.${type}.hbs`), { strict: true, noEscape: type === 'txt' })(data);

  const [subject = '', ...lines] = render('txt', context).split('\n');
  const text = `${lines.join('\n').trim()}\n`;
  return { subject: oneLine(subject), html: render('html', { ...context, subject }).trimStart(), text };
}

function contextOf(values: NoticeValues, locale: string): Record<string, string | null> {
  const day = (date: Date | null | undefined) =>
    date
      ? DateTime.fromJSDate(date, { zone: values.timeZone }).setLocale(locale).toLocaleString(DateTime.DATE_FULL)
      : null;
  return {
    contactName: greetable(values.contactName),
    instanceName: oneLine(values.instanceName, 80),
    url: webAddress(values.url),
    login: oneLine(values.login, 120),
    password: values.password === null ? null : stripControls(values.password),
    planName: oneLine(values.planName, 80),
    paidUntil: day(values.paidUntil),
    companyName: oneLine(values.companyName, 80),
    payUrl: values.payUrl ? webAddress(values.payUrl) : null,
    keptUntil: day(values.keptUntil),
  };
}

/** A name, or nothing where it holds an address: our mail must not carry a stranger's link to another stranger. */
function greetable(name: string): string {
  const line = oneLine(name, 60);
  return /:\/|www\.|@|\p{L}\.(com|net|org|info|io|ru|cn|xyz|top)\b/iu.test(line) ? '' : line;
}

function webAddress(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol))
    return new URL(text).href.replace(/^(https?:\/\/[^/]+)\/$/, '$1');
  throw new TerminalError(
    'mail.bad_url',
    'an address for an e-mail is neither http nor https',
    'Check the public address in the settings.',
  );
}

/** `es_MX` as `es-MX`, for the format of dates. */
function localeOf(lang: string, language: 'es' | 'en'): string {
  const tag = lang.replace('_', '-');
  return /^(es|en)-([A-Z]{2}|419)$/.test(tag) ? tag : language;
}
