/** A daemon that dies, and is started again each time; faults are armed in it while it runs. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OdooClient } from '../../src/odoo/client.js';
import { managerOf } from '../support/staff.js';
import { DAEMON, type World } from '../support/world.js';
import { type Fault, metOf, type Plan, writePlan } from './plan-file.js';
import { buildVictim } from './victim-build.js';

/** A call that hangs costs so long; each that is honest takes less, on a machine with much to do. */
const TIMEOUTS = { SAAS_DOCKER_TIMEOUT: '15', SAAS_ODOO_TIMEOUT: '15' };
const STARTS = 40;

export interface Room {
  readonly w: World;
  readonly manager: OdooClient;
  /** How often its daemon has died. */
  deaths(): number;
  arm(faults: Fault[]): void;
  release(ids: string[]): void;
  /** How often each fault was met. */
  met(): Map<string, number>;
  /** Stops it for good reasons, does something, and starts it with these settings from now on. */
  restart(settings?: Record<string, string>, meanwhile?: () => Promise<void> | void): Promise<void>;
  /** Seconds that its clock is ahead. */
  ahead(): number;
  /** Dies without a fault: SIGKILL from outside. */
  kill(): Promise<void>;
  /** The daemon that others use is back. */
  leave(): Promise<void>;
}

export async function enterRoom(w: World): Promise<Room> {
  const file = path.join(path.dirname(DAEMON.dataDir), 'faults.json');
  const program = [await buildVictim(path.dirname(file))];
  let plan: Plan = { faults: [], released: [] };
  let settings: Record<string, string> = {};
  let deaths = 0;
  let isOurs = true;
  let isOver = false;
  rmSync(`${file}.met`, { force: true });
  writePlan(file, plan);

  async function start(meanwhile?: () => Promise<void> | void, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await w.restart({
          signal,
          program,
          settings: { ...TIMEOUTS, ...settings, FAULTS_FILE: file },
          ...(meanwhile && tries === 1 ? { meanwhile } : {}),
        });
        return;
      } catch (error) {
        // It may be killed before it answers.
        if (tries >= STARTS || !/ended at once|did not answer/.test(String(error))) throw error;
        deaths++;
        await sleep(200);
      }
    }
  }

  /** Starts it again whenever it is dead. */
  async function guard(): Promise<void> {
    while (!isOver) {
      if (isOurs && !isAlive(w.daemon().pid)) {
        deaths++;
        await start().catch((error: unknown) => {
          process.stderr.write(`the daemon could not be started again: ${String(error)}\n`);
        });
      }
      await sleep(50);
    }
  }

  async function alone(work: () => Promise<void>): Promise<void> {
    while (!isOurs) await sleep(20);
    isOurs = false;
    try {
      await work();
    } finally {
      isOurs = true;
    }
  }

  await start();
  const guarding = guard();
  const manager = managerOf(w);
  return {
    w,
    manager,
    deaths: () => deaths,
    arm(faults) {
      plan = { ...plan, faults: [...plan.faults, ...faults] };
      writePlan(file, plan);
    },
    release(ids) {
      plan = { ...plan, released: [...plan.released, ...ids] };
      writePlan(file, plan);
    },
    met: () => metOf(file),
    ahead: () => Number(/^PT(-?\d+)S$/.exec(settings.SAAS_CLOCK_OFFSET ?? '')?.[1] ?? 0),
    restart: (changes = {}, meanwhile) =>
      alone(async () => {
        settings = { ...settings, ...changes };
        await start(meanwhile);
      }),
    kill: () =>
      alone(async () => {
        deaths++;
        await start(undefined, 'SIGKILL');
      }),
    async leave() {
      isOver = true;
      await guarding;
      await manager.close();
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
