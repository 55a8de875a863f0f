import { expect } from 'chai';
import { type Harness, harness, KEY } from '../reconcile/harness.js';
import { bought, CUSTOMER, PLAN } from '../reconcile/support.js';
import { utc } from '../subscription/support.js';

const END = '2026-02-15T12:00:00.000Z';
/** The midnights in Madrid that begin the days 7, 3 and 1 before. */
const [SEVEN, THREE, ONE] = [utc('2026-02-07T23:00'), utc('2026-02-11T23:00'), utc('2026-02-13T23:00')];
const SUSPENDED = utc('2026-02-15T23:00');
const [FOURTEEN_LEFT, WEEK_LEFT, DAY_LEFT] = [
  utc('2026-03-03T23:00'),
  utc('2026-03-10T23:00'),
  utc('2026-03-16T23:00'),
];
const DELETED = utc('2026-03-17T23:00');
const warning = (days: number) => `deletion_warning:2026-02-15T23:00:00.000Z:${days}`;

describe('the mails of a subscription', () => {
  let h: Harness;
  beforeEach(() => {
    h = harness();
  });
  afterEach(() => h.remove());

  const plus = (moment: Date, ms: number) => new Date(moment.getTime() + ms);
  const buy = (key: string, startsOn: Date, changes: Parameters<typeof bought>[0] = {}) =>
    h.test.store.purchases.save([bought({ key, instanceKey: KEY, startsOn, ...changes })]);

  describe('reminders', () => {
    it('come at local midnight, each once however often the facts are looked at', async () => {
      await h.running();
      expect(await h.runAt(plus(SEVEN, -1))).deep.equal(SEVEN);
      expect(h.mails()).empty;
      for (const [moment, days, next] of [
        [SEVEN, 7, THREE],
        [THREE, 3, ONE],
        [ONE, 1, utc('2026-02-15T12:00')],
      ] as const) {
        expect(await h.runAt(moment)).deep.equal(next);
        expect(h.mails()).deep.equal([`reminder:${END}:${days}`]);
        for (const later of [0, 1, 3_600_000]) {
          await h.runAt(plus(moment, later));
          expect(h.mails()).empty;
        }
      }
    });

    it('say how things stand', async () => {
      await h.running();
      await h.runAt(SEVEN);
      expect(h.mailsWithDetails()[0]?.[1]).deep.include({
        ...{ planName: 'Basic', trial: false, paidUntil: END },
        deleteOn: null,
      });
    });

    it('are owed with the run that finds them due, or not at all: a death between loses and doubles nothing', async () => {
      await h.running();
      const { put } = h.test.store.outbox;
      h.test.store.outbox.put = (operation, lane) => {
        if (operation.op !== 'notice') return put(operation, lane);
        h.test.store.outbox.put = put;
        throw new Error('power cut');
      };
      await h.runAt(SEVEN).then(
        () => expect.fail('it did not die'),
        () => undefined,
      );
      expect(h.owed()).empty;
      for (let times = 0; times < 3; times++) await h.run();
      expect(h.mails()).deep.equal([`reminder:${END}:7`]);
    });

    it('after a long sleep are one: the latest', async () => {
      await h.running();
      await h.runAt(plus(ONE, 3_600_000));
      expect(h.mails()).deep.equal([`reminder:${END}:1`]);
      await h.run();
      expect(h.mails()).empty;
    });

    it('are none when the time is over: what comes then is the suspension', async () => {
      await h.running();
      await h.runAt(utc('2026-02-15T12:00'));
      expect(h.mails()).empty;
      await h.runAt(utc('2026-02-20T12:00'));
      expect(h.mails()).deep.equal(['suspended:2026-02-20T12:00:00Z']);
    });

    it('of the next period come again', async () => {
      await h.running();
      await h.runAt(SEVEN);
      buy('sol:2', plus(SEVEN, 1000));
      await h.runAt(plus(SEVEN, 1000));
      h.owed();
      await h.runAt(utc('2026-03-07T23:00'));
      expect(h.mails()).deep.equal(['reminder:2026-03-15T12:00:00.000Z:7']);
    });

    it('are not for whoever has just bought so little', async () => {
      await h.running([bought({ instanceKey: KEY, periodUnit: 'day', quantity: 5 })]);
      expect(h.mails()).empty;
      // Paid until 20 Jan, 13:00 in Madrid; three days before is the 17th.
      await h.runAt(utc('2026-01-16T22:59'));
      expect(h.mails()).empty;
      await h.runAt(utc('2026-01-16T23:00'));
      expect(h.mails()).deep.equal(['reminder:2026-01-20T12:00:00.000Z:3']);
    });

    it('are not for one that staff stopped', async () => {
      await h.running();
      h.test.store.instances.update(KEY, { hold: 'stopped' });
      await h.runAt(SEVEN);
      expect(h.mails()).empty;
    });

    it('are counted for the night', async () => {
      await h.running();
      await h.runAt(SEVEN);
      expect(h.test.store.events.countSince(SEVEN)).deep.equal({ reminder: 1 });
    });

    it('stay unwritten without an address, and do not pile up until there is one', async () => {
      h.add({ customer: { ...CUSTOMER, email: '' } });
      await h.run();
      await h.runAt(SEVEN);
      await h.runAt(THREE);
      expect(h.mails()).empty;
      h.test.store.instances.update(KEY, { customer: CUSTOMER });
      await h.run();
      expect(h.mails()).empty;
    });
  });

  describe('warnings of the deletion', () => {
    beforeEach(async () => {
      await h.running();
      await h.runAt(SUSPENDED);
      h.owed();
    });

    it('are told to a manager where the customer has no address, with the day of the calendar here', async () => {
      h.test.store.instances.update(KEY, { customer: { ...CUSTOMER, email: '' } });
      await h.runAt(FOURTEEN_LEFT);
      const [alert, ...more] = h.owed().filter((operation) => operation.op === 'todo');
      expect(more).empty;
      // 23:00 UTC of the day before.
      expect(alert?.message).deep.equal({
        code: 'deletion_unannounced',
        params: { instance: 'acme', day: '2026-03-18' },
      });
    });

    it('come at their midnights, once each, and remember that they were given', async () => {
      for (const [moment, days, next] of [
        [FOURTEEN_LEFT, 14, WEEK_LEFT],
        [WEEK_LEFT, 7, DAY_LEFT],
        [DAY_LEFT, 1, DELETED],
      ] as const) {
        expect(await h.runAt(moment)).deep.equal(next);
        const [[key, details] = []] = h.mailsWithDetails();
        expect(key).equal(warning(days));
        expect(details?.deleteOn).equal(DELETED.toISOString());
        expect(h.instance().warnedAt).deep.equal(moment);
        await h.run();
        expect(h.mails()).empty;
      }
    });

    it('after a long sleep are one, and the deletion is a warning away from it', async () => {
      const awake = utc('2026-05-01T10:00');
      expect(await h.runAt(awake)).deep.equal(utc('2026-05-02T22:00'));
      const [[key, details] = [], ...more] = h.mailsWithDetails();
      expect([key, more]).deep.equal([warning(1), []]);
      expect(details?.deleteOn).equal('2026-05-02T22:00:00.000Z');
      expect(h.instance().phase).equal('suspended');
    });

    it('of another suspension come again', async () => {
      await h.runAt(FOURTEEN_LEFT);
      const paid = utc('2026-03-05T12:00');
      buy('sol:2', paid);
      await h.runAt(paid);
      expect(h.instance().warnedAt).equal(null);
      await h.runAt(utc('2026-04-05T22:00'));
      h.owed();
      await h.runAt(utc('2026-04-21T22:00'));
      expect(h.mails()).deep.equal(['deletion_warning:2026-04-05T22:00:00.000Z:14']);
    });
  });

  it('are the same after the store was lost: the master sends none twice', async () => {
    await h.running();
    await h.runAt(SUSPENDED);
    const first = h.mails();
    await h.runAt(FOURTEEN_LEFT);
    first.push(...h.mails());
    const { startedAt, name, toldPaidUntil } = h.instance();
    const lost = harness();
    try {
      lost.test.now = FOURTEEN_LEFT;
      // As the record gives it back: to the second, and what was told is what is paid.
      lost.add({ startedAt, phase: 'suspended', suspendedAt: SUSPENDED, toldPaidUntil });
      lost.engine.has(0);
      await lost.run();
      expect(lost.instance().name).equal(name);
      expect(first).include.members(lost.mails());
    } finally {
      lost.remove();
    }
  });

  describe('renewed', () => {
    const NOW = utc('2026-02-10T12:00');
    beforeEach(async () => {
      await h.running();
      await h.runAt(NOW);
      h.owed();
    });

    it('is told once for each payment, with the new end', async () => {
      buy('sol:2', NOW);
      await h.run();
      expect(h.mails()).deep.equal(['renewed:2026-03-15T12:00:00.000Z']);
      for (let times = 0; times < 2; times++) await h.run();
      expect(h.mails()).empty;
      buy('sol:3', NOW);
      await h.run();
      expect(h.mails()).deep.equal(['renewed:2026-04-15T12:00:00.000Z']);
    });

    it('is not told of time that staff give', async () => {
      buy('grant:3', NOW);
      await h.run();
      expect(h.mails()).empty;
    });

    it('is told of a payment that comes after a grant', async () => {
      buy('sol:2', utc('2026-02-09T12:00'), { paidOn: null });
      buy('grant:3', NOW);
      await h.run();
      expect(h.mails()).empty;
      buy('sol:2', utc('2026-02-09T12:00'), { paidOn: plus(NOW, 1000) });
      await h.runAt(plus(NOW, 2000));
      expect(h.mails()).deep.equal(['renewed:2026-04-15T12:00:00.000Z']);
    });

    it('is not told of what is only trusted, then when it is paid', async () => {
      buy('sol:2', NOW, { paidOn: null });
      await h.run();
      expect(h.mails()).empty;
      const paid = utc('2026-02-12T12:00');
      buy('sol:2', NOW, { paidOn: paid });
      await h.runAt(paid);
      expect(h.mails()).include('renewed:2026-03-15T12:00:00.000Z');
      await h.run();
      expect(h.mails()).empty;
    });

    it('is never told of what was trusted and lapsed', async () => {
      buy('sol:2', NOW, { paidOn: null });
      await h.run();
      await h.runAt(utc('2026-02-15T12:00'));
      expect(h.mails().filter((mail) => !mail.startsWith('reminder'))).empty;
    });

    it('is told again when money that was given back is paid once more', async () => {
      buy('sol:2', NOW);
      await h.run();
      buy('sol:2', NOW, { state: 'cancelled' });
      await h.run();
      expect(h.mails()).include('renewed:2026-03-15T12:00:00.000Z');
      expect(h.instance().toldPaidUntil).deep.equal(utc('2026-02-15T12:00'));
      buy('sol:3', plus(NOW, 1000), { quantity: 2 });
      await h.runAt(plus(NOW, 1000));
      expect(h.mails()).deep.equal(['renewed:2026-04-15T12:00:00.000Z']);
    });

    it('is not told beside the mail that it runs again', async () => {
      await h.runAt(SUSPENDED);
      h.owed();
      const paid = utc('2026-02-20T12:00');
      buy('sol:2', paid);
      await h.runAt(paid);
      const told = h.mailsWithDetails();
      expect(told.map(([key]) => key)).deep.equal(['reactivated:2026-02-15T23:00:00Z']);
      expect(told[0]?.[1].suspendReason).equal('unpaid');
      await h.run();
      expect(h.mails()).empty;
    });

    it('is not told of the first payment of an order that was trusted', async () => {
      const first = harness();
      try {
        await first.running([bought({ instanceKey: KEY, paidOn: null })]);
        first.test.store.purchases.save([bought({ instanceKey: KEY, paidOn: utc('2026-01-16T12:00') })]);
        await first.runAt(utc('2026-01-16T12:00'));
        expect(first.mails()).empty;
      } finally {
        first.remove();
      }
    });
  });

  it('a payment that is on its way holds off the suspension, and its failure does not', async () => {
    await h.running();
    buy('sol:2', utc('2026-02-14T12:00'), { state: 'pending', paidOn: null, pendingSince: utc('2026-02-14T12:00') });
    expect(await h.runAt(SUSPENDED)).deep.equal(utc('2026-02-19T23:00'));
    expect(h.instance().phase).equal('running');
    buy('sol:2', utc('2026-02-14T12:00'), { state: 'cancelled', paidOn: null });
    await h.runAt(utc('2026-02-17T12:00'));
    expect(h.instance().phase).equal('suspended');
  });

  it('suspended by staff says so, and runs again by staff says so too', async () => {
    await h.running();
    h.test.store.instances.update(KEY, { hold: 'suspended' });
    await h.run();
    expect(h.mailsWithDetails().map(([key, { suspendReason, deleteOn }]) => [key, suspendReason, deleteOn])).deep.equal(
      [['suspended:2026-01-15T12:00:00Z', 'staff', null]],
    );
    h.test.store.instances.update(KEY, { hold: 'none' });
    await h.runAt(utc('2026-01-16T12:00'));
    expect(h.mailsWithDetails().map(([key, { suspendReason }]) => [key, suspendReason])).deep.equal([
      ['reactivated:2026-01-15T12:00:00Z', 'staff'],
    ]);
  });

  describe('rebuilt', () => {
    const alerts = (operations: ReturnType<Harness['owed']>) => operations.filter(({ op }) => op === 'todo').length;
    const notices = (operations: ReturnType<Harness['owed']>) => operations.filter(({ op }) => op === 'notice').length;
    async function keepsDying(): Promise<void> {
      h.test.store.operations.begin(KEY, 'rebuild', 'recovery');
      await h.run();
    }

    it('is told once it runs again, with a to-do for a manager, and done once', async () => {
      await h.running();
      h.engine.failAfter(2, new Error('power cut'));
      await keepsDying().catch(() => undefined);
      expect(h.owed()).empty;
      expect(h.test.store.operations.of(KEY)).length(1);
      h.engine.taken();
      await h.run();
      expect(h.engine.taken()).deep.equal(['seedVolumes', 'startBoth', 'awaitReady']);
      const owed = h.owed();
      expect([alerts(owed), notices(owed)]).deep.equal([1, 1]);
      expect(h.test.store.operations.of(KEY)).empty;
      await h.run();
      expect(h.engine.taken()).empty;
    });

    it('again and again is told once a day', async () => {
      await h.running();
      const keys = new Set<string>();
      for (let minutes = 0; minutes < 10; minutes += 2) {
        h.test.now = plus(h.test.now, 120_000);
        await keepsDying();
        for (const { op, key } of h.owed()) if (op === 'todo' || op === 'notice') keys.add(key);
      }
      expect([...keys]).deep.equal([`notice:rebuilt:${KEY}:2026-01-15`, `todo:${KEY}:rebuilt:2026-01-15`]);
      h.test.now = utc('2026-01-16T00:30');
      await keepsDying();
      expect(h.mails()).deep.equal(['rebuilt:2026-01-16']);
    });

    it('by a wish of staff is no mail and no to-do', async () => {
      await h.running();
      h.ask('rebuild');
      await h.run();
      const owed = h.owed();
      expect([alerts(owed), notices(owed)]).deep.equal([0, 0]);
      expect(owed.find(({ op }) => op === 'command')).include({ result: 'done' });
    });

    it('that is asked for while a run is under way is done by the next', async () => {
      await h.running();
      const { observe } = h.engine.runtime;
      h.engine.runtime.observe = async (spec) => {
        h.engine.runtime.observe = observe;
        h.ask('rebuild');
        return observe(spec);
      };
      await h.run();
      expect(h.answers()).empty;
      await h.run();
      expect(h.engine.taken()).deep.equal(['backUp', 'removeContainers', 'seedVolumes', 'startBoth', 'awaitReady']);
      expect(h.answers()).length(1);
    });
  });

  it('nothing is told of a plan that has only another price or other limits', async () => {
    await h.running();
    h.test.store.plans.save([{ ...PLAN, cpu: 2, maxUsers: 9 }]);
    await h.run();
    expect(h.engine.taken()).deep.equal(['applyLimits']);
    expect(h.mails()).empty;
    await h.run();
    expect(h.engine.taken()).empty;
  });
});
