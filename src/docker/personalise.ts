/** The values that make a copy of the template the customer's own. */
import { pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { InstanceSecrets } from '../instance/secrets.js';
import type { Templates } from './render.js';
import { adminLogin, type InstanceSpec } from './spec.js';

/** Odoo 19 hashes again at the first login when there are fewer rounds (`res_users.MIN_ROUNDS`). */
const ROUNDS = 600_000;

/** A password as Odoo stores it (passlib's `pbkdf2_sha512`). Takes about 0.3 s of CPU, off the main thread. */
export async function odooPasswordHash(password: string, salt: Buffer = randomBytes(16)): Promise<string> {
  const key = await promisify(pbkdf2)(password.normalize('NFC'), salt, ROUNDS, 64, 'sha512');
  return `$pbkdf2-sha512$${ROUNDS}$${adaptedBase64(salt)}$${adaptedBase64(key)}`;
}

/** passlib's base64: `.` for `+`, no padding. */
function adaptedBase64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', '.').replace(/=+$/, '');
}

/** The SQL for PostgreSQL's single-user mode. */
export function personaliseSql(
  templates: Templates,
  spec: InstanceSpec,
  secrets: InstanceSecrets,
  options: { passwordHash: string; timeZone: string },
): string {
  return templates.personalise({
    databaseUuid: secrets.databaseUuid,
    databaseSecret: secrets.databaseSecret.reveal(),
    dbPassword: secrets.dbPassword.reveal(),
    passwordHash: options.passwordHash,
    timeZone: options.timeZone,
    url: spec.url,
    lang: spec.lang,
    login: adminLogin(spec),
    email: spec.email.trim(),
    companyName: spec.companyName,
    contactName: spec.contactName,
  });
}
