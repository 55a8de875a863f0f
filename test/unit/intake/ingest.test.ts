import { expect } from 'chai';
import { isValidName } from '../../../src/instance/naming.js';
import { createIngest, type Ingest } from '../../../src/intake/ingest.js';
import type { InstanceRecord, MasterPurchase } from '../../../src/odoo/rows.js';
import { batch, bought, CUSTOMER, keptLog, PLAN, POLICY, SELLER } from '../reconcile/support.js';
import { NOW, places, type TestStore, testStore } from '../store/support.js';
import { utc } from '../subscription/support.js';

describe('ingest', () => {
  let test: TestStore;
  let log: ReturnType<typeof keptLog>;
  let ingest: Ingest;

  beforeEach(() => {
    test = testStore();
    log = keptLog();
    ingest = start();
    ingest.page(batch({ plans: [PLAN] }), true);
  });
  afterEach(() => test.remove());

  const start = (firstToExpire = false) =>
    createIngest({ store: test.store, policy: POLICY, firstToExpire, clock: () => test.now, log });
  const take = (...purchases: MasterPurchase[]) => ingest.page(batch({ purchases }), false);
  const names = () => test.store.instances.all().map(({ name }) => name);
  const jobs = () => test.store.jobs.all().map(({ instanceKey }) => instanceKey);
  /** All that is owed to the master. */
  const owed = () => test.store.outbox.due(NOW, 1000).map(({ operation }) => operation);
  const ofPurchase = (key: string) => test.store.purchases.get(key)?.instanceKey;
  const clearJobs = () => {
    for (const { instanceKey, token } of test.store.jobs.claim(NOW, 'test', 100)) {
      test.store.jobs.complete(instanceKey, token, null);
    }
  };
  const record = (changes: Partial<InstanceRecord> = {}): InstanceRecord => ({
    id: 3,
    key: 'rec:3',
    name: 'acme',
    customer: CUSTOMER,
    seller: SELLER,
    planId: 1,
    phase: 'draft',
    hold: 'none',
    startedAt: null,
    paidUntil: null,
    suspendedAt: null,
    storageOverSince: null,
    requested: true,
    ...changes,
  });

  describe('names of their own', () => {
    const domain = (host: string, askedAt = NOW) => ({
      host,
      proof: `odoo-saas=${'a'.repeat(32)}`,
      askedAt,
      isHeld: false,
    });
    const known = () => test.store.domains.of('rec:3').map(({ host, base }) => `${host} of ${base}`);
    const told = (domains?: InstanceRecord['domains'], more: Partial<InstanceRecord> = {}) =>
      ingest.page(batch({ instances: [record({ ...more, ...(domains && { domains }) })] }), true);

    it('are taken in order, stay where nothing is told of them, and are given up when they are told no more', () => {
      told([domain('www.acme.test'), domain('acme.example'), domain('acme.test')]);
      expect(known(), 'with www and without is one').deep.equal([
        'www.acme.test of acme.test',
        'acme.example of acme.example',
      ]);
      told();
      expect(known()).length(2);
      told([domain('acme.example')]);
      expect(known()).deep.equal(['acme.example of acme.example']);
      told([]);
      expect(known()).empty;
    });

    it('are looked at when they are new, and again when that is asked for', () => {
      const due = () => test.store.domains.due(NOW, 10).map(({ host }) => host);
      told([domain('acme.test')]);
      expect(due()).deep.equal(['acme.test']);
      told([domain('acme.test')]);
      expect(due()).empty;
      told([domain('acme.test', new Date(NOW.getTime() + 1000))]);
      expect(due()).deep.equal(['acme.test']);
    });

    it('are none of an instance that is gone', () => {
      told([domain('acme.test')], { phase: 'deleted' });
      expect(known()).empty;
    });
  });

  describe('purchases', () => {
    it('a new one makes an instance and a job; the same rows again make nothing', () => {
      take(bought());
      const [instance] = test.store.instances.all();
      expect(instance).deep.include({
        key: 'sol:1',
        name: 'acme',
        placement: null,
        planId: 1,
        phase: 'draft',
        orderId: 1,
      });
      expect(instance?.customer).deep.equal(CUSTOMER);
      expect(instance?.seller).deep.equal(SELLER);
      expect(jobs()).deep.equal(['sol:1']);
      expect(ofPurchase('sol:1')).equal('sol:1');
      clearJobs();
      take(bought());
      ingest.page(batch({ plans: [PLAN], purchases: [bought()] }), true);
      expect(names()).deep.equal(['acme']);
      expect(jobs()).empty;
      expect(owed()).empty;
      expect(log.events()).deep.equal(['instance.created']);
    });

    it('a renewal joins the only instance of its plan, in the same batch or later', () => {
      take(bought({ key: 'sol:2', startsOn: utc('2026-02-15T12:00') }), bought());
      clearJobs();
      take(bought({ key: 'sol:3', startsOn: utc('2026-03-15T12:00') }));
      expect(names()).deep.equal(['acme']);
      expect(['sol:1', 'sol:2', 'sol:3'].map(ofPurchase)).deep.equal(['sol:1', 'sol:1', 'sol:1']);
      expect(jobs()).deep.equal(['sol:1']);
    });

    it('an additional one, another plan and another customer get instances of their own', () => {
      ingest.page(batch({ plans: [{ ...PLAN, id: 2 }] }), false);
      take(
        bought(),
        bought({ key: 'sol:2', additional: true }),
        bought({ key: 'sol:3', planId: 2 }),
        bought({ key: 'sol:4', customer: { ...CUSTOMER, id: 20 } }),
      );
      expect(names()).deep.equal(['acme', 'acme-2', 'acme-3', 'acme-4']);
    });

    it('goes where its line says, and follows when the line is changed', () => {
      take(bought(), bought({ key: 'sol:2', additional: true }), bought({ key: 'sol:3', instanceKey: 'sol:2' }));
      expect(ofPurchase('sol:3')).equal('sol:2');
      clearJobs();
      take(bought({ key: 'sol:3', instanceKey: 'sol:1' }));
      expect(ofPurchase('sol:3')).equal('sol:1');
      expect(jobs()).members(['sol:1', 'sol:2']);
      const deleteAt = utc('2026-03-17T23:00:00');
      ingest.page(batch({ instances: [record({ key: 'sol:9', name: 'beta', phase: 'suspended', deleteAt })] }), true);
      expect(test.store.instances.get('sol:9')?.toldDeleteAt, 'the date that it keeps').deep.equal(deleteAt);
    });

    it('a change of what was bought is work, a cancellation too', () => {
      take(bought());
      clearJobs();
      take(bought({ quantity: 2 }));
      expect(jobs()).deep.equal(['sol:1']);
      clearJobs();
      take(bought({ quantity: 2, state: 'cancelled' }));
      expect(jobs()).deep.equal(['sol:1']);
    });

    it('one that is cancelled or buys nothing makes nothing', () => {
      take(bought({ state: 'cancelled' }), bought({ key: 'sol:2', quantity: 0 }));
      expect(names()).empty;
    });

    it('tells once where it is not clear which instance is meant', () => {
      take(bought(), bought({ key: 'sol:2', additional: true }));
      const unclear = bought({ key: 'sol:3', document: 'S00009' });
      take(unclear);
      take(unclear);
      ingest.page(batch({ purchases: [unclear] }), true);
      expect(owed()).length(1);
      expect(owed()).empty;
      expect(log.events().filter((event) => event === 'purchase.problem')).length(1);
      expect(log.lines.at(-1)?.message).contain('S00009').contain('acme, acme-2');
      expect(ofPurchase('sol:3')).equal(null);
    });

    it('tells where a line names an instance that is not there, and serves it when the record comes', () => {
      take(bought({ instanceKey: 'rec:3' }));
      expect(names()).empty;
      expect(owed()).deep.include({
        op: 'todo',
        key: 'todo:sol:1:unknown-instance',
        purchase_key: 'sol:1',
        message: { code: 'instance_unknown', params: { document: 'S00001', instance: 'rec:3' } },
      });
      ingest.page(batch({ instances: [record()] }), false);
      expect(jobs()).deep.equal(['rec:3']);
      expect(test.store.purchases.byInstance('rec:3')).length(1);
    });

    it('waits for its plan: told once, and read again when the plan is there', () => {
      const early = bought({ planId: 7 });
      expect(take(early).needsFullPoll).equal(false);
      take(early);
      expect(names()).empty;
      expect(owed().map(({ key }) => key)).deep.equal(['todo:sol:1:plan']);
      const plans = [{ ...PLAN, id: 7 }];
      expect(ingest.page(batch({ plans }), false).needsFullPoll).equal(true);
      expect(ingest.page(batch({ plans, purchases: [early] }), true).needsFullPoll).equal(false);
      expect(names()).deep.equal(['acme']);
    });

    it('a problem that is over and comes back is told again', () => {
      const rejected = [{ kind: 'plan' as const, key: null, id: 9, problem: 'it has no code' }];
      const told = () => log.events().filter((event) => event === 'poll.row_rejected').length;
      for (const full of [false, true, true, false]) ingest.page(batch({ rejected }), full);
      expect(told()).equal(1);
      ingest.page(batch(), true);
      ingest.page(batch(), true);
      ingest.page(batch({ rejected }), false);
      expect(told()).equal(2);
    });

    it('a page that cannot be kept leaves nothing behind, not even what it told', () => {
      const wrong = bought({ key: 'sol:5', planId: 7 });
      const { add } = test.store.commands;
      test.store.commands.add = () => {
        throw Object.assign(new Error('database or disk is full'), { name: 'SqliteError', code: 'SQLITE_FULL' });
      };
      const command = { id: 1, instanceKey: 'sol:1', command: 'stop' as const, requestedBy: 'Ann', planId: null };
      expect(() => ingest.page(batch({ purchases: [wrong], commands: [command] }), false)).throw('disk is full');
      expect(owed()).empty;
      test.store.commands.add = add;
      take(wrong);
      expect(owed().map(({ key }) => key)).deep.equal(['todo:sol:5:plan']);
    });
  });

  describe('pages', () => {
    it('decides when the last one is in: an earlier line may be on it', () => {
      const renewal = bought({ key: 'sol:2', startsOn: utc('2026-02-15T12:00') });
      ingest.page(batch({ purchases: [renewal], more: true }), true);
      expect(names()).empty;
      ingest.page(batch({ purchases: [bought()] }), true);
      expect(names()).deep.equal(['acme']);
      expect(ofPurchase('sol:2')).equal('sol:1');
    });

    it('knows every record before it gives a name away or refuses a command', () => {
      const commands = [{ id: 5, instanceKey: 'rec:3', command: 'stop' as const, requestedBy: 'Ann', planId: null }];
      ingest.page(batch({ purchases: [bought({ additional: true })], commands, more: true }), true);
      ingest.page(batch({ instances: [record()], commands }), true);
      expect(test.store.instances.get('rec:3')).include({ name: 'acme', hold: 'stopped' });
      expect(test.store.instances.get('sol:1')?.name).equal('acme-2');
      expect(owed()).empty;
    });
  });

  describe('records', () => {
    it('one that staff made and asked for is made', () => {
      ingest.page(batch({ instances: [record({ name: 'their-name' })] }), false);
      expect(test.store.instances.get('rec:3')).include({ name: 'their-name', document: 'their-name', phase: 'draft' });
      expect(jobs()).deep.equal(['rec:3']);
    });

    const ignored: Partial<InstanceRecord>[] = [{ requested: false }, { planId: null }];
    for (const changes of ignored) {
      it(`one with ${JSON.stringify(changes)} is left alone`, () => {
        ingest.page(batch({ instances: [record(changes)] }), true);
        expect(names()).empty;
      });
    }

    it('rebuild a lost store: names, dates, holds and links are as before', () => {
      const startedAt = utc('2026-01-01T10:00');
      const suspendedAt = utc('2026-01-10T23:00');
      const paidUntil = utc('2026-01-10T10:00');
      const storageOverSince = utc('2026-01-09T10:00');
      ingest.page(
        batch({
          instances: [
            record({
              ...{ key: 'sol:1', name: 'acme-7', phase: 'suspended', hold: 'stopped', startedAt, suspendedAt },
              ...{ paidUntil, storageOverSince },
            }),
          ],
          purchases: [bought({ instanceKey: 'sol:1' }), bought({ key: 'sol:2', additional: true })],
        }),
        true,
      );
      expect(test.store.instances.get('sol:1')).deep.include({
        ...{ name: 'acme-7', phase: 'suspended', hold: 'stopped', startedAt, suspendedAt, placement: null },
      });
      expect(test.store.instances.get('sol:1')?.toldPaidUntil, 'what the customer knows').deep.equal(paidUntil);
      expect(test.store.instances.get('sol:1')?.storageOverSince).deep.equal(storageOverSince);
      expect(names()).members(['acme-7', 'acme']);
      expect(jobs()).members(['sol:1', 'sol:2']);
    });

    it('bring another customer and another seller, also while it is being made', () => {
      take(bought());
      test.store.placements.allocate('sol:1', places());
      const customer = { ...CUSTOMER, id: 77, email: 'new@acme.example' };
      const seller = { ...SELLER, name: 'Renamed' };
      ingest.page(batch({ instances: [record({ key: 'sol:1', customer, seller })] }), false);
      const known = test.store.instances.get('sol:1');
      expect(known?.seller).deep.equal(seller);
      // Its administrator's login is made of the address it was begun with.
      expect(known?.customer).deep.equal({ ...CUSTOMER, id: 77 });
      take(bought({ key: 'sol:2', customer }));
      expect(ofPurchase('sol:2')).equal('sol:1');
    });

    it('bring a new address of the customer, and work when the master shows another state', () => {
      take(bought());
      clearJobs();
      const customer = { ...CUSTOMER, email: 'new@acme.example' };
      ingest.page(batch({ instances: [record({ key: 'sol:1', customer })] }), false);
      expect(test.store.instances.get('sol:1')?.customer.email).equal('new@acme.example');
      expect(jobs()).empty;
      ingest.page(batch({ instances: [record({ key: 'sol:1', customer, phase: 'running' })] }), true);
      expect(jobs()).deep.equal(['sol:1']);
    });
  });

  describe('a deleted instance', () => {
    const gone = record({ key: 'sol:1', name: 'acme', phase: 'deleted', startedAt: utc('2025-10-15T12:00') });
    /** Bought for it when it lived; the addon has set the link since. */
    const old = bought({ instanceKey: 'sol:1', startsOn: utc('2025-10-15T12:00') });
    const plan2 = { ...PLAN, id: 2 };

    it('is not made anew by its purchases, not even after the store was lost', () => {
      for (let times = 0; times < 2; times++) {
        ingest.page(batch({ instances: [gone], purchases: [old] }), true);
        expect(test.store.instances.all().map(({ key, phase }) => [key, phase])).deep.equal([['sol:1', 'deleted']]);
      }
      expect(jobs().filter((key) => key !== 'sol:1')).empty;
      expect(owed(), 'its time was over').empty;
    });

    it('is known whatever page its purchases are on', () => {
      ingest.page(batch({ purchases: [old], more: true }), true);
      ingest.page(batch({ instances: [gone] }), true);
      expect(names()).deep.equal(['acme']);
      expect(test.store.instances.get('sol:1')?.phase).equal('deleted');
    });

    it('gives its name to the next customer of that name, and a renewal without a link is a new instance', () => {
      ingest.page(batch({ instances: [gone], purchases: [old] }), true);
      take(bought({ key: 'sol:2' }));
      expect(test.store.instances.get('sol:2')).include({ name: 'acme', phase: 'draft' });
      expect(ofPurchase('sol:2')).equal('sol:2');
    });

    it('keeps its name from nobody when records come in any order', () => {
      const living = record({ key: 'sol:2', name: 'acme', phase: 'running' });
      ingest.page(batch({ instances: [living, gone] }), true);
      expect(test.store.instances.byName('acme')?.key).equal('sol:2');
      expect(names()).deep.equal(['acme', 'acme']);
    });

    it('that somebody pays again is told once, and not made', () => {
      ingest.page(batch({ instances: [gone], purchases: [old] }), true);
      const paid = bought({ key: 'sol:5', instanceKey: 'sol:1', document: 'S00005' });
      for (let times = 0; times < 3; times++) take(paid);
      expect(owed().map(({ key }) => key)).deep.equal(['todo:sol:5:deleted-instance']);
      expect(log.lines.at(-1)?.message).contain('S00005 pays for acme, which was deleted');
      expect(names()).deep.equal(['acme']);
    });

    it('takes no time off a trial: its customer gets no second one', () => {
      ingest.page(batch({ plans: [{ ...plan2, trial: true }], instances: [gone], purchases: [old] }), true);
      take(bought({ key: 'sol:2', planId: 2 }));
      expect(owed().map(({ key }) => key)).deep.equal(['todo:sol:2:trial-used']);
      expect(ofPurchase('sol:2')).equal(null);
    });

    it('that is on its way to deletion takes no renewal', () => {
      take(bought());
      test.store.instances.update('sol:1', { phase: 'deleting' });
      take(bought({ key: 'sol:2', startsOn: utc('2026-02-15T12:00') }));
      expect(ofPurchase('sol:2')).equal('sol:2');
      expect(names(), 'the name is not free yet').deep.equal(['acme', 'acme-2']);
    });
  });

  describe('a trial', () => {
    beforeEach(() => {
      ingest.page(batch({ plans: [{ ...PLAN, id: 2, trial: true }] }), false);
    });

    it('is for new customers, once', () => {
      take(bought({ planId: 2 }));
      take(bought({ key: 'sol:2', planId: 2, startsOn: utc('2026-02-15T12:00') }));
      expect(names()).deep.equal(['acme']);
      expect(owed().map(({ key }) => key)).deep.equal(['todo:sol:2:trial-used']);
    });

    it('becomes what its customer buys', () => {
      take(bought({ planId: 2 }));
      take(bought({ key: 'sol:2', planId: 1, startsOn: utc('2026-02-01T12:00') }));
      expect(ofPurchase('sol:2')).equal('sol:1');
      expect(names()).deep.equal(['acme']);
    });
  });

  it('a renewal that may be for several goes to the one that expires first, where that is the rule', () => {
    ingest = start(true);
    take(bought({ quantity: 3 }), bought({ key: 'sol:2', additional: true }));
    take(bought({ key: 'sol:3', startsOn: utc('2026-01-20T12:00') }));
    expect(ofPurchase('sol:3')).equal('sol:2');
    expect(owed()).empty;
  });

  describe('a payment on its way', () => {
    const pending = { state: 'pending', paidOn: null, pendingSince: utc('2026-01-15T11:00') } as const;

    it('makes nothing by itself', () => {
      take(bought(pending));
      expect(names()).empty;
      expect(owed()).empty;
    });

    it('of a renewal is work for its instance, and so is its end', () => {
      take(bought());
      clearJobs();
      take(bought({ key: 'sol:2', ...pending }));
      expect(ofPurchase('sol:2')).equal('sol:1');
      expect(jobs()).deep.equal(['sol:1']);
      clearJobs();
      take(bought({ key: 'sol:2' }));
      expect(jobs()).deep.equal(['sol:1']);
    });
  });

  it('an edit that adds takes nothing back, and neither does a payment that only vanished', () => {
    const paid = bought();
    take(paid);
    const [part] = paid.parts;
    if (!part) throw new Error('no part');
    const unpaid = { ...part, key: 'ordered:2', paidOn: null };
    take({ ...paid, parts: [part, unpaid] });
    take({ ...paid, parts: [{ ...part, vanishedOn: test.now }, unpaid] });
    const lines = () => owed().filter(({ op }) => op === 'log');
    expect(lines()).empty;
    take({ ...paid, parts: [unpaid] });
    expect(lines()).length(1);
  });

  it('a purchase that is taken back is told in the log of its instance, once', () => {
    take(bought());
    for (let times = 0; times < 2; times++) take(bought({ state: 'cancelled' }));
    const lines = owed().flatMap((operation) => (operation.op === 'log' ? operation.lines : []));
    expect(lines).deep.equal(['2026-01-15 12:00:00 S00001 was cancelled, given back or its payment taken back.']);
    expect(log.events()).deep.equal(['instance.created', 'purchase.taken_back']);
  });

  it('a plan that changed is work for its instances, one that did not is none', () => {
    take(bought());
    clearJobs();
    ingest.page(batch({ plans: [PLAN] }), false);
    expect(jobs()).empty;
    ingest.page(batch({ plans: [{ ...PLAN, cpu: 2 }] }), false);
    expect(jobs()).deep.equal(['sol:1']);
  });

  describe('commands', () => {
    const holds = [
      ['stop', 'none', 'stopped'],
      ['start', 'stopped', 'none'],
      ['start', 'suspended', 'none'],
      ['restart', 'none', 'none'],
      ['suspend', 'none', 'suspended'],
      ['resume', 'suspended', 'none'],
      ['delete', 'stopped', 'deleted'],
      ['extend', 'suspended', 'suspended'],
      ['change_plan', 'stopped', 'stopped'],
      ['rebuild', 'none', 'none'],
      ['retry', 'stopped', 'stopped'],
    ] as const;
    for (const [command, hold, after] of holds) {
      it(`${command} on hold "${hold}" is work and leaves "${after}"`, () => {
        take(bought());
        test.store.instances.update('sol:1', { hold });
        clearJobs();
        const commands = [{ id: 5, instanceKey: 'sol:1', command, requestedBy: 'Ann', planId: null }];
        ingest.page(batch({ commands }), false);
        expect(test.store.instances.get('sol:1')?.hold).equal(after);
        expect(jobs()).deep.equal(['sol:1']);
        expect(test.store.commands.pending('sol:1')).deep.equal(commands);
        test.store.instances.update('sol:1', { hold });
        ingest.page(batch({ commands }), false);
        expect(test.store.instances.get('sol:1')?.hold, 'the second time it is listed').equal(hold);
      });
    }

    it('to rebuild is remembered until it is done', () => {
      take(bought());
      const commands = [{ id: 5, instanceKey: 'sol:1', command: 'rebuild' as const, requestedBy: 'Ann', planId: null }];
      ingest.page(batch({ commands }), false);
      expect(test.store.operations.of('sol:1')).deep.equal([
        { instanceKey: 'sol:1', kind: 'rebuild', cause: 'command', progress: 'keep', failures: 0 },
      ]);
    });

    it('to delete without a copy leaves the copy that failed so far', () => {
      take(bought());
      test.store.operations.begin('sol:1', 'export', 'deletion');
      const command = 'delete_without_copy' as const;
      const commands = [{ id: 5, instanceKey: 'sol:1', command, requestedBy: 'Ann', planId: null }];
      ingest.page(batch({ commands }), false);
      expect(test.store.instances.get('sol:1')?.hold).equal('deleted');
      expect(test.store.operations.of('sol:1')).deep.equal([
        { instanceKey: 'sol:1', kind: 'export', cause: 'deletion', progress: 'skipped', failures: 0 },
      ]);
    });

    it('to resume gives the whole grace for storage once more', () => {
      take(bought());
      test.store.instances.update('sol:1', { phase: 'suspended', storageOverSince: utc('2026-01-01T12:00') });
      const commands = [{ id: 5, instanceKey: 'sol:1', command: 'resume' as const, requestedBy: 'Ann', planId: null }];
      ingest.page(batch({ commands }), false);
      expect(test.store.instances.get('sol:1')?.storageOverSince).deep.equal(test.now);
    });

    it('for an unknown or deleted instance is refused once', () => {
      take(bought());
      test.store.instances.update('sol:1', { phase: 'deleted' });
      const commands = ['sol:1', 'rec:9'].map((instanceKey, index) => ({
        ...{ id: index + 1, instanceKey, command: 'start' as const, requestedBy: 'Ann', planId: null },
      }));
      for (let times = 0; times < 2; times++) ingest.page(batch({ commands }), false);
      expect(owed()).deep.equal(
        [1, 2].map((id) => ({
          ...{ op: 'command', key: `command:${id}`, command_id: id, result: 'refused' },
          message: { code: 'instance_gone', params: {} },
        })),
      );
      expect(test.store.commands.pending()).empty;
    });
  });

  it('a purchase that cannot be read is told to its salesperson, another row to the admin', () => {
    const rejected = [
      { kind: 'purchase' as const, key: 'sol:4', id: null, problem: 'S00004 has a line of a plan without a period' },
      { kind: 'command' as const, key: null, id: 3, problem: 'command: unknown' },
    ];
    for (let times = 0; times < 3; times++) ingest.page(batch({ rejected }), times === 1);
    expect(owed().map(({ key }) => key)).deep.equal(['todo:sol:4:rejected']);
    expect(log.events()).deep.equal(['purchase.problem', 'poll.row_rejected']);
  });

  it('gives a new instance the name and the language that its buyer wants, a taken name with a number', () => {
    const wishes = { wantedName: 'Mi Tienda', wantedLang: 'en_US' };
    take(bought(wishes), bought({ key: 'sol:2', additional: true, ...wishes }));
    expect(names()).deep.equal(['mi-tienda', 'mi-tienda-2']);
    expect(test.store.instances.get('sol:1')?.customer.lang).equal('en_US');
  });

  const HOSTILE = [
    '../../etc/passwd',
    '$(rm -rf /)',
    "'; DROP TABLE instances; --",
    'Müller & Söhne GmbH',
    '东京株式会社',
    '',
    'www',
    'a'.repeat(300),
    '-x-',
    '1984',
    'a\u0000b\nc',
    '\u202eevil',
  ];
  for (const name of HOSTILE) {
    it(`makes a valid name of ${JSON.stringify(name.slice(0, 30))}, twice`, () => {
      const customer = { ...CUSTOMER, name };
      take(bought({ customer }), bought({ key: 'sol:2', wantedName: name, additional: true }));
      ingest.page(batch({ instances: [record({ name })] }), false);
      expect(new Set(names()).size).equal(3);
      for (const made of names()) expect(isValidName(made), made).equal(true);
    });
  }

  describe('one that cannot be taken in', () => {
    /** From now on the store faults where it is asked for this one. */
    function poison(table: 'purchases' | 'instances', key: string): void {
      const { get } = test.store[table];
      (test.store[table] as { get: unknown }).get = (asked: string) => {
        if (asked === key) throw new RangeError('Invalid time value');
        return get(asked);
      };
    }
    const failed = () => log.lines.filter(({ event }) => event === 'poll.row_failed').map(({ key }) => key);

    it('is a purchase: the others of the page are served', () => {
      poison('purchases', 'sol:2');
      const others = [3, 4].map((id) => bought({ key: `sol:${id}`, customer: { ...CUSTOMER, id } }));
      take(bought(), bought({ key: 'sol:2', customer: { ...CUSTOMER, id: 2 } }), ...others);
      expect(jobs()).members(['sol:1', 'sol:3', 'sol:4']);
      expect(failed()).deep.equal(['sol:2']);
    });

    it('is told once, and tried again with each pass', () => {
      poison('purchases', 'sol:2');
      const bad = bought({ key: 'sol:2', customer: { ...CUSTOMER, id: 2 } });
      for (let pass = 0; pass < 3; pass++) ingest.page(batch({ purchases: [bad, bought()] }), true);
      expect(failed()).deep.equal(['sol:2']);
    });

    it('is a record, or a command: the others are taken', () => {
      take(bought());
      poison('instances', 'rec:3');
      const command = { id: 1, command: 'stop' as const, requestedBy: 'Ann', planId: null };
      ingest.page(
        batch({
          instances: [record(), record({ id: 4, key: 'rec:4', name: 'beta' })],
          commands: [
            { ...command, instanceKey: 'rec:3' },
            { ...command, id: 2, instanceKey: 'sol:1' },
          ],
        }),
        false,
      );
      expect(names()).members(['acme', 'beta']);
      expect(test.store.instances.get('sol:1')?.hold).equal('stopped');
      expect(failed()).deep.equal(['rec:3', '1']);
      expect(
        test.store.commands.pending().map(({ id }) => id),
        'the command is not taken for done',
      ).deep.equal([2]);
    });

    it('is a store that cannot be written: then nothing is', () => {
      const full = Object.assign(new Error('database or disk is full'), { name: 'SqliteError', code: 'SQLITE_FULL' });
      test.store.purchases.save = () => {
        throw full;
      };
      expect(() => take(bought())).to.throw('disk is full');
      expect(failed()).empty;
    });
  });
});
