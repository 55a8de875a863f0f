import type { Plan } from '../../../src/instance/types.js';
import type { Fields, Log } from '../../../src/lib/logger.js';
import type { MasterPurchase, PollBatch } from '../../../src/odoo/rows.js';
import type { Policy } from '../../../src/subscription/types.js';
import { type Bought, purchase } from '../subscription/support.js';

export interface LogLine extends Fields {
  level: keyof Log;
  event: string;
  message: string;
}

/** A log that is kept. */
export function keptLog(): Log & { lines: LogLine[]; events(): string[] } {
  const lines: LogLine[] = [];
  const write =
    (level: keyof Log) =>
    (event: string, message: string, fields: Fields = {}) => {
      lines.push({ ...fields, level, event, message });
    };
  return {
    lines,
    events: () => lines.map(({ event }) => event),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
}

/** A collaborator of which only the given parts may be used. */
export function only<T extends object>(parts: Partial<T>): T {
  return new Proxy(parts as T, {
    get(target, name, receiver) {
      if (!(name in target)) throw new Error(`${String(name)} is not expected`);
      return Reflect.get(target, name, receiver);
    },
  });
}

/** Waits until `condition` holds. */
export async function until(condition: () => boolean, ms = 20_000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error('it did not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A promise that the test keeps. */
export function deferred(): { promise: Promise<void>; resolve(): void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

export const PLAN: Plan = {
  id: 1,
  code: 'basic',
  name: 'Basic',
  cpu: 1,
  memoryMb: 1024,
  storageGb: 5,
  maxUsers: 5,
  modules: [],
  graceDays: 0,
  retentionDays: 30,
  trial: false,
};

export const CUSTOMER = {
  id: 10,
  name: 'Acme',
  contactId: 11,
  contactName: 'Ann',
  email: 'ann@acme.example',
  lang: 'es_ES',
};

export const SELLER = { id: 1, name: 'Nube Fácil', shopUrl: 'https://shop.example.com' };

export const POLICY: Policy = {
  unpaidOrderGraceDays: 5,
  timeZone: 'Europe/Madrid',
  expiringSoonDays: 7,
  reminderDays: [7, 3, 1],
  deletionWarningDays: [14, 7, 1],
  pendingPaymentDays: 5,
  vanishedPaymentHours: 24,
  storageGraceDays: 7,
};

/** A paid month of plan 1 by Acme from 15 Jan 2026, unless said otherwise. */
export function bought(changes: Bought & Partial<MasterPurchase> = {}): MasterPurchase {
  const customer = changes.customer ?? CUSTOMER;
  const terms = { unitPrice: 10, listPrice: 10, keepPlan: false, pendingSince: null };
  const wishes = { wantedName: changes.wantedName ?? '', wantedLang: changes.wantedLang ?? '' };
  return {
    ...purchase({ customerId: customer.id, ...terms, ...changes }),
    ...wishes,
    customer,
    seller: changes.seller ?? SELLER,
  };
}

/** The last page of a poll. */
export function batch(changes: Partial<PollBatch> = {}): PollBatch {
  return {
    cursor: 'c',
    more: false,
    serverTime: new Date(),
    plans: [],
    purchases: [],
    instances: [],
    commands: [],
    rejected: [],
    ...changes,
  };
}
