/** What the engine and what runs on it give back, and what tasks are made from. */

import { Readable } from 'node:stream';
import fc from 'fast-check';
import type { ContainerOptions, Engine } from '../../../src/docker/engine/engine.js';
import { networkOf, volumeOf } from '../../../src/docker/engine/listing.js';
import { assertOurs } from '../../../src/docker/engine/ours.js';
import { plainLog } from '../../../src/docker/engine/streams.js';
import { type Job, jobOptions } from '../../../src/docker/engine/task.js';
import type { Templates } from '../../../src/docker/files.js';
import { exportJobs } from '../../../src/docker/instance/export.js';
import { limitsJob } from '../../../src/docker/instance/limits.js';
import { collect } from '../../../src/docker/instance/observe.js';
import { DEFAULT_SETTINGS, renderInstance } from '../../../src/docker/instance/rendering.js';
import { secretsJob } from '../../../src/docker/instance/secrets.js';
import { seedJob } from '../../../src/docker/instance/seed.js';
import { settingsJob } from '../../../src/docker/instance/settings.js';
import { measureJob, parseUsage } from '../../../src/docker/instance/usage.js';
import { createMarker } from '../../../src/docker/marker.js';
import { buildTemplate } from '../../../src/docker/template/build.js';
import { LABEL } from '../../../src/instance/naming.js';
import { deriveSecrets } from '../../../src/instance/secrets.js';
import { placementAt } from '../../unit/store/support.js';
import { instanceKey, instanceName, text } from '../hostile.js';
import { holds, same, target, unlessRefused } from '../target.js';

const NAMES = [LABEL.scope, LABEL.instance, LABEL.key, LABEL.slot, LABEL.role, LABEL.spec];
const labels: fc.Arbitrary<Record<string, string>> = fc.dictionary(
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: text }),
  fc.oneof(instanceKey, fc.constantFrom('odoo', 'db', 'job', '0', '7', '1e3', '9'.repeat(400)), text),
  { noNullPrototype: true },
);
const container = fc.record({
  ...{ Id: text, Names: fc.array(text, { maxLength: 2 }), Image: text, Labels: labels },
  ...{ State: fc.oneof(fc.constantFrom('running', 'exited', 'restarting'), text) },
  ...{ Status: fc.oneof(fc.constantFrom('Exited (137) 2 hours ago', 'Up'), text) },
});

export function engineTargets(files: Templates, collected: typeof collect = collect) {
  const readBack = target({
    name: 'labels read back',
    share: 8,
    values: fc.record({
      containers: fc.array(container, { maxLength: 4 }),
      networks: fc.array(fc.record({ labels }), { maxLength: 3 }),
      volumes: fc.array(fc.record({ labels }), { maxLength: 3 }),
    }),
    check({ containers, networks, volumes }) {
      const found = collected(containers, networks, volumes);
      const all = [
        ...containers.map(({ Labels }) => Labels),
        ...networks.map((it) => it.labels),
        ...volumes.map((it) => it.labels),
      ];
      same('the keys', new Set(found.keys()), new Set(all.map((own) => own[LABEL.key] ?? '')));
      for (const [key, instance] of found) {
        same('the key', instance.key, key);
        holds('the slot is one', instance.slot === null || Number.isSafeInteger(instance.slot), instance.slot);
        const mine = containers.filter(({ Labels }) => (Labels[LABEL.key] ?? '') === key);
        for (const role of ['db', 'odoo'] as const) {
          const id = instance[role]?.id;
          holds(
            'a container of its own',
            id === undefined || mine.some((it) => it.Id === id && it.Labels[LABEL.role] === role),
            id,
          );
        }
      }
    },
  });

  const ours = target({
    name: "another's volume",
    share: 6,
    values: fc.record({
      found: fc.option(labels, { nil: undefined }),
      wanted: fc.record({ scope: text, name: instanceName, key: instanceKey }),
    }),
    check({ found, wanted }) {
      const identity = { [LABEL.scope]: wanted.scope, [LABEL.instance]: wanted.name, [LABEL.key]: wanted.key };
      const isTaken = unlessRefused(['docker.foreign'], () => {
        assertOurs('volume x', found, identity);
        return true;
      });
      const isOurs = Object.entries(identity).every(
        ([name, value]) => Object.getOwnPropertyDescriptor(found ?? {}, name)?.value === value,
      );
      same('whether it is ours', isTaken === true, isOurs);
    },
  });

  const listed = target({
    name: 'lists and the marker',
    share: 5,
    values: fc.record({
      Id: text,
      Name: text,
      Created: text,
      Labels: fc.option(labels, { nil: undefined }),
      Subnet: fc.option(text, { nil: undefined }),
    }),
    async check({ Id, Name, Created, Labels, Subnet }) {
      const given = {
        Id,
        Name,
        Created,
        CreatedAt: Created,
        ...(Labels && { Labels }),
        IPAM: { Config: Subnet === undefined ? [] : [{ Subnet }] },
      };
      same(
        'the network',
        { ...networkOf(given), createdAt: 0 },
        { id: Id, name: Name, labels: Labels ?? {}, subnet: Subnet ?? null, createdAt: 0 },
      );
      same('the volume', { ...volumeOf(given), createdAt: 0 }, { name: Name, labels: Labels ?? {}, createdAt: 0 });
      const marker = createMarker({ volumeLabels: async () => Labels ?? null } as unknown as Engine, 'default');
      const owner = await marker.read();
      same('whether there is an owner', owner !== null, Labels !== undefined);
    },
  });

  const output = target({
    name: 'output of a task',
    share: 12,
    values: fc
      .array(
        fc.oneof(
          fc.constantFrom(
            'users 3',
            'database 100',
            'filestore 7',
            'login 1700000000',
            'module crm',
            'users -1',
            'users 3 3',
          ),
          text,
        ),
        { maxLength: 8 },
      )
      .map((lines) => lines.join('\n')),
    check(printed) {
      const usage = parseUsage(printed);
      if (usage) {
        for (const number of [usage.users, usage.databaseBytes, usage.filestoreBytes])
          holds('a number', Number.isSafeInteger(number) && number >= 0, number);
        for (const module of usage.modules) holds('a module', /^[a-z0-9_]{1,64}$/.test(module), module);
        if (usage.loggedInAt) same('a moment', new Date(usage.loggedInAt).toISOString(), usage.loggedInAt);
      }
      // A frame that lies about its length.
      same('a log', typeof plainLog(Buffer.from(printed, 'utf8')), 'string');
    },
  });

  const KEY = Buffer.alloc(32, 7);
  const jobsOf = (key: string, name: string, value: string): Job[] => {
    const spec = {
      ...{ key, name, placement: placementAt(3), release: { odooImage: 'o:19.0', postgresImage: 'p:17', addons: [] } },
      ...{ cpu: 1, memoryMb: 1024, storageGb: 5, maxUsers: 3, modules: [value], url: value, companyName: value },
      ...{ contactName: value, email: value, lang: value, accountUrl: value, egress: 'web' as const },
    };
    const secrets = deriveSecrets(KEY, key);
    const rendered = renderInstance(files, DEFAULT_SETTINGS, spec, secrets);
    const from = { pgdataVolume: 'template_pgdata', filestoreVolume: 'template_filestore' };
    return [
      seedJob(files, rendered, { from, mustExist: false, stdin: Promise.resolve(Buffer.alloc(0)) }),
      settingsJob(files, spec.release, rendered, secrets, ''),
      secretsJob(files, spec.release, rendered, Buffer.alloc(0)),
      limitsJob(files, spec.release, rendered),
      measureJob(files, spec.release, rendered, secrets),
      ...exportJobs({ files, release: spec.release, mostBytes: 1 }, rendered),
    ];
  };
  const optionsOf = (jobs: Job[]) => JSON.stringify(jobs.map((job) => jobOptions(job, 'x', 'run')));
  const plainTasks = optionsOf(jobsOf('THE-KEY', 'the-name', 'x'));
  const tasks = target({
    name: 'tasks',
    share: 0.3,
    values: fc.record({ key: fc.oneof(instanceKey, text), name: instanceName, value: text }),
    check({ key, name, value }) {
      // Nothing of the values is in what a container is made from: entry point, command, variables, mounts. The key is a label.
      const expected = JSON.parse(plainTasks.replaceAll('the-name', name), (_k, it) => (it === 'THE-KEY' ? key : it));
      same('the containers of tasks', JSON.parse(optionsOf(jobsOf(key, name, value))), expected);
    },
  });

  const modules = target({
    name: 'modules of a template',
    share: 3,
    values: fc.record({
      modules: fc.array(fc.oneof(fc.constantFrom('crm', 'sale_management'), text), { maxLength: 3 }),
      languages: fc.array(fc.oneof(fc.constantFrom('es_ES', 'sr@latin'), text), { maxLength: 2 }),
    }),
    async check(given) {
      const { engine, made, stdin } = recordingEngine();
      const release = { odooImage: 'o:19.0', postgresImage: 'p:17', addons: [] };
      const template = { id: 't', pgdataVolume: 'a', filestoreVolume: 'b' };
      const build = {
        engine,
        files,
        spec: { ...given, release },
        base: 'base',
        labels: {},
        template,
        progress: () => undefined,
      };
      const isPlain = [...given.modules, ...given.languages].every((word) => /^[A-Za-z][A-Za-z0-9_@]*$/.test(word));
      const isBuilt = await buildTemplate(build).then(
        () => true,
        (error) => {
          if (error.code === 'template.spec') return false;
          throw error;
        },
      );
      same('whether it is built', isBuilt, isPlain);
      if (!isBuilt) return same('containers of what is refused', made.length, 0);
      const install = made.find(({ Cmd }) => Cmd?.includes('--init'));
      const wanted = ['base', 'web', ...new Set(given.modules.filter((it) => it !== 'base' && it !== 'web'))];
      same('what is installed', new Set(install?.Cmd?.[2]?.split(',')), new Set(wanted));
      for (const text of stdin) {
        const [first = '', ...script] = text.split('\n');
        same('the list of modules', new Set(JSON.parse(first.replace('modules = ', ''))), new Set(wanted));
        same('the script', script.join('\n'), files.warmScript);
      }
    },
  });
  return [readBack, ours, listed, output, tasks, modules];
}

/** Does what it is told, and tells what it was. */
function recordingEngine() {
  const made: ContainerOptions[] = [];
  const stdin: string[] = [];
  const nothing = async () => undefined;
  const attach = async () => {
    const stream = {
      end(text: string | Buffer) {
        if (text.length > 0) stdin.push(String(text));
      },
    };
    const never = new Promise<void>(() => undefined);
    return { stdin: stream, output: () => '', closed: Promise.resolve(), flooded: never, close: () => undefined };
  };
  const engine = {
    ...{ run: 'run', stop: { told: new AbortController().signal, late: new AbortController().signal } },
    ...{ ensureVolume: nothing, createNetwork: nothing, putArchive: nothing, startContainer: nothing },
    ...{ stopContainer: nothing, removeContainer: nothing, removeNetwork: nothing, attach, waitForExit: async () => 0 },
    async createContainer(options: ContainerOptions) {
      made.push(options);
      return 'id';
    },
    inspectContainer: async () => ({ State: { Running: true, Health: { Status: 'healthy' } } }),
    logs: async () => Readable.from([]),
  } as unknown as Engine;
  return { engine, made, stdin };
}
