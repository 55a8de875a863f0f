/** What a notice's e-mail tells, and how its values become text that is safe in a mail. */
import { DateTime } from 'luxon';
import { TerminalError } from '../lib/errors.js';
import type { Notice } from '../protocol/push.js';
import { oneLine, stripControls } from './text.js';

/** `taken_back`: the payment was refunded, or its order or invoice cancelled. */
export type SuspendReason = 'unpaid' | 'storage' | 'staff' | 'taken_back';

/** A sentence for the customer in both languages; the mail takes the one it is written in. */
export interface BothLanguages {
  es: string;
  en: string;
}

/** What is optional may be left out or null; the mail then leaves out what would be said with it. */
export interface NoticeValues {
  contactName: string;
  instanceName: string;
  /**
   * Address of the customer's Odoo, http or https. `reminder`, `suspended`, `deletion_warning` and `deleted` do not
   * use it; elsewhere it may not be null.
   */
  url: string | null;
  login: string;
  /** The temporary password, in `welcome` only. */
  password: string | null;
  /** The plan it has now; in `plan_changed` the new one, in `plan_refused` the one that it keeps. */
  planName: string;
  /** End of the paid time, after what the notice tells about. */
  paidUntil: Date | null;
  /** Whose calendar the dates are of: an IANA name. */
  timeZone: string;
  /** Who sells. */
  companyName: string;
  /** The time is free of charge: "free trial until" in place of "paid until". */
  trial?: boolean | null;
  /**
   * Where to renew with one click, http or https: for `reminder`, `suspended` (`unpaid`, `taken_back`) and
   * `deletion_warning`; elsewhere not shown. Without it the customer is asked to reply.
   */
  payUrl?: string | null;
  /** What renewing costs, formatted for the language of the mail: `14,52 €`. */
  amount?: string | null;
  /**
   * `reminder`: to the end of the paid time; `deletion_warning`: to the deletion. Whole days of the calendar of
   * `timeZone`, so that they agree with the date beside them: 1 is tomorrow, 0 and less today; null: soon.
   */
  daysLeft?: number | null;
  /** When the data is deleted unless somebody pays, "kept until"; in `deleted`: when it was deleted. */
  deleteOn?: Date | null;
  /** `deleted`: until when a final copy is kept; null: there is none. */
  exportKeptUntil?: Date | null;
  /** `plan_changed`: the plan before. */
  previousPlanName?: string | null;
  /** `plan_refused`: the plan that was bought and does not fit. */
  wantedPlanName?: string | null;
  /** `plan_refused`: why, as a whole sentence: "Su Odoo tiene 5 usuarios y el plan «Básico» incluye 3." */
  reason?: BothLanguages | null;
  /** `suspended`: why it is; `reactivated`: why it was. Null: `unpaid`. */
  suspendReason?: SuspendReason | null;
  /** The same: what it uses could not be measured for a day. */
  storageUnread?: boolean;
  /** `storage_over`, and `suspended` for `storage`: what it uses, formatted likewise: `2,4 GB`. */
  storageUsed?: string | null;
  /** `storage_over`, and `suspended` for `storage`: what the plan includes, likewise. */
  storageLimit?: string | null;
  /** `storage_over`: when it is suspended unless something is done; null: not said. */
  graceUntil?: Date | null;
  /** `deleted`: where to buy again, http or https. */
  shopUrl?: string | null;
}

export type Language = 'es' | 'en';

/** Spanish where `lang` (an Odoo code such as `es_MX`) starts with `es`, else English. */
export function languageOf(lang: string): Language {
  return /^es/i.test(lang) ? 'es' : 'en';
}

/** These carry no address of the Odoo: it is stopped or gone, or paying is what they are for. */
export const WITHOUT_ADDRESS: ReadonlySet<Notice> = new Set(['reminder', 'suspended', 'deletion_warning', 'deleted']);

/**
 * The values as the templates use them: each is there, null where it is not known.
 * @throws TerminalError `mail.bad_url` where an address is neither http nor https.
 */
export function contextOf(notice: Notice, lang: string, values: NoticeValues) {
  const language = languageOf(lang);
  const locale = localeOf(lang, language);
  const day = (date: Date | null | undefined) =>
    date
      ? DateTime.fromJSDate(date, { zone: values.timeZone }).setLocale(locale).toLocaleString(DateTime.DATE_FULL)
      : null;
  const line = (text: string | null | undefined, max: number) => (text ? oneLine(text, max) : null);
  const link = (address: string | null | undefined) => (address ? webAddress(address) : null);
  const suspendReason = values.suspendReason ?? 'unpaid';
  const paying = asksToPay(notice, suspendReason);
  return {
    lang: language,
    contactName: greetable(values.contactName),
    instanceName: oneLine(values.instanceName, 80),
    url: WITHOUT_ADDRESS.has(notice) ? null : webAddress(values.url ?? ''),
    login: oneLine(values.login, 120),
    password: values.password === null ? null : stripControls(values.password),
    planName: oneLine(values.planName, 80),
    paidUntil: day(values.paidUntil),
    companyName: oneLine(values.companyName, 80),
    trial: values.trial ?? false,
    asksToPay: paying,
    payUrl: paying ? link(values.payUrl) : null,
    amount: line(values.amount, 24),
    daysLeft: values.daysLeft == null ? null : Math.max(0, values.daysLeft),
    deleteOn: day(values.deleteOn),
    exportKeptUntil: day(values.exportKeptUntil),
    previousPlanName: line(values.previousPlanName, 80),
    wantedPlanName: line(values.wantedPlanName, 80),
    reason: line(values.reason?.[language], 300),
    suspendReason,
    storageUnread: values.storageUnread === true,
    storageUsed: line(values.storageUsed, 24),
    storageLimit: line(values.storageLimit, 24),
    graceUntil: day(values.graceUntil),
    shopUrl: link(values.shopUrl),
  };
}

/** Whether the mail asks for a payment, and so has use for `payUrl` and `amount`. */
export function asksToPay(notice: Notice, suspendReason: SuspendReason | null | undefined): boolean {
  if (notice === 'suspended') return suspendReason !== 'storage' && suspendReason !== 'staff';
  return notice === 'reminder' || notice === 'deletion_warning';
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
function localeOf(lang: string, language: Language): string {
  const tag = lang.replace('_', '-');
  return /^(es|en)-([A-Z]{2}|419)$/.test(tag) ? tag : language;
}
