import { expect } from 'chai';
import { RetryableError } from '../../../src/errors.js';
import type { PushOperation } from '../../../src/odoo/protocol.js';
import { completeOperation, type NoticeParts } from '../../../src/reconcile/notices.js';
import { noticeOperation } from '../../../src/reconcile/report.js';
import { Secret } from '../../../src/secret.js';
import { newInstance, type TestStore, testStore } from '../store/support.js';
import { POLICY } from '../subscription/support.js';
import { bought, PLAN } from './support.js';

const PASSWORD = 'first-password';

describe('completing a write', () => {
  let test: TestStore;

  beforeEach(() => {
    test = testStore();
    test.store.plans.save([PLAN]);
    test.store.instances.create(newInstance('sol:1'), () => 'acme');
    test.store.purchases.save([bought({ instanceKey: 'sol:1' })]);
  });
  afterEach(() => test.remove());

  function complete(operation: PushOperation): PushOperation | null {
    const secret = new Secret(PASSWORD);
    const instances: NoticeParts['instances'] = {
      secrets: () => ({ adminPassword: secret, dbPassword: secret, adminPasswd: secret }) as never,
    };
    const urlOf = (name: string, slot: number) => `https://${name}.example.com/${slot}`;
    return completeOperation(operation, { store: test.store, instances, policy: POLICY, clock: () => test.now, urlOf });
  }
  const notice = (kind: 'welcome' | 'suspended' | 'reactivated') =>
    noticeOperation(test.store.instances.get('sol:1') ?? expect.fail(), kind, null, []);

  it('leaves what needs nothing as it is', () => {
    const operation: PushOperation = { op: 'log', key: 'l', instance_key: 'sol:1', lines: ['a'] };
    expect(complete(operation)).equal(operation);
    const report: PushOperation = { op: 'instance', key: 'i', instance_key: 'sol:1', values: { name: 'acme' } };
    expect(complete(report)).deep.equal(report);
  });

  it('adds the password where a new login is reported, to a copy', () => {
    const values = { admin_login: 'ann' };
    const operation: PushOperation = { op: 'instance', key: 'i', instance_key: 'sol:1', values };
    expect(complete(operation)).nested.include({ 'values.admin_password': PASSWORD });
    expect(values).deep.equal({ admin_login: 'ann' });
  });

  for (const kind of ['welcome', 'suspended', 'reactivated'] as const) {
    it(`writes the ${kind} mail${kind === 'welcome' ? ' with' : ' without'} the password`, () => {
      test.store.slots.allocate('sol:1', 5);
      const operation = complete(notice(kind));
      if (operation?.op !== 'notice') return expect.fail('no mail');
      expect(operation.subject).not.empty;
      expect(operation.html).contain('acme');
      expect(operation.text.includes(PASSWORD)).equal(kind === 'welcome');
    });
  }

  it('waits with a mail while the instance has no address', () => {
    expect(() => complete(notice('welcome')))
      .throw(RetryableError)
      .property('code', 'notice.no_address');
  });

  it('drops the mail of an instance that is gone', () => {
    test.store.instances.update('sol:1', { phase: 'deleted' });
    expect(complete(notice('suspended'))).equal(null);
  });
});
