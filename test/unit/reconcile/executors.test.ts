import { expect } from 'chai';
import type { Runtime } from '../../../src/instance/ports.js';
import { instanceSpec } from '../../../src/instance/spec.js';
import { createExecutors } from '../../../src/reconcile/executors.js';
import { newInstance, placementAt, RELEASE } from '../store/support.js';
import { keptLog, only, PLAN } from './support.js';

describe('executors', () => {
  /** What was done, in order. */
  let done: string[];
  beforeEach(() => {
    done = [];
  });

  const place = { placement: placementAt(2), release: RELEASE };
  const spec = instanceSpec({ ...newInstance('sol:1'), name: 'acme' }, PLAN, place, 'http://localhost:1');
  const execute = (runtime: Partial<Runtime>) =>
    createExecutors({
      runtime: only<Runtime>(runtime),
      front: { release: async ({ httpPort }) => void done.push(`port ${httpPort} is free`) },
      log: keptLog(),
    });

  for (const action of ['startOdoo', 'startBoth', 'removeVolumes'] as const) {
    it(`${action} takes the page from the port first`, async () => {
      await execute({ [action]: async () => void done.push(action) })(
        { action },
        { spec, provisioned: true, exportFile: '' },
      );
      expect(done).deep.equal(['port 20004 is free', action]);
    });
  }

  it('never replaces the lost data of a customer by an empty database', async () => {
    const asked: boolean[] = [];
    const fill: Runtime['fill'] = async (_spec, _source, { mustExist }) => void asked.push(mustExist);
    for (const provisioned of [true, false]) {
      await execute({ fill })({ action: 'seedVolumes' }, { spec, provisioned, exportFile: '' });
    }
    expect(asked).deep.equal([true, false]);
  });

  it('fills a new one from the template of its modules', async () => {
    const sources: unknown[] = [];
    const fill: Runtime['fill'] = async (_spec, source) => void sources.push(source);
    const crm = { ...spec, modules: ['crm'] };
    await execute({ fill })({ action: 'seedVolumes' }, { spec: crm, provisioned: false, exportFile: '' });
    expect(sources).deep.equal([{ kind: 'template', modules: ['crm'] }]);
  });
});
