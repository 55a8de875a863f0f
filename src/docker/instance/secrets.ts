/** Passwords of an instance that was made with another key: set anew on its database volume, while nothing runs there. */
import type { Release } from '../../instance/release.js';
import type { InstanceSecrets } from '../../instance/secrets.js';
import { BOUNDS } from '../engine/bounds.js';
import type { Engine } from '../engine/engine.js';
import { tar } from '../engine/tar.js';
import { type Job, runJob } from '../engine/task.js';
import type { Templates as Files } from '../files.js';
import { hasOwnVolume } from './own-volume.js';
import { odooPasswordHash } from './personalise.js';
import type { Rendered } from './rendering.js';
import { assertUnused } from './unused.js';

export interface SecretsContext {
  engine: Engine;
  files: Pick<Files, 'secretsScript' | 'roleSql' | 'adminSql'>;
  release: Pick<Release, 'postgresImage'>;
}

/**
 * Sets the password of the database role; with `admin`, of an instance that nobody has used yet, also the first password
 * of its administrator. What is not filled yet is left as it is.
 */
export async function writeSecrets(
  { engine, files, release }: SecretsContext,
  rendered: Rendered,
  secrets: InstanceSecrets,
  { admin }: { admin: boolean },
): Promise<void> {
  const { names, labels } = rendered;
  if (!(await hasOwnVolume(engine, names.pgdata, labels))) return;
  await assertUnused(engine, rendered);
  const passwordHash = admin ? await odooPasswordHash(secrets.adminPassword.reveal()) : null;
  const statements = tar([
    { name: 'role.sql', content: files.roleSql({ dbPassword: secrets.dbPassword.reveal() }), mode: 0o400 },
    ...(passwordHash ? [{ name: 'admin.sql', content: files.adminSql({ passwordHash }), mode: 0o400 }] : []),
  ]);
  await runJob(engine, secretsJob(files, release, rendered, statements));
}

/** The one-shot container: PostgreSQL's own user without any capability, no network, the database volume alone. */
export function secretsJob(
  files: Pick<Files, 'secretsScript'>,
  release: Pick<Release, 'postgresImage'>,
  { names, labels }: Pick<Rendered, 'names' | 'labels'>,
  statements: Buffer,
): Job {
  return {
    name: `${names.project}_secrets`,
    image: release.postgresImage,
    entrypoint: ['bash', '-c', files.secretsScript, 'secrets'],
    labels,
    bounds: BOUNDS.secrets,
    mounts: [{ volume: names.pgdata, target: '/var/lib/postgresql/data' }],
    stdin: statements,
  };
}
