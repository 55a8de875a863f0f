/** Random cycles on the real parts: something is asked for, and somewhere in the middle of it something breaks. */
import { settled } from '../support/daemon.js';
import { until } from '../support/world.js';
import { KINDS, type Stage } from './cases.js';
import { check } from './checker.js';
import { random } from './core.js';
import type { Customer } from './customers.js';
import type { Fault } from './plan-file.js';
import type { Room } from './room.js';
import { live, placesOf, type StageResult } from './stages.js';

const ACTS: [Exclude<Stage, 'night'>, Exclude<Stage, 'night'> | null][] = [
  ['restart', null],
  ['rebuild', null],
  ['stop', 'start'],
  ['suspend', 'resume'],
  ['extend', null],
];
const SYSTEMS = ['engine', 'master', 'store'] as const;
/** A call of the first ones after the fault was armed; there are always so many. */
const CALLS = 30;
const CHECK_EVERY = 5;

export async function randomCycles(
  room: Room,
  all: readonly Customer[],
  cycles: number,
  seed: number,
  tell: (result: StageResult) => void,
  isLate: () => boolean,
): Promise<void> {
  const dice = random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(dice() * list.length)] as T;
  for (let cycle = 1; cycle <= cycles && !isLate(); cycle++) {
    const startedAt = performance.now();
    const kind = pick(KINDS);
    const system = pick(SYSTEMS);
    const [act, back] = pick(ACTS);
    const customer = pick(all);
    const after = Math.floor(dice() * CALLS);
    const id = `cycle ${cycle}: ${kind} at the ${system}'s call ${after}, ${act} of ${customer.slug}`;
    const fault: Fault = { id, kind, point: { at: 'call', system, after } };
    room.arm([fault]);
    const note = await (async () => {
      const releasing = kind === 'errors always' ? releaseLater(room, id) : Promise.resolve();
      await live(room, act, [customer]);
      if (back) await live(room, back, [customer]);
      await until('the fault to be met', () => room.met().has(id));
      await releasing;
      await settled(room.w);
    })().then(
      () => '',
      (error: unknown) => String(error),
    );
    room.release([id]);
    const findings = cycle % CHECK_EVERY === 0 || note ? await check(placesOf(room), all) : [];
    const seconds = (performance.now() - startedAt) / 1000;
    tell({ stage: `cycle ${cycle}`, results: [{ id, passed: note === '', note }], findings, seconds });
  }
}

async function releaseLater(room: Room, id: string): Promise<void> {
  await until('the fault to last', () => (room.met().get(id) ?? 0) >= 3).catch(() => undefined);
  room.release([id]);
}
