/** A look at the engine past the daemon. */
import Docker from 'dockerode';
import type { Record as SaasRecord } from '../../compose/demo/records.js';
import { LABEL } from '../../src/instance/naming.js';
import { DAEMON } from './world.js';

export const docker = new Docker({ socketPath: '/var/run/docker.sock' });

export interface SeenContainer {
  name: string;
  role: string;
  State: string;
  startedAt: string;
  address: string;
  stop(): Promise<void>;
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
      const { State: state, NetworkSettings } = await container.inspect();
      const [network] = Object.values(NetworkSettings.Networks);
      return {
        name: Names[0] ?? '',
        role: Labels[LABEL.role] ?? '',
        State,
        startedAt: state.StartedAt,
        address: network?.IPAddress ?? '',
        stop: async () => {
          await container.stop({ t: 5 });
        },
      };
    }),
  );
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
