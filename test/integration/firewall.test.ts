/** compose/firewall.sh with an engine of its own in a network namespace: what a boot, a restart and a second run leave. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { until } from '../support/world.js';

const SCRIPT = path.resolve(import.meta.dirname, '../../compose/firewall.sh');
const POOL = '10.99.0.0/16';
const UNIT = 'saas-bridge-firewall.service';

interface Ended {
  code: number;
  output: string;
}

function command(file: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(file, args, { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr });
    });
  });
}

describe('the rules of the firewall', function () {
  this.timeout(120_000);
  let folder: string;
  let host: ChildProcess;
  let engine: ChildProcess | null = null;
  const socket = () => `unix://${folder}/engine.sock`;

  const onHost = (file: string, ...args: string[]) =>
    command('nsenter', [`--target=${host.pid}`, '--net', file, ...args], { UNIT_DIR: `${folder}/units` });
  const firewall = (...args: string[]) => onHost('bash', SCRIPT, ...args, '--pool', POOL);
  const rules = async () => (await onHost('iptables', '-S')).output;

  async function startEngine(): Promise<void> {
    const at = (name: string) => `${folder}/${name}`;
    engine = spawn(
      'nsenter',
      [
        ...[`--target=${host.pid}`, '--net', 'dockerd', '--host', socket(), '--bip', '10.98.0.1/24'],
        ...['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('engine.pid')],
      ],
      { stdio: 'ignore' },
    );
    await until('the engine', async () => (await command('docker', ['--host', socket(), 'info'])).code === 0);
  }
  async function stopEngine(): Promise<void> {
    const ended = engine && new Promise((resolve) => engine?.once('exit', resolve));
    engine?.kill('SIGTERM');
    await ended;
    engine = null;
  }

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'saas-firewall-'));
    host = spawn('unshare', ['--net', 'sleep', '600'], { stdio: 'ignore' });
    await until('the namespace', async () => (await onHost('cat', '/proc/net/dev')).output.split('\n').length < 5);
  });

  after(async () => {
    await stopEngine();
    host.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  it('are there before the engine starts the first instance, and lead it, first of all', async () => {
    expect((await firewall('up')).output).to.include('the engine has no chain DOCKER-USER');
    expect(await firewall('boot')).to.include({ code: 0 });
    await startEngine();
    const now = await rules();
    expect(now.split('\n').find((line) => line.startsWith('-A FORWARD '))).to.equal('-A FORWARD -j DOCKER-USER');
    expect(now.split('\n').find((line) => line.startsWith('-A DOCKER-USER '))).to.equal(
      `-A DOCKER-USER -s ${POOL} -j saas-fwd-10.99.0.0-16`,
    );
    expect(now).to.include(`-A INPUT -s ${POOL} -j saas-in-10.99.0.0-16`);
    expect(now).to.include('-A saas-fwd-10.99.0.0-16 -d 169.254.0.0/16 -j REJECT --reject-with icmp-admin-prohibited');
  });

  it('are as they were after a restart of the engine, and after a second run', async () => {
    const before = await rules();
    await stopEngine();
    await startEngine();
    expect(await rules()).to.equal(before);
    expect(await firewall('up')).to.include({ code: 0 });
    expect(await rules()).to.equal(before);
    expect(await firewall('status')).to.include({ code: 0 });
  });

  it('are all there but the relay while its name is not known, and the next try is told to be needed', async () => {
    const { code, output } = await firewall('up', '--relay', 'relay.invalid:25');
    expect(code).to.equal(1);
    expect(output).to.include('relay.invalid has no IPv4 address, and is closed until it has');
    const closed = await rules();
    expect(closed).to.include('-A saas-fwd-10.99.0.0-16 -j REJECT');
    expect(closed).not.to.include('--dport 25 ');
    expect(await firewall('up', '--relay', '192.0.2.9:25')).to.include({ code: 0 });
    expect(await rules()).to.include('-d 192.0.2.9/32 -p tcp -m tcp --dport 25 -j RETURN');
  });

  it('are set at each boot by a unit that systemd takes, with the options they were installed with', async () => {
    expect(await firewall('install', '--relay', '192.0.2.9:25', '--allow', '192.168.7.4/32')).to.include({ code: 0 });
    const file = `${folder}/units/${UNIT}`;
    const unit = readFileSync(file, 'utf8');
    expect(unit).to.include(
      `ExecStart="${SCRIPT}" boot "--relay" "192.0.2.9:25" "--allow" "192.168.7.4/32" "--pool" "${POOL}"\n`,
    );
    expect(unit)
      .to.match(/^Before=docker\.service$/m)
      .and.match(/^WantedBy=multi-user\.target docker\.service$/m);
    const verified = await command('systemd-analyze', ['verify', file]);
    // Where there is no systemd at all nobody else reads it.
    if (verified.output !== '' || verified.code === 0) expect(verified).to.deep.equal({ code: 0, output: '' });
    const asTold = await onHost('bash', '-c', unit.replace(/^[\s\S]*^ExecStart=(.*)$[\s\S]*$/m, '$1'));
    expect(asTold.code, asTold.output).to.equal(0);
  });

  it('refuse to be installed with what could be another command', async () => {
    for (const [option, value] of [
      ['--relay', 'a b:25'],
      ['--relay', '$(id):25'],
      ['--dns', '1.1.1.1\nExecStartPost=id'],
      ['--allow', '0.0.0.0/0;id'],
    ] as const) {
      expect((await firewall('install', option, value)).output, value).to.include(`error: ${option}: `);
    }
  });

  it('are gone when they are taken away, with the unit, and nothing else is', async () => {
    expect(await firewall('uninstall')).to.include({ code: 0 });
    expect(existsSync(`${folder}/units/${UNIT}`)).to.equal(false);
    expect(await rules())
      .to.include('-A FORWARD -j DOCKER-USER')
      .and.not.include('saas-');
    expect((await firewall('status')).output).to.include(`compose/firewall.sh up --pool ${POOL}`);
  });
});
