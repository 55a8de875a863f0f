/** Settings: where the backups go, when they are made. */
import { z } from 'zod';
import { parseTarget } from '../backup/target.js';
import { secretFile, text, whole } from './kinds.js';
import { optional, section, setting } from './setting.js';

const target = z.string().transform((value, context) => {
  const found = parseTarget(value);
  if (found) return found;
  context.addIssue(
    'a folder (/srv/backups), volume:NAME, sftp:USER@HOST:/FOLDER, rest:https://HOST:PORT or s3:https://HOST/BUCKET, without a login',
  );
  return z.NEVER;
});

const HOURS = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/;
/** Minutes after midnight; null: none. */
const hours = z.string().transform((value, context) => {
  if (value === 'none') return null;
  const [, ...parts] = HOURS.exec(value) ?? [];
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = parts.map(Number);
  if (parts.length > 0) return { from: fromHour * 60 + fromMinute, to: toHour * 60 + toMinute };
  context.addIssue('hours such as 01:00-05:00, or none');
  return z.NEVER;
});

export const backups = section(
  'Backups',
  {
    SAAS_BACKUP_TARGET: optional(target, {
      without: 'a volume of the engine, on the disk of the data',
      doc: "where the backups go: a folder of the engine's host (`/srv/backups`), `volume:NAME`, `sftp:USER@HOST:/FOLDER`, `rest:https://HOST:PORT` or `s3:https://HOST/BUCKET`",
    }),
    SAAS_BACKUP_LOGIN_FILE: optional(secretFile('a file that holds the login of the target'), {
      without: 'no login',
      doc: 'file that holds `USER:PASSWORD` (rest), `ACCESS_KEY:SECRET_KEY` (s3) or a private key without a passphrase (sftp)',
    }),
    SAAS_BACKUP_KNOWN_HOSTS_FILE: optional(secretFile('a file as ssh-keyscan writes it'), {
      without: 'required for sftp',
      doc: 'file that holds the host keys of the SFTP server, as `ssh-keyscan` writes them',
    }),
    SAAS_BACKUP_CA_FILE: optional(secretFile('a file that holds certificates in PEM'), {
      without: 'the usual ones',
      doc: 'file that holds the certificates (PEM) that the target is trusted by',
    }),
    SAAS_BACKUP_IMAGE: setting(text(), {
      default: 'saas-bridge/backup',
      doc: 'image that makes and reads them; must be on the engine (`compose/images.sh backup`)',
    }),
    SAAS_BACKUP_HOURS: setting(hours, {
      default: '01:00-05:00',
      doc: 'when they are made, each instance in its own moment; or `none`: only those that a person asks for',
    }),
    SAAS_BACKUP_CONCURRENCY: setting(whole(1, 16), { default: '2', doc: 'backups made at once' }),
  },
  (c) => ({
    backups: {
      /** Null: a volume of the scope. */
      target: c.SAAS_BACKUP_TARGET,
      credentials: {
        login: c.SAAS_BACKUP_LOGIN_FILE,
        knownHosts: c.SAAS_BACKUP_KNOWN_HOSTS_FILE,
        ca: c.SAAS_BACKUP_CA_FILE,
      },
      image: c.SAAS_BACKUP_IMAGE,
      hours: c.SAAS_BACKUP_HOURS,
      concurrency: c.SAAS_BACKUP_CONCURRENCY,
    },
  }),
);
