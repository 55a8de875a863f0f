/** What a customer finds: mails in their box, and their own Odoo. */
import { type HTMLElement, parse } from 'node-html-parser';
import { type Mail, mailsTo, passwordIn } from '../../compose/demo/master.js';
import { instanceOf, type Record as SaasRecord } from '../../compose/demo/records.js';
import { Secret } from '../../src/lib/secret.js';
import { createOdooClient, type OdooClient } from '../../src/odoo/client.js';
import { until, type World } from './world.js';

/** The record of an order, once it says running. */
export function running(w: World, orderId: number): Promise<SaasRecord> {
  return inState(w, orderId, 'running');
}

export function inState(w: World, orderId: number, state: string): Promise<SaasRecord> {
  return until(
    `order ${orderId} to be ${state}`,
    async () => {
      const record = await instanceOf(w.admin, orderId);
      if (record?.state === 'error' && state !== 'error') throw new Error(String(record.error_message));
      return record?.state === state && record;
    },
    120_000,
  );
}

/** Mails of a customer whose subject matches, oldest first. */
export async function mails(w: World, email: string, subject: RegExp): Promise<Mail[]> {
  return (await mailsTo(w.master.mail_url, email)).filter((mail) => subject.test(mail.subject));
}

export const WELCOME = /Odoo está listo|Odoo is ready/;

export function welcomeMail(w: World, email: string): Promise<Mail> {
  return until(`the welcome mail to ${email}`, async () => (await mails(w, email, WELCOME))[0]);
}

/** The customer's own Odoo, over its API, with the password of the welcome mail. */
export async function ownOdoo(w: World, record: SaasRecord, email: string): Promise<OdooClient> {
  return createOdooClient({
    url: `http://127.0.0.1:${record.http_port}`,
    db: 'odoo',
    login: email,
    apiKey: new Secret(passwordIn(await welcomeMail(w, email))),
    timeoutMs: 60_000,
    maxConcurrent: 2,
  });
}

/** What a visitor with a browser sees at an address of the instance; null where nothing listens. */
export async function visit(
  { http_port: port }: Pick<SaasRecord, 'http_port'>,
  path = '/web/login',
  language = 'es',
): Promise<{ status: number; page: HTMLElement } | null> {
  const headers = { accept: 'text/html,*/*;q=0.8', 'accept-language': language };
  try {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    return { status: answer.status, page: parse(await answer.text()) };
  } catch (error) {
    if (((error as Error).cause as { code?: string } | undefined)?.code === 'ECONNREFUSED') return null;
    throw error;
  }
}

/** Another colleague with a login in the customer's own Odoo; gives the id. */
export async function addUser(
  odoo: OdooClient,
  login: string,
  values: Record<string, unknown> = {},
  options: Record<string, unknown> = {},
): Promise<number> {
  return (await odoo.call('res.users', 'create', [{ name: login, login, ...values }], options)) as number;
}

/** Writes a contact as proof of the customer's data; the function given back tells what it is called now. */
export async function leaveMark(odoo: OdooClient, name: string): Promise<(again: OdooClient) => Promise<string>> {
  const id = await odoo.call('res.partner', 'create', [{ name }]);
  return async (again) => {
    const [row] = (await again.call('res.partner', 'read', [[id], ['name']])) as { name: string }[];
    return row?.name ?? '';
  };
}
