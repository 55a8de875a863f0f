import { expect } from 'chai';
import type { Runtime } from '../../../src/instance/ports.js';
import { instanceSpec } from '../../../src/instance/spec.js';
import { RetryableError, TerminalError } from '../../../src/lib/errors.js';
import { createExecutors } from '../../../src/reconcile/executors.js';
import { newInstance, placementAt, RELEASE } from '../store/support.js';
import { keptLog, only, PLAN } from './support.js';

describe('executors', () => {
  /** What was done, in order. */
  let done: string[];
  beforeEach(() => {
    done = [];
  });

  /** Notes what waits outside. */
  const outside = <T>(wait: () => Promise<T>): Promise<T> => {
    done.push('outside');
    return wait();
  };
  const place = { placement: placementAt(2), release: RELEASE };
  const spec = instanceSpec({ ...newInstance('sol:1'), name: 'acme' }, PLAN, place, 'http://localhost:1');
  const promise = async (file: string) => void done.push(`promise ${file}`);
  const execute = (runtime: Partial<Runtime>) =>
    createExecutors({
      runtime: only<Runtime>(runtime),
      front: { release: async ({ httpPort }) => void done.push(`port ${httpPort} is free`) },
      exportLane: (work) => {
        done.push('lane');
        return work();
      },
      backUp: async (key) => void done.push(`back up ${key}`),
      log: keptLog(),
    });

  for (const action of ['startOdoo', 'startBoth', 'removeVolumes'] as const) {
    it(`${action} takes the page from the port first`, async () => {
      await execute({ [action]: async () => void done.push(action) })(
        { action },
        { spec, provisioned: true, isPasswordOwed: false, exportFile: () => '', promise, outside },
      );
      expect(done).deep.equal(['port 20004 is free', action]);
    });
  }

  it('write a copy outside the turns, one after the other', async () => {
    const exportData: Runtime['exportData'] = async (_spec, file) => {
      done.push(`export to ${file}`);
      return { bytes: 1 };
    };
    await execute({ exportData })(
      { action: 'exportData' },
      { spec, provisioned: true, isPasswordOwed: false, exportFile: (format) => `/x.${format}`, promise, outside },
    );
    expect(done).deep.equal(['outside', 'lane', 'export to /x.zip', 'promise /x.zip']);
  });

  it('never replaces the lost data of a customer by an empty database', async () => {
    const asked: boolean[] = [];
    const fill: Runtime['fill'] = async (_spec, _source, { mustExist }) => void asked.push(mustExist);
    for (const provisioned of [true, false]) {
      await execute({ fill })(
        { action: 'seedVolumes' },
        { spec, provisioned, isPasswordOwed: false, exportFile: () => '', promise, outside },
      );
    }
    expect(asked).deep.equal([true, false]);
  });

  it('fills a new one from the template of its modules', async () => {
    const sources: unknown[] = [];
    const fill: Runtime['fill'] = async (_spec, source) => void sources.push(source);
    const crm = { ...spec, modules: ['crm'] };
    await execute({ fill })(
      { action: 'seedVolumes' },
      { spec: crm, provisioned: false, isPasswordOwed: false, exportFile: () => '', promise, outside },
    );
    expect(sources).deep.equal([{ kind: 'template', modules: ['crm'] }]);
  });

  describe('awaitReady', () => {
    const step = { action: 'awaitReady', login: true } as const;
    const target = { spec, provisioned: false, isPasswordOwed: false, exportFile: () => '', promise, outside };
    /** @param after so many tries it answers. */
    const runtime = (after: number, error: Error = new RetryableError('instance.not_ready', 'no answer', 'Look.')) => ({
      awaitReady: async (_spec: unknown, { timeoutMs }: { timeoutMs: number }) => {
        done.push(`wait ${timeoutMs / 1000} s`);
        if (done.filter((word) => word.startsWith('wait')).length <= after) throw error;
      },
    });

    it('keeps the turn for the few seconds that most need', async () => {
      await execute(runtime(0))(step, target);
      expect(done).deep.equal(['wait 5 s']);
    });

    it('waits outside for one that takes longer', async () => {
      await execute(runtime(1))(step, target);
      expect(done).deep.equal(['wait 5 s', 'outside', 'wait 120 s']);
    });

    it('does not try a refused password twice', async () => {
      const refused = new TerminalError('instance.login_refused', 'no', 'Look.');
      const error = await execute(runtime(1, refused))(step, target).catch((thrown: unknown) => thrown);
      expect([error, done]).deep.equal([refused, ['wait 5 s']]);
    });
  });
});
