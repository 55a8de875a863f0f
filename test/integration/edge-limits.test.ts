/** compose/edge-limits.sh between two hosts of their own, each a network namespace: what one visitor may open. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { until } from '../support/world.js';

const SCRIPT = path.resolve(import.meta.dirname, '../../compose/edge-limits.sh');
const SERVER =
  "require('net').createServer((s) => s.on('error', () => {})).listen({ port: 8443, host: '::', backlog: 511 })";
/** Opens connections at once, keeps them, and says how many there are a second later. */
const VISITOR = `
  const [host, count] = process.argv.slice(1);
  let open = 0;
  for (let i = 0; i < Number(count); i++) {
    require('net').connect(8443, host, () => open++).on('error', () => {});
  }
  const end = Date.now() + 2500;
  setInterval(() => {
    if (open < Number(count) && Date.now() < end) return;
    console.log(open);
    process.exit(0);
  }, 50);`;

function command(file: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(file, args, { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr });
    });
  });
}

describe('the limits of visitors', function () {
  this.timeout(60_000);
  let folder: string;
  let host: ChildProcess;
  let visitor: ChildProcess;
  let server: ChildProcess;
  const started: ChildProcess[] = [];

  const inside = (where: ChildProcess, file: string, ...args: string[]) =>
    command('nsenter', [`--target=${where.pid}`, '--net', file, ...args], { UNIT_DIR: `${folder}/units` });
  const limits = (...args: string[]) => inside(host, 'bash', SCRIPT, ...args);
  const rules = async () =>
    (await inside(host, 'iptables', '-S')).output + (await inside(host, 'ip6tables', '-S')).output;
  const opens = async (count: number, where = visitor, to = '10.97.0.1') =>
    Number((await inside(where, process.execPath, '-e', VISITOR, to, String(count))).output);

  async function newHost(): Promise<ChildProcess> {
    const made = spawn('unshare', ['--net', 'sleep', '300'], { stdio: 'ignore' });
    started.push(made);
    await until(
      'the namespace',
      async () => (await inside(made, 'cat', '/proc/net/dev')).output.split('\n').length < 5,
    );
    await inside(made, 'ip', 'link', 'set', 'lo', 'up');
    return made;
  }

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'saas-limits-'));
    [host, visitor] = [await newHost(), await newHost()];
    const pair = ['link', 'add', 'edge', 'type', 'veth', 'peer', 'name', 'visitor', 'netns', String(visitor.pid)];
    expect((await inside(host, 'ip', ...pair)).output).equal('');
    for (const [where, name, end] of [
      [host, 'edge', 1],
      [visitor, 'visitor', 2],
    ] as const) {
      await inside(where, 'ip', 'address', 'add', `10.97.0.${end}/24`, 'dev', name);
      await inside(where, 'ip', 'address', 'add', `fd97::${end}/64`, 'dev', name, 'nodad');
      await inside(where, 'ip', 'link', 'set', name, 'up');
    }
    server = spawn('nsenter', [`--target=${host.pid}`, '--net', process.execPath, '-e', SERVER], { stdio: 'ignore' });
    started.push(server);
    await until('the server', async () => (await opens(1)) === 1);
  });
  after(() => {
    for (const one of started) one.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('are none before they are set', async () => {
    expect((await limits('status')).code).not.equal(0);
    expect(await opens(100)).equal(100);
  });

  it('let one visitor have so many connections at a time, and all others theirs', async () => {
    expect((await limits('up', '--ports', '8443', '--connections', '20')).code).equal(0);
    expect(await opens(100)).equal(20);
    // The kernel forgets them when both ends have said so.
    await until('them to be given back', async () => (await opens(10)) === 10);
    expect(await opens(100, visitor, 'fd97::1'), 'of IPv6 too').equal(20);
    expect(await opens(100, host, '127.0.0.1'), 'the host itself').equal(100);
  });

  it('let one visitor open so many at once', async () => {
    await limits('up', '--ports', '8443', '--rate', '1', '--burst', '15');
    const startedAt = performance.now();
    const opened = await opens(60);
    // One more a second, and one for the second that has begun.
    expect(opened).within(15, 16 + Math.ceil((performance.now() - startedAt) / 1000));
    const { code, output } = await limits('status', '--ports', '8443');
    expect(code).equal(0);
    expect(output).match(/ [1-9]\d* +\d+ DROP/);
  });

  it('are the same however often they are set, come back after a reboot, and go without a trace', async () => {
    const words = ['--ports', '8443', '--burst', '15'];
    await limits('up', ...words);
    const once = await rules();
    expect((await limits('install', ...words)).code).equal(0);
    expect(await rules()).equal(once);
    const unit = readFileSync(`${folder}/units/saas-bridge-edge-limits.service`, 'utf8');
    expect(unit).match(/^ExecStart="\/.*\/compose\/edge-limits\.sh" up --ports 8443 --burst 15$/m);
    expect((await limits('uninstall')).code).equal(0);
    expect(await rules()).not.match(/saas-edge/);
    expect(await opens(100)).equal(100);
  });

  for (const words of [
    ['--ports', '80;ls'],
    ['--connections', '0'],
    ['--rate', 'x'],
    ['--burst', '-1'],
    ['--what', '1'],
  ]) {
    it(`are not set by ${words.join(' ')}`, async () => {
      const { code, output } = await limits('up', ...words);
      expect(code).not.equal(0);
      expect(output).include(words[0] === '--what' ? 'unknown argument' : words[1]);
      expect(await rules()).not.match(/saas-edge/);
    });
  }
});
