/** A query in a customer's database, as a task of ours: over the instance's network, with a password. */
import { BOUNDS } from '../../src/docker/engine/bounds.js';
import type { Job } from '../../src/docker/engine/task.js';

export interface Query {
  scope: string;
  image: string;
  labels: Record<string, string>;
  network: string;
  password: string;
  sql: string;
}

/** Prints the rows, unaligned. */
export function queryJob({ scope, image, labels, network, password, sql }: Query): Job {
  return {
    name: `${scope}_query`,
    image,
    entrypoint: ['psql', '-h', 'db', '-U', 'odoo', '-d', 'odoo', '-At', '-v', 'ON_ERROR_STOP=1', '-f', '-'],
    labels,
    bounds: { ...BOUNDS.install, user: 'root', capabilities: ['DAC_OVERRIDE'], seconds: 120 },
    env: ['PGPASSFILE=/run/pgpass'],
    network,
    files: [{ name: 'run/pgpass', content: `*:*:*:*:${password}\n`, mode: 0o600 }],
    stdin: Buffer.from(`${sql}\n`),
  };
}
