/** Tries what an instance's Odoo could reach that it must not: from a task with such an address, on a network as theirs. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { DEFAULT_EGRESS } from '../../instance/egress.js';
import { LABEL, scopePrefix } from '../../instance/naming.js';
import type { Placement } from '../../instance/placement.js';
import type { Release } from '../../instance/release.js';
import { RetryableError } from '../../lib/errors.js';
import { BOUNDS } from '../engine/bounds.js';
import type { Engine } from '../engine/engine.js';
import { removeBusy } from '../engine/retry.js';
import { runJob } from '../engine/task.js';
import { odooAddress, sharedOut } from './addresses.js';

/** Where clouds tell a machine its own secrets, and a router that a private network often has. */
const ELSEWHERE = ['169.254.169.254:80', '10.0.0.1:80'];
/** What a host listens on, where this program is not on it and cannot listen itself. */
const OF_THE_HOST = [22, 80, 443, 8068];
/** Prints what answers; all at once, for what is not refused may stay silent. */
const SCRIPT = `for target; do
  (timeout 4 bash -c 'exec 3<>"/dev/tcp/\${1%:*}/\${1##*:}"' try "$target" 2>/dev/null && echo "$target") &
done
wait`;

export interface EgressTrial {
  /** The network it was tried on, e.g. `10.208.255.240/28`. */
  subnet: string;
  tried: string[];
  /** Of these, what answered. */
  reached: string[];
}

export interface EgressContext {
  engine: Engine;
  scope: string;
  release: Pick<Release, 'postgresImage'>;
  /** Its subnet is used for a moment. */
  freePlace(): Promise<Placement | null>;
}

/** Makes a network and a task on it, and removes both. RetryableError `egress.no_place`, `docker.*`, `job.*`. */
export async function tryEgress({ engine, scope, release, freePlace }: EgressContext): Promise<EgressTrial> {
  const place = await freePlace();
  if (!place) throw new RetryableError('egress.no_place', 'no subnet is free', 'Try again when an instance is gone.');
  const { subnet } = place;
  const network = `${scopePrefix(scope)}saas_check_net`;
  const labels = { [LABEL.scope]: scope, [LABEL.role]: 'job' };
  // One that was cut off has left it.
  await removeBusy(() => engine.removeNetwork(network));
  await engine.createNetwork(network, labels, sharedOut(subnet));
  const { gateway } = sharedOut(subnet);
  const listener = await listenAt(gateway);
  try {
    const address = listener?.address();
    const ports = typeof address === 'object' && address ? [address.port] : OF_THE_HOST;
    const tried = [...ports.map((port) => `${gateway}:${port}`), ...ELSEWHERE];
    const { output } = await runJob(engine, {
      name: network,
      image: release.postgresImage,
      entrypoint: ['bash', '-c', SCRIPT, 'try', ...tried],
      labels,
      bounds: BOUNDS.probe,
      network,
      address: odooAddress(subnet, DEFAULT_EGRESS),
      keepBytes: 10_000,
    });
    return { subnet, tried, reached: tried.filter((target) => output.split(/\s+/).includes(target)) };
  } finally {
    listener?.close();
    await removeBusy(() => engine.removeNetwork(network));
  }
}

/** Listens at the host's own address of the network; null where this program is not in the network of the host. */
async function listenAt(address: string): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, address);
  return once(server, 'listening').then(
    () => server,
    () => null,
  );
}
