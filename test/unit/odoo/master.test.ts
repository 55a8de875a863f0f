import { expect } from 'chai';
import { createMaster } from '../../../src/odoo/master.js';
import { PROTOCOL } from '../../../src/protocol/poll.js';
import type { PushOperation } from '../../../src/protocol/push.js';

const customer = { id: 5, name: 'Acme\r\nBcc: x', contact_id: 6, contact_name: 'Ana', email: false, lang: 'es_ES' };
const seller = { id: 2, name: 'Nube\nFácil', shop_url: 'https://shop.example.com', lang: 'es_ES' };
const plan = {
  id: 1,
  code: 'pro',
  name: 'Pro',
  names: { es_ES: 'Pro', en_US: 'Professional\n', de_DE: false },
  active: true,
  period_count: 1,
  period_unit: 'month',
  cpu: 1,
  memory_mb: 512,
  storage_gb: 10,
  max_users: 5,
  modules: 'sale, crm,,sale',
  grace_days: 0,
  retention_days: 30,
  trial: false,
};
/** Half a period that is paid, and the rest that is not. */
function partsOf(quantity: number) {
  const part = { starts_on: '2026-11-22 12:00:00', vanished_on: false };
  return [
    { ...part, key: 'inv:9', quantity: Math.min(quantity, 0.5), paid_on: '2026-11-23 08:00:00' },
    { ...part, key: 'ordered:1', quantity: Math.max(0, quantity - 0.5), paid_on: false },
  ];
}

const purchase = {
  key: 'sol:7',
  state: 'open',
  document: 'S00042',
  order_id: 42,
  invoice_ids: [3],
  customer,
  seller,
  plan_id: 1,
  period_count: 1,
  period_unit: 'month',
  instance_key: false,
  additional: false,
  wanted_name: false,
  wanted_lang: false,
  unit_price: 12.1,
  list_price: 12.1,
  keep_plan: false,
  pending_since: false,
  starts_on: '2026-11-22 12:00:00',
  parts: partsOf(2),
};
const instance = {
  id: 9,
  key: 'sol:7',
  name: 'acme',
  customer,
  seller,
  plan_id: 1,
  state: 'running',
  hold: 'none',
  started_on: '2026-11-22 12:00:05',
  paid_until: '2027-01-22 12:00:00',
  suspended_on: false,
  storage_over_since: '2026-11-20 08:00:00',
  requested: true,
};
const command = { id: 4, instance_key: 'sol:7', command: 'restart', requested_by: 'Eva', plan_id: false };
const rows = { plans: [], purchases: [], instances: [], commands: [] };
const identity = { database_uuid: 'u', generation: 4 };
const reply = {
  ...identity,
  protocol: PROTOCOL,
  server_time: '2026-11-22 12:00:00',
  cursor: 'c1',
  more: false,
  ...rows,
};

function masterThatAnswers(answer: unknown) {
  const calls: unknown[][] = [];
  const master = createMaster({
    call: async (...call) => {
      calls.push(call);
      return answer;
    },
  });
  return { master, calls };
}
const poll = (rows: object) => masterThatAnswers({ ...reply, ...rows }).master.poll(null);
async function failureOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => {
      throw new Error('did not fail');
    },
    (error) => error,
  );
}

describe('master.poll', () => {
  it('asks with cursor and limit', async () => {
    const { master, calls } = masterThatAnswers(reply);
    await master.poll('c0', 10);
    expect(calls).to.deep.equal([['saas.bridge', 'poll', ['c0', 10]]]);
  });

  it('converts plans', async () => {
    expect((await poll({ plans: [plan] })).plans).to.deep.equal([
      {
        id: 1,
        code: 'pro',
        name: 'Pro',
        names: { en_US: 'Professional', es_ES: 'Pro' },
        cpu: 1,
        memoryMb: 512,
        storageGb: 10,
        maxUsers: 5,
        modules: ['crm', 'sale'],
        graceDays: 0,
        retentionDays: 30,
        trial: false,
      },
    ]);
  });

  it('takes plans of an addon that tells no other names', async () => {
    const keep = { keep_daily: 3, keep_weekly: 0, keep_monthly: 24 };
    expect((await poll({ plans: [{ ...plan, ...keep }] })).plans[0]?.keep).to.deep.equal({
      ...{ daily: 3, weekly: 0, monthly: 24 },
    });
    const { names: _, ...old } = plan;
    expect((await poll({ plans: [old] })).plans[0]?.names).to.deep.equal({});
  });

  for (const [change, words] of [
    [{ code: false }, 'it has no code'],
    [{ code: '../x' }, 'its code may hold'],
    [{ period_count: 0 }, 'its period is 0, must be 1 to 10000'],
    [{ period_count: -1 }, 'its period is -1'],
    [{ period_unit: false }, 'no unit of its period'],
    [{ memory_mb: 5 }, 'its memory in MB is 5, must be 128'],
    [{ cpu: 0 }, 'its CPU is 0'],
    [{ cpu: 1e9 }, 'its CPU is 1000000000'],
    [{ retention_days: -1 }, 'its days of retention is -1'],
    [{ keep_daily: 0 }, 'its days of backups is 0, must be 1'],
    [{ modules: 'sale,$(rm)' }, '"$(rm)" is no technical name of a module'],
    [{ memory_mb: 'lots' }, 'memory_mb: '],
  ] as const) {
    it(`rejects the plan with ${JSON.stringify(change)}, keeps the others`, async () => {
      const { plans, rejected } = await poll({
        plans: [
          { ...plan, ...change },
          { ...plan, id: 2 },
        ],
      });
      expect(plans.map(({ id }) => id)).to.deep.equal([2]);
      expect(rejected).to.have.length(1);
      expect(rejected[0]).to.include({ kind: 'plan', id: 1, key: null });
      expect(rejected[0]?.problem).to.contain(words);
    });
  }

  it('converts purchases, with the buyer', async () => {
    const { purchases } = await poll({ purchases: [purchase] });
    expect(purchases).to.deep.equal([
      {
        key: 'sol:7',
        state: 'open',
        planId: 1,
        periodCount: 1,
        periodUnit: 'month',
        startsOn: new Date('2026-11-22T12:00:00Z'),
        parts: [
          {
            key: 'inv:9',
            quantity: 0.5,
            startsOn: new Date('2026-11-22T12:00:00Z'),
            paidOn: new Date('2026-11-23T08:00:00Z'),
            vanishedOn: null,
          },
          {
            key: 'ordered:1',
            quantity: 1.5,
            startsOn: new Date('2026-11-22T12:00:00Z'),
            paidOn: null,
            vanishedOn: null,
          },
        ],
        customerId: 5,
        customer: { id: 5, name: 'Acme Bcc: x', contactId: 6, contactName: 'Ana', email: '', lang: 'es_ES' },
        seller: { id: 2, name: 'Nube Fácil', shopUrl: 'https://shop.example.com' },
        document: 'S00042',
        orderId: 42,
        invoiceIds: [3],
        instanceKey: null,
        additional: false,
        wantedName: '',
        wantedLang: '',
        unitPrice: 12.1,
        listPrice: 12.1,
        keepPlan: false,
        pendingSince: null,
      },
    ]);
  });

  it('takes no address of a shop that is none', async () => {
    for (const shop_url of ['javascript:alert(1)', '', 'shop.example.com', false]) {
      const { purchases } = await poll({ purchases: [{ ...purchase, seller: { ...seller, shop_url } }] });
      expect(purchases[0]?.seller.shopUrl).to.equal(null);
    }
  });

  it('a purchase of nothing is cancelled, even without a period', async () => {
    for (const change of [{ parts: [] }, { parts: partsOf(0) }, { state: 'cancelled' }]) {
      const { purchases } = await poll({
        purchases: [{ ...purchase, ...change, period_unit: false, period_count: 0 }],
      });
      expect(purchases[0]).to.include({ state: 'cancelled', key: 'sol:7' });
    }
  });

  it('keeps a payment that is on its way, and a plan that was refused', async () => {
    const { purchases } = await poll({
      purchases: [
        { ...purchase, state: 'pending', pending_since: '2026-11-21 10:00:00' },
        { ...purchase, key: 'sol:8', keep_plan: true },
      ],
    });
    expect(purchases[0]).to.deep.include({ state: 'pending', pendingSince: new Date('2026-11-21T10:00:00Z') });
    expect(purchases[1]).to.include({ state: 'open', keepPlan: true });
  });

  it('a grant of nothing changes the plan alone', async () => {
    const grant = { ...purchase, key: 'grant:3', order_id: false };
    const { purchases } = await poll({
      purchases: [
        { ...grant, parts: partsOf(0) },
        { ...grant, key: 'grant:5', state: 'cancelled', parts: partsOf(0) },
      ],
    });
    expect(purchases.map(({ key, state }) => [key, state])).to.deep.equal([
      ['grant:3', 'open'],
      ['grant:5', 'cancelled'],
    ]);
  });

  it('a price below nothing is nothing', async () => {
    const { purchases } = await poll({ purchases: [{ ...purchase, unit_price: -5 }] });
    expect(purchases[0]?.unitPrice).to.equal(0);
  });

  it('rejects rows that are no good, each by its key, and keeps the rest', async () => {
    const { purchases, instances, commands, rejected } = await poll({
      purchases: [
        { ...purchase, key: 'sol:8', period_unit: false },
        { ...purchase, key: 'sol:9', parts: partsOf(1e9) },
        { ...purchase, key: 'evil' },
        { ...purchase, key: 'sol:10', starts_on: '2026-99-99 00:00:00' },
        null,
        purchase,
      ],
      instances: [{ ...instance, state: 'flying' }, instance],
      commands: [{ ...command, command: 'rm' }, command],
    });
    expect(purchases.map(({ key }) => key)).to.deep.equal(['sol:7']);
    expect(instances).to.have.length(1);
    expect(commands).to.deep.equal([
      { id: 4, instanceKey: 'sol:7', command: 'restart', requestedBy: 'Eva', planId: null },
    ]);
    expect(rejected.map(({ kind, key, id }) => `${kind} ${key} ${id}`)).to.deep.equal([
      'purchase sol:8 null',
      'purchase sol:9 null',
      'purchase evil null',
      'purchase sol:10 null',
      'purchase null null',
      'instance sol:7 9',
      'command null 4',
    ]);
    expect(rejected[0]?.problem).to.equal('S00042 has a line of a plan without a period');
    expect(rejected[1]?.problem).to.contain('must be a mistake');
    expect(rejected[3]?.problem).to.contain('starts_on');
  });

  it('converts instances', async () => {
    const { instances } = await poll({ instances: [instance] });
    expect(instances[0]).to.include({
      id: 9,
      key: 'sol:7',
      phase: 'running',
      hold: 'none',
      planId: 1,
      requested: true,
    });
    expect(instances[0]?.paidUntil).to.deep.equal(new Date('2027-01-22T12:00:00Z'));
    expect(instances[0]?.suspendedAt).to.equal(null);
    expect(instances[0]?.storageOverSince).to.deep.equal(new Date('2026-11-20T08:00:00Z'));
  });

  for (const hold of ['none', 'stopped', 'suspended', 'deleted']) {
    it(`takes the hold ${hold}`, async () => {
      expect((await poll({ instances: [{ ...instance, hold }] })).instances[0]?.hold).to.equal(hold);
    });
  }

  it('converts a change of plan, and refuses what it does not know', async () => {
    const wanted = { ...command, command: 'change_plan', plan_id: 3 };
    expect((await poll({ commands: [wanted] })).commands).to.deep.equal([
      { id: 4, instanceKey: 'sol:7', command: 'change_plan', requestedBy: 'Eva', planId: 3 },
    ]);
    const { commands, rejected } = await poll({ commands: [{ ...command, command: 'explode' }] });
    expect(commands).to.deep.equal([]);
    expect(rejected[0]?.problem).to.contain('command: ');
  });

  it('another protocol: says what to upgrade', async () => {
    for (const [protocol, words] of [
      [PROTOCOL + 1, 'Upgrade the daemon'],
      [PROTOCOL - 1, 'Upgrade the addon'],
    ] as const) {
      const error = await failureOf(poll({ protocol }));
      expect(error).to.include({ code: 'odoo.protocol', retryable: false });
      expect(error).to.have.property('advice').that.contains(words);
    }
    for (const answer of [false, 'x', { protocol: PROTOCOL }, { ...reply, cursor: '' }]) {
      const error = await failureOf(masterThatAnswers(answer).master.poll(null));
      expect(error).to.include({ code: 'odoo.protocol', retryable: false });
    }
  });
});

describe('master.hello', () => {
  const hello = {
    protocol: PROTOCOL,
    addon_version: '19.0.1',
    odoo_version: '19.0',
    server_time: '2026-11-22 12:00:00',
    database_uuid: 'u',
    generation: 0,
    company: 'Nube',
    base_url: 'https://x',
    warnings: [],
  };
  it('answers', async () => expect((await masterThatAnswers(hello).master.hello()).company).to.equal('Nube'));
  it('refuses another protocol', async () => {
    expect(await failureOf(masterThatAnswers({ ...hello, protocol: PROTOCOL + 1 }).master.hello())).to.include({
      code: 'odoo.protocol',
    });
  });
});

describe('master.renewal', () => {
  const renewal = { protocol: PROTOCOL, url: 'https://shop.example.com/pay/1?a=b', amount: '14,52\u00a0€' };

  it('asks for the instance, and answers with the link and the price', async () => {
    const { master, calls } = masterThatAnswers(renewal);
    expect(await master.renewal('sol:7')).to.deep.equal(renewal);
    expect(calls).to.deep.equal([['saas.bridge', 'renewal', ['sol:7']]]);
  });

  it('has no link where the plan is not sold any more', async () => {
    const { master } = masterThatAnswers({ protocol: PROTOCOL, url: false, amount: false });
    expect(await master.renewal('sol:7')).to.deep.equal({ protocol: PROTOCOL, url: null, amount: '' });
  });

  for (const change of [{ url: 'javascript:alert(1)' }, { url: 'pay me' }, { protocol: PROTOCOL + 1 }]) {
    it(`refuses ${JSON.stringify(change)}`, async () => {
      const error = await failureOf(masterThatAnswers({ ...renewal, ...change }).master.renewal('sol:7'));
      expect(error).to.include({ code: 'odoo.protocol', retryable: false });
    });
  }
});

describe('master.push', () => {
  const operations: PushOperation[] = ['a', 'b'].map((key) => ({ key, op: 'log', instance_key: 'sol:7', lines: [] }));
  const result = (key: string) => ({ key, status: 'done', message: false });

  it('gives results in the order of the operations', async () => {
    const { master, calls } = masterThatAnswers([result('b'), result('a')]);
    expect((await master.push(operations)).map(({ key }) => key)).to.deep.equal(['a', 'b']);
    expect(calls).to.deep.equal([['saas.bridge', 'push', [operations]]]);
  });

  it('sends nothing for nothing, and no key twice', async () => {
    const { master, calls } = masterThatAnswers([]);
    expect(await master.push([])).to.deep.equal([]);
    expect(await failureOf(master.push([...operations, ...operations]))).to.include({ retryable: false });
    expect(calls).to.deep.equal([]);
  });

  for (const keys of [['a'], ['a', 'a'], ['a', 'b', 'b'], ['a', 'b', 'c'], ['a', 'c'], []]) {
    it(`refuses results for ${keys.join() || 'nothing'}`, async () => {
      const error = await failureOf(masterThatAnswers(keys.map(result)).master.push(operations));
      expect(error).to.include({ code: 'odoo.push_results', retryable: true });
    });
  }
});
