import { expect } from 'chai';
import { createIngest } from '../../../src/intake/ingest.js';
import { RetryableError, TerminalError } from '../../../src/lib/errors.js';
import type { InstanceRecord } from '../../../src/odoo/rows.js';
import { COMMANDS } from '../../../src/owed/commands.js';
import { utc } from '../subscription/support.js';
import { type Harness, harness, KEY } from './harness.js';
import { batch, bought, CUSTOMER, PLAN, POLICY, SELLER } from './support.js';

const SUSPENDED = utc('2026-02-15T23:00');
const DELETED = utc('2026-03-17T23:00');
const GB = 1024 ** 3;
const REMOVED = ['removeContainers', 'removeVolumes', 'removeNetwork'];

describe('deletion', () => {
  let h: Harness;
  /** Fresh looks at the master so far. */
  let looks: number;

  function begin(options: Parameters<typeof harness>[0] = {}): void {
    h?.remove();
    h = harness(options);
    looks = 0;
    h.master.readAfresh = async () => {
      looks++;
    };
  }
  beforeEach(() => begin());
  afterEach(() => {
    h.remove();
    h = undefined as never;
  });

  /** Suspended, warned three times, with its deletion due now. */
  async function due(): Promise<void> {
    await h.running();
    for (const moment of [SUSPENDED, utc('2026-03-03T23:00'), utc('2026-03-10T23:00'), utc('2026-03-16T23:00')]) {
      expect(await h.runAt(moment)).not.equal(null);
    }
    h.owed();
    h.engine.taken();
    h.test.now = DELETED;
  }
  const pay = (startsOn = DELETED, changes = {}) =>
    h.test.store.purchases.save([bought({ key: 'sol:2', instanceKey: KEY, startsOn, ...changes })]);

  it('comes after the retention: a copy, then all of it goes, the slot and the name are free, and a mail says so', async () => {
    await due();
    expect(await h.run()).equal(null);
    expect(h.engine.taken()).deep.equal(['exportData', ...REMOVED]);
    expect(h.engine.exported).deep.equal(['/exports/acme.sol:1.zip']);
    expect(looks, 'before the copy, and before the first step that cannot be undone').equal(2);
    expect(h.instance()).include({ phase: 'deleted', placement: null, suspendedAt: null });
    expect(h.test.store.instances.isTaken('acme')).equal(false);
    const owed = h.owed();
    // What was reported while it was under way is merged into the end.
    expect(owed.find(({ op }) => op === 'instance')).nested.include({
      ...{ 'values.state': 'deleted', 'values.url': null, 'values.http_port': null, 'values.odoo_container': null },
      ...{ 'values.delete_on': null },
    });
    const mail = owed.find(({ op }) => op === 'notice');
    expect(mail).include({ key: `notice:deleted:${KEY}` });
    expect(mail).nested.include({
      'details.deleteOn': DELETED.toISOString(),
      'details.exportKeptUntil': '2026-06-15T23:00:00.000Z',
    });
    expect(h.log.events()).include('instance.deleted');
    expect(h.test.store.events.countSince(DELETED)).include({ deletion: 1 });
  });

  it('is on the record before the first step that takes something away; until then it can be paid', async () => {
    await due();
    h.engine.failAfter(0, new Error('power cut'));
    await h.run().catch(() => undefined);
    expect(h.owed()).empty;
    expect(h.instance().phase).equal('suspended');
    h.engine.failAfter(1, new Error('power cut'));
    await h.run().catch(() => undefined);
    expect(h.values()).include({ state: 'deleting' });
    expect(h.instance().phase).equal('deleting');
  });

  it('is for good: nothing is done or said any more', async () => {
    await due();
    await h.run();
    h.owed();
    h.engine.taken();
    pay();
    expect(await h.run()).equal(null);
    expect(h.engine.taken()).empty;
    expect(h.owed()).empty;
    expect(looks).equal(2);
  });

  it('does not come while the master cannot be read', async () => {
    await due();
    h.master.readAfresh = async () => {
      throw new RetryableError('poll.not_afresh', 'no answer', 'Wait.');
    };
    const error = await h.run().catch((thrown: unknown) => thrown);
    expect(error).instanceOf(RetryableError).property('code', 'poll.not_afresh');
    expect(h.engine.taken()).empty;
    expect(h.instance().phase).equal('suspended');
    expect(h.owed()).empty;
  });

  for (const [what, changes] of [
    ['a payment', {}],
    ['time that staff gave', { key: 'grant:3' }],
    ['an order that is trusted', { paidOn: null }],
  ] as const) {
    it(`does not come where the fresh look finds ${what}: it runs again`, async () => {
      await due();
      h.master.readAfresh = async () => {
        pay(DELETED, changes);
      };
      await h.run();
      expect(h.engine.taken()).deep.equal(['startDb', 'startOdoo', 'awaitReady']);
      expect(h.instance()).include({ phase: 'running', warnedAt: null });
      expect(h.mails()).deep.equal(['reactivated:2026-02-15T23:00:00Z']);
      expect(h.engine.exported).empty;
    });
  }

  it('does not come where the fresh look finds a smaller plan that it does not fit into: that is refused first', async () => {
    await due();
    h.test.store.plans.save([{ ...PLAN, id: 2, name: 'Small', maxUsers: 1 }]);
    const usage = { users: 4, databaseBytes: GB, filestoreBytes: 0, modules: [] };
    h.test.store.instances.update(KEY, { usage });
    h.master.readAfresh = async () => {
      pay(DELETED, { planId: 2 });
    };
    await h.run();
    expect(h.instance()).include({ phase: 'running', planId: 1 });
    expect(h.mails()).include('plan_refused:sol:2');
  });

  it('does not come where the record was held meanwhile', async () => {
    await due();
    h.master.readAfresh = async () => {
      h.test.store.instances.update(KEY, { hold: 'stopped' });
    };
    await h.run();
    expect(h.instance().phase).equal('stopped');
    expect(h.engine.exported).empty;
  });

  /** The customer does this while the copy is written. */
  function duringTheCopy(act: () => void): void {
    const { exportData } = h.engine.runtime;
    h.engine.runtime.exportData = async (...args) => {
      h.engine.runtime.exportData = exportData;
      const copied = await exportData(...args);
      h.test.now = new Date(h.test.now.getTime() + 15 * 60_000);
      act();
      return copied;
    };
  }

  it('does not come where somebody pays while the copy is written: the next run, at once, starts it', async () => {
    await due();
    duringTheCopy(() => pay(h.test.now));
    expect(await h.run()).deep.equal(h.test.now);
    expect(h.engine.taken()).deep.equal(['exportData']);
    expect(h.instance().phase).equal('suspended');
    await h.run();
    expect(h.engine.taken()).deep.equal(['startDb', 'startOdoo', 'awaitReady']);
    expect(h.mails()).deep.equal(['reactivated:2026-02-15T23:00:00Z']);
    expect(h.test.store.operations.of(KEY), 'it is copied anew when its time comes').empty;
  });

  it('does not go on where the master cannot be read after the copy', async () => {
    await due();
    duringTheCopy(() => {
      h.master.readAfresh = async () => {
        throw new RetryableError('poll.not_afresh', 'no answer', 'Wait.');
      };
    });
    await h.run().catch(() => undefined);
    expect(h.engine.taken()).deep.equal(['exportData']);
    h.master.readAfresh = async () => undefined;
    await h.run();
    expect(h.engine.taken()).deep.equal(REMOVED);
  });

  for (const [what, changes] of [
    ['of a quotation', { state: 'pending' }],
    ['of an order that is trusted no longer', { startsOn: utc('2026-02-20T10:00') }],
  ] as const) {
    it(`waits while a payment ${what} is on its way, and comes when it does not arrive`, async () => {
      await due();
      const pendingSince = utc('2026-03-16T10:00');
      pay(pendingSince, { paidOn: null, pendingSince, ...changes });
      // Five days, until midnight.
      const over = utc('2026-03-21T23:00');
      expect(await h.run()).deep.equal(over);
      expect(h.engine.taken()).empty;
      expect(h.values()).include({ delete_on: '2026-03-21 23:00:00' });
      await h.runAt(over);
      expect(h.instance().phase).equal('deleted');
    });
  }

  it('tells the salesperson of a payment that came while the data went', async () => {
    await due();
    const { removeNetwork } = h.engine.runtime;
    h.engine.runtime.removeNetwork = async (spec) => {
      pay();
      return removeNetwork(spec);
    };
    await h.run();
    expect(h.instance().phase).equal('deleted');
    expect(h.owed().find(({ op }) => op === 'todo')).deep.include({
      purchase_key: 'sol:2',
      message: { code: 'instance_deleted', params: { document: 'S00001', instance: 'acme' } },
    });
  });

  describe('that dies', () => {
    const steps = ['exportData', ...REMOVED];
    for (const [step, name] of steps.entries()) {
      it(`before ${name} is finished by the next run, with one copy and one mail`, async () => {
        await due();
        h.engine.failAfter(step, new RetryableError('docker.away', 'no engine', 'Start it.'));
        await h.run().catch(() => undefined);
        expect(h.mails()).empty;
        expect(h.test.store.instances.isTaken('acme')).equal(true);
        await h.runAt(utc('2026-03-18T02:00'));
        expect(h.engine.exported).length(1);
        expect(h.instance().phase).equal('deleted');
        expect(h.engine.observed()).deep.equal({ network: false, db: null, odoo: null, volumes: false });
        expect(h.mails()).deep.equal(['deleted']);
        expect(looks, 'each try looks, and so does each that wrote the copy').equal(3);
      });
    }

    it('when its end cannot be written is finished by the next run', async () => {
      await due();
      const { release } = h.test.store.placements;
      h.test.store.placements.release = () => {
        h.test.store.placements.release = release;
        throw new Error('disk full');
      };
      await h.run().catch(() => undefined);
      expect(h.instance().phase).equal('deleting');
      expect(h.mails()).empty;
      await h.run();
      expect(h.instance().phase).equal('deleted');
      expect(h.engine.exported).length(1);
      expect(h.mails()).deep.equal(['deleted']);
    });

    it('after its copy, and is paid then, is copied anew when its time comes at last', async () => {
      await due();
      h.engine.failAfter(1, new RetryableError('docker.away', 'no engine', 'Start it.'));
      await h.run().catch(() => undefined);
      expect(h.engine.exported).length(1);
      pay();
      await h.run();
      expect(h.instance().phase).equal('running');
      // A month later nobody pays; suspended on 18 April.
      await h.runAt(utc('2026-04-18T22:00'));
      await h.runAt(utc('2026-05-18T22:00'));
      await h.runAt(utc('2026-05-20T22:00'));
      expect(h.instance().phase).equal('deleted');
      expect(h.engine.exported).length(2);
    });
  });

  it('is announced anew after staff pressed Resume in vain, and comes then', async () => {
    await due();
    await h.runAt(utc('2026-03-17T10:00'));
    h.ask('resume');
    h.test.store.instances.update(KEY, COMMANDS.resume.changes(h.test.now));
    let next = await h.run();
    const mails = h.mails();
    for (let runs = 0; next && runs < 20; runs++) {
      next = await h.runAt(next);
      mails.push(...h.mails());
    }
    expect(mails).deep.equal(['deletion_warning:2026-02-15T23:00:00.000Z:1:2026-03-17', 'deleted']);
    expect(h.test.now).deep.equal(utc('2026-03-18T23:00'));
  });

  it('keeps the date that the customer was told, though the plan keeps the data for less now', async () => {
    await h.running();
    await h.runAt(SUSPENDED);
    await h.runAt(utc('2026-03-03T23:00'));
    expect(h.instance().toldDeleteAt).deep.equal(DELETED);
    h.test.store.plans.save([{ ...PLAN, retentionDays: 0 }]);
    await h.runAt(utc('2026-03-10T12:00'));
    expect(h.instance().phase).equal('suspended');
    await h.runAt(DELETED);
    expect(h.instance().phase).equal('deleted');
  });

  it('of one that was half made and never paid comes after the retention, without a word', async () => {
    h.add();
    h.engine.failAfter(2, new RetryableError('docker.no_space', 'disk full', 'Make room.'));
    await h.run().catch(() => undefined);
    h.test.store.purchases.save([bought({ instanceKey: KEY, state: 'cancelled' })]);
    let next = await h.run();
    expect(h.instance().phase).equal('suspended');
    for (let runs = 0; next && runs < 5; runs++) next = await h.runAt(next);
    expect(h.instance()).include({ phase: 'deleted', placement: null });
    expect(h.engine.observed()).deep.equal({ network: false, db: null, odoo: null, volumes: false });
    expect(h.engine.exported).empty;
    expect(h.mails()).empty;
    expect(looks).equal(1);
  });

  it('never comes before a warning was given long enough ago, however long the daemon slept', async () => {
    await h.running();
    const awake = utc('2027-01-10T12:00');
    await h.runAt(awake);
    expect(h.instance().phase, 'suspended first').equal('suspended');
    expect(await h.runAt(awake)).not.equal(null);
    expect(h.engine.exported).empty;
  });

  it('is not made without a warning where none could be stored', async () => {
    await h.running();
    await h.runAt(SUSPENDED);
    await h.runAt(utc('2026-06-01T12:00'));
    expect(h.instance()).include({ phase: 'suspended' });
    expect(h.instance().warnedAt).deep.equal(utc('2026-06-01T12:00'));
    await h.runAt(utc('2026-06-02T21:59'));
    expect(h.instance().phase).equal('suspended');
    await h.runAt(utc('2026-06-02T22:00'));
    expect(h.instance().phase).equal('deleted');
  });

  it('without copies, where none are to be kept, says that there is none', async () => {
    begin({ exportDays: 0 });
    await due();
    await h.run();
    expect(h.engine.taken()).deep.equal(REMOVED);
    expect(h.mailsWithDetails().map(([key, details]) => [key, details.exportKeptUntil])).deep.equal([
      ['deleted', null],
    ]);
  });

  it('of one that was never made is only told, without a mail or a copy', async () => {
    h.add({ hold: 'deleted' });
    h.ask('delete');
    await h.run();
    expect(h.engine.taken()).empty;
    expect(h.instance().phase).equal('deleted');
    const owed = h.owed();
    expect(owed.filter(({ op }) => op === 'notice')).empty;
    expect(owed.find(({ op }) => op === 'command')).include({ result: 'done' });
  });

  describe('by staff', () => {
    beforeEach(async () => {
      await h.running();
      h.test.store.instances.update(KEY, { hold: 'deleted' });
      h.ask('delete');
    });

    it('is at once, of a running one too, with a copy first, and answered', async () => {
      await h.run();
      expect(h.engine.taken()).deep.equal(['stopOdoo', 'stopDb', 'exportData', ...REMOVED]);
      const owed = h.owed();
      expect(owed.find(({ op }) => op === 'command')).deep.include({
        ...{ result: 'done', message: { code: 'now_deleted', params: {} } },
      });
      expect(owed.filter(({ op }) => op === 'notice').map(({ key }) => key)).deep.equal([`notice:deleted:${KEY}`]);
    });

    it('is not stopped by a payment that the fresh look finds', async () => {
      h.master.readAfresh = async () => {
        pay(h.test.now);
      };
      await h.run();
      expect(h.instance().phase).equal('deleted');
    });

    it('goes on where there is nothing to copy, and only there', async () => {
      h.engine.failAfter(2, new TerminalError('export.no_data', 'it has no database', 'Look.'));
      await h.run();
      expect(h.instance().phase).equal('deleted');
      expect(h.log.events()).include('operation.step_skipped');
      expect(h.engine.exported).empty;
    });

    it('keeps what is left where its database or its files are lost', async () => {
      h.engine.hasLeft();
      h.engine.failAfter(2, new TerminalError('export.no_data', 'it has no database', 'Look.'));
      await h.run();
      expect(h.instance().phase).equal('deleted');
      expect(h.engine.exported).deep.equal([`/exports/acme.${KEY}.tgz`]);
    });

    for (const code of ['export.failed', 'export.too_large', 'export.stalled']) {
      it(`copies the volumes as they are where a copy failed three times (${code}), and a person is told why`, async () => {
        for (const done of [['stopOdoo', 'stopDb'], [], []]) {
          expect(h.owed().filter(({ op }) => op === 'todo')).empty;
          h.engine.failAfter(done.length, new RetryableError(code, 'a row is too long', 'Look.'));
          await h.run().catch(() => undefined);
          expect(h.engine.taken()).deep.equal(done);
        }
        expect(h.owed().filter(({ op }) => op === 'todo')).deep.equal([
          {
            ...{ op: 'todo', key: `todo:${KEY}:copy`, instance_key: KEY },
            message: { code: 'copy_failing', params: { instance: 'acme', reason: 'a row is too long' } },
          },
        ]);
        await h.run();
        expect(h.engine.taken()).deep.equal(['copyVolumes', ...REMOVED]);
        expect(h.engine.exported).deep.equal([`/exports/acme.${KEY}.tgz`]);
        expect(h.instance().phase).equal('deleted');
      });
    }

    it('counts no failure that is not one of the copy: the disk may be full, the engine away', async () => {
      for (const [done, code] of [
        [2, 'export.no_space'],
        [0, 'docker.unreachable'],
        [0, 'docker.volume_in_use'],
      ] as const) {
        h.engine.failAfter(done, new RetryableError(code, 'not now', 'Look.'));
        await h.run().catch(() => undefined);
        h.engine.taken();
      }
      await h.run();
      expect(h.engine.taken()).deep.equal(['exportData', ...REMOVED]);
    });

    it('without a copy, where a manager says so, is told to the customer as that', async () => {
      h.engine.failAfter(2, new RetryableError('export.failed', 'a row is too long', 'Look.'));
      await h.run().catch(() => undefined);
      h.engine.taken();
      h.owed();
      h.ask('delete_without_copy', 6);
      await h.run();
      expect(h.engine.taken()).deep.equal(REMOVED);
      expect(h.engine.exported).empty;
      const [[key, details] = []] = h.mailsWithDetails();
      expect(key).equal('deleted');
      expect(details?.exportKeptUntil).equal(null);
    });

    it('stops where the copy cannot be written', async () => {
      h.engine.failAfter(2, new RetryableError('export.disk_full', 'no room', 'Make room.'));
      await h.run().catch(() => undefined);
      expect(h.engine.taken()).deep.equal(['stopOdoo', 'stopDb']);
      expect(h.instance().phase).equal('deleting');
      expect(h.answers(), 'it is tried again').empty;
    });
  });

  it('by the calendar stops where there is nothing to copy: a person must look', async () => {
    await due();
    h.engine.failAfter(0, new TerminalError('export.no_data', 'it has no database', 'Look.'));
    const error = await h.run().catch((thrown: unknown) => thrown);
    expect(error).instanceOf(TerminalError);
    expect(h.engine.taken()).empty;
  });

  it('makes nothing anew from what was bought for it, with and without the store, and the next customer gets the name', async () => {
    await due();
    await h.run();
    const ingest = (on: Harness) =>
      createIngest({
        store: on.test.store,
        policy: POLICY,
        firstToExpire: false,
        clock: () => on.test.now,
        log: on.log,
      });
    const old = bought({ instanceKey: KEY });
    const { startedAt } = h.instance();
    const record: InstanceRecord = {
      ...{
        id: 3,
        key: KEY,
        name: 'acme',
        customer: CUSTOMER,
        seller: SELLER,
        planId: 1,
        phase: 'deleted',
        hold: 'none',
      },
      ...{ startedAt, paidUntil: null, suspendedAt: null, storageOverSince: null, requested: true },
    };
    const newcomer = bought({ key: 'sol:9', customer: { ...CUSTOMER, id: 99 }, startsOn: DELETED });
    const lost = harness();
    try {
      lost.test.now = DELETED;
      for (const on of [h, lost]) {
        ingest(on).page(batch({ plans: [PLAN], instances: [record], purchases: [old, newcomer] }), true);
        expect(on.test.store.instances.all().map(({ key, name, phase }) => [key, name, phase])).deep.members([
          [KEY, 'acme', 'deleted'],
          ['sol:9', 'acme', 'draft'],
        ]);
        on.engine.taken();
        expect(await on.run()).equal(null);
        expect(on.engine.taken()).empty;
      }
    } finally {
      lost.remove();
    }
  });
});
