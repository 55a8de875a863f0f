import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Placement } from '../../../src/instance/placement.js';
import type { Release } from '../../../src/instance/release.js';
import type { Instance } from '../../../src/instance/types.js';
import { UNTOUCHED } from '../../../src/instance/untouched.js';
import type { Places } from '../../../src/store/placements.js';
import { openStore, type Store } from '../../../src/store/store.js';

export const NOW = new Date('2026-01-15T12:00:00Z');

export function after(ms: number): Date {
  return new Date(NOW.getTime() + ms);
}

/** A real store on a file of its own, with a clock that the test sets. */
export interface TestStore {
  dir: string;
  path: string;
  store: Store;
  now: Date;
  /** Closes and opens it again, as a restart does. */
  reopen(): Store;
  remove(): void;
}

export function testStore(): TestStore {
  const dir = mkdtempSync(join(tmpdir(), 'saas-store-'));
  const path = join(dir, 'bridge.db');
  const open = () => openStore(path, { clock: () => test.now });
  const test: TestStore = {
    dir,
    path,
    now: NOW,
    store: undefined as never,
    reopen() {
      test.store.close();
      test.store = open();
      return test.store;
    },
    remove() {
      test.store.close();
      rmSync(dir, { recursive: true });
    },
  };
  test.store = open();
  return test;
}

/** Three places unless said otherwise, as an engine would make them. */
export function places(capacity = 3): Places {
  return { capacity, placementAt };
}

export function placementAt(slot: number): Placement {
  return { slot, httpPort: 20_000 + 2 * slot, longpollingPort: 20_001 + 2 * slot, subnet: `10.0.${slot}.0/28` };
}

export const RELEASE: Release = { odooImage: 'odoo:19.0', postgresImage: 'postgres:17', addons: [] };

export function newInstance(key: string): Omit<Instance, 'name' | 'placement'> {
  return {
    ...UNTOUCHED,
    key,
    customer: { id: 10, name: 'Acme', contactId: 11, contactName: 'Ann', email: 'ann@acme.example', lang: 'es_ES' },
    planId: 1,
    document: 'S00001',
    orderId: 5,
    createdAt: NOW,
  };
}
