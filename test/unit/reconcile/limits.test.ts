import { expect } from 'chai';
import type { Plan, Usage } from '../../../src/instance/types.js';
import { RetryableError } from '../../../src/lib/errors.js';
import { COMMANDS } from '../../../src/owed/commands.js';
import type { MisfitSentence } from '../../../src/protocol/sentences.js';
import { utc } from '../subscription/support.js';
import { type Harness, harness, KEY } from './harness.js';
import { bought, PLAN } from './support.js';

const GB = 1024 ** 3;
const NOW = utc('2026-01-20T12:00');
const SMALL: Plan = { ...PLAN, id: 2, code: 'small', name: 'Small', memoryMb: 512, storageGb: 1, maxUsers: 2 };
const BIG: Plan = { ...PLAN, id: 3, code: 'big', name: 'Big', memoryMb: 4096, storageGb: 50, maxUsers: 50 };
const USAGE: Usage = { users: 4, databaseBytes: 2 * GB, filestoreBytes: GB, modules: ['crm'] };
const LITTLE: Usage = { ...USAGE, users: 1, databaseBytes: GB / 2, filestoreBytes: 0 };

/** USAGE in SMALL. */
const TOO_MUCH: MisfitSentence[] = [
  { code: 'users_over_plan', params: { plan: 'Small', used: 4, limit: 2 } },
  { code: 'storage_over_plan', params: { plan: 'Small', used_gb: 3, limit_gb: 1 } },
];

describe('plans and limits', () => {
  let h: Harness;
  beforeEach(async () => {
    h = harness();
    h.test.store.plans.save([SMALL, BIG]);
    await h.running();
    h.test.now = NOW;
  });
  afterEach(() => h.remove());

  const buy = (planId: number, changes: Parameters<typeof bought>[0] = {}) =>
    h.test.store.purchases.save([bought({ key: 'sol:2', instanceKey: KEY, planId, startsOn: h.test.now, ...changes })]);
  const problems = (operations: ReturnType<Harness['owed']>) =>
    operations.filter((operation) => operation.op === 'todo');
  const notices = (operations: ReturnType<Harness['owed']>) =>
    operations.filter((operation) => operation.op === 'notice');

  describe('another plan that is bought', () => {
    it('changes the limits of what runs, and is told once', async () => {
      h.engine.uses(USAGE);
      buy(3);
      await h.run();
      expect(h.engine.taken()).deep.equal(['applyLimits']);
      expect(h.instance()).include({ planId: 3, limits: '1/4096/50', phase: 'running' });
      const [[key, details] = [], ...more] = h.mailsWithDetails();
      expect([key, more]).deep.equal([`plan_changed:3:${NOW.toISOString()}`, []]);
      expect(details).include({ planName: 'Big', previousPlanName: 'Basic' });
      await h.run();
      expect(h.engine.taken()).empty;
      expect(h.mails()).empty;
    });

    it('is finished by the next run where one dies between', async () => {
      h.engine.uses(USAGE);
      buy(3);
      h.engine.failAfter(0, new Error('power cut'));
      await h.run().catch(() => undefined);
      expect(h.instance()).include({ planId: 1, limits: '1/1024/5' });
      expect(h.mails()).empty;
      await h.run();
      expect(h.engine.taken()).deep.equal(['applyLimits']);
      expect(h.mails()).length(1);
    });

    it('that is smaller and big enough is a change as any other', async () => {
      h.engine.uses(LITTLE);
      buy(2);
      await h.run();
      expect(h.instance().planId).equal(2);
      expect(h.mails()).deep.equal([`plan_changed:2:${NOW.toISOString()}`]);
    });

    it('that is too small is refused: more time of the present plan, told to both once, the limits as they were', async () => {
      h.engine.uses(USAGE);
      buy(2, { document: 'S00002' });
      await h.run();
      expect(h.engine.taken(), 'what may be thrown away now is kept').deep.equal(['backUp']);
      expect(h.instance()).include({ planId: 1, limits: '1/1024/5' });
      expect(h.instance().usage, 'measured now').deep.equal(USAGE);
      const owed = h.owed();
      expect(problems(owed)).length(1);
      expect(problems(owed)[0]).include({ key: 'todo:sol:2:plan-refused', purchase_key: 'sol:2', keep_plan: true });
      expect(problems(owed)[0]?.message).deep.equal({
        code: 'plan_change_refused',
        params: { document: 'S00002', instance: 'acme', plan: 'Basic', misfits: TOO_MUCH },
      });
      const refused = notices(owed).filter(({ notice }) => notice === 'plan_refused');
      expect(refused).length(1);
      expect(refused[0]?.details).include({ planName: 'Basic', wantedPlanName: 'Small' });
      expect(refused[0]?.details?.refusal?.es).match(/^Su Odoo tiene 4 usuarios/);
      // The facts were read again: the report is of the present plan, and of more time.
      const report = owed.find(({ op }) => op === 'instance');
      expect(report).nested.include({ 'values.plan_id': 1, 'values.state': 'running' });
      expect(h.instance().toldPaidUntil).greaterThan(utc('2026-02-15T12:00'));
      await h.run();
      const again = h.owed();
      expect([problems(again).length, notices(again).length]).deep.equal([0, 0]);
    });

    it('that is too small is refused, though no backup can be made before', async () => {
      h.engine.uses(USAGE);
      h.engine.failAfter(0, new RetryableError('backup.unreachable', 'away', 'x'));
      buy(2);
      await h.run();
      expect(h.mails()).include('plan_refused:sol:2');
      expect(h.instance().planId).equal(1);
    });

    it('that is refused and comes from the master once more, not yet marked there, makes no second mail', async () => {
      h.engine.uses(USAGE);
      buy(2);
      await h.run();
      h.owed();
      buy(2);
      await h.run();
      const owed = h.owed();
      expect(notices(owed)).empty;
      expect(
        problems(owed).map(({ key }) => key),
        'the mark is owed as before',
      ).deep.equal(['todo:sol:2:plan-refused']);
      expect(h.instance().planId).equal(1);
    });

    it('on several lines is refused for each of them', async () => {
      h.engine.uses(USAGE);
      buy(2);
      buy(2, { key: 'sol:3' });
      await h.run();
      expect(problems(h.owed()).map(({ purchase_key }) => purchase_key)).deep.equal(['sol:3', 'sol:2']);
      expect(h.instance().planId).equal(1);
    });

    it('is refused by what was measured last where it cannot be measured or does not run', async () => {
      h.test.store.instances.update(KEY, { usage: USAGE });
      buy(2);
      await h.run();
      expect(h.log.events()).include('usage.failed');
      expect(problems(h.owed())).length(1);
    });

    it('is taken where nothing is known of its use', async () => {
      buy(2);
      await h.run();
      expect(h.instance().planId).equal(2);
    });

    it('that staff gave is not looked at again: they were told when they asked', async () => {
      h.engine.uses(USAGE);
      buy(2, { key: 'grant:2', quantity: 0 });
      await h.run();
      expect(h.instance().planId).equal(2);
    });

    it('on the way to the first start is nobody to ask', async () => {
      const fresh = harness();
      try {
        fresh.test.store.plans.save([SMALL]);
        fresh.add({}, [bought({ instanceKey: KEY }), bought({ key: 'sol:2', instanceKey: KEY, planId: 2 })]);
        await fresh.run();
        expect(fresh.mails()).deep.equal(['welcome']);
      } finally {
        fresh.remove();
      }
    });
  });

  describe('a command', () => {
    it('to change to a smaller plan is refused with what was measured', async () => {
      h.engine.uses(USAGE);
      h.ask('change_plan', 5, 2);
      await h.run();
      const [answer, ...more] = h.answers();
      expect(more).empty;
      expect(answer).include({ command_id: 5, result: 'refused' });
      expect(answer?.message).deep.equal({
        code: 'plan_misfit',
        params: { instance: 'acme', plan: 'Small', misfits: TOO_MUCH },
      });
      await h.run();
      expect(h.answers()).empty;
    });

    it('to change to one that fits is done: the grant that follows changes it', async () => {
      h.engine.uses(LITTLE);
      h.ask('change_plan', 5, 2);
      await h.run();
      expect(h.answers()).length(1).and.have.nested.property('[0].result', 'done');
      expect(h.instance().planId).equal(1);
      buy(2, { key: 'grant:2', quantity: 0 });
      await h.run();
      expect(h.instance().planId).equal(2);
      expect(h.mails()).deep.equal([`plan_changed:2:${NOW.toISOString()}`]);
    });

    for (const planId of [9, null]) {
      it(`to change to plan ${planId} is refused`, async () => {
        h.engine.uses(LITTLE);
        h.ask('change_plan', 5, planId);
        await h.run();
        expect(h.answers()).length(1).and.have.nested.property('[0].result', 'refused');
      });
    }

    for (const command of ['start', 'resume', 'restart', 'rebuild'] as const) {
      it(`to ${command} one that is not paid is refused, and says what to do`, async () => {
        h.test.store.instances.update(KEY, { hold: 'suspended' });
        await h.run();
        h.owed();
        h.engine.taken();
        h.test.now = utc('2026-02-20T12:00');
        h.test.store.instances.update(KEY, { hold: 'none', ...COMMANDS[command].changes(h.test.now) });
        h.ask(command);
        await h.run();
        const [answer] = h.answers();
        expect(answer).include({ result: 'refused' });
        expect(answer?.message).deep.equal({ code: 'down_unpaid', params: { paid_until: '2026-02-15 12:00:00' } });
        expect(h.engine.taken()).empty;
        expect(h.instance().phase).equal('suspended');
        expect(h.test.store.operations.of(KEY)).empty;
      });
    }

    for (const command of ['stop', 'extend', 'retry'] as const) {
      it(`to ${command} one that is not paid is done`, async () => {
        h.ask(command);
        await h.runAt(utc('2026-02-20T12:00'));
        expect(h.answers()).length(1).and.have.nested.property('[0].result', 'done');
      });
    }

    it('to resume one whose time was taken back is refused for that', async () => {
      h.test.store.purchases.save([bought({ instanceKey: KEY, state: 'cancelled' })]);
      h.ask('resume');
      await h.run();
      const [answer] = h.answers();
      expect(answer).include({ result: 'refused' });
      expect(answer?.message.code).equal('down_taken_back');
    });
  });

  describe('storage', () => {
    const OVER = { ...USAGE, databaseBytes: 6 * GB };
    /** Seven days of grace, and the midnight that ends them. */
    const GRACE_ENDS = utc('2026-01-27T23:00');
    const measured = (usage: Usage) => h.test.store.instances.update(KEY, { usage, measuredAt: h.test.now });

    it('over its limit is told to customer and manager once, and suspended after the grace', async () => {
      measured(OVER);
      expect(await h.run()).deep.equal(GRACE_ENDS);
      const owed = h.owed();
      expect(notices(owed).map(({ key }) => key)).deep.equal([`notice:storage_over:${KEY}:2026-01-20T12:00:00Z`]);
      expect(notices(owed)[0]?.details).include({
        ...{ storageUsedBytes: 7 * GB, storageLimitBytes: 5 * GB, graceUntil: GRACE_ENDS.toISOString() },
      });
      expect(owed.filter(({ op }) => op === 'todo').map(({ key }) => key)).deep.equal([
        `todo:${KEY}:storage:${NOW.getTime()}`,
      ]);
      expect(h.instance().storageOverSince).deep.equal(NOW);
      for (const later of [utc('2026-01-22T12:00'), utc('2026-01-27T22:59')]) {
        await h.runAt(later);
        expect(h.owed().filter(({ op }) => op !== 'instance')).empty;
        expect(h.instance().phase).equal('running');
      }
      await h.runAt(GRACE_ENDS);
      expect(h.engine.taken()).deep.equal(['stopOdoo', 'stopDb']);
      const [[key, details] = []] = h.mailsWithDetails();
      expect(key).equal('suspended:2026-01-27T23:00:00Z');
      expect(details).include({ suspendReason: 'storage', deleteOn: null, storageUsedBytes: 7 * GB });
    });

    it('within its limit again in time is nothing, and over it once more begins a new grace', async () => {
      measured(OVER);
      await h.run();
      h.test.now = utc('2026-01-25T12:00');
      measured(USAGE);
      await h.run();
      expect(h.instance().storageOverSince).equal(null);
      h.owed();
      h.test.now = utc('2026-01-26T12:00');
      measured(OVER);
      expect(await h.run()).deep.equal(utc('2026-02-02T23:00'));
      expect(h.mails()).deep.equal(['storage_over:2026-01-26T12:00:00Z']);
    });

    it('over its limit: to resume it gives the whole grace once more', async () => {
      measured(OVER);
      await h.run();
      await h.runAt(GRACE_ENDS);
      h.owed();
      h.engine.taken();
      const resumed = utc('2026-01-30T12:00');
      h.test.now = resumed;
      h.test.store.instances.update(KEY, COMMANDS.resume.changes(resumed));
      h.ask('resume');
      expect(await h.run()).deep.equal(utc('2026-02-06T23:00'));
      expect(h.engine.taken()).deep.equal(['startDb', 'startOdoo', 'awaitReady']);
      const owed = h.owed();
      expect(owed.find(({ op }) => op === 'command')).include({ result: 'done' });
      expect(notices(owed).map(({ notice }) => notice)).members(['reactivated', 'storage_over']);
      await h.runAt(utc('2026-02-06T23:00'));
      expect(h.instance().phase).equal('suspended');
    });

    it('over its limit: a resume while a run is under way is not lost', async () => {
      measured(OVER);
      await h.run();
      await h.runAt(GRACE_ENDS);
      h.owed();
      h.test.now = utc('2026-01-30T12:00');
      const { observe } = h.engine.runtime;
      h.engine.runtime.observe = async (spec) => {
        h.engine.runtime.observe = observe;
        h.test.store.instances.update(KEY, COMMANDS.resume.changes(h.test.now));
        h.ask('resume');
        return observe(spec);
      };
      await h.run();
      expect(h.answers()).empty;
      await h.run();
      expect(h.instance().phase).equal('running');
    });

    it('suspended for it runs again with a bigger plan, not with more time', async () => {
      measured(OVER);
      await h.run();
      await h.runAt(GRACE_ENDS);
      h.owed();
      buy(1);
      await h.run();
      expect(h.instance().phase).equal('suspended');
      buy(3, { key: 'sol:3' });
      await h.run();
      expect(h.instance()).include({ phase: 'running', planId: 3, storageOverSince: null });
      expect(h.mails()).deep.equal(['reactivated:2026-01-27T23:00:00Z', `plan_changed:3:${GRACE_ENDS.toISOString()}`]);
    });

    it('is never deleted for its storage while it is paid', async () => {
      h.test.store.purchases.save([bought({ instanceKey: KEY, quantity: 36 })]);
      measured(OVER);
      await h.run();
      await h.runAt(GRACE_ENDS);
      await h.runAt(utc('2027-06-01T12:00'));
      expect(h.instance().phase).equal('suspended');
      expect(h.mails().filter((mail) => mail.startsWith('deletion'))).empty;
    });

    it('knows no limit where the plan has none', async () => {
      h.test.store.plans.save([{ ...PLAN, storageGb: 0 }]);
      measured({ ...OVER, filestoreBytes: 900 * GB });
      await h.run();
      expect(h.instance().storageOverSince).equal(null);
    });
  });
});
