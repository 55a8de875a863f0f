/**
 * Every secret of an instance is derived from the daemon's key, so that nothing needs storing and a provisioning
 * that was killed and repeated ends with the same passwords.
 */
import { createHmac } from 'node:crypto';
import { Secret } from '../lib/secret.js';

/** Without 0/O, 1/l/I: people copy the first password by hand from an e-mail. */
const READABLE = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const ADMIN_PASSWORD_LENGTH = 20;

export interface InstanceSecrets {
  /** Password of the PostgreSQL role `odoo`. */
  dbPassword: Secret;
  /** Odoo's database manager password (`admin_passwd`); the manager is switched off as well. */
  adminPasswd: Secret;
  /** First password of the customer's administrator: 20 readable characters, 115 bits. */
  adminPassword: Secret;
  /** Odoo's `database.uuid`, unique for each database. */
  databaseUuid: string;
  /** Odoo's `database.secret`, which signs tokens. */
  databaseSecret: Secret;
  /** Opens the repository of its backups. */
  backupPassword: Secret;
}

/** The secrets of one instance. `key` is the daemon's key (32 bytes or more), `instanceKey` the instance's own. */
export function deriveSecrets(key: Buffer, instanceKey: string): InstanceSecrets {
  const text = (purpose: string): Secret => new Secret(derive(key, purpose, instanceKey).toString('base64url'));
  return {
    dbPassword: text('db-password'),
    adminPasswd: text('admin-passwd'),
    adminPassword: new Secret(readable(key, instanceKey)),
    databaseUuid: uuid(derive(key, 'database-uuid', instanceKey)),
    databaseSecret: text('database-secret'),
    backupPassword: text('backup-password'),
  };
}

function derive(key: Buffer, purpose: string, instanceKey: string): Buffer {
  return createHmac('sha256', key).update(`${purpose}\0${instanceKey}`, 'utf8').digest();
}

/** Bytes beyond the largest multiple of the alphabet's size are skipped, so that every character is equally likely. */
function readable(key: Buffer, instanceKey: string): string {
  const limit = 256 - (256 % READABLE.length);
  let text = '';
  for (let block = 0; text.length < ADMIN_PASSWORD_LENGTH; block++) {
    for (const byte of derive(key, `admin-password:${block}`, instanceKey)) {
      if (byte < limit && text.length < ADMIN_PASSWORD_LENGTH) text += READABLE.charAt(byte % READABLE.length);
    }
  }
  return text;
}

/** RFC 9562 version 8 (custom): the variant and version bits set, the rest from the digest. */
function uuid(digest: Buffer): string {
  const bytes = Buffer.from(digest.subarray(0, 16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
