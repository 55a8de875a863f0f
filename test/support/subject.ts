/** One instance that a test follows through time. */
import { instances, type Record as SaasRecord } from '../../compose/demo/records.js';
import { until, type World } from './world.js';

const DAY_MS = 86_400_000;

export interface Subject {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  /** Its record as it is now. */
  now(): Promise<SaasRecord>;
  /** Days for which it is paid, from the beginning of its first period. */
  paidDays(): Promise<number>;
  /** Waits until it is paid for exactly so many days. */
  paidFor(days: number): Promise<void>;
  inState(state: string): Promise<SaasRecord>;
}

/** @param days the length of the first period, which is paid when `record` is read. */
export function subject(w: World, { id, key, name, paid_until }: SaasRecord, days: number): Subject {
  const begun = Date.parse(`${paid_until}Z`) - days * DAY_MS;
  const now = async () => {
    const [row] = await instances(w.admin, [['key', '=', key]]);
    if (!row) throw new Error(`the record of ${name} is gone`);
    return row;
  };
  const paidDays = async () => (Date.parse(`${(await now()).paid_until}Z`) - begun) / DAY_MS;
  return {
    id,
    key,
    name,
    now,
    paidDays,
    async paidFor(wanted) {
      let seen = Number.NaN;
      await until(`${name} to be paid for ${wanted} days`, async () => {
        seen = await paidDays();
        // Half an hour: what is paid late begins with the payment, a moment after the day that was traveled to.
        return Math.abs(seen - wanted) < 0.02;
      }).catch((error: Error) => {
        throw new Error(`${error.message}; it is paid for ${seen}`);
      });
    },
    inState: (state) =>
      until(`${name} to be ${state}`, async () => {
        const row = await now();
        if (row.state === 'error') throw new Error(String(row.error_message));
        return row.state === state && row;
      }),
  };
}
