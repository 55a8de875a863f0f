/**
 * `npm run faults -- --json`: every step, operation, command and write to the master with every fault, on the real
 * engine and the real master. Progress is on standard error, one line a case; the last line of standard output is the result.
 */
import { parseArgs } from 'node:util';
import { settled } from '../support/daemon.js';
import { confirmDialog } from '../support/staff.js';
import { endWorld, world } from '../support/world.js';
import { allCases, type Case, STAGES, type Stage } from './cases.js';
import { FINDINGS, type Finding } from './checker.js';
import { coreCycles } from './core.js';
import { customers, each, makePlans, register } from './customers.js';
import { randomCycles } from './cycles.js';
import { playOutside } from './outside.js';
import { enterRoom } from './room.js';
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
    keep: { type: 'boolean', default: false },
  },
});

const say = (text: string) => process.stderr.write(`${text}\n`);
/** Each command has six faults, and each of the three ways to delete takes its own customers. */
const COUNT = 18;
const WAYS: Stage[] = ['delete', 'delete as it is', 'delete without copy'];

const seed = Number(options.seed ?? Date.now() % 1_000_000);
say(`seed ${seed}`);
const startedAt = performance.now();
const w = await world();
const room = await enterRoom(w);
await makePlans(w);
const wanted = options.stages?.split(',') ?? [...STAGES];
const all = customers('fallo', COUNT, (index) => index < COUNT - 6);
await each(all, (customer) => register(w, customer));

const results: StageResult[] = [];
const cases = allCases().filter(({ stage }) => wanted.includes(stage));
for (const stage of STAGES) {
  // Before anybody is deleted.
  if (stage === 'delete') {
    await keepPaid();
    if (options.outside !== 'none') {
      const isWanted = (name: string) => name.includes(options.outside);
      results.push(...(await playOutside(room, all, room.ahead(), tell, isWanted)));
    }
    results.push(...(await randomCycles(room, all, Number(options['real-cycles']), seed, tell)));
  }
  if (!wanted.includes(stage)) continue;
  const ofStage = cases.filter((one) => one.stage === stage);
  say(`== ${stage}: ${ofStage.length} cases`);
  const result = await live(stage, ofStage).catch(
    (error: unknown): StageResult => ({
      stage,
      results: ofStage.map(({ id }) => ({ id, passed: false, note: String(error) })),
      findings: [],
      seconds: 0,
    }),
  );
  tell(result);
  results.push(result);
}

/** What follows must find nobody whose time is over. */
async function keepPaid(): Promise<void> {
  for (const one of all) one.grants++;
  await each(all, ({ record }) =>
    confirmDialog(room.manager, record, 'action_extend', { days: 700, reason: 'fault run' }),
  );
  await settled(w);
}

function live(stage: Stage, ofStage: Case[]): Promise<StageResult> {
  if (stage === 'night') return liveThroughNights(room, ofStage, all, all);
  const way = WAYS.indexOf(stage);
  const third = way < 0 ? all : all.slice(way * 6, way * 6 + 6);
  return liveThrough(room, stage, ofStage, third, all);
}

function tell({ stage, results: list, findings, seconds }: StageResult): void {
  for (const { id, passed, note } of list) say(`${passed ? 'ok    ' : 'FAILED'} ${id}${note ? ` (${note})` : ''}`);
  for (const { kind, what } of findings) say(`FOUND  ${kind}: ${what}`);
  say(`-- ${stage}: ${seconds.toFixed(0)} s`);
}

const found: Finding[] = results.flatMap(({ findings }) => findings);
const done = results.flatMap(({ results: list }) => list);
const distinct = new Map(found.map((one) => [`${one.kind} ${one.what}`, one]));
say(`== random cycles of the core, in memory, seed ${seed}`);
const core = await coreCycles(Number(options.cycles), seed);
say(`-- ${core.cycles} cycles, ${core.met} faults met, ${core.killed} × killed, ${core.findings.length} found`);
for (const { kind, what } of core.findings) say(`FOUND  ${kind}: ${what}`);
for (const one of core.findings) distinct.set(`${one.kind} ${one.what}`, one);
const counts = Object.fromEntries(
  FINDINGS.map((kind) => [kind, [...distinct.values()].filter((one) => one.kind === kind).length]),
);
const stuck = (counts.stuck ?? 0) + done.filter(({ passed }) => !passed).length;
const answer = {
  cases: done.length,
  killed: room.deaths(),
  ...counts,
  stuck,
  seed,
  core: { cycles: core.cycles, faults: core.met, killed: core.killed },
};
const isGood = FINDINGS.every((kind) => answer[kind as keyof typeof answer] === 0) && done.length > 0;
say(`${((performance.now() - startedAt) / 60_000).toFixed(1)} minutes`);
await room.leave();
if (!options.keep) await endWorld();
process.stdout.write(options.json ? `${JSON.stringify(answer)}\n` : `${JSON.stringify(answer, null, 2)}\n`);
process.exit(isGood ? 0 : 1);
