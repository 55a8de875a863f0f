/** What one instance is made of: its settings, its secrets, and everything computed from them. Pure. */
import { createHash } from 'node:crypto';
import { DEFAULT_SCOPE, instanceLabels, LABEL, type ResourceNames, resourceNames } from '../../instance/naming.js';
import type { Placement } from '../../instance/placement.js';
import type { Release } from '../../instance/release.js';
import type { InstanceSecrets } from '../../instance/secrets.js';
import type { InstanceSpec } from '../../instance/spec.js';
import type { SpecHashes } from '../../instance/types.js';
import { TerminalError } from '../../lib/errors.js';
import type { Templates } from '../files.js';
import { odooAddress } from './addresses.js';
import { type ComposeService, parseCompose, sizeOf, withoutSize } from './compose.js';

/** How this daemon makes instances. */
export interface DockerSettings {
  scope: string;
  /** Languages every instance has, e.g. `['es_ES', 'en_US']`. */
  languages: string[];
  /** Address the ports are published on. */
  bindAddress: string;
  /** Address at which the daemon reaches published ports. */
  reachAddress: string;
  /** A reverse proxy stands before the instances: trust its X-Forwarded-* headers. */
  proxyMode: boolean;
  timeZone: string;
  /** CPUs the host has: Docker refuses a container that may use more. */
  maxCpus: number;
  logLevel: 'info' | 'warn' | 'error';
}

/** The release of the images that compose/images.sh makes. */
export const DEFAULT_RELEASE: Release = { odooImage: 'odoo:19.0', postgresImage: 'postgres:17', addons: [] };

export const DEFAULT_SETTINGS: DockerSettings = {
  scope: DEFAULT_SCOPE,
  languages: ['en_US', 'es_ES'],
  bindAddress: '127.0.0.1',
  reachAddress: '127.0.0.1',
  proxyMode: false,
  timeZone: 'Europe/Madrid',
  maxCpus: 1024,
  logLevel: 'warn',
};

/** Everything rendered for one instance. */
export interface Rendered {
  names: ResourceNames;
  labels: Record<string, string>;
  release: Release;
  placement: Placement;
  /** The two files of the instance's folder. */
  compose: string;
  conf: string;
  services: { db: ComposeService; odoo: ComposeService };
  /** What the module saas_limits reads. */
  limitsJson: string;
  /**
   * Labels `saas.spec`: a container that has another one is made again. The size of the plan is in `saas.size` instead,
   * which counts only when the container is started.
   */
  hashes: SpecHashes;
}

const DB_CONNECTIONS = 20;
const MB = 1024 * 1024;

/** Renders an instance. Throws TerminalError `instance.spec` on values that no container can be made from. */
export function renderInstance(
  templates: Templates,
  settings: DockerSettings,
  spec: InstanceSpec,
  secrets: InstanceSecrets,
): Rendered {
  try {
    const names = resourceNames(settings.scope, spec.name, spec.generation);
    const { placement, release } = spec;
    const labels = instanceLabels(settings.scope, { ...spec, slot: placement.slot });
    const ports = { http: placement.httpPort, longpolling: placement.longpollingPort };
    const conf = templates.conf({
      dbPassword: secrets.dbPassword.reveal(),
      adminPasswd: secrets.adminPasswd.reveal(),
      // The superuser keeps three connections for itself, one-shot work gets a few.
      dbMaxConnections: DB_CONNECTIONS - 6,
      logLevel: settings.logLevel,
    });
    const address = odooAddress(placement.subnet, spec.egress);
    const view = { ...settings, ...release, ...limits(spec, settings.maxCpus), names, labels, ports, address };
    const confHash = digest(JSON.stringify([conf, templates.limitsModule]));
    const render = (hashes: object, sizes: object): string =>
      templates.compose({ ...view, hashes: { ...hashes, conf: confHash }, sizes });
    // The hashes are part of the file they are the hashes of: first without them.
    const none = { db: '', odoo: '' };
    const services = parseCompose(render(none, none));
    const hashes = hashBoth(services, withoutSize);
    const sizes = hashBoth(services, sizeOf);
    for (const role of ['db', 'odoo'] as const) {
      Object.assign(services[role].labels, { [LABEL.spec]: hashes[role], [LABEL.size]: sizes[role] });
    }
    const compose = render(hashes, sizes);
    const limitsJson = JSON.stringify({ max_users: spec.maxUsers, account_url: spec.accountUrl });
    return { names, labels, release, placement, compose, conf, limitsJson, services, hashes };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const advice = 'Correct the name, or the size of the plan.';
    throw new TerminalError('instance.spec', `${spec.name}: ${error.message}`, advice, { cause: error });
  }
}

/**
 * How a plan is shared out. Memory: PostgreSQL gets a quarter (96 MB at least, 2 GB at most) and Odoo the rest, so that
 * the sum is what was sold. CPU: Odoo may use all of it, PostgreSQL half beside it, so that neither starves.
 * Odoo's own limits count address space, several times what is resident, so they are only a second net.
 */
export function limits(spec: Pick<InstanceSpec, 'cpu' | 'memoryMb'>, maxCpus: number) {
  const { memoryMb } = spec;
  const cpu = Math.min(spec.cpu, maxCpus);
  if (!(cpu > 0) || !(memoryMb >= 256)) throw new RangeError(`a plan of ${cpu} CPU and ${memoryMb} MB is too small`);
  const dbMb = Math.round(Math.min(2048, Math.max(96, memoryMb / 4)));
  const softMb = Math.round(Math.max(2048, memoryMb * 2));
  return {
    db: {
      memoryBytes: dbMb * MB,
      cpus: Math.max(0.25, cpu / 2),
      sharedBuffersMb: Math.max(16, Math.floor(dbMb / 16)),
      maxConnections: DB_CONNECTIONS,
    },
    odoo: {
      memoryBytes: (Math.round(memoryMb) - dbMb) * MB,
      cpus: cpu,
      softLimitBytes: softMb * MB,
      hardLimitBytes: Math.round(softMb * 1.25) * MB,
    },
  };
}

type Services = Rendered['services'];

function hashBoth(services: Services, part: (service: ComposeService) => object): SpecHashes {
  return { db: digest(JSON.stringify(part(services.db))), odoo: digest(JSON.stringify(part(services.odoo))) };
}

function digest(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 16);
}

/** What every instance is made from, whatever it is called and whatever its plan is: templates and settings. */
export function revisionOf(templates: Pick<Templates, 'revision'>, settings: DockerSettings): string {
  const { bindAddress, proxyMode, logLevel } = settings;
  return digest(JSON.stringify([templates.revision, bindAddress, proxyMode, logLevel]));
}
