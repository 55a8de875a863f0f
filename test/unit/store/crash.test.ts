import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { TerminalError } from '../../../src/lib/errors.js';
import { lockStore } from '../../../src/store/lock.js';
import { openStore, type Store } from '../../../src/store/store.js';
import { quickest } from '../../support/pace.js';

const VICTIM = fileURLToPath(new URL('victim.ts', import.meta.url));

describe('a daemon killed with SIGKILL', function () {
  this.timeout(30_000);
  let dir: string;
  let child: ChildProcess | null;
  let lines: string[];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'saas-crash-'));
    child = null;
    lines = [];
  });
  afterEach(async () => {
    await kill();
    rmSync(dir, { recursive: true });
  });

  /** Starts the victim and waits for its first line. */
  async function start(scenario: string): Promise<void> {
    const started = spawn(process.execPath, ['--import', 'tsx', VICTIM, scenario, dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child = started;
    let rest = '';
    await new Promise<void>((resolve, reject) => {
      started.once('exit', (code) => reject(new Error(`the victim ended by itself: ${code}`)));
      started.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop() ?? '';
        lines.push(...parts);
        if (lines.length > 0) resolve();
      });
    });
  }

  async function kill(): Promise<void> {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }

  function reopened(check: (store: Store) => void): void {
    const store = openStore(join(dir, 'bridge.db'));
    try {
      expect(store.db.pragma('integrity_check', { simple: true })).to.equal('ok');
      check(store);
    } finally {
      store.close();
    }
  }

  function refusal(): TerminalError {
    try {
      lockStore(dir).release();
    } catch (error) {
      if (error instanceof TerminalError) return error;
      throw error;
    }
    throw new Error('the lock was free');
  }

  it('leaves nothing of the transaction it was in, and all of the one before', async () => {
    await start('transaction');
    await kill();
    expect(lines).to.deep.equal(['inside']);
    reopened((store) => {
      expect(store.instances.all().map(({ key, placement }) => [key, placement?.slot])).to.deep.equal([['sol:1', 0]]);
      expect(store.jobs.all().map(({ instanceKey }) => instanceKey)).to.deep.equal(['sol:1']);
      expect(store.outbox.due(new Date(), 10).map(({ lane }) => lane)).to.deep.equal(['sol:1']);
    });
  });

  it('leaves claims and sends that the next daemon takes over', async () => {
    await start('claims');
    await kill();
    reopened((store) => {
      const now = new Date();
      expect(store.jobs.claim(now, 'next', 10).map(({ instanceKey }) => instanceKey)).to.deep.equal(['sol:3']);
      expect(store.outbox.due(now, 10).map(({ lane }) => lane)).to.deep.equal(['sol:3']);
      store.jobs.releaseAll();
      store.outbox.releaseAll();
      const jobs = store.jobs.claim(now, 'next', 10);
      expect(jobs.map(({ instanceKey }) => instanceKey)).to.deep.equal(['sol:1', 'sol:2', 'sol:3']);
      for (const { instanceKey, token } of jobs) expect(store.jobs.complete(instanceKey, token, null)).to.equal(true);
      expect(store.jobs.all()).to.deep.equal([]);
      expect(store.outbox.due(now, 10).map(({ lane }) => lane)).to.deep.equal(['sol:1', 'sol:2', 'sol:3']);
    });
  });

  it('loses nothing it said it had committed, at whatever instant it dies', async () => {
    for (const delayMs of [0, 40]) {
      rmSync(dir, { recursive: true });
      lines = [];
      await start('busy');
      await sleep(delayMs);
      await kill();
      const committed = Number(lines.at(-1));
      reopened((store) => {
        const instances = store.instances.all();
        expect(instances.length).to.be.within(committed, committed + 1);
        expect(store.jobs.all()).to.have.length(instances.length);
        expect(store.outbox.backlog(new Date()).count).to.equal(instances.length);
        expect(
          instances.map(({ placement }) => placement?.slot).toSorted((a, b) => Number(a) - Number(b)),
        ).to.deep.equal([...instances.keys()]);
      });
    }
  });

  it('keeps a second daemon away while it lives, not readers, and nobody once it is dead', async () => {
    openStore(join(dir, 'bridge.db')).close();
    await start('lock');
    const error = refusal();
    expect(await quickest(refusal), 'it waits for nothing').to.be.lessThan(1_000);
    expect(error.code).to.equal('store.locked');
    expect(error.message).to.include(join(dir, 'daemon.lock')).and.include(`pid ${child?.pid}`);
    expect(refusal().code, 'a refused attempt does not break the lock').to.equal('store.locked');
    openStore(join(dir, 'bridge.db'), { access: 'readonly' }).close();

    await kill();
    const lock = lockStore(dir);
    expect(readFileSync(join(dir, 'daemon.pid'), 'utf8').trim()).to.equal(String(process.pid));
    expect(refusal().message).to.include(`pid ${process.pid}`);
    lock.release();
    lock.release();
    lockStore(dir).release();
  });
});
