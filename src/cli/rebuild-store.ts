/** `saas-bridge rebuild-store`: the store is set aside and made anew from the master's records and the engine's labels. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import type { Config } from '../config/config.js';
import { PHASE } from '../instance/phase.js';
import type { ObservedInstance } from '../instance/types.js';
import { type Clock, systemClock } from '../lib/clock.js';
import { messageOf, TerminalError } from '../lib/errors.js';
import type { Log } from '../lib/logger.js';
import { subjectOf } from '../owed/subject-of.js';
import { storedBond } from '../store/bond.js';
import { setStoreAside } from '../store/database.js';
import { lockStore } from '../store/lock.js';
import { openStore, type Store } from '../store/store.js';
import { connectMaster, ingestInto, openFleet } from '../wiring.js';
import { type Out, table } from './output.js';
import { pagesOf } from './read-master.js';
import { verdictOnScope } from './scope.js';

/** What the former store still owed the master: it is in the file that is kept, and nowhere else. */
export interface Former {
  /** Null where it could be read. */
  problem: string | null;
  owed: { what: string; instance: string | null }[];
  /** How many pushes it knows that the master answered. */
  answered: number;
}

interface Rebuilt {
  plans: number;
  purchases: number;
  instances: { name: string; key: string; state: string; engine: string; port: number | null }[];
  /** On the engine, and known to nobody. */
  strangers: { name: string; key: string }[];
  /** What a person should see to, in sentences. */
  warnings: string[];
}

/**
 * Needs the daemon stopped, and master and engine there; until all is read nothing is changed. May be repeated.
 * @throws TerminalError `store.locked` while a daemon works on the data folder; `store.ahead` where the former store knows
 *   more than the master; what master, engine and the ownership of the scope throw.
 */
export async function rebuildStore(config: Config, out: Out, asJson: boolean): Promise<void> {
  const { kept, former, ...rebuilt } = await remakeStore(config);
  if (asJson) out.write(`${JSON.stringify({ ...rebuilt, kept, former })}\n`);
  else out.write(`${inWords(rebuilt, kept, former)}\n`);
}

/** What `rebuildStore` does, without a word. `kept` is where the former store is now, null where there was none. */
export async function remakeStore(config: Config): Promise<Rebuilt & { kept: string | null; former: Former | null }> {
  const { dataDir, storePath } = config;
  const clock = systemClock(config.clockOffset);
  const lock = lockStore(dataDir);
  const { client, master } = connectMaster(config);
  const draft = `${storePath}.new`;
  try {
    // Another daemon's instances are none of ours; what the former store says of them is not believed.
    await verdictOnScope(config, null);
    const former = existsSync(storePath) ? formerStore(storePath) : null;
    const { generation } = await master.hello();
    if (former && former.answered > generation) throw ahead(former.answered, generation);
    removeFile(draft);
    const rebuilt = await build(config, draft, clock, master);
    const kept = existsSync(storePath) ? setStoreAside(storePath, new Date(), 'replaced') : null;
    renameSync(draft, storePath);
    return { ...rebuilt, kept, former };
  } finally {
    removeFile(draft);
    lock.release();
    await client.close();
  }
}

function formerStore(path: string): Former {
  try {
    const store = openStore(path, { access: 'readonly' });
    try {
      const { answered } = storedBond(store.meta, { daemon: '', host: '' }).caller();
      const nameOf = (lane: string) => store.instances.get(lane)?.name ?? null;
      const owed = store.outbox.owed().map(({ operation, lane }) => ({
        what: subjectOf(operation),
        instance: nameOf(lane),
      }));
      return { problem: null, owed, answered };
    } finally {
      store.close();
    }
  } catch (error) {
    // It is damaged, or of another version: that is why it is made anew.
    return { problem: messageOf(error), owed: [], answered: 0 };
  }
}

async function build(
  config: Config,
  path: string,
  clock: Clock,
  master: ReturnType<typeof connectMaster>['master'],
): Promise<Rebuilt> {
  const warnings: string[] = [];
  const { runtime } = await openFleet(config);
  const observed = await runtime.observeAll();
  const store = openStore(path, { clock });
  try {
    const ingest = ingestInto(store, config, clock, collecting(warnings));
    const count = { plans: 0, purchases: 0 };
    for await (const page of pagesOf(master)) {
      ingest.page(page, true);
      count.plans += page.plans.length;
      count.purchases += page.purchases.length;
    }
    for (const seen of observed.values()) {
      const problem = place(store, seen, runtime.placementAt);
      if (problem) warnings.push(problem);
    }
    const instances = store.instances.all().filter(({ phase }) => !PHASE[phase].gone);
    return {
      ...{ ...count, warnings },
      instances: instances.map(({ key, name, phase }) => ({
        ...{ name, key, state: phase, engine: seenAs(observed.get(key)) },
        port: store.instances.get(key)?.placement?.httpPort ?? null,
      })),
      strangers: [...observed.values()]
        .filter(({ key }) => store.instances.get(key) === null)
        .map(({ name, key }) => ({ name, key })),
    };
  } finally {
    store.close();
  }
}

/** An instance stands where its objects on the engine were made for. */
function place(
  store: Store,
  { key, name, slot, network, db, odoo }: ObservedInstance,
  placementAt: Awaited<ReturnType<typeof openFleet>>['runtime']['placementAt'],
): string | null {
  const instance = store.instances.get(key);
  if (!instance || PHASE[instance.phase].gone || slot === null || !(network || db || odoo)) return null;
  try {
    store.placements.set(key, placementAt(slot));
    return null;
  } catch (error) {
    return `${name} stands at place ${slot} of the engine, which it cannot keep: ${messageOf(error)}`;
  }
}

function seenAs(seen: ObservedInstance | undefined): string {
  if (!seen) return 'nothing';
  const state = (container: ObservedInstance['db']) =>
    container ? (container.running ? 'running' : 'stopped') : 'none';
  return `Odoo ${state(seen.odoo)}, PostgreSQL ${state(seen.db)}, ${seen.volumes ? 'data' : 'no data'}`;
}

/** Warnings are for the admin; the rest is the daemon's. */
function collecting(warnings: string[]): Log {
  const nothing = () => undefined;
  const keep = (_event: string, message: string) => void warnings.push(message);
  return { debug: nothing, info: nothing, warn: keep, error: keep };
}

function inWords(
  { plans, purchases, instances, strangers, warnings }: Rebuilt,
  kept: string | null,
  former: Former | null,
): string {
  const rows = instances.map(({ name, state, engine, port }) => [name, state, String(port ?? '-'), engine]);
  const lines = [
    `The master has ${plans} plans, ${purchases} purchases and ${instances.length} instances that are not deleted.`,
    ...(rows.length > 0 ? [table([['NAME', 'STATE', 'PORT', 'ENGINE'], ...rows])] : []),
    ...strangers.map(
      ({ name, key }) => `The engine has ${name} (${key}), of which the master knows nothing: left as it is.`,
    ),
    ...warnings,
  ];
  if (kept) lines.push(`The former store is kept as ${kept}.`);
  if (former?.problem) lines.push(`It could not be read: ${former.problem}`);
  return [...lines, ...owedBy(former), 'Start the daemon: it looks at each instance and reports it anew.'].join('\n');
}

/** What nobody sends any more. */
export function owedBy(former: Former | null): string[] {
  if (!former || former.owed.length === 0) return [];
  return [
    `${former.owed.length} writes were still owed to the master and are in that file alone:`,
    ...former.owed.map(({ what, instance }) => `- ${instance ?? '-'}: ${what}`),
  ];
}

function removeFile(path: string): void {
  for (const ending of ['-wal', '-shm', '']) rmSync(path + ending, { force: true });
}

function ahead(answered: number, generation: number): TerminalError {
  return new TerminalError(
    'store.ahead',
    `the store knows ${answered} pushes and the master only ${generation}: the master has gone back in time`,
    'The store knows what the master has lost: run saas-bridge reconcile-master instead.',
  );
}
