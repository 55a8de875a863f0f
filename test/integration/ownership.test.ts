/** Whose a scope is, on the real engine: the built program, two data folders, one scope. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { createEngine } from '../../src/docker/engine/engine.js';
import { createMarker } from '../../src/docker/marker.js';
import { LABEL } from '../../src/instance/naming.js';
import { openStore } from '../../src/store/store.js';
import { newInstance } from '../unit/store/support.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const MAIN = path.join(ROOT, 'dist/main.js');

describe('a scope on the engine', function () {
  this.timeout(180_000);

  const scope = `t${randomBytes(4).toString('hex')}`;
  const engine = createEngine({ socketPath: process.env.SAAS_DOCKER_SOCKET ?? '/var/run/docker.sock' });
  const marker = createMarker(engine, scope);
  const volume = `${scope}_a_customer`;
  const running: ChildProcess[] = [];
  let dir: string;

  before(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'saas-scope-'));
    writeFileSync(path.join(dir, 'api'), 'k\n', { mode: 0o600 });
  });
  after(async () => {
    for (const child of running) child.kill('SIGKILL');
    await engine.removeVolume(volume);
    await marker.remove();
    rmSync(dir, { recursive: true });
  });

  /** Nobody answers as the master: a daemon waits for it. */
  function program(folder: string, ...words: string[]) {
    const env = {
      ...{ PATH: process.env.PATH, SAAS_SCOPE: scope, SAAS_DATA_DIR: path.join(dir, folder), SAAS_HTTP_PORT: '0' },
      ...{ SAAS_ODOO_URL: 'http://127.0.0.1:9', SAAS_ODOO_DB: 'm', SAAS_ODOO_LOGIN: 'l' },
      ...{ SAAS_ODOO_API_KEY_FILE: path.join(dir, 'api'), SAAS_MONITOR_INTERVAL: '1', SAAS_LOG_FORMAT: 'json' },
    };
    const child = spawn(process.execPath, [MAIN, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.push(child);
    let output = '';
    const heard: (() => void)[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        for (const tell of heard) tell();
      });
    }
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return {
      child,
      ended,
      output: () => output,
      /** Resolves when it has said so; fails when it ends before. */
      said(word: string): Promise<void> {
        return new Promise((resolve, reject) => {
          const look = () => output.includes(word) && resolve();
          heard.push(look);
          look();
          ended.then(() =>
            output.includes(word) ? resolve() : reject(new Error(`it ended before ${word}: ${output}`)),
          );
        });
      },
    };
  }

  it('belongs to the first daemon; the second one does not start and says what to do', async () => {
    const first = program('a', 'run');
    await first.said('daemon.started');
    expect(await marker.read())
      .property('place')
      .contain(path.join(dir, 'a'));
    const second = program('b', 'run');
    expect(await second.ended).equal(1);
    expect(second.output()).contain('belongs to another daemon').and.contain('SAAS_SCOPE').and.contain('take-over');
    const check = program('b', 'check');
    await check.ended;
    expect(check.output()).match(/wrong\s+scope .*belongs to another daemon/);
    first.child.kill('SIGTERM');
    expect(await first.ended).equal(0);
  });

  it('starts again with its own folder, also when the store is lost', async () => {
    for (const file of ['bridge.sqlite', 'bridge.sqlite-wal', 'bridge.sqlite-shm']) {
      rmSync(path.join(dir, 'a', file), { force: true });
    }
    const again = program('a', 'run');
    await again.said('daemon.started');
    again.child.kill('SIGTERM');
    expect(await again.ended).equal(0);
  });

  it('is not taken over without the key of its instances', async () => {
    await engine.ensureVolume(volume, { [LABEL.scope]: scope, [LABEL.key]: 'sol:1', [LABEL.instance]: 'acme' });
    const without = program('b', 'take-over');
    expect(await without.ended).equal(1);
    expect(without.output()).contain('no secret.key');
    writeFileSync(path.join(dir, 'b', 'secret.key'), `${'ab'.repeat(32)}\n`, { mode: 0o600 });
    const other = program('b', 'take-over');
    expect(await other.ended).equal(1);
    expect(other.output()).contain('not the one with which the instances were made');
    expect(await marker.read())
      .property('place')
      .contain(path.join(dir, 'a'));
  });

  it('is taken over with it, after which the daemon that had it ends by itself', async () => {
    const first = program('a', 'run');
    await first.said('daemon.started');
    cpSync(path.join(dir, 'a', 'secret.key'), path.join(dir, 'b', 'secret.key'));
    const taking = program('b', 'take-over', '--json');
    expect(await taking.ended, taking.output()).equal(0);
    expect(JSON.parse(taking.output())).include({ scope, instances: 1 }).property('from').contain(path.join(dir, 'a'));
    expect(await first.ended).equal(1);
    expect(first.output()).contain('daemon.disowned');
    const second = program('b', 'run');
    await second.said('daemon.started');
    const twice = program('b', 'take-over');
    expect(await twice.ended).equal(1);
    expect(twice.output()).contain('another daemon');
    second.child.kill('SIGTERM');
    expect(await second.ended).equal(0);
  });

  it('is not served by a copy of the data folder, before it is moved on purpose; then the other one ends', async () => {
    const first = program('b', 'run');
    await first.said('daemon.started');
    cpSync(path.join(dir, 'b'), path.join(dir, 'copy'), { recursive: true });
    rmSync(path.join(dir, 'copy', 'daemon.lock'), { force: true });
    const copy = program('copy', 'run');
    expect(await copy.ended).equal(1);
    expect(copy.output()).contain('is a copy of the data folder').contain(path.join(dir, 'b'));
    expect(await program('copy', 'take-over').ended).equal(0);
    expect(await first.ended).equal(1);
    expect(first.output()).contain('daemon.disowned').contain(path.join(dir, 'copy'));
    const moved = program('copy', 'run');
    await moved.said('daemon.started');
    moved.child.kill('SIGTERM');
    await moved.ended;
    expect(await program('b', 'take-over').ended).equal(0);
  });

  it('is looked for on no engine that has nothing of it: it is another one, or its disk is not mounted', async () => {
    const folder = path.join(dir, 'b');
    const store = openStore(path.join(folder, 'bridge.sqlite'));
    store.instances.create({ ...newInstance('sol:5'), phase: 'running', startedAt: new Date() }, () => 'somewhere');
    store.close();
    const owner = await marker.read();
    await marker.remove();
    await engine.removeVolume(volume);
    const lost = program('b', 'run');
    expect(await lost.ended).equal(1);
    expect(lost.output()).contain('they are on another engine');
    expect(await marker.read(), 'nothing is claimed').equal(null);
    const labels = { [LABEL.scope]: scope, [LABEL.key]: 'sol:1', [LABEL.instance]: 'acme' };
    await engine.ensureVolume(volume, labels);
    if (owner) await marker.claim(owner);
    rmSync(path.join(folder, 'bridge.sqlite'));
  });

  it('does not start with a key that is lost or another one', async () => {
    rmSync(path.join(dir, 'b', 'secret.key'));
    const lost = program('b', 'run');
    expect(await lost.ended).equal(1);
    expect(lost.output()).contain('no secret.key');
    writeFileSync(path.join(dir, 'b', 'secret.key'), `${'cd'.repeat(32)}\n`, { mode: 0o600 });
    const other = program('b', 'run');
    expect(await other.ended).equal(1);
    expect(other.output()).contain('not the one with which the instances were made');
  });

  it('is given a new key where the old one is lost for good, also when that was cut off', async () => {
    const marked = (await marker.read()) ?? expect.fail('no marker');
    const first = program('b', 'take-over', '--new-key', '--json');
    expect(await first.ended, first.output()).equal(0);
    expect(JSON.parse(first.output())).deep.equal({ scope, instances: 1, from: null, newKey: true });
    // As it is when it was cut off before the engine was told.
    await marker.replace(marked);
    const refused = program('b', 'run');
    expect(await refused.ended).equal(1);
    expect(refused.output()).contain('take-over --new-key');
    const again = program('b', 'take-over', '--new-key');
    expect(await again.ended, again.output()).equal(0);
    expect(again.output()).contain('new secret.key: back it up');
    const daemon = program('b', 'run');
    await daemon.said('daemon.started');
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).equal(0);
    expect(await marker.read()).include({ id: marked.id, isKeyReplaced: true });
    const needless = program('b', 'take-over', '--new-key', '--json');
    expect(await needless.ended, needless.output()).equal(0);
    expect(JSON.parse(needless.output())).include({ newKey: false });
  });
});
