/** A look at the engine past the daemon. */
import Docker from 'dockerode';
import type { Record as SaasRecord } from '../../compose/demo/records.js';
import { LABEL } from '../../src/instance/naming.js';
import { DAEMON } from './world.js';

export const docker = new Docker({ socketPath: '/var/run/docker.sock' });

export interface SeenContainer {
  id: string;
  name: string;
  role: string;
  State: string;
  startedAt: string;
  /** Of its first process, on this machine. */
  pid: number;
  address: string;
  memoryBytes: number;
  cpus: number;
  stop(): Promise<void>;
  remove(): Promise<void>;
}

/** The two containers of an instance; not those that do a piece of work on it and are gone in a moment. */
export async function containersOf({ name }: Pick<SaasRecord, 'name'>): Promise<SeenContainer[]> {
  const found = await docker.listContainers({
    all: true,
    filters: { label: [`${LABEL.scope}=${DAEMON.scope}`, `${LABEL.instance}=${name}`] },
  });
  const pair = found.filter(({ Labels }) => Labels[LABEL.role] === 'odoo' || Labels[LABEL.role] === 'db');
  return Promise.all(
    pair.map(async ({ Id, Names, State, Labels }) => {
      const container = docker.getContainer(Id);
      const { State: state, NetworkSettings, HostConfig } = await container.inspect();
      const [network] = Object.values(NetworkSettings.Networks);
      return {
        id: Id,
        name: Names[0] ?? '',
        role: Labels[LABEL.role] ?? '',
        State,
        startedAt: state.StartedAt,
        pid: state.Pid,
        address: network?.IPAddress ?? '',
        memoryBytes: HostConfig.Memory ?? 0,
        cpus: cpusOf(HostConfig),
        stop: async () => {
          await container.stop({ t: 5 });
        },
        remove: async () => {
          await container.remove({ force: true });
        },
      };
    }),
  );
}

/** However the limit was set, at the creation or later. */
function cpusOf({ NanoCpus, CpuQuota, CpuPeriod }: Docker.HostConfig): number {
  if (NanoCpus) return NanoCpus / 1e9;
  return CpuQuota ? CpuQuota / (CpuPeriod || 100_000) : 0;
}

/** Kills the processes in a container but its first: what crashed by itself is started again by the engine. */
export async function killInside({ id }: SeenContainer): Promise<void> {
  const exec = await docker.getContainer(id).exec({ Cmd: ['bash', '-c', 'kill -KILL -- -1'] });
  await exec.start({ Detach: true });
}

/** What the engine holds under the name of an instance, whatever it is. */
export async function remainsOf({ name }: Pick<SaasRecord, 'name'>): Promise<string[]> {
  const filters = { label: [`${LABEL.scope}=${DAEMON.scope}`, `${LABEL.instance}=${name}`] };
  const containers = await docker.listContainers({ all: true, filters });
  const { Volumes } = await docker.listVolumes({ filters });
  const networks = await docker.listNetworks({ filters });
  return [
    ...containers.flatMap(({ Names }) => Names),
    ...(Volumes ?? []).map((volume) => volume.Name),
    ...networks.map((network) => network.Name),
  ];
}

/** Runs bash as root in a one-shot container with a volume at /volume. */
export async function runIn(volume: string, script: string): Promise<void> {
  const container = await docker.createContainer({
    Image: 'postgres:17',
    User: 'root',
    Entrypoint: ['bash', '-c', script],
    HostConfig: { NetworkMode: 'none', Binds: [`${volume}:/volume`] },
  });
  try {
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    if (StatusCode !== 0) throw new Error(`it ended with code ${StatusCode}`);
  } finally {
    await container.remove({ force: true });
  }
}

/** Runs bash in a one-shot container on a network; gives its exit code and output. */
export async function runOn(network: string, script: string): Promise<{ code: number; output: string }> {
  const container = await docker.createContainer({
    Image: 'postgres:17',
    Entrypoint: ['bash', '-c', script],
    HostConfig: { NetworkMode: network },
  });
  try {
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    const log = await container.logs({ stdout: true, stderr: true });
    return { code: StatusCode, output: log.toString('utf8') };
  } finally {
    await container.remove({ force: true, v: true });
  }
}
