/** The values that make a copy of the template the customer's own. */
import { pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { InstanceSecrets } from '../../instance/secrets.js';
import { adminLogin, type InstanceSpec } from '../../instance/spec.js';
import type { Templates } from '../files.js';
import { REPORT_URL } from './settings.js';

/**
 * Few, because the first password has 115 random bits, which no number of rounds makes harder to guess. Odoo replaces the
 * hash by one with its own number (600,000 in 19) at the first login, which is the daemon's own readiness check.
 */
const ROUNDS = 10_000;

/** A password as Odoo stores it (passlib's `pbkdf2_sha512`). For random passwords only: see ROUNDS. */
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
    reportUrl: REPORT_URL,
    lang: spec.lang,
    login: adminLogin(spec),
    email: spec.email.trim(),
    companyName: spec.companyName,
    contactName: spec.contactName,
  });
}
