/** From a rendered compose file to what the engine makes containers from. Pure. */
import { parse } from 'yaml';
import { z } from 'zod';
import { LABEL } from '../../instance/naming.js';
import type { ContainerOptions } from '../engine/engine.js';
import type { Resources } from '../engine/types.js';

const mount = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('volume'),
    source: z.string(),
    target: z.string(),
    read_only: z.boolean().optional(),
    volume: z.strictObject({ nocopy: z.boolean() }).optional(),
  }),
  z.strictObject({
    type: z.literal('tmpfs'),
    target: z.string(),
    read_only: z.boolean().optional(),
    tmpfs: z.strictObject({ size: z.int() }),
  }),
]);

/** The part of the compose language that our template uses. Anything else is refused, not skipped. */
const service = z.strictObject({
  image: z.string(),
  container_name: z.string(),
  user: z.string(),
  entrypoint: z.array(z.string()),
  command: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
  volumes: z.array(mount),
  networks: z.record(
    z.string(),
    z.strictObject({ aliases: z.array(z.string()).optional(), ipv4_address: z.ipv4().optional() }),
  ),
  ports: z
    .array(
      z.strictObject({
        target: z.int(),
        published: z.int(),
        host_ip: z.string(),
        protocol: z.literal('tcp'),
        mode: z.literal('host'),
      }),
    )
    .optional(),
  depends_on: z.array(z.string()).optional(),
  mem_limit: z.int(),
  memswap_limit: z.int(),
  cpus: z.number(),
  pids_limit: z.int(),
  cap_drop: z.array(z.string()),
  cap_add: z.array(z.string()).optional(),
  security_opt: z.array(z.string()),
  read_only: z.boolean(),
  init: z.boolean().optional(),
  restart: z.enum(['no', 'always', 'unless-stopped']),
  stop_signal: z.string().optional(),
  stop_grace_period: z.string(),
  healthcheck: z.strictObject({
    test: z.array(z.string()),
    interval: z.string(),
    timeout: z.string(),
    retries: z.int(),
  }),
  logging: z.strictObject({ driver: z.string(), options: z.record(z.string(), z.string()) }),
  labels: z.record(z.string(), z.string()),
});

const external = z.record(z.string(), z.strictObject({ external: z.literal(true), name: z.string() }));
const file = z.strictObject({
  name: z.string(),
  services: z.strictObject({ db: service, odoo: service }),
  volumes: external,
  networks: external,
});

/** One service, with the real names of its volumes and networks. */
export type ComposeService = z.infer<typeof service>;

/** The services of a rendered compose file. Throws (ZodError) on anything the mapping below would not carry over. */
export function parseCompose(text: string): { db: ComposeService; odoo: ComposeService } {
  const { services, volumes, networks } = file.parse(parse(text));
  const resolve = (entry: ComposeService, alias: string): ComposeService => ({
    ...entry,
    volumes: entry.volumes.map((volume) =>
      volume.type === 'volume' ? { ...volume, source: nameOf(volumes, volume.source) } : volume,
    ),
    networks: Object.fromEntries(
      Object.entries(entry.networks).map(([key, network]) => [
        nameOf(networks, key),
        { ...network, aliases: network.aliases ?? [alias] },
      ]),
    ),
  });
  return { db: resolve(services.db, 'db'), odoo: resolve(services.odoo, 'odoo') };
}

function nameOf(known: z.infer<typeof external>, key: string): string {
  const entry = known[key];
  if (!entry) throw new RangeError(`the compose file names ${key} but does not declare it`);
  return entry.name;
}

/** What the engine's create call takes for a service. */
export function containerOptions(entry: ComposeService): ContainerOptions {
  const [network, endpoint] = Object.entries(entry.networks)[0] ?? [];
  return {
    name: entry.container_name,
    Image: entry.image,
    User: entry.user,
    Entrypoint: entry.entrypoint,
    Cmd: entry.command,
    Env: Object.entries(entry.environment).map(([key, value]) => `${key}=${value}`),
    Labels: entry.labels,
    ...(entry.stop_signal ? { StopSignal: entry.stop_signal } : {}),
    StopTimeout: seconds(entry.stop_grace_period),
    Healthcheck: {
      Test: entry.healthcheck.test,
      Interval: seconds(entry.healthcheck.interval) * 1e9,
      Timeout: seconds(entry.healthcheck.timeout) * 1e9,
      Retries: entry.healthcheck.retries,
    },
    ExposedPorts: Object.fromEntries((entry.ports ?? []).map((port) => [`${port.target}/tcp`, {}])),
    HostConfig: {
      Mounts: entry.volumes.map((volume) =>
        volume.type === 'volume'
          ? {
              Type: 'volume',
              Source: volume.source,
              Target: volume.target,
              ReadOnly: volume.read_only ?? false,
              VolumeOptions: { NoCopy: volume.volume?.nocopy ?? false, Labels: {}, DriverConfig: {} as never },
            }
          : {
              Type: 'tmpfs',
              Source: '',
              Target: volume.target,
              ReadOnly: volume.read_only ?? false,
              TmpfsOptions: { SizeBytes: volume.tmpfs.size, Mode: 0o1777 },
            },
      ),
      PortBindings: portBindings(entry),
      NetworkMode: network ?? 'none',
      Memory: entry.mem_limit,
      MemorySwap: entry.memswap_limit,
      NanoCpus: Math.round(entry.cpus * 1e9),
      PidsLimit: entry.pids_limit,
      CapDrop: entry.cap_drop,
      CapAdd: entry.cap_add ?? [],
      SecurityOpt: entry.security_opt,
      ReadonlyRootfs: entry.read_only,
      ...(entry.init === undefined ? {} : { Init: entry.init }),
      RestartPolicy: { Name: entry.restart },
      LogConfig: { Type: entry.logging.driver, Config: entry.logging.options },
    },
    ...(network ? { NetworkingConfig: { EndpointsConfig: { [network]: endpointOf(endpoint ?? {}) } } } : {}),
  };
}

function endpointOf({ aliases = [], ipv4_address }: ComposeService['networks'][string]) {
  return { Aliases: aliases, ...(ipv4_address ? { IPAMConfig: { IPv4Address: ipv4_address } } : {}) };
}

function portBindings(entry: ComposeService): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of entry.ports ?? []) {
    const key = `${port.target}/tcp`;
    bindings[key] = [...(bindings[key] ?? []), { HostIp: port.host_ip, HostPort: String(port.published) }];
  }
  return bindings;
}

function seconds(duration: string): number {
  const match = /^(\d+)(s|m)$/.exec(duration);
  if (!match) throw new RangeError(`not a duration: ${duration}`);
  return Number(match[1]) * (match[2] === 'm' ? 60 : 1);
}

/** Arguments that follow from the size of the plan. They take effect when the process starts. */
const SIZED_ARGUMENT = /^(shared_buffers=|--limit-memory-)/;

/** What depends on the size of the plan: changed in place (see `resourcesOf`), or at the next start. */
export function sizeOf({ mem_limit, memswap_limit, cpus, command }: ComposeService): object {
  return { mem_limit, memswap_limit, cpus, command: command.filter((word) => SIZED_ARGUMENT.test(word)) };
}

/** All the rest: what a running container must be made again for. */
export function withoutSize(entry: ComposeService): object {
  const command = entry.command.filter((word) => !SIZED_ARGUMENT.test(word));
  return { ...entry, mem_limit: 0, memswap_limit: 0, cpus: 0, command };
}

/** The part of the size that a running container can be given. */
export function resourcesOf(entry: ComposeService): Resources {
  return { memoryBytes: entry.mem_limit, cpus: entry.cpus };
}

/** The hash of the compose service a container was made from; empty when it was not made by us. */
export function specHashOf(labels: Record<string, string> | undefined): string {
  return labels?.[LABEL.spec] ?? '';
}

/** The hash of the size a container was made for; empty when it was not made by us. */
export function sizeHashOf(labels: Record<string, string> | undefined): string {
  return labels?.[LABEL.size] ?? '';
}
