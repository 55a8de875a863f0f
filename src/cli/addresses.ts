/** Do the addresses of customers and shop keep their cookies apart, in a browser that knows the list of public suffixes? */
import { isIP } from 'node:net';
import { getDomain } from 'tldts';
import { addressesBy } from '../facts/address.js';
import type { Finding } from './finding.js';

const DOCUMENT = 'see "One domain for the customers" in compose/README.md';

export interface Addresses {
  urlTemplate: string;
  bindAddress: string;
  /** Of the shop. */
  masterUrl: string;
}

/** A browser lets a page set cookies for all of its registrable domain: neither shop nor another customer may be in it. */
export function addressFindings({ urlTemplate, bindAddress, masterUrl }: Addresses): Omit<Finding, 'part'>[] {
  const hostOf = (name: string) => new URL(addressesBy(urlTemplate)(name, { httpPort: 1 })).hostname;
  const [one, other, shop] = [hostOf('a'), hostOf('b'), new URL(masterUrl).hostname];
  const findings: Omit<Finding, 'part'>[] = [];
  const warn = (detail: string, advice: string) => findings.push({ ok: true, isWarning: true, detail, advice });
  if (siteOf(one) === siteOf(shop)) {
    warn(
      `customers and shop share ${siteOf(shop)}: an instance can set cookies for the shop`,
      `Give the customers a domain of their own in SAAS_INSTANCE_URL; ${DOCUMENT}.`,
    );
  } else if (siteOf(one) === siteOf(other)) {
    warn(
      `customers share ${siteOf(one)}, which is no public suffix: an instance can set cookies for another`,
      `Have it put on the public suffix list (publicsuffix.org); ${DOCUMENT}.`,
    );
  }
  if (!isPrivateAddress(bindAddress)) {
    warn(
      `instances are published on ${bindAddress}: a link to a port there, under another customer's name, is given its session`,
      'Set SAAS_BIND_ADDRESS to an address that only the reverse proxy reaches.',
    );
  }
  return findings.length > 0
    ? findings
    : [{ ok: true, detail: `${urlTemplate}: cookies of one customer reach no other` }];
}

/** What a page at the host may set cookies for: the registrable domain, or the host itself. */
function siteOf(host: string): string {
  return getDomain(host, { allowPrivateDomains: true }) ?? host;
}

/** Loopback or private (RFC 1918, RFC 6598, RFC 4193); not all addresses at once. */
function isPrivateAddress(address: string): boolean {
  if (isIP(address) === 6) return address === '::1' || /^f[cd]/i.test(address);
  return /^(127|10|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(address);
}
