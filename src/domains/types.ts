/** A name of their own that a customer wants for an instance: data, and what is asked of DNS. */
import type { Answer, DomainProblem, Seen } from './finding.js';
import type { DomainProgress } from './state.js';

export interface WantedDomain {
  /** As the customer wants it: with `www.` or without. */
  host: string;
  /** The text of the TXT record that proves whose it is. */
  proof: string;
  /** When it was asked for, or a look at it. */
  askedAt: Date;
  /** The master knows that it was the address: the store may have been lost since. */
  isHeld: boolean;
}

export interface Domain extends DomainProgress {
  instanceKey: string;
  /** Without `www.`: what somebody holds. */
  base: string;
  host: string;
  proof: string;
  askedAt: Date;
  /** The last one who asked for a look was told what it has shown. */
  isAnswered: boolean;
  problem: DomainProblem | null;
  /** What DNS says instead. */
  found: string;
  isProven: boolean;
  isPointed: boolean;
  isTwinPointed: boolean;
  /** Of its certificate, in a row. */
  failures: number;
}

/** Asks DNS. Nothing that it names is connected to. */
export interface Dns {
  /** All that is asked of a host; whatever is not answered in time is null. */
  look(host: string): Promise<Seen>;
  /** Addresses that a host leads to. */
  addressesOf(host: string): Promise<Answer<string>>;
}
