import { expect } from 'chai';
import type { Release } from '../../../src/instance/release.js';
import { RELEASE } from '../store/support.js';
import { type Harness, harness, KEY } from './harness.js';

const NEWER: Release = { ...RELEASE, odooImage: 'odoo:19.0-20261101', postgresImage: 'postgres:17.6' };
const OTHER: Release = { ...RELEASE, postgresImage: 'postgres:18' };

describe('the release of an instance', () => {
  let h: Harness;
  let settings: Release;

  beforeEach(async () => {
    settings = { ...RELEASE };
    h = harness({ release: settings });
    await h.running();
  });
  afterEach(() => h.remove());

  const wanted = (release: Release) => void Object.assign(settings, release);
  async function offAndOn(): Promise<string[]> {
    h.test.store.instances.update(KEY, { hold: 'stopped' });
    await h.run();
    h.engine.taken();
    h.test.store.instances.update(KEY, { hold: 'none' });
    await h.run();
    return h.engine.taken();
  }

  it('is pinned when it is made', () => {
    expect(h.instance()).deep.include({ release: RELEASE, revision: 'this one' });
  });

  for (const release of [NEWER, OTHER]) {
    it(`does not change while it runs, with ${release.postgresImage} in the settings`, async () => {
      wanted(release);
      await h.run();
      expect(h.engine.taken()).empty;
      expect(h.instance().release).deep.equal(RELEASE);
    });
  }

  it('is another one of the same major versions after a start that was due anyway', async () => {
    wanted(NEWER);
    expect(await offAndOn()).deep.equal(['startDb', 'startOdoo', 'awaitReady']);
    expect(h.instance().release).deep.equal(NEWER);
  });

  it('never changes its major version by itself', async () => {
    wanted(OTHER);
    await offAndOn();
    expect(h.instance().release).deep.equal(RELEASE);
  });

  it('is what its plan says', async () => {
    const plan = h.test.store.plans.get(1) ?? expect.fail('no plan');
    h.test.store.plans.save([{ ...plan, release: { odooImage: NEWER.odooImage } }]);
    await offAndOn();
    expect(h.instance().release).deep.equal({ ...RELEASE, odooImage: NEWER.odooImage });
  });

  it('is read from the engine where the store was lost', async () => {
    wanted(OTHER);
    h.test.store.instances.update(KEY, { release: null, revision: null });
    await h.run();
    expect(h.instance()).deep.include({ release: RELEASE, revision: 'this one' });
    expect(h.engine.taken()).empty;
  });

  it('of one that was never used follows the settings: a wrong image binds nobody', async () => {
    const fresh = harness({ release: settings });
    try {
      wanted({ ...RELEASE, odooImage: 'odoo:19.0-typo' });
      fresh.add();
      fresh.engine.failAfter(1, new Error('no such image'));
      await fresh.run().catch(() => undefined);
      wanted(RELEASE);
      await fresh.run();
      expect(fresh.instance()).deep.include({ phase: 'running', release: RELEASE });
    } finally {
      fresh.remove();
    }
  });
});
