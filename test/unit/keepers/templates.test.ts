import { expect } from 'chai';
import type { TemplateLibrary, TemplateSpec } from '../../../src/instance/ports.js';
import { startTemplateKeeper } from '../../../src/keepers/templates.js';
import type { Loop } from '../../../src/lib/loop.js';
import { keptLog, only, PLAN, until } from '../reconcile/support.js';
import { RELEASE, type TestStore, testStore } from '../store/support.js';

describe('template keeper', () => {
  let test: TestStore;
  let keeper: Loop;
  const log = keptLog();
  const ready = new Set<string>();
  const built: string[] = [];
  const removed: string[] = [];
  let now = 0;

  const plan = (id: number, ...modules: string[]) => ({ ...PLAN, id, modules });
  const name = ({ modules }: TemplateSpec) => modules.join(',');
  const template = (id: string) => ({ id, pgdataVolume: `${id}_pgdata`, filestoreVolume: `${id}_filestore` });

  beforeEach(() => {
    test = testStore();
    ready.clear();
    built.length = 0;
    removed.length = 0;
    now = Date.now();
    log.lines.length = 0;
    keeper = startTemplateKeeper({
      store: test.store,
      templates: only<TemplateLibrary>({
        find: async (spec) => (ready.has(name(spec)) ? template(name(spec)) : null),
        async ensure(spec) {
          if (name(spec) === 'broken') throw new Error('no such module');
          built.push(name(spec));
          ready.add(name(spec));
          return template(name(spec));
        },
        async remove(id) {
          if (id === 'in use') throw new Error('volume is in use');
          removed.push(id);
        },
      }),
      settings: { release: RELEASE, languages: ['es_ES'] },
      clock: () => test.now,
      now: () => now,
      log,
    });
  });
  afterEach(async () => {
    await keeper.stop();
    test.remove();
  });

  it('builds one for every set of modules, once, when plans come', async () => {
    test.store.plans.save([plan(1), plan(2), plan(3, 'crm')]);
    keeper.wake();
    await until(() => built.length === 2);
    keeper.wake();
    test.store.plans.save([plan(4, 'sale')]);
    keeper.wake();
    await until(() => built.length === 3);
    expect(built).deep.equal(['', 'crm', 'sale']);
  });

  it('goes on with the others when one cannot be built, and says so', async () => {
    test.store.plans.save([plan(1, 'broken'), plan(2, 'crm')]);
    keeper.wake();
    await until(() => built.length === 1);
    expect(built).deep.equal(['crm']);
    expect(log.events()).include('template.failed');
  });

  it('tells the managers after an hour which plans cannot be sold, once', async () => {
    const told = () => test.store.outbox.due(test.now, 9).map(({ operation }) => operation);
    const rounds = () => log.events().filter((event) => event === 'template.failed').length;
    const round = async () => {
      const before = rounds();
      keeper.wake();
      await until(() => rounds() > before);
    };
    test.store.plans.save([{ ...plan(1, 'broken'), name: 'Bad' }, plan(2, 'crm')]);
    await round();
    expect(told()).empty;
    test.now = new Date(test.now.getTime() + 3_600_000);
    await round();
    await round();
    expect(told()).deep.equal([
      {
        ...{ op: 'summary', key: 'template:2026-01-15T12:00:00.000Z' },
        message: {
          code: 'template_failing',
          params: { plans: ['Bad'], since: '2026-01-15 12:00:00', reason: 'no such module' },
        },
      },
    ]);
  });

  it('builds none for a plan that is sold no more', async () => {
    test.store.plans.save([{ ...plan(1, 'old'), active: false }, plan(2, 'crm')]);
    keeper.wake();
    await until(() => built.length === 1);
    expect(built).deep.equal(['crm']);
  });

  describe('one that no plan needs any more', () => {
    const DAY = 86_400_000;
    /** A round, so many days later. */
    async function later(days: number): Promise<void> {
      now += days * DAY;
      const before = rounds;
      keeper.wake();
      await until(() => rounds > before);
    }
    let rounds: number;
    beforeEach(() => {
      rounds = 0;
      const { set } = test.store.meta;
      test.store.meta.set = (name, value) => {
        set(name, value);
        rounds++;
      };
    });
    function sell(...modules: string[]): void {
      test.store.plans.save([plan(1, ...modules)]);
      keeper.wake();
    }

    it('is removed after a month, and not before', async () => {
      sell('crm');
      await until(() => built.length === 1);
      sell('sale');
      await later(1);
      await later(28);
      expect(removed).empty;
      await later(2);
      expect(removed).deep.equal(['crm']);
      await later(60);
      expect(removed, 'the one that is sold stays').deep.equal(['crm']);
      expect(log.events()).include('template.removed');
    });

    it('stays where it is needed again within the month', async () => {
      sell('crm');
      await until(() => built.length === 1);
      sell('sale');
      await later(20);
      sell('crm');
      await later(1);
      sell('sale');
      await later(20);
      expect(removed).empty;
    });

    it('stays when it is another daemon’s: this one has never needed it', async () => {
      ready.add('theirs');
      sell('crm');
      await later(100);
      expect(removed).empty;
    });

    it('is tried again where it could not be removed', async () => {
      test.store.meta.set('templates_needed', JSON.stringify({ 'in use': now - 40 * DAY }));
      await later(1);
      expect(log.events()).include('template.not_removed');
      expect(test.store.meta.get('templates_needed')).contain('in use');
    });
  });
});
