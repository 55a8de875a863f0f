import { expect } from 'chai';
import { pausedInstance } from '../../../src/facts/paused.js';
import type { Phase } from '../../../src/instance/phase.js';
import { SHOP_URL } from '../../../src/store/meta.js';
import { newInstance, places, type TestStore, testStore } from '../store/support.js';

describe('pausedInstance', () => {
  let test: TestStore;

  beforeEach(() => {
    test = testStore();
    test.store.instances.create({ ...newInstance('sol:1'), phase: 'suspended' }, () => 'acme');
    test.store.placements.allocate('sol:1', places(), (slot) => slot === 2);
  });
  afterEach(() => test.remove());

  const paused = (key = 'sol:1') => pausedInstance(test.store, key);

  it('is known by its port, and leads its owner to the shop', () => {
    const known = { name: 'acme', port: 20_004, phase: 'suspended', lang: 'es_ES' };
    expect(paused()).deep.equal({ ...known, ownerUrl: null });
    test.store.meta.set(SHOP_URL, 'https://shop.example.com');
    expect(paused()).deep.equal({ ...known, ownerUrl: 'https://shop.example.com/my/instances/named/acme' });
  });

  it('is one that is suspended or stopped, and no other', () => {
    const phases: Phase[] = [
      'draft',
      'provisioning',
      'running',
      'suspended',
      'stopped',
      'error',
      'deleting',
      'deleted',
    ];
    const down = phases.filter((phase) => {
      test.store.instances.update('sol:1', { phase });
      return paused() !== null;
    });
    expect(down).deep.equal(['suspended', 'stopped']);
  });

  it('is nothing without a port', () => {
    expect(paused('sol:9')).equal(null);
    test.store.placements.release('sol:1');
    expect(paused()).equal(null);
  });
});
