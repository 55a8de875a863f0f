import { expect } from 'chai';
import type { Hold } from '../../../src/instance/types.js';
import { RetryableError, TerminalError } from '../../../src/lib/errors.js';
import type { Reconciler } from '../../../src/reconcile/reconciler.js';
import type { TestStore } from '../store/support.js';
import { placementAt } from '../store/support.js';
import { utc } from '../subscription/support.js';
import { type Harness, harness, KEY } from './harness.js';
import { bought, CUSTOMER, PLAN } from './support.js';

const PAID_UNTIL = utc('2026-02-15T12:00');
/** The midnight in Madrid that begins the day seven days before. */
const SOON_AT = utc('2026-02-07T23:00');
/** The midnight in Madrid after it. */
const SUSPENDED_AT = utc('2026-02-15T23:00');

describe('reconciler', () => {
  let h: Harness;
  let test: TestStore;
  let log: Harness['log'];
  let engine: Harness['engine'];
  let reconciler: Reconciler;

  beforeEach(() => {
    h = harness();
    ({ test, log, engine, reconciler } = h);
  });
  afterEach(() => h.remove());

  const add = (...args: Parameters<Harness['add']>) => h.add(...args);
  const instance = () => test.store.instances.get(KEY);
  const run = () => h.run();
  const owed = () => h.owed();
  const values = () => h.values();
  const keys = () => owed().map(({ key }) => key.replace(/^log:.*/, 'log'));
  const hold = (how: Hold) => test.store.instances.update(KEY, { hold: how });

  const ALL = ['ensureNetwork', 'seedVolumes', 'startBoth', 'awaitReady+login'];
  const WELCOME = `notice:welcome:${KEY}`;

  describe('a new instance', () => {
    it('is made once and welcomed once, and the next moment is given back', async () => {
      add();
      expect(await run()).deep.equal(SOON_AT);
      expect(engine.taken()).deep.equal(ALL);
      expect(instance()).deep.include({ phase: 'running', placement: placementAt(0), errorMessage: null });
      expect(instance()?.startedAt).deep.equal(test.now);
      expect(keys()).deep.equal([`instance:${KEY}`, WELCOME, 'log']);
      await run();
      expect(engine.taken()).deep.equal([]);
      expect(keys()).deep.equal([`instance:${KEY}`]);
      expect(log.lines.filter(({ level }) => level === 'info').map(({ event }) => event)).deep.equal([
        'instance.provisioned',
      ]);
    });

    it('is reported with all its values', async () => {
      add();
      await run();
      expect(values()).deep.equal({
        name: 'acme',
        customer_id: 10,
        contact_id: 11,
        plan_id: 1,
        order_id: 5,
        invoice_ids: [],
        purchase_keys: [KEY],
        state: 'running',
        subscription_state: 'active',
        hold: 'none',
        url: 'https://acme.example.com:20000',
        http_port: 20_000,
        longpolling_port: 20_001,
        odoo_container: 'acme',
        db_container: 'acme_db',
        started_on: '2026-01-15 12:00:00',
        paid_until: '2026-02-15 12:00:00',
        suspended_on: null,
        last_payment_on: '2026-01-15 12:00:00',
        delete_on: null,
        error_message: null,
        asleep_since: null,
        admin_login: 'ann@acme.example',
      });
    });

    it('is told as being made before the first step', async () => {
      add();
      engine.failAfter(0, new Error('power cut'));
      await run().catch(() => undefined);
      expect(values()).include({ state: 'provisioning', subscription_state: 'draft', started_on: null });
      expect(instance()?.phase).equal('provisioning');
    });

    for (let step = 0; step <= ALL.length - 1; step++) {
      it(`that dies before step ${step} is finished by the next run, with the same end`, async () => {
        add();
        engine.failAfter(step, new Error('power cut'));
        await run().then(
          () => expect.fail('it did not die'),
          () => undefined,
        );
        expect(engine.taken()).deep.equal(ALL.slice(0, step));
        expect(instance()?.startedAt).equal(null);
        await run();
        expect(engine.taken().at(-1)).equal('awaitReady+login');
        expect(engine.running()).deep.equal([true, true]);
        expect(instance()).deep.include({ phase: 'running', placement: placementAt(0), errorMessage: null });
        expect(keys().filter((key) => key === WELCOME)).length(1);
        await run();
        expect(keys().filter((key) => key.startsWith('notice'))).empty;
      });
    }

    it('without an e-mail address is told to the salesperson instead', async () => {
      add({ customer: { ...CUSTOMER, email: '' } });
      await run();
      expect(keys()).members([`instance:${KEY}`, `todo:${KEY}:no-email`, 'log']);
      await run();
      expect(keys()).deep.equal([`instance:${KEY}`]);
    });

    it('that nobody paid for is only reported', async () => {
      add({}, [bought({ instanceKey: KEY, state: 'cancelled' })]);
      expect(await run()).equal(null);
      expect(engine.taken()).empty;
      expect(instance()).include({ phase: 'draft', placement: null });
      expect(values()).include({ state: 'draft', url: null, http_port: null });
    });
  });

  describe('a paid period', () => {
    beforeEach(async () => {
      add();
      await run();
      engine.taken();
      owed();
    });
    const notices = () =>
      owed()
        .filter(({ op }) => op === 'notice')
        .map(({ key }) => key);

    it('runs through soon, expired and suspended, each at its moment; a renewal brings it back', async () => {
      test.now = SOON_AT;
      expect(await run()).deep.equal(utc('2026-02-11T23:00'));
      expect(values()).include({ state: 'running', subscription_state: 'expiring_soon' });
      test.now = PAID_UNTIL;
      expect(await run()).deep.equal(SUSPENDED_AT);
      expect(values()).include({ state: 'running', subscription_state: 'expired' });
      expect(engine.taken()).empty;

      test.now = SUSPENDED_AT;
      expect(await run(), 'the first warning').deep.equal(utc('2026-03-03T23:00'));
      expect(engine.taken()).deep.equal(['stopOdoo', 'stopDb']);
      expect(instance()?.suspendedAt).deep.equal(SUSPENDED_AT);
      expect(notices()).deep.equal([`notice:suspended:${KEY}:2026-02-15T23:00:00Z`]);
      test.now = utc('2026-02-17T12:00');
      await run();
      expect(instance()?.suspendedAt).deep.equal(SUSPENDED_AT);
      expect(notices()).empty;

      const startsOn = utc('2026-02-20T12:00');
      test.now = startsOn;
      test.store.purchases.save([bought({ key: 'sol:2', instanceKey: KEY, startsOn })]);
      await run();
      expect(engine.taken()).deep.equal(['startDb', 'startOdoo', 'awaitReady']);
      expect(instance()).include({ phase: 'running', suspendedAt: null });
      expect(notices()).deep.equal([`notice:reactivated:${KEY}:2026-02-15T23:00:00Z`]);
      await run();
      expect(notices()).empty;
      expect(log.lines.filter(({ level }) => level === 'info').map(({ event }) => event)).deep.equal([
        ...['instance.provisioned', 'instance.suspended', 'instance.reactivated'],
      ]);
    });

    for (const step of [0, 1]) {
      it(`suspension that dies before step ${step} is finished by the next run, with one mail`, async () => {
        test.now = SUSPENDED_AT;
        engine.failAfter(step, new Error('power cut'));
        await run().catch(() => undefined);
        expect(notices()).empty;
        await run();
        expect(engine.running()).deep.equal([false, false]);
        expect(notices()).length(1);
      });
    }

    it('that is taken back twice is told twice, each time with the reason', async () => {
      const told: string[] = [];
      for (const [index, key] of [KEY, 'sol:2'].entries()) {
        const startsOn = new Date(test.now.getTime() + index * 60_000);
        test.now = startsOn;
        test.store.purchases.save([bought({ key, instanceKey: KEY, startsOn })]);
        await run();
        owed();
        test.store.purchases.save([bought({ key, instanceKey: KEY, startsOn, state: 'cancelled' })]);
        await run();
        for (const [notice, details] of h.mailsWithDetails()) told.push(`${notice} ${details.suspendReason}`);
      }
      expect(told).deep.equal([
        'suspended:2026-01-15T12:00:00Z taken_back',
        'suspended:2026-01-15T12:01:00Z taken_back',
      ]);
    });

    it('that staff stop stays stopped, without a mail, until they start it', async () => {
      hold('stopped');
      await run();
      expect(engine.taken()).deep.equal(['stopOdoo', 'stopDb']);
      const operations = owed();
      expect(operations.filter(({ op }) => op === 'notice')).empty;
      expect(operations[0]).nested.include({ 'values.state': 'stopped', 'values.hold': 'stopped' });
      hold('none');
      await run();
      expect(instance()?.phase).equal('running');
      expect(notices()).empty;
    });

    it('a lost store: what must not run is found by its objects on the engine and stopped', async () => {
      const before = instance() ?? expect.fail('no instance');
      test.store.placements.release(KEY);
      engine.has(4);
      hold('stopped');
      await run();
      expect(engine.running()).deep.equal([false, false]);
      expect(instance()).deep.include({ name: before.name, placement: placementAt(4), phase: 'stopped' });
    });

    describe('and a command', () => {
      const ask = (...args: Parameters<Harness['ask']>) => h.ask(...args);
      const answers = () => owed().filter((operation) => operation.op === 'command');

      it('to restart is done and answered once', async () => {
        ask('restart');
        await run();
        expect(engine.taken()).deep.equal(['stopOdoo', 'startOdoo', 'awaitReady']);
        expect(answers()).deep.equal([
          {
            op: 'command',
            key: 'command:5',
            command_id: 5,
            result: 'done',
            message: { code: 'now_running', params: {} },
          },
        ]);
        await run();
        expect(engine.taken()).empty;
        expect(answers()).empty;
      });

      for (const step of [0, 1, 2]) {
        it(`to restart survives a death before step ${step}`, async () => {
          ask('restart');
          engine.failAfter(step, new RetryableError('docker.away', 'no engine', 'Start it.'));
          await run().catch(() => undefined);
          expect(answers()).empty;
          await run();
          expect(engine.running()).deep.equal([true, true]);
          expect(answers()).length(1);
        });
      }

      it('to restart stops Odoo once, however often its page is too slow', async () => {
        ask('restart');
        const slow = new RetryableError('instance.not_ready', 'no answer', 'Look.');
        engine.failAfter(2, slow, 2);
        await run().catch(() => undefined);
        expect(engine.taken()).deep.equal(['stopOdoo', 'startOdoo']);
        for (let tries = 0; tries < 5; tries++) {
          engine.failAfter(0, slow, 2);
          await run().catch(() => undefined);
          expect(engine.taken()).empty;
          expect(engine.running(), 'it goes on').deep.equal([true, true]);
        }
        await run();
        expect(engine.taken()).deep.equal(['awaitReady']);
        expect(answers()).length(1);
      });

      it('to rebuild backs it up, and removes the containers once', async () => {
        ask('rebuild');
        engine.failAfter(2, new RetryableError('docker.away', 'no engine', 'Start it.'));
        await run().catch(() => undefined);
        expect(engine.taken()).deep.equal(['backUp', 'removeContainers']);
        await run();
        expect(engine.taken()).deep.equal(['seedVolumes', 'startBoth', 'awaitReady']);
        expect(answers()).length(1);
        expect(test.store.operations.of(KEY)).empty;
      });

      it('that comes while a run is under way is answered by the next', async () => {
        hold('stopped');
        const { observe } = engine.runtime;
        engine.runtime.observe = async (spec) => {
          engine.runtime.observe = observe;
          ask('start');
          hold('none');
          return observe(spec);
        };
        await run();
        expect(answers()).empty;
        await run();
        expect(answers()).length(1).and.have.nested.property('[0].message.code', 'now_running');
      });

      const given = [
        { command: 'restart', terminal: false, answered: false },
        { command: 'retry', terminal: false, answered: true },
        { command: 'restart', terminal: true, answered: true },
        { command: 'retry', terminal: true, answered: true },
      ] as const;
      for (const { command, terminal, answered } of given) {
        const kind = terminal ? 'terminal' : 'retryable';
        it(`to ${command} that meets a ${kind} error is ${answered ? 'told so' : 'kept'}`, async () => {
          hold('stopped');
          await run();
          owed();
          hold('none');
          ask(command);
          engine.failAfter(2, new (terminal ? TerminalError : RetryableError)('a.b', 'no image', 'Pull it.'));
          await run().catch(() => undefined);
          expect(answers().map(({ result, message }) => [result, message])).deep.equal(
            answered ? [['failed', { code: 'verbatim', params: { text: 'no image' } }]] : [],
          );
          expect(test.store.commands.pending()).length(answered ? 0 : 1);
        });
      }
    });
  });

  describe('a failure', () => {
    const terminal = new TerminalError('docker.no_image', 'no image', 'Pull it.');
    const retryable = new RetryableError('docker.away', 'no engine', 'Start it.');
    const fail = (error: unknown, attempts = 0, instanceKey = KEY) =>
      reconciler.fail({ instanceKey, attempts, failingSince: attempts === 0 ? null : test.now }, error);

    it('that needs a person is recorded and told once', async () => {
      add();
      for (let times = 0; times < 3; times++) fail(terminal, times);
      expect(instance()).include({ phase: 'error', errorMessage: 'no image' });
      const operations = owed();
      expect(operations.map(({ op }) => op)).deep.equal(['instance', 'log', 'todo']);
      expect(operations[0]).nested.include({ 'values.state': 'error', 'values.error_message': 'no image' });
    });

    it('that passes by itself keeps the phase', () => {
      add({ phase: 'running' });
      fail(retryable);
      fail(retryable, 1);
      expect(instance()).include({ phase: 'running', errorMessage: 'no engine' });
      expect(owed().map(({ op }) => op)).deep.equal(['instance', 'log']);
      fail(new TerminalError('a.b', 'no engine', 'x'), 2);
      expect(instance()?.phase).equal('error');
    });

    it('is over with the next run that succeeds', async () => {
      add();
      fail(terminal);
      owed();
      await run();
      expect(instance()).include({ phase: 'running', errorMessage: null });
      const report = owed().findLast(({ op }) => op === 'instance');
      expect(report).nested.include({ 'values.state': 'running', 'values.error_message': null });
    });

    it('of an instance that is gone is nothing', () => {
      fail(terminal, 0, 'sol:9');
      expect(owed()).empty;
    });
  });

  it('leaves alone what is unknown or deleted', async () => {
    expect(await reconciler.reconcile('sol:9')).equal(null);
    add({ phase: 'deleted' });
    expect(await run()).equal(null);
    expect(engine.taken()).empty;
    expect(owed()).empty;
  });

  it('needs a person when nothing is known about the plan, and answers who asked', async () => {
    add({ planId: 9 }, [bought({ instanceKey: KEY, planId: 9 })]);
    test.store.commands.add([{ id: 5, instanceKey: KEY, command: 'retry', requestedBy: 'Ann', planId: null }]);
    const error = await run().catch((thrown: unknown) => thrown);
    expect(error).instanceOf(TerminalError).property('code', 'plan.unknown');
    expect(owed().map(({ key }) => key)).deep.equal(['command:5']);
  });

  it('follows the plan that counts now', async () => {
    test.store.plans.save([{ ...PLAN, id: 2, name: 'Big' }]);
    add({}, [
      bought({ instanceKey: KEY }),
      bought({ key: 'sol:2', instanceKey: KEY, planId: 2, startsOn: PAID_UNTIL }),
    ]);
    await run();
    expect(values()).include({ plan_id: 1, paid_until: '2026-03-15 12:00:00' });
    test.now = PAID_UNTIL;
    await run();
    expect(values()).include({ plan_id: 2 });
    expect(instance()?.planId).equal(2);
  });
});
