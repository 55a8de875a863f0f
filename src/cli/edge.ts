/** Is the edge ready for the addresses that the settings give: its folder, its certificate, and the names in DNS? */
import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/config.js';
import { addressesBy } from '../facts/address.js';
import { DAY_MS } from '../subscription/calendar.js';
import type { Finding } from './finding.js';

/** `edge.sh certificate`, run daily, renews it a month before its end. */
const SOON_DAYS = 14;
const DNS_TIMEOUT_MS = 5_000;

type Found = Omit<Finding, 'part'>;

export interface EdgeQuestion {
  dir: string;
  /** Of an instance. */
  host: string;
  now: Date;
  /** Gives the address of a host; throws where it has none. */
  resolve(host: string): Promise<string>;
}

/** Nothing where there is no edge. */
export async function edgeOf({ edge, instances }: Config, now: Date): Promise<Found[]> {
  if (edge.dir === null) return [];
  const { hostname } = new URL(addressesBy(instances.urlTemplate)('check', { httpPort: 1 }));
  return edgeFindings({ dir: edge.dir, host: hostname, now, resolve });
}

export async function edgeFindings({ dir, host, now, resolve: ask }: EdgeQuestion): Promise<Found[]> {
  const routes = path.join(dir, 'routes');
  const count = existsSync(routes) ? readdirSync(routes).length : 0;
  const certificate = certificateFinding(path.join(dir, 'wildcard/cert.pem'), host, now);
  return [{ ok: true, detail: `${count} hosts have a route in ${routes}` }, certificate, await nameFinding(host, ask)];
}

function certificateFinding(file: string, host: string, now: Date): Found {
  if (!existsSync(file)) return { ok: true, detail: 'each host gets a certificate of its own at its first visit' };
  const certificate = new X509Certificate(readFileSync(file));
  const { validTo, subjectAltName } = certificate;
  const days = Math.floor((new Date(validTo).getTime() - now.getTime()) / DAY_MS);
  const advice = 'Run compose/edge.sh certificate once a day by a timer, and see what it prints.';
  if (certificate.checkHost(host) === undefined) {
    const detail = `the certificate of ${subjectAltName} is not for ${host}`;
    return { ok: true, isWarning: true, detail, advice: 'Set EDGE_DOMAIN to the domain of SAAS_INSTANCE_URL.' };
  }
  if (days < 0) return { ok: false, detail: `the certificate of ${subjectAltName} ended on ${validTo}`, advice };
  const detail = `the certificate of ${subjectAltName} ends in ${days} days`;
  return days < SOON_DAYS ? { ok: true, isWarning: true, detail, advice } : { ok: true, detail };
}

async function nameFinding(host: string, ask: EdgeQuestion['resolve']): Promise<Found> {
  const address = await ask(host).catch(() => null);
  if (address !== null) return { ok: true, detail: `${host} leads to ${address}` };
  const zone = host.replace(/^[^.]+/, '*');
  return {
    ...{ ok: true, isWarning: true, detail: `${host} has no address in DNS: customers' names lead nowhere` },
    advice: `Add a record ${zone} with the address of the edge.`,
  };
}

async function resolve(host: string): Promise<string> {
  const late = sleep(DNS_TIMEOUT_MS, null, { ref: false });
  const answer = await Promise.race([lookup(host), late]);
  if (answer === null) throw new Error('DNS does not answer');
  return answer.address;
}
