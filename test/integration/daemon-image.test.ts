/** The daemon's image on the real engine, as locked up as compose/daemon/docker-compose.yml runs it. */
import { execFile, execFileSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { quickest } from '../support/pace.js';

const DOCKER = process.env.DOCKER ?? (existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker');
const SOCKET = '/var/run/docker.sock';
const IMAGE = 'saas-bridge/daemon';
const NAME = `saas-daemon-image-${process.pid}`;
const ROOT = path.resolve(import.meta.dirname, '../..');
const KEY = 'a-key-that-nobody-prints';
const LOCKED_UP = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];
/** A warm build takes a second; the first one compiles SQLite. */
const BUILD_TIMEOUT_MS = 1_200_000;

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function docker(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      DOCKER,
      args,
      { env: { ...process.env, DOCKER_BUILDKIT: '0' }, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        resolve({ code: error ? (typeof error.code === 'number' ? error.code : -1) : 0, stdout, stderr });
      },
    );
  });
}

async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await docker(...args);
  if (code !== 0) throw new Error(`docker ${args[0]} ended with ${code}: ${stderr.slice(-2000)}${stdout.slice(-2000)}`);
  return stdout.trim();
}

/** Certificates that the owner of this machine added. */
function extraCa(): string {
  const folder = '/usr/local/share/ca-certificates';
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.crt')) : [];
  return files
    .sort()
    .map((name) => readFileSync(path.join(folder, name), 'utf8'))
    .join('')
    .trim();
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function eventually<T>(what: string, ask: () => Promise<T | null>, ms = 60_000): Promise<T> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(100)) {
    const answer = await ask().catch(() => null);
    if (answer !== null) return answer;
  }
  throw new Error(`${what}: not within ${ms} ms`);
}

describe('daemon image', function () {
  this.timeout(180_000);
  let dir: string;
  let httpPort: number;
  let master: net.Server;

  before('build', async function () {
    this.timeout(BUILD_TIMEOUT_MS);
    const nodeImage = execFileSync('bash', ['compose/images.sh', '--node-image'], { cwd: ROOT, encoding: 'utf8' });
    const args = [`NODE_IMAGE=${nodeImage.trim()}`, `EXTRA_CA=${extraCa()}`];
    for (const name of ['http_proxy', 'https_proxy', 'no_proxy']) {
      if (process.env[name]) args.push(`${name}=${process.env[name]}`);
    }
    await done(
      ...['build', '--force-rm', '--network', 'host', '-f', 'compose/daemon/Dockerfile', '-t', IMAGE],
      ...args.flatMap((arg) => ['--build-arg', arg]),
      ROOT,
    );
  });

  before(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'saas-image-'));
    const file = path.join(dir, 'odoo_api_key');
    writeFileSync(file, `${KEY}\n`, { mode: process.getuid?.() === 0 ? 0o400 : 0o444 });
    if (process.getuid?.() === 0) chownSync(file, 1000, 1000);
    httpPort = await freePort();
    // Takes every connection and never answers.
    master = net.createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => master.listen(0, '127.0.0.1', resolve));
  });

  after(async () => {
    await docker('rm', '-f', '-v', NAME);
    await docker('volume', 'rm', '-f', NAME, `image${process.pid}_saas_bridge_owner`);
    master?.close();
    if (dir) rmSync(dir, { recursive: true });
  });

  const once = (...args: string[]) => docker('run', '--rm', '--network', 'none', ...LOCKED_UP, IMAGE, ...args);

  it('prints its version and its help, which lists commands and settings', async () => {
    const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const [asked, help] = await Promise.all([once('--version'), once('--help')]);
    expect(asked).deep.equal({ code: 0, stdout: `${version}\n`, stderr: '' });
    expect(help.code).equal(0);
    for (const word of ['run', 'check', 'status', 'plan', 'template', 'SAAS_ODOO_API_KEY_FILE']) {
      expect(help.stdout).contain(word);
    }
  });

  it('ends with 2 on missing settings and on an unknown command, and says what would be right', async () => {
    const [settings, command] = await Promise.all([once(), once('rnu')]);
    expect(settings.code).equal(2);
    for (const name of ['SAAS_ODOO_URL', 'SAAS_ODOO_DB', 'SAAS_ODOO_LOGIN', 'SAAS_ODOO_API_KEY_FILE']) {
      expect(settings.stderr).contain(`${name}: is missing`);
    }
    expect(command.code).equal(2);
    expect(command.stderr).contain("unknown command 'rnu'");
  });

  it('carries neither compilers nor development packages nor sources', async () => {
    const found = await done(
      ...['run', '--rm', '--network', 'none', '--entrypoint', 'sh', IMAGE, '-c'],
      'ls -d /app/* /app/node_modules/typescript /app/node_modules/mocha /usr/bin/g++ 2>/dev/null; true',
    );
    expect(found.split('\n')).members(['/app/dist', '/app/node_modules', '/app/package.json', '/app/templates']);
  });

  describe('running, with a master that never answers', () => {
    const url = (page: string) => `http://127.0.0.1:${httpPort}/${page}`;
    const logs = async () => {
      const { stdout, stderr } = await docker('logs', NAME);
      return `${stdout}${stderr}`;
    };
    const lines = async () =>
      (await logs())
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as { time: string; event: string });
    const events = async () => (await lines()).map(({ event }) => event);
    const health = () =>
      eventually('/health', async () => {
        const response = await fetch(url('health'), { signal: AbortSignal.timeout(1000) });
        return response.ok ? ((await response.json()) as { status: string; version: string }) : null;
      });

    before(async () => {
      const { port } = master.address() as AddressInfo;
      const settings = {
        SAAS_ODOO_URL: `http://127.0.0.1:${port}`,
        SAAS_ODOO_DB: 'master',
        SAAS_ODOO_LOGIN: 'bridge',
        SAAS_ODOO_API_KEY_FILE: '/run/secrets/odoo_api_key',
        SAAS_ODOO_TIMEOUT: '2',
        SAAS_HTTP_PORT: String(httpPort),
        SAAS_SCOPE: `image${process.pid}`,
      };
      await done(
        ...['run', '-d', '--name', NAME, '--network', 'host', ...LOCKED_UP, '--health-interval', '1s'],
        ...['--group-add', String(statSync(SOCKET).gid), '-v', `${SOCKET}:${SOCKET}`],
        ...['-v', `${NAME}:/var/lib/saas-bridge`, '-v', `${dir}/odoo_api_key:/run/secrets/odoo_api_key:ro`],
        ...Object.entries(settings).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
        IMAGE,
      );
    });

    it('is healthy, for the engine too', async () => {
      expect(await health()).include({ status: 'ok' });
      await eventually('healthy', async () =>
        (await done('inspect', '-f', '{{.State.Health.Status}}', NAME)) === 'healthy' ? true : null,
      );
      expect(await quickest(() => fetch(url('health')))).below(500);
    });

    it('runs as an ordinary user without any capability, and writes its own folder only', async () => {
      const script = 'id -u; grep CapEff /proc/self/status; stat -c "%a %u" /var/lib/saas-bridge/*; touch /app/x';
      const { stdout, stderr } = await docker('exec', NAME, 'sh', '-c', script);
      const [uid, capabilities, ...files] = stdout.trim().split('\n');
      expect(uid).equal('1000');
      expect(capabilities).match(/CapEff:\s+0+$/);
      expect(files).not.empty;
      for (const file of files) expect(file).equal('600 1000');
      expect(stderr).match(/Read-only file system/);
    });

    it('is not ready: reaches the engine, and says why the master was not read', async () => {
      const { status, checks } = await eventually('/ready', async () => {
        const response = await fetch(url('ready'));
        const body = (await response.json()) as { checks: Record<string, { ok: boolean; detail: string }> };
        const told = body.checks.master?.detail.includes(': ') && body.checks.engine?.ok;
        return told ? { status: response.status, checks: body.checks } : null;
      });
      expect(status).equal(503);
      expect(checks.engine).deep.equal({ ok: true, detail: 'the Docker engine answers' });
      expect(checks.master?.ok).equal(false);
      expect(checks.master?.detail).match(/^the master has not been read yet: .*2/);
      expect(checks.outbox?.ok).equal(true);
    });

    it('shows the key nowhere', async () => {
      expect(`${await logs()}${await done('inspect', NAME)}`).not.contain(KEY);
    });

    it('stops in seconds on SIGTERM though a call hangs, and starts again on the same data', async () => {
      await done('stop', '-t', '30', NAME);
      // The poll that hangs may give up in between, and says so.
      const end = (await lines()).filter(({ event }) => event.startsWith('daemon.')).slice(-2);
      expect(end.map(({ event }) => event)).deep.equal(['daemon.stopping', 'daemon.stopped']);
      expect((await events()).at(-1)).equal('daemon.stopped');
      const [stopping, stopped] = end.map(({ time }) => Date.parse(time));
      expect(Number(stopped) - Number(stopping)).below(10_000);
      expect(await done('inspect', '-f', '{{.State.ExitCode}} {{.State.OOMKilled}}', NAME)).equal('0 false');
      await done('start', NAME);
      await health();
      expect((await events()).filter((event) => event === 'daemon.started')).length(2);
    });
  });
});
