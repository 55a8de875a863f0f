/** What the master is told of the names of their own that customers have. Pure. */
import { isHeld } from '../domains/state.js';
import type { Domain } from '../domains/types.js';
import type { PushOperation } from '../protocol/push.js';
import { toOdooTime } from '../protocol/time.js';

export interface DomainReport {
  domains: readonly Domain[];
  /** The host that a CNAME leads to. */
  target: string;
  /** What an A or AAAA record may hold; null: not known. */
  addresses: readonly string[] | null;
}

export function domainsOperation(instanceKey: string, { domains, target, addresses }: DomainReport): PushOperation {
  const values = {
    domain_target: target,
    ...(addresses === null ? {} : { domain_addresses: addresses.slice(0, 8).join(', ') }),
    domains: domains.map(
      ({ host, state, problem, found, isProven, isPointed, isTwinPointed, isAnswered, askedAt }) => ({
        ...{ host, state, problem, found, proven: isProven, pointed: isPointed, twin: isHeld(state) && isTwinPointed },
        answered_on: isAnswered ? toOdooTime(askedAt) : null,
      }),
    ),
  };
  return { op: 'instance', key: `instance:${instanceKey}`, instance_key: instanceKey, values };
}
