/** The names of their own that customers have: the real store, the real DNS, and an edge that does as it is told. */
import { expect } from 'chai';
import { createDns } from '../../../src/dns/look.js';
import type { WantedDomain } from '../../../src/domains/types.js';
import { routesTo } from '../../../src/facts/route.js';
import { startDomains } from '../../../src/keepers/domains.js';
import type { Loop } from '../../../src/lib/loop.js';
import { type DnsServer, startDns } from '../../support/dns.js';
import { keptLog, PLAN, until } from '../reconcile/support.js';
import { newInstance, places, type TestStore, testStore } from '../store/support.js';

const EDGE = '198.51.100.7';
const DAY = 86_400_000;
const proof = (digit: string) => `odoo-saas=${digit.repeat(32)}`;
const addressOf = (name: string) => `https://${name}.clientes.test`;

describe("customers' own names", () => {
  let test: TestStore;
  let server: DnsServer;
  let log: ReturnType<typeof keptLog>;
  let loop: Loop | null;
  let certified: string[];
  let refuses: Set<string>;

  before(async () => {
    server = await startDns();
  });
  after(() => server.close());
  beforeEach(() => {
    test = testStore();
    log = keptLog();
    loop = null;
    certified = [];
    refuses = new Set();
    server.records.clear();
    test.store.plans.save([{ ...PLAN, domains: 2 }]);
    // Two of one customer, and another's.
    for (const [key, name, customer] of [
      ['sol:1', 'acme', 10],
      ['sol:2', 'acme-2', 10],
      ['sol:3', 'beta', 20],
    ] as const) {
      const instance = newInstance(key);
      test.store.instances.create(
        { ...instance, phase: 'running', customer: { ...instance.customer, id: customer } },
        () => name,
      );
      test.store.placements.allocate(key, places());
    }
  });
  afterEach(async () => {
    await loop?.stop();
    test.remove();
  });

  const start = (isThere = true) => {
    loop = startDomains({
      ...{ store: test.store, clock: () => test.now, log, dns: createDns([server.address]) },
      edge: isThere
        ? {
            ...{ addresses: [EDGE], issuer: 'letsencrypt.org' },
            async awaitCertificate(host) {
              certified.push(host);
              if (refuses.has(host)) throw new Error('no certificate');
            },
          }
        : null,
      ownHost: ({ name }) => `${name}.clientes.test`,
      sellers: ['clientes.test', 'tienda.test'],
    });
  };
  const want = (key: string, ...hosts: (string | WantedDomain)[]) => {
    test.store.domains.want(
      key,
      hosts.map((host) =>
        typeof host === 'string'
          ? { host, proof: proof(key === 'sol:3' ? 'b' : 'a'), askedAt: test.now, isHeld: false }
          : host,
      ),
    );
    loop?.wake();
  };
  const pass = (ms: number) => {
    test.now = new Date(test.now.getTime() + ms);
    loop?.wake();
  };
  const [first = 'sol:1', second = 'sol:2', other = 'sol:3'] = ['sol:1', 'sol:2', 'sol:3'];
  const at = (key: string, base = 'panes.test') => test.store.domains.get(key, base);
  const settled = (key: string, state: string, problem: string | null = null) =>
    until(() => at(key)?.state === state && at(key)?.problem === problem && at(key)?.isAnswered === true);
  const point = (...digits: string[]) => {
    server.records.set('panes.test', { A: [EDGE] });
    server.records.set('_odoo-saas.panes.test', { TXT: digits.map(proof) });
  };
  /** host → where visitors of it are sent. */
  const routes = (key: string) =>
    Object.fromEntries(
      routesTo(test.store, addressOf, key).map(({ host, movedTo }) => [
        host.replace('.clientes.test', ''),
        movedTo ?? 'here',
      ]),
    );
  const told = (key: string) => {
    const owed = test.store.outbox.find(`instance:${key}`);
    return owed?.op === 'instance' ? owed.values : {};
  };

  it('become the address once DNS proves them, leads here, and the edge has the certificate', async () => {
    start();
    want(first, 'panes.test');
    await settled(first, 'waiting', 'no_proof');
    expect(told(first).domain_target).equal('acme.clientes.test');
    expect(told(first).domain_addresses).equal(EDGE);
    expect(told(first).domains).deep.equal([
      {
        ...{ host: 'panes.test', state: 'waiting', problem: 'no_proof', found: '', proven: false, pointed: false },
        ...{ twin: false, answered_on: '2026-01-15 12:00:00' },
      },
    ]);
    expect(routes(first)).deep.equal({ acme: 'here' });
    point('a');
    server.records.set('www.panes.test', { CNAME: 'panes.test' });
    pass(15_000);
    await settled(first, 'active');
    await until(() => test.store.instances.get(first)?.domain === 'panes.test');
    expect(certified).deep.equal(['panes.test']);
    expect(routes(first)).deep.equal({ acme: 'panes.test', 'panes.test': 'here', 'www.panes.test': 'panes.test' });
    expect(test.store.jobs.countDue(test.now), 'its Odoo is told').equal(1);
    expect(log.events()).deep.equal(['domain.changed', 'domain.changed']);
  });

  it('are not the address of anybody before there is a certificate, which is not asked for again and again', async () => {
    start();
    point('a');
    refuses.add('panes.test');
    want(first, 'panes.test');
    await settled(first, 'certifying', 'no_certificate');
    expect(routes(first)).deep.equal({ acme: 'here', 'panes.test': 'here' });
    expect(certified.length).equal(1);
    pass(59_000);
    pass(1_000);
    await until(() => certified.length === 2);
    refuses.clear();
    pass(120_000);
    await settled(first, 'active');
  });

  it('are no customer’s who does not prove them, whatever another has proven', async () => {
    start();
    point('a');
    want(other, 'panes.test');
    await settled(other, 'waiting', 'wrong_proof');
    want(first, 'panes.test');
    await settled(first, 'active');
    // Both are proven: who has it keeps it.
    point('a', 'b');
    pass(15_000);
    await settled(other, 'waiting', 'taken');
    expect(at(first)?.state).equal('active');
    expect(routes(other)).deep.equal({ beta: 'here' });
  });

  it('go to who has bought the domain, and proves it, where the former owner does not any more', async () => {
    start();
    point('a');
    want(first, 'www.panes.test');
    server.records.set('www.panes.test', { A: [EDGE] });
    await settled(first, 'active');
    point('b');
    want(other, 'panes.test');
    await settled(other, 'waiting', 'taken');
    pass(15_000);
    await settled(other, 'active');
    expect(at(first)).include({ state: 'waiting', problem: 'taken' });
    await until(() => test.store.instances.get(first)?.domain === null);
    expect(routes(first)).deep.equal({ acme: 'here' });
    expect(told(first).domains?.[0]).include({ host: 'www.panes.test', state: 'waiting', problem: 'taken' });
  });

  it('move to another instance of the same customer, with the same proof', async () => {
    start();
    point('a');
    want(first, 'panes.test');
    await settled(first, 'active');
    want(second, 'panes.test');
    await settled(second, 'waiting', 'taken');
    want(first);
    await settled(second, 'active');
    expect(at(first)).equal(null);
    await until(() => test.store.instances.get(first)?.domain === null);
    expect([routes(first), routes(second)]).deep.equal([
      { acme: 'here' },
      { 'acme-2': 'panes.test', 'panes.test': 'here' },
    ]);
  });

  it('are nobody’s when the instance is deleted, and the next one must prove them anew though they still lead here', async () => {
    start();
    point('a');
    want(first, 'panes.test');
    await settled(first, 'active');
    test.store.instances.update(first, { phase: 'deleted' });
    await until(() => at(first) === null);
    expect(routes(first)).deep.equal({});
    want(other, 'panes.test');
    await settled(other, 'waiting', 'wrong_proof');
    expect(routes(other)).deep.equal({ beta: 'here' });
  });

  it('are given up when they have led elsewhere for a day, and are the address again when they lead here again', async () => {
    start();
    point('a');
    want(first, 'panes.test');
    await settled(first, 'active');
    server.records.set('panes.test', { A: ['9.9.9.9'] });
    pass(DAY / 2);
    await settled(first, 'active', 'wrong_target');
    expect(test.store.instances.get(first)?.domain, 'a bad hour of a provider').equal('panes.test');
    pass(DAY);
    await settled(first, 'lost', 'wrong_target');
    await until(() => test.store.instances.get(first)?.domain === null);
    expect(routes(first), 'who comes by it is served').deep.equal({ acme: 'here', 'panes.test': 'here' });
    point();
    pass(DAY / 24);
    await settled(first, 'active');
  });

  it('stay where DNS does not answer', async () => {
    start();
    point('a');
    want(first, 'panes.test');
    await settled(first, 'active');
    server.records.set('panes.test', { fails: 'refused' });
    for (let day = 0; day < 3; day++) {
      pass(DAY);
      await settled(first, 'active', 'unanswered');
    }
    expect(test.store.instances.get(first)?.domain).equal('panes.test');
  });

  it('are as many as the plan says, and are given up with a smaller one', async () => {
    start();
    point('a');
    server.records.set('dos.test', { A: [EDGE] });
    server.records.set('_odoo-saas.dos.test', { TXT: [proof('a')] });
    want(first, 'panes.test', 'dos.test', 'tres.test');
    await settled(first, 'active');
    await until(() => at(first, 'dos.test')?.state === 'active' && at(first, 'tres.test')?.problem === 'over_limit');
    expect(routes(first)).deep.equal({ acme: 'panes.test', 'panes.test': 'here', 'dos.test': 'panes.test' });
    test.store.plans.save([PLAN, { ...PLAN, id: 2, domains: 1 }]);
    test.store.instances.update(first, { planId: 2 });
    await until(() => at(first, 'dos.test')?.state === 'lost');
    expect(at(first)?.state).equal('active');
    test.store.instances.update(first, { planId: 1 });
    await settled(first, 'lost', 'over_limit');
  });

  for (const [host, problem] of [
    ['tienda.test', 'sellers_name'],
    ['beta.clientes.test', 'sellers_name'],
    ['t1enda.test', 'sellers_name'],
    ['*.panes.test', 'bad_name'],
    ['PANES.test', 'bad_name'],
    ['../panes.test', 'bad_name'],
    ['panes.localhost', 'bad_name'],
  ] as const) {
    it(`are not asked DNS about where they may not be: ${host}`, async () => {
      start();
      server.asked.length = 0;
      want(first, host);
      await until(() => test.store.domains.of(first)[0]?.problem === problem);
      expect(server.asked).empty;
      expect(certified).empty;
      expect(routes(first)).deep.equal({ acme: 'here' });
    });
  }

  it('lead nowhere without an edge', async () => {
    start(false);
    want(first, 'panes.test');
    await settled(first, 'waiting', 'no_edge');
  });

  it('are looked at again when their customer asks, and told though nothing has changed', async () => {
    start();
    want(first, 'panes.test');
    await settled(first, 'waiting', 'no_proof');
    pass(30 * 60_000);
    await settled(first, 'waiting', 'no_proof');
    const askedAt = new Date(test.now.getTime() + 1000);
    pass(1000);
    want(first, { host: 'panes.test', proof: proof('a'), askedAt, isHeld: false });
    await settled(first, 'waiting', 'no_proof');
    expect(told(first).domains?.[0]?.answered_on).equal('2026-01-15 12:30:01');
  });

  it('are as the master says after the store was lost, and no longer where DNS says otherwise', async () => {
    point('a');
    want(first, { host: 'panes.test', proof: proof('a'), askedAt: test.now, isHeld: true });
    start();
    expect(at(first)?.state).equal('active');
    loop?.wake();
    await settled(first, 'active');
    await until(() => test.store.instances.get(first)?.domain === 'panes.test');
  });

  it('survive a restart of the daemon in the middle', async () => {
    start();
    point('a');
    refuses.add('panes.test');
    want(first, 'panes.test');
    await settled(first, 'certifying', 'no_certificate');
    await loop?.stop();
    test.reopen();
    refuses.clear();
    pass(60_000);
    start();
    await settled(first, 'active');
  });
});
