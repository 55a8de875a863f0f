/** The plain way to a customer's Odoo, to compare with: initdb, `odoo -i base`, start, on the same images. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';

const TIMEOUT_MS = 600_000;
const PASSWORD = 'only-for-the-bench';

/** Milliseconds from nothing to a login page that answers; everything it made is removed afterwards. */
export async function plainWay(odooImage: string, postgresImage: string): Promise<number> {
  const docker = new Docker({ socketPath: '/var/run/docker.sock' });
  const name = `bench-plain-${randomBytes(3).toString('hex')}`;
  const made: { remove(): Promise<unknown> }[] = [];
  const startedAt = performance.now();
  try {
    const network = await docker.createNetwork({ Name: name });
    made.unshift({ remove: () => network.remove() });
    const run = async (options: Docker.ContainerCreateOptions) => {
      const container = await docker.createContainer(options);
      made.unshift({ remove: () => container.remove({ force: true, v: true }) });
      await container.start();
      return container;
    };
    await run({
      name: `${name}-db`,
      Image: postgresImage,
      Env: ['POSTGRES_USER=odoo', `POSTGRES_PASSWORD=${PASSWORD}`, 'POSTGRES_DB=postgres'],
      HostConfig: { NetworkMode: name },
    });
    const odoo = await run({
      name: `${name}-odoo`,
      Image: odooImage,
      Env: [`HOST=${name}-db`, 'USER=odoo', `PASSWORD=${PASSWORD}`],
      Cmd: ['odoo', '-d', 'odoo', '-i', 'base', '--without-demo=True'],
      ExposedPorts: { '8069/tcp': {} },
      HostConfig: {
        NetworkMode: name,
        PortBindings: { '8069/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
        RestartPolicy: { Name: 'on-failure' },
      },
    });
    await loginPage(odoo, startedAt);
    return performance.now() - startedAt;
  } finally {
    for (const { remove } of made) await remove();
  }
}

async function loginPage(odoo: Docker.Container, startedAt: number): Promise<void> {
  while (performance.now() - startedAt < TIMEOUT_MS) {
    const { NetworkSettings } = await odoo.inspect();
    const port = NetworkSettings.Ports['8069/tcp']?.[0]?.HostPort;
    const answer = await fetch(`http://127.0.0.1:${port}/web/login`, { signal: AbortSignal.timeout(60_000) }).catch(
      () => null,
    );
    if (answer?.status === 200) return;
    await sleep(100);
  }
  throw new Error(`the plain way did not answer in ${TIMEOUT_MS / 1000} s`);
}
