/**
 * `saas-bridge restore --all`: on a host that has nothing, every instance gets the data of its last backup, from the
 * repositories, `secret.key` and the master. The daemon starts them afterwards.
 */
import { existsSync } from 'node:fs';
import PQueue from 'p-queue';
import type { Config } from '../config/config.js';
import { specReader } from '../facts/spec-of.js';
import { PHASE } from '../instance/phase.js';
import { releaseOf } from '../instance/release.js';
import type { Instance } from '../instance/types.js';
import { ownerHere, secretKeyIn } from '../keepers/ownership.js';
import { systemClock } from '../lib/clock.js';
import { messageOf, TerminalError } from '../lib/errors.js';
import { readDaemonKey } from '../store/daemon-key.js';
import { lockStore } from '../store/lock.js';
import { type Restoring, readRestoring, writeRestoring } from '../store/restoring.js';
import { openStore, type Store } from '../store/store.js';
import { openFleet, openMarker, releaseIn, repositoriesOf } from '../wiring.js';
import { moment, type Out, table } from './output.js';
import { type Former, owedBy, remakeStore } from './rebuild-store.js';

interface Restored {
  name: string;
  key: string;
  /** As the master knows it. */
  state: string;
  /** Of its backup. */
  at: Date | null;
  result: 'restored' | 'has data' | 'no backup' | 'failed';
  problem: string | null;
  seconds: number;
}

/**
 * Needs the daemon stopped, and master, engine and target there. May be repeated: what is restored is not restored again, and
 * data that it has not brought is never replaced. Resolves with whether all have their data.
 * @param progress is told of each instance when it is done.
 * @throws TerminalError `key.none`, `store.locked`; what `probe` and `remakeStore` throw.
 */
export async function restoreAll(config: Config, out: Out, progress: Out, asJson: boolean): Promise<boolean> {
  const { dataDir, storePath } = config;
  const daemonKey = await readDaemonKey(secretKeyIn(dataDir));
  if (!daemonKey) {
    const advice = 'Put the secret.key there that the backups were made with: backup-self has copied it.';
    throw new TerminalError('key.none', `there is no secret.key in ${dataDir}`, advice);
  }
  // A target that is away would be waited for by each of them.
  await (await openFleet(config)).backups.probe(repositoriesOf(config, daemonKey)('rec:0'));
  const before = readRestoring(dataDir);
  const places = before ? [] : formerInstances(storePath);
  const remade = before ? null : await remakeStore(config);
  const restoring = before ?? {};
  writeRestoring(dataDir, restoring);
  const lock = lockStore(dataDir);
  const store = openStore(storePath, { clock: systemClock(config.clockOffset) });
  try {
    await openMarker(config).claim(await ownerHere(dataDir, daemonKey, false));
    takePlaces(store, places);
    const restore = await restorer(config, store, daemonKey, restoring);
    const queue = new PQueue({ concurrency: config.backups.concurrency });
    const instances = store.instances.all().filter(({ phase, startedAt }) => startedAt !== null && !PHASE[phase].gone);
    const results = await queue.addAll(
      instances.map((instance) => async () => {
        const result = await restore(instance);
        progress.write(`${result.name}: ${result.problem ?? result.result} (${result.seconds} s)\n`);
        return result;
      }),
    );
    const isWhole = results.every(({ result }) => result === 'restored' || result === 'has data');
    if (isWhole) writeRestoring(dataDir, null);
    const told = { isWhole, kept: remade?.kept ?? null, former: remade?.former ?? null };
    if (asJson) out.write(`${JSON.stringify({ instances: results, ...told })}\n`);
    else out.write(`${inWords(results, told, config.policy.timeZone)}\n`);
    return isWhole;
  } finally {
    store.close();
    lock.release();
  }
}

/** Gives what restores one instance. It never throws. */
async function restorer(config: Config, store: Store, daemonKey: Buffer, restoring: Restoring) {
  const { runtime, backups } = await openFleet(config);
  // Of a try that was killed.
  await runtime.endLeftTasks();
  const repositoryOf = repositoriesOf(config, daemonKey);
  // Only files and databases are made: where it will be reached says the daemon.
  const specOf = specReader(() => '');
  const note = (key: string, state: Restoring[string]) => {
    restoring[key] = state;
    writeRestoring(config.dataDir, restoring);
  };

  async function fill(instance: Instance): Promise<Pick<Restored, 'at' | 'result' | 'problem'>> {
    const { key, generation } = instance;
    const { volumes, odoo, db } = await runtime.observe(instance);
    if (restoring[key] === 'restored' && volumes) {
      return { result: 'restored', at: store.backups.get(key)?.madeAt ?? null, problem: null };
    }
    // Empty ones that the daemon has made meanwhile of one that could not be restored are no data.
    const isHalf = restoring[key] !== undefined && !odoo && !db && generation === 0;
    if (volumes && !isHalf) return { result: 'has data', at: null, problem: null };
    const plan = store.plans.get(instance.planId);
    const placement = instance.placement ?? runtime.placementAt(0);
    const release = instance.release ?? (plan && releaseOf(plan, releaseIn(config)));
    const spec = plan && release && specOf({ instance: { ...instance, placement, release, generation: 0 }, plan });
    if (!spec) throw new Error('the master does not tell its plan');
    const repository = repositoryOf(key);
    if (!isHalf) note(key, 'empty');
    const snapshot = (await backups.list(spec, repository)).at(-1);
    if (!snapshot) return { result: 'no backup', at: null, problem: 'there is no backup of it' };
    note(key, 'begun');
    await backups.restore(spec, repository, snapshot.id);
    store.transaction(() => {
      store.instances.update(key, { release, generation: 0 });
      store.backups.exists(key, snapshot.at);
      store.backups.update(key, { madeAt: snapshot.at, snapshot: snapshot.id });
    });
    note(key, 'restored');
    return { result: 'restored', at: snapshot.at, problem: null };
  }

  /** Half of the data is none. What cannot be removed now stays `begun`. */
  async function clear(instance: Instance): Promise<void> {
    if (restoring[instance.key] !== 'begun') return;
    await runtime.removeVolumes(instance);
    note(instance.key, 'empty');
  }

  return async (instance: Instance): Promise<Restored> => {
    const startedAt = performance.now();
    const { key, name, phase } = instance;
    const done = await fill(instance).catch(async (error: unknown) => {
      const second = await clear(instance).catch(messageOf);
      const problem = messageOf(error) + (second ? `; and what is half there cannot be removed: ${second}` : '');
      return { result: 'failed', at: null, problem } as const;
    });
    return { name, key, state: phase, ...done, seconds: Math.round((performance.now() - startedAt) / 1000) };
  };
}

/** Where they were reached, and what they ran: from the copy of the store, where there is one. */
function formerInstances(storePath: string): Instance[] {
  if (!existsSync(storePath)) return [];
  try {
    const store = openStore(storePath, { access: 'readonly' });
    try {
      return store.instances.all();
    } finally {
      store.close();
    }
  } catch {
    // It is damaged, or of another version: they get other ports.
    return [];
  }
}

function takePlaces(store: Store, former: Instance[]): void {
  for (const { key, placement, release } of former) {
    const instance = store.instances.get(key);
    if (!instance || PHASE[instance.phase].gone) continue;
    if (release) store.instances.update(key, { release });
    if (placement && instance.placement === null) store.placements.set(key, placement);
  }
}

function inWords(
  results: Restored[],
  { isWhole, kept, former }: { isWhole: boolean; kept: string | null; former: Former | null },
  timeZone: string,
): string {
  const rows = results.map(({ name, state, at, result, problem }) => [
    ...[name, state, moment(at, timeZone), result === 'failed' ? `failed: ${problem}` : result],
  ]);
  return [
    `${results.filter(({ result }) => result === 'restored').length} of ${results.length} instances are restored.`,
    ...(rows.length > 0 ? [table([['NAME', 'STATE', 'BACKUP OF', 'RESULT'], ...rows])] : []),
    ...(kept ? [`The former store is kept as ${kept}.`] : []),
    ...owedBy(former),
    ...(isWhole ? [] : ['Repeat it when the cause is mended: what is restored is left as it is.']),
    'Start the daemon: it starts those that are paid.',
  ].join('\n');
}
