import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Owner } from '../../../src/instance/ownership.js';
import type { ScopeMarker } from '../../../src/instance/ports.js';
import { createOwnership, type Ownership } from '../../../src/keepers/ownership.js';
import { RetryableError } from '../../../src/lib/errors.js';
import { keptLog } from '../reconcile/support.js';
import { newInstance, testStore } from '../store/support.js';

/** An engine's marker in memory. */
function stubMarker() {
  let owner: Owner | null = null;
  const keys: string[] = [];
  let isAway = false;
  const asked = <T>(answer: () => T): Promise<T> =>
    isAway ? Promise.reject(new RetryableError('docker.unreachable', 'away', 'x')) : Promise.resolve(answer());
  const marker: ScopeMarker = {
    read: () => asked(() => owner),
    claim: (wanted) => asked(() => (owner ??= wanted)),
    replace: (wanted) => asked(() => (owner = wanted)),
    instanceKeys: () => asked(() => keys),
  };
  return {
    marker,
    keys,
    owner: () => owner,
    set: (other: Owner | null) => (owner = other),
    away: (now: boolean) => (isAway = now),
  };
}

describe('ownership', () => {
  let dir: string;
  let test: ReturnType<typeof testStore>;
  let engine: ReturnType<typeof stubMarker>;
  let log: ReturnType<typeof keptLog>;
  const make = (dataDir = dir, store = test.store): Ownership =>
    createOwnership({ scope: 'default', dataDir, marker: engine.marker, store, log });

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'saas-owner-'));
    test = testStore();
    engine = stubMarker();
    log = keptLog();
  });
  afterEach(() => {
    test.remove();
    rmSync(dir, { recursive: true });
  });

  it('the first start makes id and key, for the owner only, and marks the engine; the next one finds them', async () => {
    const key = await make().begin();
    for (const file of ['owner.id', 'secret.key']) expect(statSync(join(dir, file)).mode & 0o777).equal(0o600);
    expect(readFileSync(join(dir, 'owner.id'), 'utf8').trim()).equal(engine.owner()?.id);
    expect(JSON.stringify(engine.owner())).not.contain(key.toString('hex'));
    expect((await make().begin()).equals(key)).equal(true);
    expect(log.events()).deep.equal(['scope.claimed']);
  });

  it('a second data folder is refused, and makes neither key nor id', async () => {
    await make().begin();
    const second = mkdtempSync(join(tmpdir(), 'saas-owner-'));
    const store = testStore();
    expect(await codeOf(make(second, store.store).begin())).equal('scope.foreign');
    expect(() => readFileSync(join(second, 'secret.key'))).throw('ENOENT');
    store.remove();
    rmSync(second, { recursive: true });
  });

  it('a lost store is harmless', async () => {
    await make().begin();
    engine.keys.push('sol:1');
    const store = testStore();
    await make(dir, store.store).begin();
    store.remove();
  });

  for (const [what, spoil, code] of [
    ['lost', (file: string) => rmSync(file), 'key.missing'],
    ['another', (file: string) => writeFileSync(file, `${'ab'.repeat(32)}\n`), 'key.other'],
  ] as const) {
    it(`a key that is ${what} stops the start: told by the engine, and by the store while the engine is away`, async () => {
      await make().begin();
      spoil(join(dir, 'secret.key'));
      expect(await codeOf(make().begin()), 'by the store').equal(code);
      const store = testStore();
      expect(await codeOf(make(dir, store.store).begin()), 'by the engine').equal(code);
      store.remove();
      engine.away(true);
      expect(await codeOf(make().begin()), 'while the engine is away').equal(code);
    });
  }

  it('a lost key is not made anew for instances of a version that marked nothing', async () => {
    engine.keys.push('sol:1');
    test.store.instances.create(newInstance('sol:1'), () => 'acme');
    expect(await codeOf(make().begin())).equal('key.missing');
    writeFileSync(join(dir, 'secret.key'), `${'ab'.repeat(32)}\n`, { mode: 0o600 });
    await make().begin();
    expect(engine.owner()).not.equal(null);
  });

  it('an engine that is away is waited for: nothing passes before it says that the scope is ours', async () => {
    await make().begin();
    engine.away(true);
    const ownership = make();
    await ownership.begin();
    expect(log.events()).contain('scope.unverified');
    expect(await codeOf(ownership.verified())).equal('docker.unreachable');
    engine.away(false);
    await ownership.verified();
  });

  it('a start without a key does not wait: only the engine can say whether it is the first one', async () => {
    engine.away(true);
    expect(await codeOf(make().begin())).equal('docker.unreachable');
    expect(() => readFileSync(join(dir, 'secret.key'))).throw('ENOENT');
  });

  it('one whose scope is taken over ends, and nothing passes any more', async () => {
    const ownership = make();
    await ownership.begin();
    await ownership.look();
    engine.set({ id: 'other', fingerprint: 'f', isKeyReplaced: false, place: 'elsewhere:/data' });
    expect(await codeOf(ownership.look())).equal('scope.unverified');
    expect((await ownership.lost).code).equal('scope.foreign');
    expect(await codeOf(ownership.verified())).equal('scope.unverified');
  });

  it('one that finds out only when the engine is back ends too', async () => {
    await make().begin();
    engine.away(true);
    const ownership = make();
    await ownership.begin();
    engine.set({ id: 'other', fingerprint: 'f', isKeyReplaced: false, place: 'elsewhere:/data' });
    engine.away(false);
    expect(await codeOf(ownership.verified())).equal('scope.unverified');
    expect((await ownership.lost).message).contain('elsewhere:/data');
  });

  it('a marker that was pruned is written again', async () => {
    const ownership = make();
    await ownership.begin();
    const before = engine.set(engine.owner());
    engine.set(null);
    await ownership.look();
    expect(engine.owner()).deep.equal(before);
  });
});

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );
}
