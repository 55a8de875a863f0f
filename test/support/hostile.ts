/** What an attack needs: code in a container, and an internet to get out to. */

import { execFile } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { docker } from './engine.js';
import { MASTER } from './world.js';

const run = promisify(execFile);

/** Runs bash in a container that runs, as its own user; gives its standard output. */
export async function runInside(id: string, script: string, ...args: string[]): Promise<string> {
  const exec = await docker.getContainer(id).exec({
    Cmd: ['bash', '-c', script, 'attack', ...args],
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await exec.start({});
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, stdout, stderr);
  stderr.resume();
  const chunks: Buffer[] = [];
  stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
  return Buffer.concat(chunks).toString();
}

export interface Internet {
  /** A server with public address, on ports 25, 80 and 587. */
  address: string;
  /** A server that only this host is to reach. */
  privateAddress: string;
  /** Of this host, beside the networks of customers. */
  hostAddress: string;
  remove(): Promise<void>;
}

const LISTEN = `import socket, time
for port in (25, 80, 587):
    one = socket.socket(); one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("0.0.0.0", port)); one.listen(); globals()[f"s{port}"] = one
time.sleep(3600)`;

/**
 * Two servers on this machine, one with an address that is public by its number (RFC 5737). The engine keeps its networks
 * apart: a rule behind all others lets packets through to these two.
 */
export async function internet(): Promise<Internet> {
  const name = `${MASTER.project}-outside`;
  const number = MASTER.port % 200;
  const subnets = { public: `198.51.100.${(number % 16) * 16}/28`, private: `172.30.${number}.0/28` };
  const rules = Object.values(subnets).flatMap((subnet) => [
    ['-s', subnet, '-j', 'ACCEPT'],
    ['-d', subnet, '-j', 'ACCEPT'],
  ]);
  const iptables = (action: string, rule: string[]) => run('iptables', ['-w', '10', action, 'DOCKER-USER', ...rule]);
  async function remove(): Promise<void> {
    for (const rule of rules) await iptables('-D', rule).catch(() => undefined);
    for (const kind of Object.keys(subnets)) {
      await docker
        .getContainer(`${name}-${kind}`)
        .remove({ force: true })
        .catch(() => undefined);
      await docker
        .getNetwork(`${name}-${kind}`)
        .remove()
        .catch(() => undefined);
    }
  }
  await remove();
  const addresses: string[] = [];
  for (const [kind, subnet] of Object.entries(subnets)) {
    await docker.createNetwork({
      Name: `${name}-${kind}`,
      IPAM: { Driver: 'default', Config: [{ Subnet: subnet }] },
    });
    const container = await docker.createContainer({
      name: `${name}-${kind}`,
      Image: 'odoo:19.0',
      User: 'root',
      Entrypoint: ['python3', '-c', LISTEN],
      HostConfig: { NetworkMode: `${name}-${kind}` },
    });
    await container.start();
    const { NetworkSettings } = await container.inspect();
    addresses.push(Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? '');
  }
  for (const rule of rules) await iptables('-I', rule);
  const own = Object.values(networkInterfaces()).flat();
  const hostAddress = own.find(
    (one) => one?.family === 'IPv4' && !one.internal && !one.address.endsWith('.1'),
  )?.address;
  const [address = '', privateAddress = ''] = addresses;
  return {
    address,
    privateAddress,
    // Of the engine's own bridge, where there is nothing else.
    hostAddress: hostAddress ?? '172.17.0.1',
    remove,
  };
}
