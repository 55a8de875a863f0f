/** What daemon and master know differently, after one of them went back in time. Pure. */
import { PHASE } from '../instance/phase.js';
import type { Instance } from '../instance/types.js';
import { fullKeyOf, isAnother } from '../subscription/identity.js';
import type { Purchase } from '../subscription/types.js';

/** All that the master has. */
export interface Read {
  purchases: Pick<Purchase, 'key' | 'createdOn' | 'document'>[];
  instances: Pick<Instance, 'key' | 'name' | 'phase'>[];
}

export interface Difference {
  what: string;
  /** What is done about it, and what a person must do. */
  does: string;
}

type Known = Pick<Instance, 'key' | 'name' | 'phase' | 'customer'>;

/** In the order in which an admin goes through them. */
export function differencesOf(instances: Known[], purchases: Purchase[], master: Read): Difference[] {
  const lines = new Map(master.purchases.map((purchase) => [purchase.key, purchase]));
  const records = new Map(master.instances.map((record) => [record.key, record]));
  const names = new Map(instances.map(({ key, name }) => [key, name]));
  return [
    ...purchases
      .filter(({ key, state }) => state === 'open' && !key.includes('.'))
      .flatMap((purchase): Difference[] => {
        const there = lines.get(purchase.key);
        const name = names.get(purchase.instanceKey ?? '') ?? 'no instance';
        const kept = `Its time goes on counting for ${name}. Enter the document again for the books, not as a plan.`;
        if (!there)
          return [{ what: `${purchase.document} (${purchase.key}) is not in the master any more.`, does: kept }];
        if (!isAnother(purchase, there)) return [];
        return [
          {
            what: `${purchase.key} was ${purchase.document} and is ${there.document} now.`,
            does: `${fullKeyOf(purchase)}: ${kept}`,
          },
        ];
      }),
    ...instances.flatMap(({ key, name, phase, customer }): Difference[] => {
      const record = records.get(key);
      const { gone } = PHASE[phase];
      if (!record && gone) return [];
      if (!record) {
        const does = `It goes on running; its record is made anew for ${customer.name}, unless the customer is gone too.`;
        return [{ what: `${name} (${key}) has no record in the master any more.`, does }];
      }
      if (record.phase === phase) return [];
      const does = gone ? 'The record is told that it is deleted.' : 'The record is told how it is.';
      return [{ what: `${name} (${key}) is ${phase}, and its record says ${record.phase}.`, does }];
    }),
  ];
}
