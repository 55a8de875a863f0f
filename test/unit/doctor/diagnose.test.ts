import { expect } from 'chai';
import { diagnose, inBoth } from '../../../src/doctor/diagnose.js';
import { FIXES, finding, KINDS, type Kind } from '../../../src/doctor/kinds.js';
import type {
  EngineSeen,
  MasterSeen,
  Picture,
  SeenInstance,
  SeenRecord,
  StoreSeen,
} from '../../../src/doctor/picture.js';
import type { ObservedInstance } from '../../../src/instance/types.js';
import { NOW, placementAt } from '../store/support.js';

const LATER = new Date(NOW.getTime() + 86_400_000);
const BEFORE = new Date(NOW.getTime() - 86_400_000);

const INSTANCE: SeenInstance = {
  ...{ key: 'sol:1', name: 'acme', phase: 'running', hold: 'none', startedAt: NOW, placement: placementAt(0) },
  ...{ paidUntil: LATER, steps: [], problem: null, hasJob: true, isInHand: false, isOwed: false },
};
const RECORD: SeenRecord = {
  ...{ key: 'sol:1', name: 'acme', phase: 'running', hold: 'none', paidUntil: LATER, requested: true },
};
const UP = { running: true } as ObservedInstance['db'];
const DOWN = { running: false } as ObservedInstance['db'];
const OBSERVED: ObservedInstance = {
  ...{ key: 'sol:1', name: 'acme', slot: 0, network: true, volumes: true, db: UP, odoo: UP },
};
const OWNER = { id: 'me', fingerprint: 'f', isKeyReplaced: false, place: 'here:/data' };
const DATA = ['x_acme_filestore', 'x_acme_pgdata'];
const PURCHASE = { key: 'sol:1', document: 'S1', state: 'open', counts: true };

interface Parts {
  master?: Partial<MasterSeen> | null;
  engine?: Partial<EngineSeen> | null;
  store?: Partial<StoreSeen> | null;
  disk?: Partial<Picture['disk']>;
  isRunning?: boolean;
  unread?: Picture['unread'];
}

/** All agrees, but for what is given. */
function picture({ master, engine, store, disk, isRunning = true, unread = [] }: Parts = {}): Picture {
  return {
    ...{ now: NOW, isRunning, unread },
    master:
      master === null ? null : { generation: 7, database: 'db', records: [RECORD], purchases: [PURCHASE], ...master },
    engine:
      engine === null
        ? null
        : {
            instances: [OBSERVED],
            volumes: new Map([['sol:1', DATA]]),
            foreign: [],
            tasks: [],
            marker: OWNER,
            ...engine,
          },
    disk: { ownerId: 'me', folders: ['acme'], copies: [], ...disk },
    store:
      store === null
        ? null
        : {
            ...{ instances: [INSTANCE], jobs: [{ key: 'sol:1' }], commands: [], letters: [] },
            purchases: [{ ...PURCHASE, instanceKey: 'sol:1' }],
            backlog: { count: 0, oldestAgeMs: 0 },
            bond: { database: 'db', generation: 7, answered: 7 },
            ...store,
          },
  };
}
const instance = (changes: Partial<SeenInstance>) => ({ store: { instances: [{ ...INSTANCE, ...changes }] } });
const record = (changes: Partial<SeenRecord>) => ({ master: { records: [{ ...RECORD, ...changes }] } });
const GONE = instance({ phase: 'deleted', placement: null }).store;
const GONE_RECORD = record({ phase: 'deleted' }).master;
const gone = (engine: Partial<EngineSeen>): Parts => ({
  ...{ store: GONE, master: GONE_RECORD, disk: { folders: [] }, engine },
});
const nobody = (engine: Partial<EngineSeen>): Parts => ({
  store: { instances: [], jobs: [], purchases: [] },
  master: { records: [], purchases: [] },
  ...{ disk: { folders: [] }, engine },
});
const EMPTY = { ...OBSERVED, volumes: false, db: DOWN, odoo: null };
const copy = (kind: 'copy' | 'draft' | 'promise', until: Date | null) => ({
  disk: { copies: [{ file: 'a.sol-1.zip', kind, until }] },
});

const CASES: [Kind, string, Parts, RegExp][] = [
  [
    'unread',
    'a part that cannot be read',
    { master: null, unread: [{ part: 'master', reason: 'no answer' }] },
    /no answer/,
  ],
  ['master_gone_back', 'a master of before', { master: { generation: 5 } }, /knows 5 pushes and has answered 7/],
  ['master_other', 'another master', { master: { database: 'other', generation: 1 } }, /database other.*knows db/],
  ['store_behind', 'a store of before', { master: { generation: 9 } }, /knows 9 pushes and the store only 7/],
  ['record_missing', 'no record', { master: { records: [] } }, /acme has no record/],
  ['record_differs', 'another state', record({ phase: 'suspended' }), /it is running, and its record says suspended/],
  ['record_differs', 'another hold', record({ hold: 'stopped' }), /its hold is none, and its record says stopped/],
  ['record_differs', 'another date', record({ paidUntil: NOW }), /paid until 2026-01-16.*says 2026-01-15/],
  [
    'record_unread',
    'a record that is new',
    { master: { records: [RECORD, { ...RECORD, key: 'rec:2', name: 'neu' }] } },
    /neu \(rec:2\)/,
  ],
  [
    'purchase_unread',
    'a purchase that is new',
    { master: { purchases: [PURCHASE, { ...PURCHASE, key: 'sol:2', document: 'S2' }] } },
    /S2 \(sol:2\)/,
  ],
  [
    'purchase_astray',
    'a purchase of nobody',
    { store: { purchases: [{ ...PURCHASE, instanceKey: 'sol:9' }] } },
    /S1 \(sol:1\)/,
  ],
  [
    'purchase_unserved',
    'a purchase without an instance',
    { store: { purchases: [{ ...PURCHASE, instanceKey: null }] } },
    /S1 \(sol:1\) is for no instance/,
  ],
  [
    'not_as_it_must_be',
    'work that nobody does',
    instance({ steps: ['startDb', 'startOdoo'] }),
    /startDb, startOdoo is to be done/,
  ],
  ['undecided', 'no plan', instance({ problem: 'no plan' }), /no plan/],
  [
    'data_missing',
    'a volume that is gone',
    { engine: { volumes: new Map([['sol:1', ['x_acme_filestore']]]) } },
    /missing: the database\.$/,
  ],
  ['data_missing', 'all volumes gone', { engine: { volumes: new Map() } }, /missing: the database and the files\.$/],
  [
    'place_differs',
    'another place',
    { engine: { instances: [{ ...OBSERVED, slot: 4 }] } },
    /place 4 of the engine.*says 0/,
  ],
  ['stranger_data', 'volumes of a stranger', nobody({}), /x_acme_filestore x_acme_pgdata/],
  ['stranger_empty', 'a network of a stranger', nobody({ instances: [EMPTY], volumes: new Map() }), /acme \(sol:1\)/],
  ['deleted_data', 'volumes of who is deleted', gone({}), /still on the engine/],
  ['deleted_empty', 'a network of who is deleted', gone({ instances: [EMPTY], volumes: new Map() }), /acme/],
  [
    'foreign',
    'what has its name',
    { engine: { foreign: [{ name: 'odoo_cliente_acme_db', instance: 'acme' }] } },
    /odoo_cliente_acme_db/,
  ],
  ['left_task', 'a task without a daemon', { isRunning: false, engine: { tasks: ['x_seed'] } }, /x_seed/],
  ['marker_missing', 'no marker', { engine: { marker: null } }, /whose the scope is/],
  [
    'marker_other',
    'another daemon’s marker',
    { engine: { marker: { ...OWNER, id: 'you', place: 'there:/data' } } },
    /there:\/data/,
  ],
  ['folder_left', 'a folder of nobody', { disk: { folders: ['acme', 'old'] } }, /instances\/old/],
  ['copy_undated', 'a copy without a date', copy('copy', null), /a\.sol-1\.zip/],
  ['copy_lost', 'a date without a copy', copy('promise', LATER), /until 2026-01-16/],
  ['copy_unfinished', 'half a copy', { ...copy('draft', null), isRunning: false }, /unfinished/],
  ['job_for_nobody', 'a job of nobody', { store: { jobs: [{ key: 'sol:1' }, { key: 'sol:9' }] } }, /sol:9/],
  [
    'command_waits',
    'a button without a job',
    { store: { jobs: [], commands: [{ id: 3, command: 'restart', instanceKey: 'sol:1' }] } },
    /restart was pressed for acme/,
  ],
  [
    'letter',
    'a write that was refused',
    { store: { letters: [{ id: '4', what: 'mail: welcome', instance: 'acme', reason: 'no contact.' }] } },
    /^acme: mail: welcome: no contact\.$/,
  ],
  [
    'writes_wait',
    'writes that wait',
    { store: { backlog: { count: 3, oldestAgeMs: 20 * 60_000 } } },
    /3 writes.*20 minutes/,
  ],
];

describe('the doctor', () => {
  const kindsOf = (parts: Parts) => diagnose(picture(parts)).map(({ kind }) => kind);

  it('finds nothing where all agrees', () => {
    expect(diagnose(picture())).deep.equal([]);
  });

  for (const [kind, what, parts, sentence] of CASES) {
    it(`finds ${what}: ${kind}`, () => {
      const found = diagnose(picture(parts));
      expect(found.map((one) => one.kind)).deep.equal([kind]);
      expect(found[0]?.sentence).match(sentence);
    });
  }

  it('has a case for every kind', () => {
    expect(Object.keys(KINDS).filter((kind) => !CASES.some(([one]) => one === kind))).deep.equal([]);
  });

  it('says in each kind what it means and what to do, and has a use for every fix', () => {
    const rows = Object.values(KINDS);
    for (const { sentence, advice } of rows)
      expect([sentence, advice].every((text) => /[.}]$|[\w-]$/.test(text))).equal(true);
    expect(Object.keys(FIXES).filter((fix) => !rows.some((row) => row.fix === fix))).deep.equal([]);
    expect(() => finding('left_task', 'x', {})).throw('needs the word object');
  });

  it('lets what is under way alone', () => {
    const none: Parts[] = [
      { ...instance({ steps: ['startDb'], isInHand: true }) },
      { ...instance({ phase: 'deleting', steps: ['removeVolumes'] }), ...record({ phase: 'running' }) },
      { ...instance({ phase: 'provisioning', startedAt: null }), engine: { instances: [], volumes: new Map() } },
      { ...instance({ isOwed: true }), ...record({ phase: 'suspended' }) },
      { ...copy('draft', null) },
      { ...copy('promise', BEFORE) },
      { engine: { tasks: ['x_seed'] } },
      { store: { backlog: { count: 3, oldestAgeMs: 60_000 } } },
      { store: { backlog: { count: 3, oldestAgeMs: 3_600_000 } }, master: null },
    ];
    for (const parts of none) expect(kindsOf(parts), JSON.stringify(parts)).deep.equal([]);
  });

  it('takes nothing for a stranger’s while the master cannot be asked, or knows it', () => {
    const { store, engine, disk } = nobody({});
    expect(
      kindsOf({ master: null, ...(store && { store }), ...(engine && { engine }), ...(disk && { disk }) }),
    ).deep.equal([]);
    const stranger = nobody({ instances: [EMPTY], volumes: new Map() });
    expect(kindsOf({ ...stranger, master: { records: [RECORD], purchases: [] } })).deep.equal(['record_unread']);
    const runs = { ...EMPTY, odoo: UP };
    expect(kindsOf(nobody({ instances: [runs], volumes: new Map() })), 'what runs is somebody’s').deep.equal([]);
  });

  it('judges by what it has', () => {
    expect(kindsOf({ store: null })).deep.equal([]);
    expect(kindsOf({ engine: null, ...instance({ steps: ['startDb'] }) })).deep.equal([]);
  });

  it('keeps what two looks have in common', () => {
    const first = [finding('left_task', 'a', { object: 'a' }), finding('left_task', 'b', { object: 'b' })];
    const second = [finding('left_task', 'b', { object: 'b' }), finding('folder_left', 'a', { folder: 'a' })];
    expect(inBoth(first, second)).deep.equal([second[0]]);
  });
});
