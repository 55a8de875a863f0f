/** What does not agree between master, engine, disk and store. Pure. */
import { PHASE } from '../instance/phase.js';
import type { ObservedInstance } from '../instance/types.js';
import { diskFindings } from './disk.js';
import { engineFindings } from './engine.js';
import { type Finding, finding } from './kinds.js';
import type { MasterSeen, Picture, SeenInstance, SeenRecord, StoreSeen } from './picture.js';

/** A master that is away for a moment is no finding. */
const OLD_WRITE_MS = 10 * 60_000;
/** Odoo keeps whole seconds. */
const SAME_MS = 1_000;

/** In the order in which an admin goes through them. */
export function diagnose(picture: Picture): Finding[] {
  const { master, engine, store, unread } = picture;
  return [
    ...unread.map(({ part, reason }) => finding('unread', part, { part, reason })),
    ...(master && store ? bondFindings(master, store) : []),
    ...(engine ? engineFindings(picture, engine) : []),
    ...(master && store ? masterFindings(master, store) : []),
    ...(store ? storeFindings(store, picture) : []),
    ...diskFindings(picture),
  ];
}

/** What is under way is no finding: it is as it must be in a moment. */
export function isSettled({ phase, isInHand }: SeenInstance): boolean {
  return !isInHand && phase !== 'provisioning' && phase !== 'deleting';
}

/** Those that two looks have in common: whatever changed meanwhile was under way. */
export function inBoth(first: Finding[], second: Finding[]): Finding[] {
  const word = ({ kind, subject }: Finding) => `${kind} ${subject}`;
  const seen = new Set(first.map(word));
  return second.filter((one) => seen.has(word(one)));
}

function bondFindings({ generation, database }: MasterSeen, { bond }: StoreSeen): Finding[] {
  if (bond.database !== null && bond.database !== database) {
    return [finding('master_other', database, { database, known: bond.database })];
  }
  if (generation < bond.answered) {
    return [finding('master_gone_back', database, { generation, answered: bond.answered })];
  }
  if (bond.generation !== null && generation > bond.generation) {
    return [finding('store_behind', database, { generation, known: bond.generation })];
  }
  return [];
}

function masterFindings(master: MasterSeen, store: StoreSeen): Finding[] {
  const known = new Map(store.instances.map((instance) => [instance.key, instance]));
  const records = new Map(master.records.map((record) => [record.key, record]));
  const bought = new Set(store.purchases.map(({ key }) => key));
  return [
    ...store.instances
      .filter((instance) => !PHASE[instance.phase].gone && isSettled(instance) && !instance.isOwed)
      .flatMap((instance) => recordFindings(instance, records.get(instance.key))),
    ...master.records
      .filter(({ key, phase, requested }) => requested && !known.has(key) && !PHASE[phase].gone)
      .map(({ key, name }) => finding('record_unread', key, { key, name })),
    ...master.purchases
      .filter(({ key, counts }) => counts && !bought.has(key))
      .map(({ key, document }) => finding('purchase_unread', key, { key, document })),
  ];
}

function recordFindings(instance: SeenInstance, record: SeenRecord | undefined): Finding[] {
  const { key, name } = instance;
  if (!record) return instance.startedAt === null ? [] : [finding('record_missing', key, { name })];
  const difference = differenceOf(instance, record);
  return difference ? [finding('record_differs', key, { name, difference })] : [];
}

function differenceOf(instance: SeenInstance, record: SeenRecord): string | null {
  if (record.phase !== instance.phase) return `it is ${instance.phase}, and its record says ${record.phase}`;
  if (record.hold !== instance.hold) return `its hold is ${instance.hold}, and its record says ${record.hold}`;
  if (instance.problem !== null || isSame(record.paidUntil, instance.paidUntil)) return null;
  return `it is paid until ${text(instance.paidUntil)}, and its record says ${text(record.paidUntil)}`;
}

function isSame(a: Date | null, b: Date | null): boolean {
  return a === b || (a !== null && b !== null && Math.abs(a.getTime() - b.getTime()) <= SAME_MS);
}

function text(date: Date | null): string {
  return date?.toISOString() ?? 'no date';
}

function storeFindings(store: StoreSeen, { engine, master }: Picture): Finding[] {
  const names = new Map(store.instances.map(({ key, name }) => [key, name]));
  const observed = new Map(engine?.instances.map((seen) => [seen.key, seen]));
  const jobs = new Set(store.jobs.map(({ key }) => key));
  const { count, oldestAgeMs } = store.backlog;
  return [
    ...store.instances.flatMap((instance) => workFindings(instance, engine ? observed : null)),
    ...store.purchases
      .filter(({ counts }) => counts)
      .flatMap(({ key, document, instanceKey }) => {
        if (instanceKey === null) return [finding('purchase_unserved', key, { key, document })];
        return names.has(instanceKey) ? [] : [finding('purchase_astray', key, { key, document })];
      }),
    ...store.jobs.filter(({ key }) => !names.has(key)).map(({ key }) => finding('job_for_nobody', key, { key })),
    ...store.commands
      .filter(({ instanceKey }) => names.has(instanceKey) && !jobs.has(instanceKey))
      .map(({ command, instanceKey }) =>
        finding('command_waits', instanceKey, { command, name: names.get(instanceKey) ?? '' }),
      ),
    ...store.letters.map(({ id, what, instance, reason }) =>
      finding('letter', id, { id, what, name: instance ?? 'the daemon', reason: reason.replace(/\.$/, '') }),
    ),
    ...(master && oldestAgeMs >= OLD_WRITE_MS
      ? [finding('writes_wait', 'outbox', { count, minutes: Math.round(oldestAgeMs / 60_000) })]
      : []),
  ];
}

/** Work that nobody does. What failed is in hand: it is tried again, and a letter where it gave up. */
function workFindings(instance: SeenInstance, observed: Map<string, ObservedInstance> | null): Finding[] {
  const { key, name, phase, problem, steps } = instance;
  if (PHASE[phase].gone) return [];
  if (problem !== null) return [finding('undecided', key, { name, reason: problem })];
  if (!observed || steps.length === 0 || !isSettled(instance)) return [];
  return [finding('not_as_it_must_be', key, { name, steps: steps.join(', ') })];
}
