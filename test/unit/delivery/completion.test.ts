import { expect } from 'chai';
import { completeOperation, type NoticeParts } from '../../../src/delivery/completion.js';
import type { Phase } from '../../../src/instance/phase.js';
import { RetryableError } from '../../../src/lib/errors.js';
import { Secret } from '../../../src/lib/secret.js';
import { noticeOperation } from '../../../src/owed/operations.js';
import { PROTOCOL } from '../../../src/protocol/poll.js';
import { NOTICES, type Notice, type NoticeDetails, type PushOperation } from '../../../src/protocol/push.js';
import { writeKnownKey } from '../../../src/store/known-key.js';
import { POLICY } from '../reconcile/support.js';
import { newInstance, places, type TestStore, testStore } from '../store/support.js';
import { utc } from '../subscription/support.js';

const PASSWORD = 'first-password';
const PAY = 'https://shop.example.com/pay/7';
const GB = 1024 ** 3;
const DETAILS: NoticeDetails = {
  trial: false,
  planName: 'Basic',
  paidUntil: '2026-02-15T12:00:00.000Z',
  deleteOn: '2026-03-18T23:00:00.000Z',
};

describe('completing a write', () => {
  let test: TestStore;
  /** The instances for which a quotation was asked for. */
  let asked: string[];
  let renewal: () => Promise<Awaited<ReturnType<NoticeParts['master']['renewal']>>>;

  beforeEach(() => {
    test = testStore();
    asked = [];
    renewal = async () => ({ protocol: PROTOCOL, url: PAY, amount: '14,52 €' });
    test.store.instances.create(newInstance('sol:1'), () => 'acme');
    test.store.placements.allocate('sol:1', places());
  });
  afterEach(() => test.remove());

  async function complete(operation: PushOperation): Promise<PushOperation | null> {
    const secret = new Secret(PASSWORD);
    return completeOperation(operation, {
      store: test.store,
      secretsOf: () => ({ adminPassword: secret, dbPassword: secret, adminPasswd: secret }) as never,
      master: {
        renewal(key) {
          asked.push(key);
          return renewal();
        },
      },
      policy: POLICY,
      clock: () => test.now,
      addressOf: (name, { httpPort }) => `https://${name}.example.com/${httpPort}`,
    });
  }
  const owed = (notice: Notice, details: Partial<NoticeDetails> = {}) =>
    noticeOperation(test.store.instances.get('sol:1') ?? expect.fail(), notice, 'p', { ...DETAILS, ...details });
  async function mail(notice: Notice, details: Partial<NoticeDetails> = {}) {
    const operation = await complete(owed(notice, details));
    return operation?.op === 'notice' ? operation : expect.fail('no mail');
  }
  const set = (phase: Phase) => test.store.instances.update('sol:1', { phase });

  it('leaves what needs nothing as it is', async () => {
    const operation: PushOperation = { op: 'log', key: 'l', instance_key: 'sol:1', lines: ['a'] };
    expect(await complete(operation)).equal(operation);
    const report: PushOperation = { op: 'instance', key: 'i', instance_key: 'sol:1', values: { name: 'acme' } };
    expect(await complete(report)).deep.equal(report);
  });

  it('adds the password where a new login is reported, to a copy', async () => {
    const values = { admin_login: 'ann' };
    const operation: PushOperation = { op: 'instance', key: 'i', instance_key: 'sol:1', values };
    expect(await complete(operation)).nested.include({ 'values.admin_password': PASSWORD });
    expect(values).deep.equal({ admin_login: 'ann' });
  });

  describe('after secret.key was replaced', () => {
    beforeEach(() => {
      test.store.instances.update('sol:1', { phase: 'running', startedAt: test.now });
      writeKnownKey(test.store.meta, { fingerprint: 'second', isReplaced: true });
    });
    const record: PushOperation = { op: 'instance', key: 'i', instance_key: 'sol:1', values: { admin_login: 'ann' } };

    it('sends no password before it is set anew, and the record without it', async () => {
      expect(await mail('welcome').catch((error: RetryableError) => error.code)).equal('notice.password_pending');
      expect(await complete(record)).deep.equal({ ...record, values: {} });
      expect((await mail('reminder')).subject).not.equal('');
    });

    it('sends it when it is', async () => {
      test.store.instances.update('sol:1', { secrets: 'second' });
      expect((await mail('welcome')).text).include(PASSWORD);
      expect(await complete(record)).nested.include({ 'values.admin_password': PASSWORD });
    });

    it('sends none to whoever is at work with one of their own', async () => {
      const loggedInAt = new Date(test.now.getTime() + 60_000).toISOString();
      const usage = { users: 1, databaseBytes: 1, filestoreBytes: 1, modules: [], loggedInAt };
      test.store.instances.update('sol:1', { secrets: 'second', usage });
      const { text, html } = await mail('welcome');
      expect(text + html).not.include(PASSWORD);
    });
  });

  const more: Partial<Record<Notice, Partial<NoticeDetails>>> = {
    plan_changed: { previousPlanName: 'Small' },
    plan_refused: { wantedPlanName: 'Small', refusal: { en: 'Too big.', es: 'Demasiado grande.' } },
    storage_over: { storageUsedBytes: 6 * GB, storageLimitBytes: 5 * GB, graceUntil: DETAILS.deleteOn ?? '' },
  };
  for (const kind of NOTICES) {
    it(`writes the ${kind} mail${kind === 'welcome' ? ' with' : ' without'} the password, and sends no details`, async () => {
      const operation = await mail(kind, more[kind]);
      expect(operation).not.property('details');
      expect(operation).include({ key: `notice:${kind}:sol:1:p`, to: 'ann@acme.example', contact_id: 11 });
      expect(operation.subject).not.empty;
      expect(operation.html).contain('acme');
      expect(operation.text.includes(PASSWORD)).equal(kind === 'welcome');
    });
  }

  it('goes to the address of today, and is signed by who sells', async () => {
    const operation = owed('renewed');
    const customer = { ...newInstance('sol:1').customer, email: 'new@acme.example' };
    const seller = { id: 2, name: 'Nube Segunda', shopUrl: 'https://two.example.com' };
    test.store.instances.update('sol:1', { customer, seller });
    const completed = await complete(operation);
    expect(completed).include({ to: 'new@acme.example' });
    expect(completed?.op === 'notice' && completed.text).contain('Nube Segunda');
    const deleted = await mail('deleted');
    expect(deleted.text).contain('https://two.example.com/shop');
  });

  describe('that asks for a payment', () => {
    const asking = [
      ['reminder', {}],
      ['deletion_warning', {}],
      ['suspended', { suspendReason: 'unpaid' }],
      ['suspended', { suspendReason: 'taken_back' }],
    ] as const;
    for (const [kind, details] of asking) {
      it(`has the link and the price: ${kind} ${JSON.stringify(details)}`, async () => {
        const { text } = await mail(kind, details);
        expect(text).contain(PAY).contain('14,52');
        expect(asked).deep.equal(['sol:1']);
      });
    }

    const others = [
      ['welcome', {}],
      ['renewed', {}],
      ['suspended', { suspendReason: 'staff' }],
      ['suspended', { suspendReason: 'storage', ...more.storage_over }],
    ] as const;
    for (const [kind, details] of others) {
      it(`is not made for others: ${kind} ${JSON.stringify(details)}`, async () => {
        expect((await mail(kind, details)).text).not.contain(PAY);
        expect(asked).empty;
      });
    }

    it('goes without a link where the plan is not sold any more', async () => {
      renewal = async () => ({ protocol: PROTOCOL, url: null, amount: '' });
      expect((await mail('reminder')).text).not.contain('https://');
    });

    it('waits while the master cannot make the quotation', async () => {
      renewal = async () => {
        throw new RetryableError('odoo.unreachable', 'no answer', 'Start it.');
      };
      const error = await complete(owed('reminder')).catch((thrown: unknown) => thrown);
      expect(error).instanceOf(RetryableError).property('code', 'odoo.unreachable');
    });

    it('asks for none any more when the instance is deleted', async () => {
      set('deleted');
      expect((await mail('deletion_warning')).text).not.contain(PAY);
      expect(asked).empty;
    });
  });

  it('counts the days when it is sent, by the calendar of the shop', async () => {
    const subject = async (now: string) => {
      test.now = utc(now);
      return (await mail('reminder')).subject;
    };
    const [seven, one] = [await subject('2026-02-07T23:00'), await subject('2026-02-14T22:59')];
    expect(seven).contain('7');
    expect(one).contain('mañana');
  });

  it('says how much storage is used in the language of the mail', async () => {
    const details = { ...more.storage_over, storageUsedBytes: 6.25 * GB };
    expect((await mail('storage_over', details)).text)
      .contain('6,3 GB')
      .contain('5 GB');
    const customer = { ...newInstance('sol:1').customer, lang: 'en_US' };
    test.store.instances.update('sol:1', { customer });
    expect((await mail('storage_over', details)).text).contain('6.3 GB');
  });

  it('waits with a mail that needs the address while the instance has none', async () => {
    test.store.placements.release('sol:1');
    for (const kind of NOTICES) {
      const result = await complete(owed(kind, more[kind])).then(
        () => 'sent',
        (error: unknown) => (error instanceof RetryableError ? error.code : error),
      );
      const without = ['reminder', 'suspended', 'deletion_warning', 'deleted'].includes(kind);
      expect(result, kind).equal(without ? 'sent' : 'notice.no_address');
    }
  });

  it('drops mails about the address of an instance that is gone, not the one about the deletion', async () => {
    set('deleted');
    test.store.placements.release('sol:1');
    for (const kind of ['welcome', 'renewed', 'reactivated'] as const) expect(await complete(owed(kind))).equal(null);
    expect((await mail('deleted')).subject).not.empty;
  });

  it('drops the mail of an instance that nobody knows', async () => {
    expect(await complete({ ...owed('suspended'), instance_key: 'sol:9' } as PushOperation)).equal(null);
  });
});
