/** How a template is built: initialise the cluster, install Odoo in it, make it small. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LABEL } from '../../instance/naming.js';
import type { Progress, TemplateSpec } from '../../instance/ports.js';
import { RetryableError, TerminalError } from '../../lib/errors.js';
import { BOUNDS } from '../engine/bounds.js';
import type { ContainerOptions, Engine } from '../engine/engine.js';
import { removeBusy } from '../engine/retry.js';
import { tar } from '../engine/tar.js';
import { type Job, type JobMount, type JobResult, runJob } from '../engine/task.js';
import type { Templates as Files } from '../files.js';
import { type Template, templateModules } from './spec.js';

/** For initialising the cluster. */
const CLUSTER_TIMEOUT_MS = 5 * 60_000;
/** warm.py: Odoo does not have all the modules. */
const MODULE_MISSING = 65;
const STOP_SECONDS = 60;
const PGDATA = '/var/lib/postgresql/data';

export interface Build {
  engine: Engine;
  files: Files;
  spec: TemplateSpec;
  /** Stem of the names of everything the build makes. */
  base: string;
  labels: Record<string, string>;
  template: Template;
  progress: Progress;
}

/** Builds on fresh volumes. What it throws leaves the volumes behind, and nothing else. */
export async function buildTemplate(build: Build): Promise<void> {
  const { engine, base, labels, template, progress } = build;
  const modules = templateModules(build.spec.modules);
  const wrong = [...modules, ...build.spec.languages].find((word) => !/^[A-Za-z][A-Za-z0-9_@]*$/.test(word));
  if (wrong !== undefined) {
    const advice = 'Correct the modules of the plan, or the languages.';
    throw new TerminalError('template.spec', `not a module or language: ${JSON.stringify(wrong)}`, advice);
  }
  await engine.ensureVolume(template.pgdataVolume, labels);
  await engine.ensureVolume(template.filestoreVolume, labels);
  // Nobody but this build ever uses it: each copy gets its own.
  const password = randomBytes(24).toString('hex');
  progress('initialising the database cluster');
  await engine.createNetwork(`${base}_net`, labels);
  let db: string | null = null;
  try {
    db = await engine.createContainer(serverOptions(build));
    await engine.putArchive(db, '/', initFiles(password));
    await engine.startContainer(db);
    await waitHealthy(engine, db);
    progress(`installing ${modules.join(', ')}`);
    await install(build, password, modules);
    progress('preparing the pages');
    await prepare(build, password, modules);
    await engine.stopContainer(db, STOP_SECONDS);
  } finally {
    if (db !== null) await engine.removeContainer(db);
    await removeBusy(() => engine.removeNetwork(`${base}_net`));
  }
  progress('compacting');
  await compact(build);
}

/** For the image's own entry point, which initialises an empty volume before it starts the server. */
function initFiles(password: string): Buffer {
  const role = `CREATE ROLE odoo LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '${password}';
CREATE DATABASE odoo OWNER odoo TEMPLATE template0 ENCODING 'UTF8';
REVOKE CONNECT ON DATABASE odoo FROM PUBLIC;\n`;
  return tar([
    { name: 'run/superuser', content: randomBytes(24).toString('hex'), mode: 0o444 },
    { name: 'docker-entrypoint-initdb.d/role.sql', content: role, mode: 0o444 },
  ]);
}

/**
 * Without fsync: compact.sh writes everything out at the end, and a build that dies is never used. The entry point
 * prepares the cluster behind a socket, so the port answers only when all is done.
 */
function serverOptions({ spec, base, labels, template }: Build): ContainerOptions {
  return {
    name: `${base}_db`,
    Image: spec.release.postgresImage,
    User: 'root',
    Entrypoint: ['docker-entrypoint.sh'],
    Cmd: ['postgres', '-c', 'fsync=off', '-c', 'listen_addresses=*', '-c', 'shared_buffers=128MB'],
    Env: [
      `PGDATA=${PGDATA}`,
      'POSTGRES_PASSWORD_FILE=/run/superuser',
      'POSTGRES_INITDB_ARGS=--encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8 --wal-segsize=1 --auth-host=scram-sha-256 --no-sync',
    ],
    Labels: { ...labels, [LABEL.role]: 'job' },
    StopSignal: 'SIGINT',
    Healthcheck: { Test: ['CMD', 'pg_isready', '-q', '-h', '127.0.0.1'], Interval: 500e6, Timeout: 5e9, Retries: 1000 },
    HostConfig: {
      NetworkMode: `${base}_net`,
      CapDrop: ['ALL'],
      CapAdd: [...BOUNDS.compact.capabilities],
      SecurityOpt: ['no-new-privileges'],
      Mounts: [{ Type: 'volume', Source: template.pgdataVolume, Target: PGDATA }],
    },
    NetworkingConfig: { EndpointsConfig: { [`${base}_net`]: { Aliases: ['db'] } } },
  };
}

async function waitHealthy(engine: Engine, id: string): Promise<void> {
  for (const until = Date.now() + CLUSTER_TIMEOUT_MS; Date.now() < until; await sleep(200)) {
    const { State } = await engine.inspectContainer(id);
    if (State.Health?.Status === 'healthy') return;
    if (!State.Running) break;
  }
  const output = (await engine.logs(id)).trim().slice(-1000);
  throw new RetryableError(
    'template.database',
    `the template's database does not start: ${output}`,
    'Read the output.',
  );
}

async function install(build: Build, password: string, modules: string[]): Promise<void> {
  const languages = [...new Set(build.spec.languages)].join(',');
  const command = ['--init', modules.join(','), '--without-demo=True', '--stop-after-init', '--log-level=warn'];
  await runOdoo(build, password, languages ? [...command, `--load-language=${languages}`] : command);
}

/** A list of checked words is the same in JSON and in Python. */
async function prepare(build: Build, password: string, modules: string[]): Promise<void> {
  const script = `modules = ${JSON.stringify(modules)}\n${build.files.warmScript}`;
  const { exitCode, output } = await runOdoo(build, password, ['shell'], script);
  if (exitCode === 0) return;
  throw new TerminalError(
    'template.module_missing',
    `the image ${build.spec.release.odooImage} has not all modules of the plan; ${/missing: .*/.exec(output)?.[0] ?? ''}`,
    'Correct the modules on the SaaS plan page of the product, or use an image that has them.',
  );
}

async function runOdoo(build: Build, password: string, command: string[], stdin?: string): Promise<JobResult> {
  const { engine, spec, base, labels, template } = build;
  const conf = `[options]\ndb_host = db\ndb_user = odoo\ndb_password = ${password}\ndb_name = odoo\ndata_dir = /var/lib/odoo\nhttp_enable = False\n`;
  const filestore: JobMount = { volume: template.filestoreVolume, target: '/var/lib/odoo', copyFromImage: true };
  const job: Job = {
    name: `${base}_odoo`,
    image: spec.release.odooImage,
    entrypoint: ['odoo'],
    command: command[0] === 'shell' ? ['shell', '--config=/run/odoo.conf'] : ['--config=/run/odoo.conf', ...command],
    labels,
    bounds: BOUNDS.install,
    network: `${base}_net`,
    mounts: [filestore],
    // Readable by whatever number the image's user has; the container lives for this command only.
    files: [{ name: 'run/odoo.conf', content: conf, mode: 0o444 }],
    ...(stdin === undefined ? {} : { stdin: Buffer.from(stdin) }),
  };
  return runJob(engine, job, [0, MODULE_MISSING]);
}

async function compact({ engine, files, spec, base, labels, template }: Build): Promise<void> {
  await runJob(engine, {
    name: `${base}_compact`,
    image: spec.release.postgresImage,
    entrypoint: ['bash', '-c', files.buildScript, 'compact'],
    command: [files.closeScript],
    labels,
    bounds: BOUNDS.compact,
    mounts: [
      { volume: template.pgdataVolume, target: '/template/pgdata' },
      { volume: template.filestoreVolume, target: '/template/filestore' },
    ],
  });
}
