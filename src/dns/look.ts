/** Asks DNS about a host that a customer typed. Nothing is connected to: what DNS names is compared, never called. */
import { Resolver } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address, Answer } from '../domains/finding.js';
import { proofHost, twinOf } from '../domains/name.js';
import type { Dns } from '../domains/types.js';
import { kindOf } from './ranges.js';

const TIMEOUT_MS = 2_500;
const TRIES = 2;
/** Of one question, with all that it leads to. */
const LONGEST_MS = 8_000;
/** More of a kind is no answer to be read by anybody. */
const MOST = 50;
const MOST_LABELS = 20;
/** What these say is an answer: there is nothing. */
const NOTHING = new Set(['ENODATA', 'ENOTFOUND']);

/** @param servers `address:port` of the DNS servers to ask; null: those of this host. */
export function createDns(servers: readonly string[] | null): Dns {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (servers) resolver.setServers(servers);

  async function answer<T>(ask: () => Promise<T[]>): Promise<Answer<T>> {
    const late = sleep(LONGEST_MS, null, { ref: false });
    const asked = ask().then(
      (found) => found.slice(0, MOST),
      (error: NodeJS.ErrnoException) => (NOTHING.has(error.code ?? '') ? [] : null),
    );
    return Promise.race([asked, late]);
  }

  async function addressesOf(host: string): Promise<Answer<string>> {
    const found = await Promise.all([answer(() => resolver.resolve4(host)), answer(() => resolver.resolve6(host))]);
    if (found.some((addresses) => addresses === null)) return null;
    return [...new Set(found.flatMap((addresses) => addresses ?? []))];
  }

  const kinds = (addresses: Answer<string>): Answer<Address> =>
    addresses?.map((address) => ({ address, kind: kindOf(address) })) ?? null;

  /** Of the host itself or of the closest name above it that has any (RFC 8659). */
  async function issuersOf(host: string): Promise<Answer<string>> {
    const labels = host.split('.').slice(0, MOST_LABELS);
    for (let i = 0; i < labels.length; i++) {
      const records = await answer(() => resolver.resolveCaa(labels.slice(i).join('.')));
      if (records === null) return null;
      if (records.length === 0) continue;
      const issue = records.flatMap((record) => record.issue ?? []);
      // Records that say nothing of it restrict nothing.
      if (issue.length === 0) return [];
      const names = issue.map((value) => value.split(';')[0]?.trim().toLowerCase() ?? '').filter((name) => name !== '');
      return names.length > 0 ? names : ['none'];
    }
    return [];
  }

  return {
    addressesOf,
    async look(host) {
      const [texts, addresses, issuers, twin] = await Promise.all([
        answer(() => resolver.resolveTxt(proofHost(host))),
        addressesOf(host),
        issuersOf(host),
        addressesOf(twinOf(host)),
      ]);
      return {
        texts: texts?.map((parts) => parts.join('').trim().slice(0, 255)) ?? null,
        ...{ addresses: kinds(addresses), issuers, twin: kinds(twin) },
      };
    },
  };
}
