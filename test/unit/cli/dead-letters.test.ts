import { expect } from 'chai';
import { dropDeadLetter, listDeadLetters, retryDeadLetters } from '../../../src/cli/dead-letters.js';
import { subjectOf } from '../../../src/owed/subject-of.js';
import type { PushOperation } from '../../../src/protocol/push.js';
import { openStore, type Store } from '../../../src/store/store.js';
import { newInstance } from '../store/support.js';
import { codeOf, out, testConfig } from './support.js';

describe('dead-letters', () => {
  let folder: ReturnType<typeof testConfig>;
  let store: Store;
  beforeEach(() => {
    folder = testConfig();
    store = openStore(folder.config.storePath);
    store.instances.create(newInstance('sol:1'), () => 'acme');
  });
  afterEach(() => {
    store.close();
    folder.remove();
  });

  function refused(operation: PushOperation, lane = 'sol:1'): number {
    store.outbox.put(operation, lane);
    const [entry] = store.outbox.due(new Date(Date.now() + 1000), 1);
    store.outbox.refuse(entry?.id ?? 0, 'the contact 11 does not exist');
    return entry?.id ?? 0;
  }
  const NOTICE: PushOperation = {
    ...{ op: 'notice', key: 'notice:welcome:sol:1', instance_key: 'sol:1', notice: 'welcome', to: 'old@acme.example' },
    ...{ contact_id: 11, lang: 'es_ES', subject: '', html: '', text: '' },
  };
  function gaveUp(): void {
    store.instances.update('sol:1', { phase: 'error', errorMessage: 'no image' });
    store.jobs.enqueue('sol:1', { reason: 'x' });
    const [job] = store.jobs.claim(new Date(), 'worker', 1);
    store.jobs.fail('sol:1', job?.token ?? '', new Date(Date.now() + 3_600_000));
  }
  function list(asJson = false): string {
    const written = out();
    listDeadLetters(folder.config, written, asJson);
    return written.text();
  }
  const retry = (id: string | null) => {
    const written = out();
    retryDeadLetters(folder.config, id, written, false);
    return written.text();
  };

  it('says that there are none', () => {
    expect(list()).equal('Nothing: the master took every write, and no instance has given up.\n');
    expect(list(true)).equal('{"letters":[]}\n');
    expect(retry(null)).match(/^Nothing/);
  });

  it('shows when, what, for whom and why', () => {
    const id = refused(NOTICE);
    gaveUp();
    const [header, first, why, second, reason] = list().split('\n');
    expect(header).match(/^ID +STATE +SINCE \(Europe\/Madrid\) +INSTANCE +WHAT$/);
    expect(first).match(new RegExp(`^${id} +refused +20\\d\\d-\\d\\d-\\d\\d \\d\\d:\\d\\d +acme +mail: welcome$`));
    expect(why).equal('    Acme <old@acme.example>: the contact 11 does not exist');
    expect(second).match(/^acme +gave up +.* +acme +the instance is not made$/);
    expect(reason).match(/^ {4}Acme <ann@acme\.example>: no image; tried again 20/);
    expect(JSON.parse(list(true)).letters.map((one: { id: string }) => one.id)).deep.equal([String(id), 'acme']);
  });

  it('has one tried again, or all, while the daemon has the store open', () => {
    const id = refused(NOTICE);
    expect(retry(String(id))).equal(`${id}: is tried at once, or when the daemon runs again.\n`);
    expect(store.outbox.due(new Date(Date.now() + 1000), 9)).length(1);
    gaveUp();
    expect(store.jobs.countDue(new Date())).equal(0);
    const second = refused({ ...NOTICE, key: 'notice:welcome:sol:1:b' }, 'sol:2');
    expect(retry(null).split('\n')).length(3).include(`${second}: is tried at once, or when the daemon runs again.`);
    expect(store.jobs.countDue(new Date())).equal(1);
  });

  it('drops a write, but no instance and no record of one', async () => {
    const id = refused(NOTICE);
    gaveUp();
    const written = out();
    dropDeadLetter(folder.config, String(id), written, false);
    expect(written.text()).equal(`${id}: is gone.\n`);
    expect(await codeOf(() => dropDeadLetter(folder.config, 'acme', written, false))).equal('letter.owed');
    store.outbox.put({ op: 'instance', key: 'x', instance_key: 'sol:1', values: {} }, 'sol:1');
    const [record] = store.outbox.due(new Date(Date.now() + 1000), 1);
    store.outbox.retry(record?.id ?? 0, new Date(), 'no', true);
    expect(await codeOf(() => dropDeadLetter(folder.config, String(record?.id), written, false))).equal('letter.owed');
  });

  it('says when there is no such one', async () => {
    for (const id of ['77', 'nobody', ''])
      expect(await codeOf(() => retryDeadLetters(folder.config, id, out(), false)), id).equal('letter.unknown');
    expect(await codeOf(() => dropDeadLetter(folder.config, '77', out(), false))).equal('letter.unknown');
  });

  it('has a word for every kind of write', () => {
    const message = { code: 'now_running', params: {} } as const;
    const said = (
      [
        NOTICE,
        { op: 'instance', key: 'k', instance_key: 'a', values: {} },
        { op: 'log', key: 'k', instance_key: 'a', lines: [] },
        { op: 'todo', key: 'k', purchase_key: 'sol:7', message },
        { op: 'todo', key: 'k', instance_key: 'a', message },
        { op: 'summary', key: 'k', message },
        { op: 'command', key: 'k', command_id: 5, result: 'done', message },
      ] as PushOperation[]
    ).map(subjectOf);
    expect(said).deep.equal([
      ...['mail: welcome', 'record', 'lines of the log', 'to-do on sol:7: now_running', 'to-do: now_running'],
      ...['message: now_running', 'answer to command 5: done'],
    ]);
  });
});
