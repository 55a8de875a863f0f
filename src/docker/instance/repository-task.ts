/** What every task on a repository of backups is given. */
import type { Repository } from '../../instance/backups.js';
import type { Secret } from '../../lib/secret.js';
import { tar } from '../engine/tar.js';
import type { JobMount } from '../engine/task.js';

/**
 * The engine leads what goes out through the first network by name: this one comes before the customer's, from which the
 * firewall lets no task out.
 */
export const WAY_OUT = '0saas_backups';

export function targetMounts({ mount }: Repository, readOnly: boolean): JobMount[] {
  return mount ? [{ ...mount, target: '/repository', readOnly }] : [];
}

/** What targets.sh opens. */
export function secretsArchive(repository: Repository, more: Record<string, string> = {}): Buffer {
  const { address, password, files } = repository;
  const reveal = (secrets: Record<string, Secret>) =>
    Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, secret.reveal()]));
  const contents = { ...reveal({ repository: address, password, ...files }), ...more };
  return tar(Object.entries(contents).map(([name, content]) => ({ name, content, mode: 0o400 })));
}
