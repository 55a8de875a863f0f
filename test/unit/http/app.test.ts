import { expect } from 'chai';
import { Registry } from 'prom-client';
import request from 'supertest';
import { type AppParts, createApp } from '../../../src/http/app.js';
import { createMetrics } from '../../../src/lib/metrics.js';
import { quickest } from '../../support/pace.js';

function app(parts: Partial<AppParts> = {}) {
  return request(
    createApp({
      version: '1.2.3',
      startedAt: new Date(Date.now() - 90_000),
      registry: new Registry(),
      readiness: () => {
        throw new Error('not expected');
      },
      ...parts,
    }),
  );
}

describe('http', () => {
  it('is alive whatever the master and the engine do: /health asks no part', async () => {
    const startedAt = new Date(Date.now() - 90_000);
    const answer = await app({ startedAt }).get('/health');
    const { uptimeSeconds, ...body } = answer.body;
    expect(answer.status).equal(200);
    expect(body).deep.equal({ status: 'ok', version: '1.2.3' });
    expect(uptimeSeconds).within(90, Math.round((Date.now() - startedAt.getTime()) / 1000));
    expect(answer.headers).not.property('x-powered-by');
    expect(await quickest(() => app().get('/health'))).below(500);
  });

  for (const ok of [true, false]) {
    it(`/ready answers ${ok ? 200 : 503} when one part is ${ok ? 'well like the others' : 'not'}`, async () => {
      const checks = { engine: { ok: true, detail: 'answers' }, master: { ok, detail: 'the reason' } };
      const { status, body } = await app({ readiness: () => checks }).get('/ready');
      expect(status).equal(ok ? 200 : 503);
      expect(body).deep.equal({ ready: ok, checks });
    });
  }

  it('/metrics computes its gauges when asked', async () => {
    let age: number | null = null;
    const metrics = createMetrics({
      instancesByPhase: () => ({ running: 3, suspended: 1 }),
      jobsWaiting: () => 2,
      stuck: () => 3,
      backups: () => ({ failing: 4, notWhole: 1 }),
      outbox: () => ({ count: 5, oldestAgeMs: 1500, deadLetters: 1 }),
    });
    metrics.lastPollAge(() => age);
    const { registry } = metrics;
    const first = await app({ registry })
      .get('/metrics')
      .expect(200)
      .expect('content-type', /^text\/plain/);
    for (const line of [
      'saas_instances{phase="running"} 3',
      'saas_jobs_waiting 2',
      'saas_instances_stuck 3',
      'saas_backups_failing 4',
      'saas_backups_not_whole 1',
      'saas_outbox_pending 5',
      'saas_outbox_oldest_seconds 1.5',
      'saas_outbox_dead_letters 1',
    ]) {
      expect(first.text.split('\n')).include(line);
    }
    expect(first.text).not.match(/^saas_last_poll_age_seconds /m);
    age = 2500;
    expect((await app({ registry }).get('/metrics')).text).match(/^saas_last_poll_age_seconds 2\.5$/m);
  });

  it('says what there is where there is nothing', async () => {
    for (const ask of [app().get('/'), app().get('/health/x'), app().post('/health')]) {
      const { status, body } = await ask;
      expect(status).equal(404);
      expect(body.error).contain('/ready');
    }
  });

  it('shows a failure without its stack', async () => {
    const { status, body, text } = await app().get('/ready');
    expect(status).equal(500);
    expect(body).deep.equal({ error: 'not expected' });
    expect(text).not.contain('.ts');
  });
});
