/** Names of hosts that a customer types: which are names at all, and which nobody may have. Pure. */
import { domainToUnicode } from 'node:url';
import { getDomain } from 'tldts';
import { isMixed, skeletonOf } from './lookalike.js';

/** Why a name is not taken. */
export const NAME_PROBLEMS = ['bad_name', 'sellers_name', 'mixed_scripts'] as const;
export type NameProblem = (typeof NAME_PROBLEMS)[number];

/** Lower case, in ASCII, two labels at least, and nothing that means something in a path or a pattern. */
const HOST = /^(?=.{4,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/;
/** No name of the public DNS ends so. */
const SPECIAL = /\.(localhost|local|internal|arpa|onion|invalid|home|lan|corp)$|\.\d+$/;

/** A host as the edge would have it in the name of a folder; others are no names. */
export function isHost(host: string): boolean {
  return HOST.test(host) && !SPECIAL.test(host);
}

/** With and without `www.` it is one name: what is proven, and who holds it, is said of this one. */
export function baseOf(host: string): string {
  return host.replace(/^www\./, '');
}

/** The other one of the two. */
export function twinOf(host: string): string {
  const base = baseOf(host);
  return host === base ? `www.${base}` : base;
}

/** Where the proof is: a TXT record with this name. */
export function proofHost(host: string): string {
  return `_odoo-saas.${baseOf(host)}`;
}

/**
 * What is wrong with a name; null where nothing is.
 * @param sellers hosts of the seller's own: whatever is below them, or looks like it, is no customer's.
 */
export function nameProblem(host: string, sellers: readonly string[]): NameProblem | null {
  if (!isHost(host) || getDomain(host) === null) return 'bad_name';
  const shown = domainToUnicode(host);
  // What cannot be decoded comes back empty, or as it was.
  if (shown === '' || /(^|\.)xn--/.test(shown)) return 'bad_name';
  if (sellers.some((seller) => isBelow(host, seller) || looksBelow(shown, seller))) return 'sellers_name';
  return shown.split('.').some(isMixed) ? 'mixed_scripts' : null;
}

function isBelow(host: string, seller: string): boolean {
  return host === seller || host.endsWith(`.${seller}`);
}

/** Whether the end of it is read as the seller's. */
function looksBelow(shown: string, seller: string): boolean {
  const count = seller.split('.').length;
  const end = shown.split('.').slice(-count).join('.');
  return skeletonOf(end) === skeletonOf(domainToUnicode(seller));
}

/**
 * The seller's own hosts.
 * @param template of the addresses of instances, such as `https://{name}.example.com`.
 * @param shops hosts or addresses of shops; null: not known.
 */
export function sellersHosts(template: string, shops: readonly (string | null)[]): string[] {
  const below = new URL(template.replaceAll('{port}', '1').replaceAll('{name}', 'a')).hostname.replace(/^[^.]*\./, '');
  const hosts = [below, ...shops.flatMap((shop) => hostsIn(shop))];
  const domains = hosts.flatMap((host) => getDomain(host) ?? []);
  return [...new Set([...hosts, ...domains])];
}

function hostsIn(shop: string | null): string[] {
  if (shop === null) return [];
  const text = shop.includes('://') ? shop : `http://${shop}`;
  const host = URL.canParse(text) ? new URL(text).hostname : '';
  return isHost(host) ? [host] : [];
}
