/** From what DNS says of a host to what is wrong with it, if anything. Pure. */
import { NAME_PROBLEMS } from './name.js';

/** What DNS answered; null: it did not answer, or not in time. An empty list: there is nothing. */
export type Answer<T> = T[] | null;

/** `inside`: of a private network, of the machine itself or reserved. `proxy`: of a network that stands before sites. */
export type AddressKind = 'public' | 'inside' | 'proxy';

export interface Address {
  address: string;
  kind: AddressKind;
}

export interface Seen {
  /** The texts of the TXT records at the name of the proof. */
  texts: Answer<string>;
  addresses: Answer<Address>;
  /** Who may issue certificates, of the closest CAA records; empty: everybody. `none` in it: nobody. */
  issuers: Answer<string>;
  /** Where the other one of `www.` and without leads. */
  twin: Answer<Address>;
}

export const DNS_PROBLEMS = [
  'no_proof',
  'wrong_proof',
  'no_address',
  'wrong_target',
  'proxied',
  'inside',
  'caa',
  'unanswered',
] as const;
export type DnsProblem = (typeof DNS_PROBLEMS)[number];

/** Why a customer's own name is not, or not any more, the address of an instance. */
export const DOMAIN_PROBLEMS = [
  ...NAME_PROBLEMS,
  ...DNS_PROBLEMS,
  'taken',
  'over_limit',
  'no_edge',
  'no_certificate',
] as const;
export type DomainProblem = (typeof DOMAIN_PROBLEMS)[number];

export interface Finding {
  problem: DomainProblem | null;
  /** What was found instead, for people: addresses, texts, issuers. Empty: nothing. */
  found: string;
  /** The proof is there. */
  isProven: boolean;
  /** It leads here, and nowhere else. */
  isPointed: boolean;
  /** So does the other one of `www.` and without. */
  isTwinPointed: boolean;
}

export interface Wanted {
  /** The text that proves whose the name is. */
  proof: string;
  /** Addresses of the edge, as DNS or the settings say; null: not known. */
  edge: Answer<string>;
  /** Whom the edge asks for certificates, as CAA names it. */
  issuer: string;
  /** It is held already: who has cleaned the proof away since keeps it. */
  isHeld: boolean;
}

const PROOF_PREFIX = /^odoo-saas=/;

export function findingOf({ texts, addresses, issuers, twin }: Seen, { proof, edge, issuer, isHeld }: Wanted): Finding {
  const isProven = texts?.includes(proof) ?? false;
  const strangers = edge === null ? null : strangersIn(addresses, edge);
  const isPointed = strangers !== null && strangers.length === 0 && (addresses?.length ?? 0) > 0;
  const strangeTwins = edge === null ? null : strangersIn(twin, edge);
  const isTwinPointed = strangeTwins !== null && strangeTwins.length === 0 && (twin?.length ?? 0) > 0;
  const seen = { isProven, isPointed, isTwinPointed };
  const say = (problem: DomainProblem | null, found: readonly string[] = []): Finding => ({
    ...{ problem, found: found.slice(0, 4).join(', ').slice(0, 200) },
    ...seen,
  });
  if (!isHeld && !isProven) {
    if (texts === null) return say('unanswered');
    const others = texts.filter((text) => PROOF_PREFIX.test(text));
    return others.length > 0 ? say('wrong_proof', others) : say('no_proof');
  }
  if (addresses === null || strangers === null) return say('unanswered');
  if (addresses.length === 0) return say('no_address');
  if (strangers.length > 0) {
    return say(
      problemOf(strangers),
      strangers.map(({ address }) => address),
    );
  }
  if (issuers === null) return say('unanswered');
  return issuers.length > 0 && !issuers.includes(issuer) ? say('caa', issuers) : say(null);
}

function strangersIn(addresses: Answer<Address>, edge: readonly string[]): Address[] | null {
  return addresses?.filter(({ address }) => !edge.includes(address)) ?? null;
}

function problemOf(strangers: Address[]): DnsProblem {
  if (strangers.some(({ kind }) => kind === 'inside')) return 'inside';
  return strangers.some(({ kind }) => kind === 'proxy') ? 'proxied' : 'wrong_target';
}
