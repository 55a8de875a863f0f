/**
 * Configuration, from the environment alone. Everything that is wrong is reported at once, each with its name and
 * what would be right. Secrets are given as files (`…_FILE`), never as values.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Duration, IANAZone } from 'luxon';
import { z } from 'zod';
import { messageOf, TerminalError } from '../lib/errors.js';
import { Secret } from '../lib/secret.js';
import { isPrivatePool, subnetsIn } from './subnets.js';

const seconds = (fallback: number, min: number, max: number) =>
  z.coerce
    .number(`a number of seconds from ${min} to ${max}`)
    .min(min, `at least ${min} seconds`)
    .max(max, `at most ${max} seconds`)
    .default(fallback)
    .transform((value) => Math.round(value * 1000));

const whole = (fallback: number, min: number, max: number) =>
  z.coerce
    .number(`a whole number from ${min} to ${max}`)
    .int(`a whole number from ${min} to ${max}`)
    .min(min, `at least ${min}`)
    .max(max, `at most ${max}`)
    .default(fallback);

const httpUrl = z
  .url({ protocol: /^https?$/, error: 'an address such as https://shop.example.com' })
  .refine((value) => !/[@?#]/.test(value), 'an address without user, password or parameters')
  .transform((value) => value.replace(/\/+$/, ''));

const yesNo = z
  .enum(['yes', 'no', 'true', 'false', '1', '0'], 'yes or no')
  .default('no')
  .transform((value) => ['yes', 'true', '1'].includes(value));

const portRange = z
  .string()
  .regex(/^\d{2,5}-\d{2,5}$/, 'two ports, such as 20000-32767')
  .transform((value) => value.split('-').map(Number) as [number, number])
  .refine(([from, to]) => from >= 1024 && to <= 65535 && to - from >= 1, 'two ports from 1024 to 65535, lowest first')
  .prefault('20000-32767');

const clockOffset = z
  .string()
  .default('PT0S')
  .transform((value, context) => {
    const duration = Duration.fromISO(value);
    if (duration.isValid && Math.abs(duration.as('years')) <= 100) return duration;
    context.addIssue('an ISO 8601 duration such as P7D or PT2H, at most 100 years');
    return z.NEVER;
  });

const dayList = (fallback: string) =>
  z
    .string()
    .regex(/^(\d{1,3}(,\d{1,3})*|none)$/, `numbers of days, such as ${fallback}, or none`)
    .default(fallback)
    .transform((value) => (value === 'none' ? [] : [...new Set(value.split(',').map(Number))].sort((a, b) => b - a)));

const subnetPool = z
  .cidrv4('a private IPv4 range of /8 to /24, such as 10.208.0.0/12')
  .refine(isPrivatePool, 'a private IPv4 range of /8 to /24, such as 10.208.0.0/12')
  .default('10.208.0.0/12');

const instanceUrl = z
  .string()
  .regex(/^https?:\/\/[^\s/]+$/, 'such as http://host:{port} or https://{name}.example.com')
  .refine(
    (value) => /\{(port|name)\}/.test(value) && URL.canParse(value.replace(/\{(port|name)\}/g, '1')),
    'an address with {port} or {name} in it, or all instances would have the same one',
  )
  .refine((value) => !/[{}]/.test(value.replace(/\{(port|name)\}/g, '')), 'an address with {port} and {name} only')
  .default('http://localhost:{port}');

const schema = z.object({
  SAAS_ODOO_URL: httpUrl,
  SAAS_ODOO_DB: z.string('the name of the master database').min(1),
  SAAS_ODOO_LOGIN: z.string('the login of the API user').min(1),
  SAAS_ODOO_API_KEY_FILE: z.string('the file that holds the API key of SAAS_ODOO_LOGIN').min(1),
  SAAS_ODOO_TIMEOUT: seconds(20, 1, 300),
  SAAS_POLL_INTERVAL: seconds(2, 0.2, 3600),
  SAAS_FULL_POLL_INTERVAL: seconds(3600, 10, 86_400),
  SAAS_DATA_DIR: z.string().min(1).default('/var/lib/saas-bridge'),
  SAAS_DOCKER_SOCKET: z.string().min(1).default('/var/run/docker.sock'),
  SAAS_DOCKER_TIMEOUT: seconds(60, 1, 600),
  SAAS_SCOPE: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,15}$/, 'up to 16 lower-case letters and digits, a letter first')
    .default('default'),
  SAAS_ODOO_IMAGE: z.string().min(1).default('odoo:19.0'),
  SAAS_POSTGRES_IMAGE: z.string().min(1).default('postgres:17'),
  SAAS_LANGUAGES: z
    .string()
    .regex(/^[a-z]{2,3}(_[A-Z]{2})?(,[a-z]{2,3}(_[A-Z]{2})?)*$/, 'Odoo language codes, such as es_ES,en_US')
    .default('es_ES,en_US'),
  SAAS_BIND_ADDRESS: z.union([z.ipv4(), z.ipv6()], 'an IP address of this host').default('127.0.0.1'),
  SAAS_PORT_RANGE: portRange,
  SAAS_SUBNET_POOL: subnetPool,
  SAAS_INSTANCE_URL: instanceUrl,
  SAAS_PROXY_MODE: yesNo,
  SAAS_CONCURRENCY: whole(4, 1, 64),
  SAAS_TIME_ZONE: z
    .string()
    .refine((zone) => IANAZone.isValidZone(zone), 'a time zone such as Europe/Madrid')
    .default('Europe/Madrid'),
  SAAS_UNPAID_ORDER_GRACE_DAYS: whole(3, 0, 90),
  SAAS_EXPIRING_SOON_DAYS: whole(7, 0, 90),
  SAAS_REMINDER_DAYS: dayList('7,3,1'),
  SAAS_PENDING_PAYMENT_DAYS: whole(5, 0, 90),
  SAAS_VANISHED_PAYMENT_HOURS: whole(24, 0, 2160),
  SAAS_STORAGE_GRACE_DAYS: whole(7, 0, 365),
  SAAS_DELETION_WARNING_DAYS: dayList('14,7,1'),
  SAAS_EXPORT_DIR: z.string().min(1).optional(),
  SAAS_EXPORT_DAYS: whole(90, 0, 3650),
  SAAS_AMBIGUOUS_RENEWAL: z
    .enum(['ask', 'first-to-expire'], 'ask (a person says which) or first-to-expire')
    .default('ask'),
  SAAS_USAGE_INTERVAL: seconds(21_600, 10, 604_800),
  SAAS_MONITOR_INTERVAL: seconds(30, 1, 3600),
  SAAS_CLOCK_OFFSET: clockOffset,
  SAAS_HTTP_HOST: z.string().min(1).default('127.0.0.1'),
  SAAS_HTTP_PORT: whole(8068, 0, 65535),
  SAAS_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error'], 'debug, info, warn or error').default('info'),
  SAAS_LOG_FORMAT: z.enum(['auto', 'json', 'pretty'], 'auto, json or pretty').default('auto'),
  SAAS_LOG_FILE: z.string().min(1).optional(),
});

/** Names that are accepted, for `--help` and for the check of misspelt ones. */
export const CONFIG_NAMES = Object.keys(schema.shape);

export type Config = ReturnType<typeof loadConfig>;

/**
 * Reads the configuration from `env` (names `SAAS_…`).
 * @throws TerminalError `config.invalid` that lists every problem.
 */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const given = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => name.startsWith('SAAS_') && value !== undefined && value !== ''),
  );
  const problems = Object.keys(given)
    .filter((name) => !CONFIG_NAMES.includes(name))
    .map((name) => unknownName(name));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const name = String(issue.path[0] ?? '');
      problems.push(name in given ? `${name}: must be ${issue.message}` : `${name}: is missing; ${issue.message}`);
    }
  }
  const file = given.SAAS_ODOO_API_KEY_FILE;
  const apiKey = file ? readSecret('SAAS_ODOO_API_KEY_FILE', file, problems) : null;
  if (!parsed.success || !apiKey || problems.length > 0) {
    throw new TerminalError(
      'config.invalid',
      `${problems.length} ${problems.length === 1 ? 'setting is' : 'settings are'} wrong:\n  ${problems.join('\n  ')}`,
      'Correct them in the environment of the daemon; README.md lists all settings.',
    );
  }
  const c = parsed.data;
  const dataDir = path.resolve(c.SAAS_DATA_DIR);
  const [portBase, portEnd] = c.SAAS_PORT_RANGE;
  return {
    odoo: {
      url: c.SAAS_ODOO_URL,
      db: c.SAAS_ODOO_DB,
      login: c.SAAS_ODOO_LOGIN,
      apiKey,
      timeoutMs: c.SAAS_ODOO_TIMEOUT,
    },
    poll: { intervalMs: c.SAAS_POLL_INTERVAL, fullIntervalMs: c.SAAS_FULL_POLL_INTERVAL },
    docker: { socketPath: c.SAAS_DOCKER_SOCKET, timeoutMs: c.SAAS_DOCKER_TIMEOUT },
    instances: {
      scope: c.SAAS_SCOPE,
      odooImage: c.SAAS_ODOO_IMAGE,
      postgresImage: c.SAAS_POSTGRES_IMAGE,
      languages: c.SAAS_LANGUAGES.split(','),
      bindAddress: c.SAAS_BIND_ADDRESS,
      portBase,
      /** How many instances the port range and the subnet pool have room for. */
      maxSlots: Math.min(Math.floor((portEnd - portBase + 1) / 2), subnetsIn(c.SAAS_SUBNET_POOL)),
      subnetPool: c.SAAS_SUBNET_POOL,
      urlTemplate: c.SAAS_INSTANCE_URL,
      proxyMode: c.SAAS_PROXY_MODE,
    },
    policy: {
      timeZone: c.SAAS_TIME_ZONE,
      unpaidOrderGraceDays: c.SAAS_UNPAID_ORDER_GRACE_DAYS,
      expiringSoonDays: c.SAAS_EXPIRING_SOON_DAYS,
      reminderDays: c.SAAS_REMINDER_DAYS,
      deletionWarningDays: c.SAAS_DELETION_WARNING_DAYS,
      pendingPaymentDays: c.SAAS_PENDING_PAYMENT_DAYS,
      vanishedPaymentHours: c.SAAS_VANISHED_PAYMENT_HOURS,
      storageGraceDays: c.SAAS_STORAGE_GRACE_DAYS,
    },
    /** A purchase that may be for several instances goes to the one that expires first, instead of asking a person. */
    firstToExpire: c.SAAS_AMBIGUOUS_RENEWAL === 'first-to-expire',
    monitorIntervalMs: c.SAAS_MONITOR_INTERVAL,
    usageIntervalMs: c.SAAS_USAGE_INTERVAL,
    /** Final copies of deleted instances. */
    exports: { dir: path.resolve(c.SAAS_EXPORT_DIR ?? path.join(dataDir, 'exports')), keptDays: c.SAAS_EXPORT_DAYS },
    concurrency: c.SAAS_CONCURRENCY,
    clockOffset: c.SAAS_CLOCK_OFFSET,
    dataDir,
    storePath: path.join(dataDir, 'bridge.sqlite'),
    http: { host: c.SAAS_HTTP_HOST, port: c.SAAS_HTTP_PORT },
    log: { level: c.SAAS_LOG_LEVEL, format: c.SAAS_LOG_FORMAT, file: c.SAAS_LOG_FILE ?? null },
  };
}

function unknownName(name: string): string {
  return CONFIG_NAMES.includes(`${name}_FILE`)
    ? `${name}: a secret is not taken from the environment; write it to a file and set ${name}_FILE to its path`
    : `${name}: is not a setting; see README.md for their names`;
}

function readSecret(name: string, file: string, problems: string[]): Secret | null {
  try {
    const value = readFileSync(file, 'utf8').trim();
    if (value !== '') return new Secret(value);
    problems.push(`${name}: the file ${file} is empty`);
  } catch (error) {
    problems.push(`${name}: cannot be read (${messageOf(error)})`);
  }
  return null;
}
