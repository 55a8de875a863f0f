/**
 * `npm run faults -- --json`: every step, operation, command and write to the master with every fault, on the real
 * engine and the real master. Progress is on standard error, one line a case; the last line of standard output is the result.
 */
import { parseArgs } from 'node:util';
import { settled } from '../support/daemon.js';
import { confirmDialog } from '../support/staff.js';
import { endWorld, world } from '../support/world.js';
import { allCases, type Case, STAGES, type Stage } from './cases.js';
import { FINDINGS, type FindingKind } from './checker.js';
import { type CoreResult, coreCycles } from './core.js';
import { type Customer, customers, each, makePlans, register } from './customers.js';
import { randomCycles } from './cycles.js';
import { playOutside } from './outside.js';
import { enterRoom, type Room } from './room.js';
import { liveThrough, liveThroughNights, type StageResult } from './stages.js';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    /** Of the life of an instance, these stages only; the first is `buy`. */
    stages: { type: 'string' },
    /** Trouble from outside whose name holds this; `none`. */
    outside: { type: 'string', default: '' },
    /** Random cycles: of the core, and of the real parts. */
    cycles: { type: 'string', default: '3000' },
    'real-cycles': { type: 'string', default: '20' },
    seed: { type: 'string' },
    'core-only': { type: 'boolean', default: false },
    /** After so many no other stage is begun; what was not run has not passed. */
    minutes: { type: 'string', default: '120' },
    keep: { type: 'boolean', default: false },
  },
});

const say = (text: string) => process.stderr.write(`${text}\n`);
/** Each command has six faults, and each of the three ways to delete takes its own customers. */
const COUNT = 18;
const WAYS: Stage[] = ['delete', 'delete as it is', 'delete without copy'];

const LEAST_CASES = 150;

const seed = Number(options.seed ?? Date.now() % 1_000_000);
const endsAt = performance.now() + Number(options.minutes) * 60_000;
const isLate = () => performance.now() > endsAt;
const isWhole = options.stages === undefined && options.outside === '';
say(`seed ${seed}`);
const startedAt = performance.now();
const { results, killed, notRun } = options['core-only'] ? { results: [], killed: 0, notRun: 0 } : await breakReality();
const core = await breakCore();
const isGood = tellAll();
process.exit(isGood ? 0 : 1);

/** On the real engine and the real master. */
async function breakReality() {
  const w = await world();
  const room = await enterRoom(w);
  await makePlans(w);
  const all = customers('fallo', COUNT, (index) => index < COUNT - 6);
  await each(all, (customer) => register(w, customer));
  const lost = new Set<Customer>();
  const fit = (list: Customer[]) => list.filter((one) => !lost.has(one));
  const wanted = options.stages?.split(',') ?? [...STAGES];
  const cases = allCases().filter(({ stage }) => wanted.includes(stage));
  const results: StageResult[] = [];
  const keep = (result: StageResult) => {
    tell(result);
    for (const customer of result.left ?? []) lost.add(customer);
    results.push(result);
  };
  for (const stage of STAGES) {
    // Before anybody is deleted.
    if (stage === 'delete' && (isWhole || options.outside)) {
      await keepPaid(room, fit(all));
      const isWanted = (name: string) => options.outside !== 'none' && name.includes(options.outside);
      await playOutside(room, fit(all), room.ahead(), keep, isWanted, isLate);
      await randomCycles(room, fit(all), Number(options['real-cycles']), seed, keep, isLate);
    }
    const ofStage = cases.filter((one) => one.stage === stage);
    if (ofStage.length === 0 || isLate()) continue;
    say(`== ${stage}: ${ofStage.length} cases`);
    keep(await live(room, stage, ofStage, all, fit).catch((error: unknown) => failed(stage, ofStage, error)));
  }
  const killed = room.deaths();
  await room.leave();
  if (!options.keep) await endWorld();
  const run = new Set(results.flatMap((one) => one.results.map(({ id }) => id)));
  return { results, killed, notRun: cases.filter(({ id }) => !run.has(id)).length };
}

/** What follows must find nobody whose time is over. */
async function keepPaid(room: Room, all: Customer[]): Promise<void> {
  for (const one of all) one.grants++;
  await each(all, ({ record }) =>
    confirmDialog(room.manager, record, 'action_extend', { days: 700, reason: 'fault run' }),
  );
  await settled(room.w);
}

function live(
  room: Room,
  stage: Stage,
  ofStage: Case[],
  all: Customer[],
  fit: (list: Customer[]) => Customer[],
): Promise<StageResult> {
  if (stage === 'night') return liveThroughNights(room, ofStage, fit(all), fit(all));
  const way = WAYS.indexOf(stage);
  const third = way < 0 ? all : all.slice(way * 6, way * 6 + 6);
  return liveThrough(room, stage, ofStage, fit(third), fit(all));
}

function failed(stage: Stage, ofStage: Case[], error: unknown): StageResult {
  const results = ofStage.map(({ id }) => ({ id, passed: false, note: String(error) }));
  return { stage, results, findings: [], seconds: 0 };
}

function tell({ stage, results: list, findings, seconds }: StageResult): void {
  for (const { id, passed, note } of list) say(`${passed ? 'ok    ' : 'FAILED'} ${id}${note ? ` (${note})` : ''}`);
  for (const { kind, what } of findings) say(`FOUND  ${kind}: ${what}`);
  say(`-- ${stage}: ${seconds.toFixed(0)} s`);
}

async function breakCore(): Promise<CoreResult> {
  say(`== random cycles of the core, in memory, seed ${seed}`);
  const result = await coreCycles(Number(options.cycles), seed);
  const { cycles, met, killed: deaths, findings } = result;
  say(`-- ${cycles} cycles, ${met} faults met, ${deaths} × killed, ${findings.length} found`);
  for (const { kind, what } of findings) say(`FOUND  ${kind}: ${what}`);
  return result;
}

function tellAll(): boolean {
  const done = results.flatMap((one) => one.results);
  const found = [...results.flatMap(({ findings }) => findings), ...core.findings];
  // What is not mended is found after each stage.
  const distinct = [...new Map(found.map((one) => [`${one.kind} ${one.what}`, one])).values()];
  const counts = Object.fromEntries(
    FINDINGS.map((kind) => [kind, distinct.filter((one) => one.kind === kind).length]),
  ) as Record<FindingKind, number>;
  counts.stuck += done.filter(({ passed }) => !passed).length;
  const answer = {
    cases: done.length,
    killed,
    ...counts,
    ...(notRun > 0 ? { not_run: notRun } : {}),
    seed,
    core: { cycles: core.cycles, faults: core.met, killed: core.killed },
  };
  say(`${((performance.now() - startedAt) / 60_000).toFixed(1)} minutes`);
  process.stdout.write(options.json ? `${JSON.stringify(answer)}\n` : `${JSON.stringify(answer, null, 2)}\n`);
  const isEnough = options['core-only'] || !isWhole || done.length >= LEAST_CASES;
  return isEnough && notRun === 0 && FINDINGS.every((kind) => counts[kind] === 0);
}
