/** The mails that customers get, read as a browser and as a mail program read them. */
import fc from 'fast-check';
import { TerminalError } from '../../../src/lib/errors.js';
import { type Mail, type NoticeValues, renderNotice } from '../../../src/odoo/mail.js';
import { NOTICES } from '../../../src/protocol/push.js';
import { noticeValues } from '../../support/notices.js';
import { text } from '../hostile.js';
import { type Outline, outlineOf } from '../readers/html.js';
import { holds, plainLine, same, target } from '../target.js';

const TEXTS = [
  'contactName',
  'instanceName',
  'login',
  'password',
  'planName',
  'companyName',
  'amount',
  'previousPlanName',
  'wantedPlanName',
  'storageUsed',
  'storageLimit',
] as const;
const ADDRESSES = ['url', 'payUrl', 'shopUrl'] as const;
/** Stands where a value is: each has some, or it is left out. */
const WORD = 'Word';

const address = fc.oneof(
  text,
  text.map((it) => `https://shop.example.com/${it}`),
  text.map((it) => `javascript:${it}`),
);
const values = fc.record({
  notice: fc.constantFrom(...NOTICES),
  lang: fc.oneof(fc.constantFrom('es_ES', 'en_US'), text),
  suspendReason: fc.constantFrom('unpaid' as const, 'storage' as const, 'staff' as const, 'taken_back' as const),
  texts: fc.record(Object.fromEntries(TEXTS.map((name) => [name, text]))),
  reason: text,
  addresses: fc.record(Object.fromEntries(ADDRESSES.map((name) => [name, address]))),
  daysLeft: fc.oneof(fc.integer(), fc.constant(1)),
});

export function mailTargets(render: typeof renderNotice = renderNotice) {
  const patterns = new Map<string, { outline: Outline; lines: number }>();
  /** The same mail of plain words. */
  function patternOf(key: string, of: () => Mail) {
    const known = patterns.get(key);
    if (known) return known;
    const { html, text: plain } = of();
    const made = { outline: outlineOf(html), lines: plain.split('\n').length };
    patterns.set(key, made);
    return made;
  }

  const mails = target({
    name: 'mails',
    share: 0.5,
    values,
    check({ notice, lang, suspendReason, texts, reason, addresses, daysLeft }) {
      const given = {
        ...noticeValues,
        suspendReason,
        ...texts,
        reason: { es: reason, en: reason },
        ...addresses,
        daysLeft,
      } as NoticeValues;
      let mail: Mail;
      try {
        mail = render(notice, lang, given);
      } catch (error) {
        if (error instanceof TerminalError && error.code === 'mail.bad_url') return;
        throw error;
      }
      plainLine('the subject', mail.subject, 200);
      // Where a value is nothing once it is plain, its sentence is left out or its place is empty.
      const isThere = (it: string | null | undefined) => visible(it ?? '') !== '';
      const there = TEXTS.map((name) =>
        name === 'password' ? seen(given.password ?? '', '') !== '' : isThere(given[name]),
      );
      const hasName = mail.text.split('\n', 1)[0] !== (/^es/i.test(lang) ? 'Hola:' : 'Hello,');
      const word = (is: boolean) => (is ? WORD : '');
      const plainTexts = Object.fromEntries(TEXTS.map((name, at) => [name, word(there[at] ?? false)]));
      const plain = {
        ...{ ...noticeValues, ...plainTexts, suspendReason, contactName: word(hasName) },
        ...{ reason: { es: word(isThere(reason)), en: word(isThere(reason)) }, daysLeft: Math.max(0, daysLeft) },
      };
      const language = /^es/i.test(lang) ? 'es_ES' : 'en_US';
      for (const name of ADDRESSES) if (!addresses[name]) Object.assign(plain, { [name]: null });
      const pattern = patternOf(JSON.stringify([notice, language, plain]), () =>
        render(notice, language, plain as NoticeValues),
      );
      const outline = outlineOf(mail.html);
      same('elements of the page', outline.tags, pattern.outline.tags);
      same('texts of the page', outline.texts.length, pattern.outline.texts.length);
      same('lines of the text', mail.text.split('\n').length, pattern.lines);
      for (const attribute of outline.attributes.filter((it) => it.startsWith('a href='))) {
        holds('a link of the web', /^a href=https?:\/\//.test(attribute), attribute);
      }
      const fixed = (all: string[]) => all.filter((it) => !/^a href=|^html lang=/.test(it));
      same('attributes', fixed(outline.attributes), fixed(pattern.outline.attributes));
      for (const line of mail.text.split('\n')) plainLine('a line of the text', line);
    },
  });
  return [mails];
}

/** What is left of a text that is put on one line. */
function visible(value: string): string {
  return seen(value, ' ').trim();
}

function seen(value: string, instead: string): string {
  return value.replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu, instead);
}
