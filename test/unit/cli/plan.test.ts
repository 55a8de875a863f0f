import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { Duration } from 'luxon';
import { showPlan } from '../../../src/cli/plan.js';
import { type Config, loadConfig } from '../../../src/config/config.js';
import { openStore, type Store } from '../../../src/store/store.js';
import { bought, PLAN } from '../reconcile/support.js';
import { newInstance, places } from '../store/support.js';
import { utc } from '../subscription/support.js';

const NOW = utc('2026-02-01T12:00');

describe('plan', () => {
  let dir: string;
  let config: Config;
  let store: Store;
  let engine: Server;
  /** What the engine was asked that it does not know. */
  let unknown: string[];

  beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'saas-cli-'));
    const key = path.join(dir, 'key');
    const socket = path.join(dir, 'docker.sock');
    writeFileSync(key, 'k');
    config = loadConfig({
      ...{ SAAS_ODOO_URL: 'http://127.0.0.1:9', SAAS_ODOO_DB: 'm', SAAS_ODOO_LOGIN: 'b', SAAS_ODOO_API_KEY_FILE: key },
      ...{ SAAS_DATA_DIR: dir, SAAS_DOCKER_SOCKET: socket, SAAS_TIME_ZONE: 'Europe/Madrid' },
    });
    // Half a second late, so that the moment does not come before NOW.
    config = { ...config, clockOffset: Duration.fromMillis(NOW.getTime() - Date.now() + 500) };
    store = openStore(config.storePath);
    store.plans.save([PLAN]);
    unknown = [];
    // An engine that has nothing.
    engine = createServer((request, response) => {
      const url = request.url ?? '';
      response.setHeader('content-type', 'application/json');
      if (request.method === 'GET' && /\/(containers\/json|networks)(\?|$)/.test(url)) response.end('[]');
      else if (request.method === 'GET' && /\/volumes(\?|$)/.test(url)) response.end('{"Volumes":[]}');
      else {
        unknown.push(`${request.method} ${url}`);
        response.statusCode = 500;
        response.end('{}');
      }
    });
    await new Promise<void>((resolve) => engine.listen(socket, resolve));
  });
  afterEach(async () => {
    store.close();
    engine.closeAllConnections();
    await new Promise((resolve) => engine.close(resolve));
    rmSync(dir, { recursive: true });
    expect(unknown).empty;
  });

  async function plan(at: string | null, asJson = false): Promise<string> {
    let text = '';
    const write = (chunk: string) => {
      text += chunk;
      return true;
    };
    await showPlan(
      config,
      at === null ? null : utc(at),
      { write: write as NodeJS.WriteStream['write'], isTTY: false },
      asJson,
    );
    return text;
  }
  /** Paid until 15 Feb, 13:00 in Madrid. Its phase is what the store says; the engine is not asked for it. */
  function acme(changes: Partial<ReturnType<typeof newInstance>> = {}): void {
    const startedAt = utc('2026-01-15T12:00');
    store.instances.create({ ...newInstance('sol:1'), phase: 'running', startedAt, ...changes }, () => 'acme');
    store.placements.allocate('sol:1', places());
    store.purchases.save([bought({ instanceKey: 'sol:1' })]);
  }
  const lines = (text: string) => text.trimEnd().split('\n');
  /** Moment, name, what; without the reason. */
  const coming = (text: string) =>
    lines(text)
      .slice(lines(text).findIndex((line) => line.startsWith('Until')) + 1)
      .map((line) => line.split(/ {2,}/).slice(0, 3).join(' | '));

  it('has nothing to tell of nobody', async () => {
    expect(await plan('2026-12-01T00:00')).equal(
      'At 2026-02-01 13:00 (Europe/Madrid): nothing to do.\n\n' +
        'Until 2026-12-01 01:00, if nobody pays or decides anything: nothing happens.\n',
    );
  });

  it('without a date tells only what is to be done now', async () => {
    acme();
    const text = await plan(null);
    expect(lines(text)[0]).equal('At 2026-02-01 13:00 (Europe/Madrid): 1 of 1 instances change.');
    expect(text).contain('acme → running: It is paid until 2026-02-15 12:00 UTC.').not.contain('Until');
  });

  it('tells all that will happen by itself until a date, with counts, in the local time', async () => {
    acme();
    const text = await plan('2026-04-01T00:00');
    expect(text).contain(
      'Until 2026-04-01 02:00, if nobody pays or decides anything: ' +
        '3 × reminder, 1 × suspended, 3 × deletion warning, 1 × deleted.',
    );
    expect(coming(text)).deep.equal([
      '2026-02-08 00:00 | acme | reminder',
      '2026-02-12 00:00 | acme | reminder',
      '2026-02-14 00:00 | acme | reminder',
      '2026-02-16 00:00 | acme | suspended',
      '2026-03-04 00:00 | acme | deletion warning',
      '2026-03-11 00:00 | acme | deletion warning',
      '2026-03-17 00:00 | acme | deletion warning',
      '2026-03-18 00:00 | acme | deleted',
    ]);
  });

  it('ends at the date', async () => {
    acme();
    expect(coming(await plan('2026-02-11T23:00'))).deep.equal([
      '2026-02-08 00:00 | acme | reminder',
      '2026-02-12 00:00 | acme | reminder',
    ]);
    expect(coming(await plan('2026-02-11T22:59'))).length(1);
  });

  it('tells no mail that was sent', async () => {
    config = { ...config, clockOffset: config.clockOffset.plus({ days: 8 }) };
    acme();
    expect(coming(await plan('2026-02-12T00:00')), 'due and not sent yet').deep.equal([
      '2026-02-09 13:00 | acme | reminder',
      '2026-02-12 00:00 | acme | reminder',
    ]);
    store.events.record('notice:reminder:sol:1:2026-02-15T12:00:00.000Z:7', 'reminder');
    expect(coming(await plan('2026-02-12T00:00'))).deep.equal(['2026-02-12 00:00 | acme | reminder']);
  });

  it('tells of several in the order of time, and leaves out what is deleted', async () => {
    acme();
    const startedAt = utc('2026-01-10T12:00');
    store.instances.create({ ...newInstance('sol:2'), phase: 'running', startedAt }, () => 'beta');
    store.purchases.save([bought({ key: 'sol:2', instanceKey: 'sol:2', startsOn: startedAt })]);
    store.instances.create({ ...newInstance('sol:3'), phase: 'deleted', startedAt }, () => 'gone');
    expect(coming(await plan('2026-02-11T12:00'))).deep.equal([
      '2026-02-03 00:00 | beta | reminder',
      '2026-02-07 00:00 | beta | reminder',
      '2026-02-08 00:00 | acme | reminder',
      '2026-02-09 00:00 | beta | reminder',
      '2026-02-11 00:00 | beta | suspended',
    ]);
  });

  it('nothing happens to one that staff keep stopped', async () => {
    acme({ phase: 'stopped', hold: 'stopped' });
    expect(await plan('2027-01-01T00:00')).contain('nothing happens.');
  });

  it('as JSON has the same, with the reason of each', async () => {
    acme();
    const { at, until, plans, problems } = JSON.parse(await plan('2026-02-20T00:00', true));
    expect(at).match(/^2026-02-01T12:00:/);
    expect([until, problems]).deep.equal(['2026-02-20T00:00:00.000Z', []]);
    expect(plans).length(1);
    expect(plans[0]).include({ name: 'acme' });
    expect(plans[0].coming.at(-1)).deep.equal({
      at: '2026-02-15T23:00:00.000Z',
      what: 'suspended',
      reason: 'It was paid until 2026-02-15 12:00 UTC; the time to renew ended at 2026-02-15 23:00 UTC.',
    });
    expect(plans[0].coming[0]).deep.equal({
      ...{ at: '2026-02-07T23:00:00.000Z', what: 'reminder', reason: '7 days before the paid time ends' },
    });
  });

  it('one that cannot be planned hides no other, and the store is as it was', async () => {
    acme();
    store.instances.create({ ...newInstance('sol:2'), planId: 9 }, () => 'lost');
    const before = JSON.stringify([store.instances.all(), store.jobs.all()]);
    const text = await plan('2026-02-20T00:00');
    expect(lines(text).at(-1)).equal(
      'lost: nothing can be planned: lost is sold as product 9, which is no complete plan',
    );
    expect(text).contain('3 × reminder, 1 × suspended');
    expect(JSON.stringify([store.instances.all(), store.jobs.all()])).equal(before);
  });
});
