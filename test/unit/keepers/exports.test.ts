import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { copiesIn, removeOldExports } from '../../../src/keepers/exports.js';
import { keptLog } from '../reconcile/support.js';
import { utc } from '../subscription/support.js';

const NOW = utc('2026-06-01T12:00');
const DAY_MS = 86_400_000;

describe('final copies', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'saas-exports-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  function put(name: string, ageDays: number): void {
    writeFileSync(path.join(dir, name), 'x');
    const at = new Date(NOW.getTime() - ageDays * DAY_MS);
    utimesSync(path.join(dir, name), at, at);
  }

  it('have a name that says whose they are, the same at every try, one for each who had the name', () => {
    const file = (key: string) => copiesIn({ dir, keptDays: 90 }).fileOf({ key, name: 'acme' }, 'zip');
    expect(file('sol:7')).equal(path.join(dir, 'acme.sol-7.zip'));
    expect(file('sol:7')).equal(file('sol:7')).not.equal(file('rec:7'));
  });

  it('are kept until the date that was promised, whatever the settings say later, and go with it', async () => {
    const copies = copiesIn({ dir, keptDays: 90 });
    const [old, kept] = ['acme.sol-7.zip', 'acme.sol-8.zip'].map((name) => path.join(dir, name)) as [string, string];
    put('acme.sol-7.zip', 89);
    put('acme.sol-8.zip', 300);
    await copies.promise(old, new Date(NOW.getTime() - 1));
    await copies.promise(kept, new Date(NOW.getTime() + 1));
    expect(await copies.promisedUntil(kept)).deep.equal(new Date(NOW.getTime() + 1));
    expect(await copies.promisedUntil(path.join(dir, 'none.zip'))).equal(null);
    for (const keptDays of [0, 10]) await removeOldExports({ dir, keptDays }, () => NOW, keptLog());
    expect(readdirSync(dir)).members(['acme.sol-8.zip', 'acme.sol-8.zip.until']);
  });

  it('of former versions, without a date, are not removed by a setting of 0', async () => {
    put('acme.sol-7.zip', 89);
    await removeOldExports({ dir, keptDays: 0 }, () => NOW, keptLog());
    expect(readdirSync(dir)).members(['acme.sol-7.zip']);
  });

  it('go when their time is over; nothing else goes', async () => {
    put('acme.sol-7.zip', 90.01);
    put('acme.sol-8.zip', 89.99);
    put('acme-2.rec-9.tgz', 400);
    for (const other of ['acme.zip', 'acme.sol-7.zip.part', 'notes.txt', 'x.sol-1.zip.keep']) put(other, 400);
    mkdirSync(path.join(dir, 'sub'));
    const log = keptLog();
    await removeOldExports({ dir, keptDays: 90 }, () => NOW, log);
    expect(readdirSync(dir)).members([
      ...['acme.sol-8.zip', 'acme.zip', 'acme.sol-7.zip.part', 'notes.txt', 'x.sol-1.zip.keep', 'sub'],
    ]);
    expect(log.events()).deep.equal(['export.removed', 'export.removed']);
  });

  it('that cannot be removed are told, and keep no other', async () => {
    put('b.sol-2.zip', 100);
    mkdirSync(path.join(dir, 'a.sol-1.zip'));
    utimesSync(path.join(dir, 'a.sol-1.zip'), new Date(0), new Date(0));
    const log = keptLog();
    await removeOldExports({ dir, keptDays: 90 }, () => NOW, log);
    expect(readdirSync(dir)).deep.equal(['a.sol-1.zip']);
    expect(log.events()).members(['export.not_removed', 'export.removed']);
  });

  it('are none where there is no folder', async () => {
    const log = keptLog();
    await removeOldExports({ dir: path.join(dir, 'none'), keptDays: 90 }, () => NOW, log);
    expect(log.lines).empty;
  });
});
