/** The repository of each instance: one of its own in the target, so that no password opens another customer's. */
import type { Repository } from '../instance/backups.js';
import type { InstanceSecrets } from '../instance/secrets.js';
import { TerminalError } from '../lib/errors.js';
import { Secret } from '../lib/secret.js';
import type { Target } from './target.js';

const MOUNTED_AT = '/repository';

/** What a target needs beside its address; null where it needs none of it. */
export interface Credentials {
  /** `user:password` of a rest-server, `access key:secret key` of S3, a private key for SFTP. */
  login: Secret | null;
  /** Of the SFTP server. */
  knownHosts: Secret | null;
  /** Certificates (PEM) that the target is trusted by. */
  ca: Secret | null;
}

export const NO_CREDENTIALS: Credentials = { login: null, knownHosts: null, ca: null };

export interface RepositoryOptions {
  target: Target;
  credentials: Credentials;
  scope: string;
  /** Of the daemon's key: another key has other passwords, and so other repositories. */
  fingerprint: string;
  secretsOf(instanceKey: string): Pick<InstanceSecrets, 'backupPassword'>;
}

/** Gives the repository of an instance, by its key. */
export function repositoriesIn(options: RepositoryOptions): (instanceKey: string) => Repository {
  const { target, credentials, scope, fingerprint, secretsOf } = options;
  const files = filesOf(target, credentials);
  return (instanceKey) => {
    const path = `${scope}-${fingerprint.slice(0, 8)}/${folderName(instanceKey)}`;
    const common = { password: secretsOf(instanceKey).backupPassword, files };
    switch (target.kind) {
      case 'volume':
        return { ...common, address: new Secret(`${MOUNTED_AT}/${path}`), mount: { volume: target.volume } };
      case 'folder':
        return { ...common, address: new Secret(`${MOUNTED_AT}/${path}`), mount: { folder: target.folder } };
      default:
        return { ...common, address: new Secret(withLogin(`${target.address}/${path}`, credentials)), mount: null };
    }
  };
}

/** `sol:7` → `sol-7`. Throws RangeError on a key that is none. */
function folderName(instanceKey: string): string {
  if (!/^[a-z]+:\d+(\.\d+)?$/.test(instanceKey)) throw new RangeError(`not the key of an instance: ${instanceKey}`);
  return instanceKey.replace(':', '-');
}

function withLogin(address: string, { login }: Credentials): string {
  if (!address.startsWith('rest:') || login === null) return address;
  const [user, password] = pairOf(login);
  return address.replace('://', `://${encodeURIComponent(user)}:${encodeURIComponent(password)}@`);
}

function pairOf(login: Secret): [string, string] {
  const [, first, second] = /^([^:\s]+):(\S+)$/.exec(login.reveal().trim()) ?? [];
  if (first !== undefined && second !== undefined) return [first, second];
  const advice = 'Write USER:PASSWORD, or ACCESS_KEY:SECRET_KEY, on one line of the file of SAAS_BACKUP_LOGIN_FILE.';
  throw new TerminalError('backup.login', 'the login of the target of the backups is no login', advice);
}

function filesOf({ kind }: Target, { login, knownHosts, ca }: Credentials): Record<string, Secret> {
  const files: Record<string, Secret> = {};
  if (ca) files.ca = lines(ca);
  if (kind === 's3' && login) {
    const [id, key] = pairOf(login);
    files.s3 = new Secret(`[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${key}\n`);
  }
  if (kind === 'sftp') {
    if (login) files.ssh_key = lines(login);
    if (knownHosts) files.known_hosts = lines(knownHosts);
  }
  return files;
}

/** OpenSSH reads no key without its last line end. */
function lines(secret: Secret): Secret {
  return new Secret(`${secret.reveal().trim()}\n`);
}
