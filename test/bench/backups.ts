/** What a backup, a trial and a restore of one small instance cost, as the daemon's log tells. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningDaemon } from '../../compose/demo/daemon.js';
import { createEngine } from '../../src/docker/engine/engine.js';
import { LABEL } from '../../src/instance/naming.js';
import type { OdooClient } from '../../src/odoo/client.js';

const PATIENCE_MS = 600_000;

export interface BackupFigures {
  backup_ms: number;
  backup_again_ms: number;
  restore_ms: number;
  prove_ms: number;
  backup_job_mb: number;
}

export interface BackupBench {
  /** May give commands. */
  manager: OdooClient;
  daemon: RunningDaemon;
  scope: string;
  name: string;
  /** Starts the daemon again, so that it makes trials now. */
  withTrials(): Promise<RunningDaemon>;
}

export async function backupFigures({ manager, daemon, scope, name, withTrials }: BackupBench): Promise<BackupFigures> {
  const [record] = (await manager.call('saas.instance', 'search', [[['name', '=', name]]])) as number[];
  const line = async ({ lines, logFile }: RunningDaemon, event: string, count = 1) => {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(100)) {
      const found = lines().filter((one) => one.event === event && one.instance === name)[count - 1];
      if (found) return found;
    }
    throw new Error(`${event} did not come; see ${logFile}`);
  };
  // The same asked for twice is one.
  const answered = async () => {
    const pending = [
      ['instance_id', '=', record],
      ['state', '=', 'pending'],
    ];
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(100)) {
      if ((await manager.call('saas.command', 'search_count', [pending])) === 0) return;
    }
    throw new Error(`a command was not answered; see ${daemon.logFile}`);
  };
  const backUp = async (count: number) => {
    await answered();
    await manager.call('saas.instance', 'action_back_up', [[record]]);
    const { durationMs } = await line(daemon, 'backup.made', count);
    // One that is asked for before the answer is here is the same one.
    const open = [
      ['instance_id', '=', record],
      ['state', '=', 'pending'],
    ];
    while (await manager.call('saas.command', 'search_count', [open])) await sleep(100);
    return Number(durationMs);
  };
  const memory = watchMemory(scope);
  const backup_ms = await backUp(1);
  const backup_again_ms = await backUp(2);
  const backup_job_mb = await memory.most();
  await answered();
  const values = { instance_id: record, command: 'restore', reason: 'bench' };
  const wizard = await manager.call('saas.command.wizard', 'create', [values]);
  await manager.call('saas.command.wizard', 'action_confirm', [[wizard]]);
  const done = await line(daemon, 'restore.done');
  const restore_ms = Date.parse(done.time) - Date.parse((await line(daemon, 'restore.begun')).time);
  const prove_ms = Number((await line(await withTrials(), 'proof.made')).durationMs);
  return { backup_ms, backup_again_ms, restore_ms, prove_ms, backup_job_mb };
}

/** The most memory that a task of a backup was seen to use, MB. */
function watchMemory(scope: string): { most(): Promise<number> } {
  const engine = createEngine({ socketPath: '/var/run/docker.sock' });
  let most = 0;
  let isOver = false;
  const look = async () => {
    for (; !isOver; await sleep(20)) {
      const jobs = await engine.listContainers([`${LABEL.scope}=${scope}`, `${LABEL.role}=job`]);
      for (const { Id, Names } of jobs.filter(({ State }) => State === 'running')) {
        if (!Names.some((one) => one.includes('_backup'))) continue;
        most = Math.max(most, await engine.memoryBytes(Id).catch(() => 0));
      }
    }
  };
  const looking = look();
  return {
    async most() {
      isOver = true;
      await looking;
      return Math.round(most / 104_857.6) / 10;
    },
  };
}
