/** Where the instances stand: no two at the same place. The runtime makes the places, this keeps who has which. */
import type Database from 'better-sqlite3';
import type { Placement } from '../instance/placement.js';
import type { Clock } from '../lib/clock.js';
import { RetryableError, TerminalError } from '../lib/errors.js';
import { DAY_MS, HOUR_MS } from '../subscription/calendar.js';
import type { Ringer } from './bell.js';
import { toMs } from './time.js';

/** How long a place that was left by an instance is given to nobody else. */
const REST_MS = 30 * DAY_MS;

/** What places there are. */
export interface Places {
  capacity: number;
  placementAt(slot: number): Placement;
}

export interface PlacementTable {
  /**
   * The place of the instance, or the lowest free one, given to it now. What a deleted instance has left is given away only
   * when nothing else is, for a month: old links and bookmarks must not lead to somebody new.
   * @param isUsable an extra condition, e.g. that nothing on the engine has it.
   * @throws RetryableError `store.no_slot` when none is free, TerminalError `store.no_instance`.
   */
  allocate(instanceKey: string, places: Places, isUsable?: (slot: number) => boolean): Placement;
  /** The instance stands there: the engine says so. Throws where another instance has the place. */
  set(instanceKey: string, placement: Placement): void;
  /** Something else is in the way: takes the place away from the instance and gives it to nobody for an hour. */
  retire(instanceKey: string): void;
  /** The instance is deleted: its place is free again, and rests. */
  release(instanceKey: string): void;
  /** Writes down the places of instances that were kept by their number alone. */
  complete(placementAt: (slot: number) => Placement): void;
}

export function placementTable(db: Database.Database, clock: Clock, bell: Ringer): PlacementTable {
  const placeOf = db.prepare<[string], { slot: number | null; placement: string | null; started_at: number | null }>(
    'SELECT slot, placement, started_at FROM instances WHERE key = ?',
  );
  const taken = db
    .prepare<[number], number>(`
      SELECT slot FROM instances WHERE slot IS NOT NULL UNION SELECT slot FROM bad_slots WHERE until > ?`)
    .pluck();
  const setPlace = db.prepare<[number | null, string | null, string]>(
    'UPDATE instances SET slot = ?, placement = ? WHERE key = ?',
  );
  const selectOld = db.prepare<[], { key: string; slot: number }>(
    'SELECT key, slot FROM instances WHERE slot IS NOT NULL AND placement IS NULL',
  );
  const markBad = db.prepare<[number, number]>(
    'INSERT INTO bad_slots (slot, until) VALUES (?, ?) ON CONFLICT DO UPDATE SET until = excluded.until',
  );

  const left = db.prepare<[number], number>('SELECT slot FROM left_slots WHERE at > ? ORDER BY at, slot').pluck();
  const markLeft = db.prepare<[number, number]>(
    'INSERT INTO left_slots (slot, at) VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at',
  );

  const allocate = db.transaction(
    (instanceKey: string, { capacity, placementAt }: Places, isUsable: (slot: number) => boolean): Placement => {
      const row = placeOf.get(instanceKey);
      if (row === undefined) {
        throw new TerminalError(
          'store.no_instance',
          `no instance ${instanceKey}`,
          'Run a full poll to rebuild what is known.',
        );
      }
      if (row.placement !== null) return JSON.parse(row.placement) as Placement;
      const now = toMs(clock());
      const used = new Set(taken.all(now));
      const resting = new Set(left.all(now - REST_MS).filter((slot) => slot < capacity));
      const isFree = (slot: number) => !used.has(slot) && isUsable(slot);
      const slot = lowest(capacity, (slot) => !resting.has(slot) && isFree(slot)) ?? [...resting].find(isFree);
      if (slot !== undefined) {
        const placement = placementAt(slot);
        setPlace.run(slot, JSON.stringify(placement), instanceKey);
        return placement;
      }
      throw new RetryableError(
        'store.no_slot',
        `none of the ${capacity} slots is free for ${instanceKey}`,
        'Widen the port range in the configuration, or delete instances that are no longer needed.',
      );
    },
  );

  const retire = db.transaction((instanceKey: string) => {
    const slot = placeOf.get(instanceKey)?.slot ?? null;
    if (slot === null) return;
    markBad.run(slot, toMs(clock()) + HOUR_MS);
    leave(instanceKey);
  });

  const leave = db.transaction((instanceKey: string) => {
    const { slot, started_at: startedAt } = placeOf.get(instanceKey) ?? {};
    // Nobody has a link to what was never served.
    if (slot != null && startedAt != null) markLeft.run(slot, toMs(clock()));
    setPlace.run(null, null, instanceKey);
  });

  return {
    allocate(instanceKey, places, isUsable = () => true) {
      const placement = allocate.immediate(instanceKey, places, isUsable);
      bell.ringFor(instanceKey);
      return placement;
    },
    set(instanceKey, placement) {
      setPlace.run(placement.slot, JSON.stringify(placement), instanceKey);
      bell.ringFor(instanceKey);
    },
    retire(instanceKey) {
      retire.immediate(instanceKey);
      bell.ringFor(instanceKey);
    },
    release(instanceKey) {
      leave(instanceKey);
      bell.ringFor(instanceKey);
    },
    complete(placementAt) {
      for (const { key, slot } of selectOld.all()) setPlace.run(slot, JSON.stringify(placementAt(slot)), key);
    },
  };
}

function lowest(capacity: number, isFree: (slot: number) => boolean): number | undefined {
  for (let slot = 0; slot < capacity; slot++) if (isFree(slot)) return slot;
  return undefined;
}
