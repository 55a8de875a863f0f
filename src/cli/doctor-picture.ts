/** Reads what the doctor looks at: master, engine, disk and store, beside a running daemon. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config/config.js';
import type { DiskSeen, EngineSeen, MasterSeen, Picture, SeenInstance, StoreSeen } from '../doctor/picture.js';
import { LABEL, resourceNames } from '../instance/naming.js';
import { PHASE } from '../instance/phase.js';
import { listCopies } from '../keepers/exports.js';
import { systemClock } from '../lib/clock.js';
import { messageOf } from '../lib/errors.js';
import { storedBond } from '../store/bond.js';
import { isLocked } from '../store/lock.js';
import { readOwnerId } from '../store/owner-id.js';
import type { Store } from '../store/store.js';
import { isPaid } from '../subscription/parts.js';
import { connectMaster, openFleet, openMarker } from '../wiring.js';
import { listed } from './dead-letters.js';
import { factsOf, stepsOf } from './facts.js';
import { inStore } from './in-store.js';
import { pagesOf } from './read-master.js';

type Names = { key: string; name: string }[];

/** What cannot be read is null, and told. */
export async function takePicture(config: Config): Promise<Picture> {
  const unread: Picture['unread'] = [];
  async function part<T>(name: Picture['unread'][number]['part'], read: () => Promise<T> | T): Promise<T | null> {
    try {
      return await read();
    } catch (error) {
      unread.push({ part: name, reason: messageOf(error) });
      return null;
    }
  }
  const disk = await seeDisk(config);
  const master = await part('master', () => seeMaster(config));
  // The store as it is when engine and master have been read: what came meanwhile is in it.
  const seen = await part('engine', () => seeEngine(config));
  const store = existsSync(config.storePath)
    ? await part('store', () => inStore(config, 'readonly', (opened) => storeSeen(opened, config, seen)))
    : null;
  const living = store?.instances.filter(({ phase }) => !PHASE[phase].gone) ?? [];
  const engine = seen && { ...seen, foreign: seen.foreignTo(living) };
  const isRunning = isLocked(config.dataDir);
  return { now: systemClock(config.clockOffset)(), isRunning, master, engine, disk, store, unread };
}

async function seeMaster(config: Config): Promise<MasterSeen> {
  const { client, master } = connectMaster(config);
  try {
    const { generation, database_uuid: database } = await master.hello();
    const found: MasterSeen = { generation, database, records: [], purchases: [] };
    for await (const { instances, purchases } of pagesOf(master)) {
      found.records.push(...instances);
      found.purchases.push(
        ...purchases.map((purchase) => ({
          ...purchase,
          counts: isPaid(purchase),
        })),
      );
    }
    return found;
  } finally {
    await client.close();
  }
}

async function seeEngine(config: Config) {
  const { engine, runtime } = await openFleet(config);
  const { scope } = config.instances;
  const own = [`${LABEL.scope}=${scope}`, LABEL.key];
  const [observed, volumes, tasks, marker, ...all] = await Promise.all([
    runtime.observeAll(),
    engine.listVolumes(own),
    engine.listContainers([...own, `${LABEL.role}=job`]),
    openMarker(config).read(),
    ...([engine.listContainers([]), engine.listNetworks([]), engine.listVolumes([])] as const),
  ]);
  const byKey = new Map<string, string[]>();
  for (const { name, labels } of volumes) {
    const key = labels[LABEL.key] ?? '';
    byKey.set(key, [...(byKey.get(key) ?? []), name].sort());
  }
  const [containers, networks, others] = all;
  const objects = [
    ...containers.map(({ Names, Labels }) => ({ name: nameOf(Names), labels: Labels })),
    ...[...networks, ...others].map(({ name, labels }) => ({ name, labels })),
  ];
  /** What has a name that something of one of them has, or would have. */
  function foreignTo(living: Names): EngineSeen['foreign'] {
    const owner = new Map(
      living.flatMap((instance) =>
        Object.values(resourceNames(scope, instance.name)).map((name) => [name, instance] as const),
      ),
    );
    return objects.flatMap(({ name, labels }) => {
      const instance = owner.get(name);
      return instance && labels[LABEL.key] !== instance.key ? [{ name, instance: instance.name }] : [];
    });
  }
  return {
    ...{ instances: [...observed.values()], volumes: byKey, marker, foreignTo },
    tasks: tasks.map(({ Names }) => nameOf(Names)),
  };
}

function nameOf(names: string[]): string {
  return (names[0] ?? '').replace(/^\//, '');
}

async function seeDisk({ dataDir, exports }: Config): Promise<DiskSeen> {
  const folders = await readdir(path.join(dataDir, 'instances')).catch(() => []);
  return { ownerId: await readOwnerId(dataDir), folders, copies: await listCopies(exports.dir) };
}

function storeSeen(store: Store, config: Config, engine: Pick<EngineSeen, 'instances'> | null): StoreSeen {
  const now = systemClock(config.clockOffset)();
  const observed = new Map(engine?.instances.map((seen) => [seen.key, seen]));
  const jobs = new Map(store.jobs.all().map((job) => [job.instanceKey, job]));
  const owed = new Set(store.outbox.owed().map(({ lane }) => lane));
  const { database, generation, answered } = storedBond(store.meta, { daemon: '', host: '' }).caller();
  const instances = store.instances.all().map((instance): SeenInstance => {
    const { key, name, phase, hold, startedAt, placement } = instance;
    const { facts, problem } = factsOf(store, config, key, now);
    const job = jobs.get(key);
    return {
      ...{ key, name, phase, hold, startedAt, placement, problem },
      paidUntil: facts?.status.paidUntil ?? null,
      steps: facts && engine ? stepsOf(config, facts, observed.get(key)) : [],
      hasJob: job !== undefined,
      isInHand: job !== undefined && (job.claimedBy !== null || job.attempts > 0 || job.runAt <= now),
      isOwed: owed.has(key),
    };
  });
  return {
    instances,
    jobs: [...jobs.keys()].map((key) => ({ key })),
    commands: store.commands.pending(),
    purchases: store.purchases.all().map((purchase) => ({
      ...{ key: purchase.key, document: purchase.document, instanceKey: purchase.instanceKey },
      counts: isPaid(purchase),
    })),
    letters: listed(store),
    backlog: store.outbox.backlog(now),
    bond: { database: database || null, generation: generation === false ? null : generation, answered },
  };
}
