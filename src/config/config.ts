/**
 * Configuration, from the environment alone. Everything that is wrong is reported at once, each with its name and
 * what would be right. Secrets are given as files (`…_FILE`), never as values.
 */
import { z } from 'zod';
import { TerminalError } from '../lib/errors.js';
import { backups } from './backups.js';
import { data } from './data.js';
import { edge, misfitsOfEdge } from './edge.js';
import { engine } from './engine.js';
import { http } from './http.js';
import { instances } from './instances.js';
import { log } from './log.js';
import { master } from './master.js';
import { policy } from './policy.js';
import type { Section } from './setting.js';

/** All settings, in the order in which people read them. */
export const SECTIONS: readonly Pick<Section, 'title' | 'settings'>[] = [
  master,
  engine,
  instances,
  edge,
  policy,
  data,
  backups,
  http,
  log,
];

const schema = z.object({
  ...master.shape,
  ...engine.shape,
  ...instances.shape,
  ...edge.shape,
  ...policy.shape,
  ...data.shape,
  ...backups.shape,
  ...http.shape,
  ...log.shape,
});

/** Names that are accepted. */
export const CONFIG_NAMES: readonly string[] = Object.keys(schema.shape);

export type Config = ReturnType<typeof loadConfig>;

/**
 * Reads the configuration from `env` (names `SAAS_…`); an empty value counts as none.
 * @throws TerminalError `config.invalid` that lists every problem.
 */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const given = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => name.startsWith('SAAS_') && value !== undefined && value !== ''),
  );
  const unknown = Object.keys(given).filter((name) => !CONFIG_NAMES.includes(name));
  const parsed = schema.safeParse(given);
  if (!parsed.success || unknown.length > 0) {
    const wrong = parsed.error?.issues.map(({ path: [name = ''], message }) => {
      return String(name) in given ? `${String(name)}: must be ${message}` : `${String(name)}: is missing; ${message}`;
    });
    throw invalid([...unknown.map(unknownName), ...(wrong ?? [])]);
  }
  const values = parsed.data;
  const misfits = misfitsOfEdge(values);
  if (misfits.length > 0) throw invalid(misfits);
  return {
    ...master.part(values),
    ...engine.part(values),
    ...instances.part(values),
    ...edge.part(values),
    ...policy.part(values),
    ...data.part(values),
    ...backups.part(values),
    ...http.part(values),
    ...log.part(values),
  };
}

function invalid(problems: string[]): TerminalError {
  return new TerminalError(
    'config.invalid',
    `${problems.length} ${problems.length === 1 ? 'setting is' : 'settings are'} wrong:\n  ${problems.join('\n  ')}`,
    'Correct them in the environment of the daemon; README.md lists all settings.',
  );
}

function unknownName(name: string): string {
  return CONFIG_NAMES.includes(`${name}_FILE`)
    ? `${name}: a secret is not taken from the environment; write it to a file and set ${name}_FILE to its path`
    : `${name}: is not a setting; see README.md for their names`;
}
