/** `saas-bridge check`: are both sides there, and if not, what is wrong and what to do. */
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { targetName } from '../backup/target.js';
import type { Config } from '../config/config.js';
import { dueOf } from '../facts/due.js';
import { secretKeyIn } from '../keepers/ownership.js';
import { systemClock } from '../lib/clock.js';
import { BridgeError, messageOf, TerminalError } from '../lib/errors.js';
import { readDaemonKey } from '../store/daemon-key.js';
import { openStore } from '../store/store.js';
import { connectMaster, openFleet, releaseIn, repositoriesOf, targetOf } from '../wiring.js';
import { addressFindings } from './addresses.js';
import { edgeOf } from './edge.js';
import { egressFindings } from './egress.js';
import { factsOf } from './facts.js';
import type { Finding } from './finding.js';
import { inStore } from './in-store.js';
import { mark, type Out } from './output.js';
import { placesOf } from './places.js';
import { verdictOnScope } from './scope.js';

const MAX_CLOCK_SKEW_MS = 60_000;

/** Runs every check, prints the findings, and tells whether all is well. */
export async function check(config: Config, out: Out, asJson: boolean): Promise<boolean> {
  const findings = [
    ...(await tryPart('data folder', async () => [writable(config.dataDir)])),
    ...(await tryPart('final copies', async () => [finalCopies(config)])),
    ...(await tryPart('store', async () => [storeFinding(config)])),
    ...(await tryPart('engine', () => engineFindings(config))),
    ...(await tryPart('scope', () => scopeFindings(config))),
    ...(await tryPart('releases', () => releaseFindings(config))),
    ...(await tryPart('backups', () => backupFindings(config))),
    ...(await tryPart('ports', async () => [await placesOf(config)])),
    ...(await tryPart('addresses', async () => addressFindings({ ...config.instances, masterUrl: config.odoo.url }))),
    ...(await tryPart('edge', () => edgeOf(config, systemClock(config.clockOffset)()))),
    ...(await tryPart('egress', () => egressFindings(config))),
    ...(await tryPart('master', () => masterFindings(config))),
  ];
  const ok = findings.every((finding) => finding.ok);
  if (asJson) out.write(`${JSON.stringify({ ok, findings })}\n`);
  else {
    for (const { part, ok: good, isWarning, detail, advice } of findings) {
      out.write(`${mark(!good ? 'wrong' : isWarning ? 'warn' : 'ok', out)}  ${part.padEnd(12)} ${detail}\n`);
      if (advice) out.write(`${' '.repeat(20)}→ ${advice}\n`);
    }
  }
  return ok;
}

async function tryPart(part: string, run: () => Promise<Omit<Finding, 'part'>[]>): Promise<Finding[]> {
  try {
    return (await run()).map((finding) => ({ part, ...finding }));
  } catch (error) {
    const advice = error instanceof BridgeError ? { advice: error.advice } : {};
    return [{ part, ok: false, detail: messageOf(error), ...advice }];
  }
}

function writable(folder: string): Omit<Finding, 'part'> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const advice = `Create it and give it to the daemon's user: install -d -m 700 -o USER ${folder}`;
    throw new TerminalError('data.unusable', `${folder}: ${messageOf(error)}`, advice);
  }
  return { ok: true, detail: `${folder} can be written` };
}

function finalCopies({ exports }: Config): Omit<Finding, 'part'> {
  return exports.keptDays === 0 ? { ok: true, detail: 'none are made of deleted instances' } : writable(exports.dir);
}

/** Beside a running daemon too. Before the first run there is none. */
function storeFinding(config: Config): Omit<Finding, 'part'> {
  const { storePath } = config;
  if (!existsSync(storePath)) return { ok: true, detail: `${storePath} is made by the first run` };
  const count = inStore(config, 'readonly', (store) => store.instances.all().length);
  return { ok: true, detail: `${storePath} can be read and knows ${count} instances` };
}

async function engineFindings(config: Config): Promise<Omit<Finding, 'part'>[]> {
  const { engine, runtime } = await openFleet(config);
  await runtime.ping();
  const { odooImage, postgresImage } = config.instances;
  await Promise.all([engine.imageId(odooImage), engine.imageId(postgresImage)]);
  const observed = await runtime.observeAll();
  return [{ ok: true, detail: `answers, has ${odooImage} and ${postgresImage}, ${observed.size} instances` }];
}

/** Whose the scope is, and whether the key is the one of its instances. */
async function scopeFindings(config: Config): Promise<Omit<Finding, 'part'>[]> {
  const { scope } = config.instances;
  const store = existsSync(config.storePath) ? openStore(config.storePath, { access: 'readonly' }) : null;
  const verdict = await verdictOnScope(config, store).finally(() => store?.close());
  const detail = { ours: `${scope} belongs to this data folder`, free: `${scope} is free: the next start takes it` };
  return [{ ok: true, detail: detail[verdict] }];
}

/** What runs something else than it would be made from today. None of it changes by itself. */
async function releaseFindings(config: Config): Promise<Omit<Finding, 'part'>[]> {
  const { odooImage, postgresImage } = config.instances;
  if (!existsSync(config.storePath))
    return [{ ok: true, detail: `new instances run ${odooImage} and ${postgresImage}` }];
  const { runtime } = await openFleet(config);
  const now = systemClock(config.clockOffset)();
  const due = inStore(config, 'readonly', (store) =>
    store.instances.all().flatMap(({ key, name }) => {
      const { facts } = factsOf(store, config, key, now);
      const found = facts && dueOf(facts, releaseIn(config), runtime.revision);
      return found ? [{ name, ...found }] : [];
    }),
  );
  if (due.length === 0) return [{ ok: true, detail: `all instances run what they would be made from today` }];
  const list = (some: typeof due) =>
    `${some
      .slice(0, 3)
      .map(({ name }) => name)
      .join(', ')}${some.length > 3 ? ', …' : ''}`;
  const [soon, later] = [due.filter(({ atNextStart }) => atNextStart), due.filter(({ atNextStart }) => !atNextStart)];
  return [
    ...(soon.length > 0
      ? [{ ok: true, detail: `${soon.length} take an upgrade at their next start: ${list(soon)}` }]
      : []),
    ...(later.length > 0
      ? [{ ok: true, detail: `${later.length} keep their version: ${list(later)}; ${later[0]?.reason}` }]
      : []),
  ];
}

/** Whether the target answers; and whether it is of any use when the disk is lost. */
async function backupFindings(config: Config): Promise<Omit<Finding, 'part'>[]> {
  const { engine, backups } = await openFleet(config);
  await engine.imageId(config.backups.image);
  const key = await readDaemonKey(secretKeyIn(config.dataDir));
  const target = targetOf(config);
  if (!key) return [{ ok: true, detail: `${targetName(target)} is tried once there is a secret.key` }];
  await backups.probe(repositoriesOf(config, key)('rec:0'));
  const detail = `${targetName(target)} answers`;
  if (config.backups.target) return [{ ok: true, detail }];
  const advice = 'Set SAAS_BACKUP_TARGET to another disk or another place.';
  return [{ ok: true, detail: `${detail}, but it is on the disk of the data: lost with it`, advice }];
}

async function masterFindings(config: Config): Promise<Omit<Finding, 'part'>[]> {
  const { client, master } = connectMaster(config);
  try {
    const hello = await master.hello();
    const skewMs = hello.server_time.getTime() - Date.now();
    const findings: Omit<Finding, 'part'>[] = [
      { ok: true, detail: `${hello.company}: Odoo ${hello.odoo_version}, addon ${hello.addon_version}` },
    ];
    if (Math.abs(skewMs) > MAX_CLOCK_SKEW_MS) {
      findings.push({
        ok: false,
        detail: `its clock differs from this host's by ${Math.round(skewMs / 1000)} s`,
        advice: 'Let both hosts take their time from NTP.',
      });
    }
    for (const warning of hello.warnings) findings.push({ ok: false, detail: warning });
    return findings;
  } finally {
    await client.close();
  }
}
