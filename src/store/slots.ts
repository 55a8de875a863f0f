/** The numbers that ports and subnets are computed from: one an instance, the lowest that is free. */
import type Database from 'better-sqlite3';
import type { Clock } from '../lib/clock.js';
import { RetryableError, TerminalError } from '../lib/errors.js';
import { HOUR_MS } from '../subscription/calendar.js';
import { toMs } from './time.js';

export interface SlotTable {
  /**
   * The slot of the instance, or the lowest free one from 0 to `maxSlots` - 1, given to it now.
   * @param isUsable an extra condition, e.g. that no other program listens on its port.
   * @throws RetryableError `store.no_slot` when none is free, TerminalError `store.no_instance`.
   */
  allocate(instanceKey: string, maxSlots: number, isUsable?: (slot: number) => boolean): number;
  /** Somebody else holds the port: takes the slot away from the instance and gives it to nobody for an hour. */
  retire(instanceKey: string): void;
  /** The instance is deleted: its slot is free again. */
  release(instanceKey: string): void;
}

export function slotTable(db: Database.Database, clock: Clock): SlotTable {
  const slotOf = db.prepare<[string], { slot: number | null }>('SELECT slot FROM instances WHERE key = ?');
  const taken = db
    .prepare<[number], number>(`
      SELECT slot FROM instances WHERE slot IS NOT NULL UNION SELECT slot FROM bad_slots WHERE until > ?`)
    .pluck();
  const setSlot = db.prepare<[number | null, string]>('UPDATE instances SET slot = ? WHERE key = ?');
  const markBad = db.prepare<[number, number]>(
    'INSERT INTO bad_slots (slot, until) VALUES (?, ?) ON CONFLICT DO UPDATE SET until = excluded.until',
  );

  const allocate = db.transaction((instanceKey: string, maxSlots: number, isUsable: (slot: number) => boolean) => {
    const row = slotOf.get(instanceKey);
    if (row === undefined) {
      throw new TerminalError(
        'store.no_instance',
        `no instance ${instanceKey}`,
        'Run a full poll to rebuild what is known.',
      );
    }
    if (row.slot !== null) return row.slot;
    const used = new Set(taken.all(toMs(clock())));
    for (let slot = 0; slot < maxSlots; slot++) {
      if (used.has(slot) || !isUsable(slot)) continue;
      setSlot.run(slot, instanceKey);
      return slot;
    }
    throw new RetryableError(
      'store.no_slot',
      `none of the ${maxSlots} slots is free for ${instanceKey}`,
      'Widen the port range in the configuration, or delete instances that are no longer needed.',
    );
  });

  const retire = db.transaction((instanceKey: string) => {
    const slot = slotOf.get(instanceKey)?.slot ?? null;
    if (slot === null) return;
    markBad.run(slot, toMs(clock()) + HOUR_MS);
    setSlot.run(null, instanceKey);
  });

  return {
    allocate: (instanceKey, maxSlots, isUsable = () => true) => allocate.immediate(instanceKey, maxSlots, isUsable),
    retire: (instanceKey) => retire.immediate(instanceKey),
    release(instanceKey) {
      setSlot.run(null, instanceKey);
    },
  };
}
