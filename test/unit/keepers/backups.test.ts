import { expect } from 'chai';
import type { BackupMade, BackupOptions, Repository } from '../../../src/instance/backups.js';
import type { Phase } from '../../../src/instance/phase.js';
import type { InstanceSpec } from '../../../src/instance/spec.js';
import { createBackupMaker } from '../../../src/keepers/backup-maker.js';
import { startRemovals } from '../../../src/keepers/backup-removals.js';
import { startBackups } from '../../../src/keepers/backups.js';
import { startProofs } from '../../../src/keepers/proofs.js';
import { startRestores } from '../../../src/keepers/restores.js';
import { RetryableError } from '../../../src/lib/errors.js';
import type { Loop } from '../../../src/lib/loop.js';
import { createMetrics } from '../../../src/lib/metrics.js';
import { backupOperation } from '../../../src/owed/backups.js';
import { keptLog, only, PLAN, until } from '../reconcile/support.js';
import { newInstance, places, type TestStore, testStore } from '../store/support.js';

const HOUR = 3_600_000;
const NIGHT = { from: 60, to: 300, timeZone: 'UTC' };
const SNAPSHOT = 'a'.repeat(64);
const MADE: BackupMade = { snapshot: SNAPSHOT, bytes: 5e6, addedBytes: 1e5, kept: null, moments: null };

describe('the backups', () => {
  let test: TestStore;
  let log: ReturnType<typeof keptLog>;
  let loop: Loop | null;
  let made: (BackupOptions & { name: string })[];
  let opened: string[];

  beforeEach(() => {
    test = testStore();
    log = keptLog();
    loop = null;
    made = [];
    opened = [];
    test.store.plans.save([PLAN]);
  });
  afterEach(async () => {
    await loop?.stop();
    test.remove();
  });

  const common = () => ({
    store: test.store,
    repositoryOf: () => only<Repository>({}),
    specOf: ({ instance: { name } }: { instance: { name: string } }) => only<InstanceSpec>({ name }),
    night: NIGHT,
    clock: () => test.now,
    log,
  });
  function start(make: (name: string) => Promise<BackupMade> = async () => MADE): void {
    const maker = createBackupMaker({
      ...common(),
      backups: {
        async make({ name }, _repository, options) {
          made.push({ name, ...options });
          return make(name);
        },
      },
      metrics: createMetrics(only({})),
      async openDatabase(key, work) {
        opened.push(key);
        return work();
      },
    });
    loop = startBackups({ ...common(), maker, concurrency: 2 });
  }
  function add(name: string, phase: Phase = 'running'): void {
    test.store.instances.create({ ...newInstance(name), phase, startedAt: test.now }, () => name);
    test.store.placements.allocate(name, places(100));
    test.store.backups.seen(name, phase, test.now);
  }
  const later = (hours: number) => {
    test.now = new Date(test.now.getTime() + hours * HOUR);
    loop?.wake();
  };
  const row = (name: string) => test.store.backups.get(name) ?? expect.fail(name);
  const command = (id: number, name: 'back_up' | 'restore', moment: Date | null = null) =>
    test.store.commands.add([{ id, instanceKey: 'acme', command: name, requestedBy: 'Ann', planId: null, moment }]);
  const answers = () =>
    test.store.outbox.owed().flatMap(({ operation }) => (operation.op === 'command' ? [operation.result] : []));

  it('are made in the night, and once', async () => {
    add('acme');
    start();
    later(1);
    await until(() => Number(test.store.backups.nextDueAt()) > test.now.getTime());
    expect(made).deep.equal([]);
    later(20);
    await until(() => row('acme').madeAt !== null);
    expect(row('acme')).to.include({ snapshot: SNAPSHOT, bytes: 5e6, failures: 0, error: null });
    expect(made[0]).to.include({ name: 'acme', mustExist: false, tag: 'nightly' });
    expect(made[0]?.keep).to.include({ daily: 7, prune: true });
    later(1);
    expect(test.store.backups.nextDueAt()?.getTime()).above(test.now.getTime());
    later(30);
    await until(() => made.length === 2);
    expect(made[1]).to.include({ mustExist: true });
    expect(made[1]?.keep).to.include({ prune: false });
  });

  it('tell the master the moments to which it can go back, where they are known', async () => {
    add('acme');
    const moments = [new Date('2026-01-11T02:00:05.7Z'), new Date('2026-01-10T02:00:04Z')];
    start(async () => ({ ...MADE, moments }));
    const told = () =>
      test.store.outbox
        .owed()
        .flatMap(({ operation }) => (operation.op === 'instance' ? [operation.values] : []))
        .at(-1);
    later(24);
    await until(() => told() !== undefined);
    expect(told()?.backup_moments).equal('2026-01-11 02:00:05,2026-01-10 02:00:04');
    // What it knows is left as it is.
    expect(backupOperation(row('acme'))).not.nested.property('values.backup_moments');
  });

  it('of one that is down open its database, and are not made again before it has run', async () => {
    add('acme', 'suspended');
    start();
    later(24);
    await until(() => made.length === 1 && !row('acme').changed);
    expect(opened).deep.equal(['acme']);
    later(100);
    expect(test.store.backups.nextDueAt()).equal(null);
    test.store.backups.seen('acme', 'running', test.now);
    expect(row('acme').changed).equal(true);
    expect(test.store.backups.nextDueAt()).deep.equal(test.now);
  });

  it('are tried again, and a to-do tells of one that is too old', async () => {
    add('acme');
    start(() => Promise.reject(new RetryableError('backup.database', 'no answer', 'x')));
    later(24);
    await until(() => row('acme').failures === 1);
    later(4);
    await until(() => row('acme').failures === 2);
    const todos = test.store.outbox.owed().filter(({ operation }) => operation.op === 'todo');
    expect(todos).length(1);
    later(5);
    await until(() => row('acme').failures === 3);
    expect(test.store.outbox.owed().filter(({ operation }) => operation.op === 'todo')).length(1);
    expect(row('acme').error).equal('no answer');
  });

  it('that fail for the target hold up nobody else for long, and tell the managers once', async () => {
    add('acme');
    add('other');
    start(() => Promise.reject(new RetryableError('backup.unreachable', 'no route', 'x')));
    later(24);
    await until(() => made.length >= 1);
    expect(test.store.outbox.owed().filter(({ operation }) => operation.op === 'todo')).deep.equal([]);
  });

  it('that a person asks for are made at once, and answered', async () => {
    add('acme');
    start();
    await until(() => test.store.backups.nextDueAt() !== null);
    command(1, 'back_up');
    test.store.backups.lookAt('acme', test.now);
    loop?.wake();
    await until(() => answers().length === 1);
    expect(answers()).deep.equal(['done']);
    expect(made[0]).to.include({ tag: 'asked', mustExist: false });
  });

  it('are restored on trial, and what is not whole is told at once', async () => {
    add('acme');
    test.store.backups.update('acme', { madeAt: test.now, snapshot: SNAPSHOT });
    let isWhole = false;
    const tried: string[] = [];
    loop = startProofs({
      ...common(),
      backups: {
        removeLeft: async () => undefined,
        async prove(_spec, _repository, snapshot) {
          tried.push(snapshot);
          if (!isWhole) throw new RetryableError('backup.not_whole', '3 files are missing', 'x');
        },
      },
    });
    // Noon is no time for it.
    expect(tried).deep.equal([]);
    later(14);
    await until(() => row('acme').proofError !== null);
    expect(test.store.outbox.owed().filter(({ operation }) => operation.op === 'todo')).length(1);
    isWhole = true;
    later(24);
    await until(() => row('acme').provenAt !== null);
    expect(row('acme').proofError).equal(null);
    later(24);
    expect(tried).deep.equal([SNAPSHOT, SNAPSHOT]);
  });

  it('are made before a rebuild that a person asks for, and not before one that the daemon does for who keeps dying', async () => {
    add('acme');
    const maker = createBackupMaker({
      ...common(),
      backups: {
        async make({ name }, _repository, options) {
          made.push({ name, ...options });
          return MADE;
        },
      },
      metrics: createMetrics(only({})),
      openDatabase: (_key, work) => work(),
    });
    test.store.operations.begin('acme', 'rebuild', 'recovery');
    await maker.makeBefore('acme', 'rebuild');
    expect(made).deep.equal([]);
    test.store.operations.forget('acme', 'rebuild');
    test.store.operations.begin('acme', 'rebuild', 'command');
    await maker.makeBefore('acme', 'rebuild');
    expect(made.map(({ tag }) => tag)).deep.equal(['rebuild']);
    await maker.makeBefore('acme', 'refusal');
    expect(made.map(({ tag }) => tag)).deep.equal(['rebuild', 'refusal']);
  });

  it('of a deleted instance go when the promised time is over, and are tried again the next day', async () => {
    add('acme', 'deleted');
    test.store.backups.exists('acme', test.now);
    const until_ = new Date(test.now.getTime() + 48 * HOUR);
    test.store.backups.update('acme', { removeAt: until_ });
    let tries = 0;
    const remove = async () => {
      if (++tries === 1) throw new RetryableError('backup.unreachable', 'away', 'x');
    };
    loop = startRemovals({ ...common(), backups: { remove } });
    later(47);
    expect(tries).equal(0);
    later(2);
    await until(() => tries === 1);
    later(25);
    await until(() => test.store.backups.get('acme') === null);
    expect(tries).equal(2);
    expect(log.events()).include.members(['backup.not_removed', 'backup.removed']);
  });

  describe('of a former state', () => {
    const steps: string[] = [];
    const nothing = async () => undefined;
    let left: { bytes: number } | null = null;
    function restores(fetch: () => Promise<void> = nothing, backUp: () => Promise<void> = nothing): void {
      steps.length = 0;
      loop = startRestores({
        ...common(),
        backups: {
          list: async () => [
            { id: 'b'.repeat(64), at: new Date('2026-01-09T23:59:30Z') },
            { id: 'c'.repeat(64), at: new Date('2026-01-12') },
          ],
          async restore({ generation }, _repository, snapshot) {
            steps.push(`fetch ${snapshot[0]} into ${generation}`);
            await fetch();
          },
        },
        async backUp(_instance, tag) {
          steps.push(`back up ${tag}`);
          await backUp();
        },
        runtime: {
          removeOthers: async () => void steps.push('remove'),
          async copyLeft(_spec, file) {
            steps.push(`copy ${file}`);
            return left;
          },
        },
        copies: {
          leftFileOf: ({ name }, at) => `${name} of ${at.toISOString()}`,
          promise: async (file, until_) => void steps.push(`keep ${file} until ${until_.toISOString()}`),
        },
      });
    }

    it('are the last at the moment that is wanted: fetched, then what is there is backed up, then it is used', async () => {
      add('acme');
      command(1, 'restore', new Date('2026-01-11'));
      restores();
      await until(() => test.store.operations.of('acme').length === 1);
      expect(steps).deep.equal(['fetch b into 1', 'back up before']);
      expect(row('acme').restoredGeneration).equal(1);
      expect(answers()).deep.equal([]);
      // As the reconciler does it.
      test.store.instances.update('acme', { generation: 1 });
      test.store.operations.forget('acme', 'restore');
      loop?.wake();
      await until(() => answers().length === 1);
      expect(answers()).deep.equal(['done']);
    });

    it('that are not whole leave it as it was', async () => {
      add('acme');
      command(1, 'restore');
      restores(() => Promise.reject(new RetryableError('backup.not_whole', 'rows', 'x')));
      await until(() => answers().length === 1);
      expect(steps).deep.equal(['fetch c into 1', 'remove']);
      expect(answers()).deep.equal(['failed']);
      expect(test.store.operations.of('acme')).deep.equal([]);
      expect(row('acme').restoredGeneration).equal(null);
    });

    it('are of a moment as people see it: a whole minute, or a whole second', async () => {
      add('acme');
      command(1, 'restore', new Date('2026-01-09T23:59:00Z'));
      restores();
      await until(() => steps.includes('fetch b into 1'));
      expect(answers()).deep.equal([]);
      test.store.operations.forget('acme', 'restore');
      command(2, 'restore', new Date('2026-01-09T23:58:59Z'));
      loop?.wake();
      await until(() => answers().includes('refused'));
    });

    it('come back where all was lost, and there is nothing to keep; not where there is something that cannot be kept', async () => {
      add('acme', 'error');
      command(1, 'restore');
      let reason = 'backup.unreachable';
      restores(nothing, () => Promise.reject(new RetryableError(reason, 'why', 'x')));
      await until(() => answers().length === 1);
      expect(answers()).deep.equal(['failed']);
      expect(steps.at(-1)).equal('remove');
      reason = 'backup.no_data';
      command(2, 'restore');
      loop?.wake();
      await until(() => test.store.operations.of('acme').length === 1);
      expect(steps.at(-1)).match(/^copy acme/);
    });

    it('come back where a part was lost, and what is left of it is kept as it is', async () => {
      add('acme', 'error');
      command(1, 'restore');
      left = { bytes: 5 };
      restores(nothing, () => Promise.reject(new RetryableError('backup.database', 'it does not start', 'x')));
      await until(() => test.store.operations.of('acme').length === 1);
      const file = `acme of ${test.now.toISOString()}`;
      const end = new Date(test.now.getTime() + 90 * 24 * HOUR);
      expect(steps.slice(-2)).deep.equal([`copy ${file}`, `keep ${file} until ${end.toISOString()}`]);
      expect(log.events()).include('restore.left_kept');
    });

    it('leave one that runs as it was, where its database cannot be read', async () => {
      add('acme');
      command(1, 'restore');
      restores(nothing, () => Promise.reject(new RetryableError('backup.database', 'why', 'x')));
      await until(() => answers().length === 1);
      expect(answers()).deep.equal(['failed']);
      expect(steps.at(-1)).equal('remove');
    });

    it('are refused for what is to be down', async () => {
      add('acme', 'suspended');
      command(1, 'restore');
      restores();
      await until(() => answers().length === 1);
      expect(answers()).deep.equal(['refused']);
      expect(steps).deep.equal([]);
    });

    it('are refused where there is none', async () => {
      add('acme');
      command(1, 'restore', new Date('2026-01-01'));
      restores();
      await until(() => answers().length === 1);
      expect(answers()).deep.equal(['refused']);
      expect(steps).deep.equal([]);
    });
  });
});
