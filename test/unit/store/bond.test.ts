import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { bonded } from '../../../src/odoo/bonded.js';
import { createMaster } from '../../../src/odoo/master.js';
import type { Caller, RefusalCode } from '../../../src/protocol/bond.js';
import { PROTOCOL } from '../../../src/protocol/poll.js';
import type { PushOperation } from '../../../src/protocol/push.js';
import { type StoredBond, storedBond } from '../../../src/store/bond.js';
import { setStoreAside } from '../../../src/store/database.js';
import { type TestStore, testStore } from './support.js';

const SELF = { daemon: 'd1', host: 'h1' };
const LINE: PushOperation = { op: 'log', key: 'log:1', instance_key: 'sol:1', lines: [] };

describe('the bond with the master', () => {
  let test: TestStore;
  let bond: StoredBond;
  let refusals: RefusalCode[];
  const begin = () => {
    bond = storedBond(test.store.meta, SELF);
    bond.onRefused((code) => refusals.push(code));
  };
  beforeEach(() => {
    test = testStore();
    refusals = [];
    begin();
  });
  afterEach(() => test.remove());

  /** The addon's rules in short; those of the addon are tested in the addon. */
  function addon(state: { database_uuid: string; generation: number }) {
    const calls: [string, Caller][] = [];
    const refuse = (refused: RefusalCode) => ({ ...state, protocol: PROTOCOL, refused, host: 'h2', heard_on: false });
    const master = createMaster(
      {
        async call(_model, method, args) {
          if (method === 'hello') return { ...HELLO, ...state };
          const caller = args.at(-1) as Caller;
          calls.push([method, caller]);
          if (caller.database && caller.database !== state.database_uuid) return refuse('other_database');
          if (caller.answered > state.generation) return refuse('gone_back');
          if (caller.generation !== false && caller.generation < state.generation) return refuse('daemon_behind');
          if (method === 'push') {
            state.generation = Number(caller.generation);
            return (args[0] as { key: string }[]).map(({ key }) => ({ key, status: 'done', message: '' }));
          }
          return { ...ROWS, ...state, server_time: '2026-11-22 12:00:00', cursor: 'c', more: false };
        },
      },
      bond,
    );
    return { master, calls, state };
  }
  const codeOf = (work: Promise<unknown>) => work.then(() => null).catch((error: { code: string }) => error.code);

  it('begins with what a new store finds, and grows with every push, over restarts', async () => {
    const { master, state } = addon({ database_uuid: 'u', generation: 7 });
    await master.poll(null);
    expect(bond.caller()).deep.equal({ ...SELF, database: 'u', generation: 7, answered: 7 });
    await master.push([LINE]);
    await master.push([LINE]);
    expect(state.generation).equal(9);
    test.reopen();
    begin();
    expect(bond.caller()).include({ generation: 9, answered: 9 });
  });

  it('asks who the master is before the first push of a new store', async () => {
    const { master, state } = addon({ database_uuid: 'u', generation: 7 });
    await master.push([LINE]);
    expect(state.generation).equal(8);
  });

  it('is not broken by a push that never arrived, nor by one whose answer was lost', async () => {
    const { master, state } = addon({ database_uuid: 'u', generation: 7 });
    await master.poll(null);
    bond.forPush();
    await master.poll(null);
    state.generation = Number(bond.forPush().generation);
    await master.poll(null);
    expect(bond.caller()).include({ generation: 9, answered: 7 });
    await master.push([LINE]);
    expect(bond.caller()).include({ generation: 10, answered: 10 });
    expect(refusals).empty;
  });

  it('finds a master that knows less than it answered, before anything is written to it, and tells once', async () => {
    const { master, state } = addon({ database_uuid: 'u', generation: 7 });
    await master.push([LINE]);
    state.generation = 7;
    expect(await codeOf(master.push([LINE]))).equal('master.gone_back');
    expect(await codeOf(master.poll(null))).equal('master.gone_back');
    expect(state.generation).equal(7);
    expect(refusals).deep.equal(['gone_back']);
    expect(bond.refusal()).match(/gone back in time: it knows 7 of 8 pushes/);
    bond.renew('u', 9);
    state.generation = 9;
    await master.poll(null);
    expect(bond.refusal()).equal(null);
  });

  it('finds another database', async () => {
    await addon({ database_uuid: 'u', generation: 7 }).master.poll(null);
    const other = addon({ database_uuid: 'v', generation: 7 });
    expect(await codeOf(other.master.poll(null))).equal('master.other_database');
    expect(await codeOf(other.master.look('sol:1', []))).equal('master.other_database');
    expect(refusals).deep.equal(['other_database']);
  });

  it('finds an older store by a single push', async () => {
    const { master, state } = addon({ database_uuid: 'u', generation: 7 });
    await master.poll(null);
    state.generation = 8;
    expect(await codeOf(master.poll(null))).equal('store.behind');
    expect(refusals).deep.equal(['daemon_behind']);
  });

  it('takes a push of its own that went ahead for no refusal', async () => {
    bond.renew('u', 7);
    const seen: unknown[] = [];
    const { reply } = await bonded(bond, bond.caller, async ({ generation }) => {
      seen.push(generation);
      if (seen.length > 1) return 'told';
      bond.forPush();
      return {
        protocol: PROTOCOL,
        database_uuid: 'u',
        generation: 8,
        refused: 'daemon_behind',
        host: '',
        heard_on: false,
      };
    });
    expect([reply, seen, refusals]).deep.equal(['told', [7, 8], []]);
  });

  it('lets nothing be done beside a copy of its own data folder, until that is gone', async () => {
    await addon({ database_uuid: 'u', generation: 7 }).master.poll(null);
    const copied = {
      protocol: PROTOCOL,
      database_uuid: 'u',
      generation: 7,
      refused: 'copied',
      host: 'h2',
      heard_on: false,
    };
    bond.assertMayWork();
    expect(await codeOf(bonded(bond, bond.caller, async () => copied))).equal('master.copied');
    expect(() => bond.assertMayWork())
      .throws('a copy of this data folder')
      .property('code', 'master.copied');
    await addon({ database_uuid: 'u', generation: 7 }).master.poll(null);
    bond.assertMayWork();
  });

  it('names the daemon that serves the master', async () => {
    bond.renew('u', 7);
    const leased = { protocol: PROTOCOL, database_uuid: 'u', generation: 7, refused: 'leased', host: 'h2' };
    const work = bonded(bond, bond.caller, async () => ({ ...leased, heard_on: '2026-11-22 12:00:00' }));
    const error = await work.catch((thrown: Error) => thrown);
    expect(error).property(
      'message',
      'another daemon (on h2, last heard of at 2026-11-22T12:00:00.000Z) serves this master',
    );
  });

  it('sets an older store aside, whole', () => {
    test.store.meta.set('x', 'y');
    test.store.close();
    const aside = setStoreAside(test.path, new Date('2026-11-28T03:00:00Z'));
    expect(aside).equal(`${test.path}.older-2026-11-28T03-00-00.000Z`);
    expect(readdirSync(test.dir).filter((name) => name === 'bridge.db')).empty;
    test.reopen();
    expect(test.store.meta.get('x')).equal(null);
  });
});

const ROWS = { protocol: PROTOCOL, plans: [], purchases: [], instances: [], commands: [] };
const HELLO = {
  ...{ protocol: PROTOCOL, addon_version: '1', odoo_version: '19.0', server_time: '2026-11-22 12:00:00' },
  ...{ company: 'Shop', base_url: '', warnings: [] },
};
