/** Names and labels of everything an instance owns. Pure: the same input gives the same names. */

export const LABEL = {
  scope: 'saas.scope',
  instance: 'saas.instance',
  key: 'saas.key',
  slot: 'saas.slot',
  generation: 'saas.generation',
  role: 'saas.role',
  spec: 'saas.spec',
  size: 'saas.size',
  conf: 'saas.conf',
  template: 'saas.template',
  /** The process that made a task. */
  run: 'saas.run',
} as const;

export type Role = 'odoo' | 'db' | 'job';

/** Several daemons (or tests) share one engine by having different scopes. */
export const DEFAULT_SCOPE = 'default';

export const MAX_NAME_LENGTH = 40;

/** Names a customer's instance must not take: hosts and addresses that mean something to people. */
const RESERVED = new Set(
  'www mail smtp imap pop mx ns ns1 ns2 ftp sftp ssh vpn api app apps admin administrator root webmaster postmaster hostmaster abuse security support help status blog shop store portal my account accounts billing login auth sso static assets cdn test staging dev demo docs localhost default master saas odoo db postgres traefik proxy health metrics autodiscover autoconfig'.split(
    ' ',
  ),
);

const NAME = /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/;
const SCOPE = /^[a-z][a-z0-9-]{0,30}$/;

/** A name that can be a DNS label, a container, a volume and a folder. */
export function isValidName(name: string): boolean {
  return NAME.test(name) && !name.includes('--');
}

/** What an instance was born from, and perhaps the moment of it in seconds: `sol:7`, `rec:3.1768478400`. */
export const INSTANCE_KEY = /^(sol|aml|grant|rec):\d{1,15}(\.\d{1,15})?$/;

export function isValidScope(scope: string): boolean {
  return SCOPE.test(scope);
}

export interface ResourceNames {
  odoo: string;
  db: string;
  network: string;
  pgdata: string;
  filestore: string;
  config: string;
  /** Compose project, and the stem of one-shot containers. */
  project: string;
}

/**
 * What the objects of an instance are called on the engine. Throws RangeError on a name or scope that is not valid.
 * @param generation counts how often its data was restored: each time it is in other volumes.
 */
export function resourceNames(scope: string, name: string, generation = 0): ResourceNames {
  if (!isValidName(name)) throw new RangeError(`not an instance name: ${JSON.stringify(name.slice(0, 60))}`);
  const base = `${scopePrefix(scope)}odoo_cliente_${name}`;
  const data = generation === 0 ? '' : `_${generation}`;
  return {
    odoo: base,
    db: `${base}_db`,
    network: `${base}_net`,
    pgdata: `${base}_pgdata${data}`,
    filestore: `${base}_filestore${data}`,
    config: `${base}_config`,
    project: base,
  };
}

/** Put before every name: empty for the default scope. */
export function scopePrefix(scope: string): string {
  if (!isValidScope(scope)) throw new RangeError(`not a scope: ${JSON.stringify(scope.slice(0, 60))}`);
  return scope === DEFAULT_SCOPE ? '' : `${scope}_`;
}

/** Labels every object of an instance carries; the store can be rebuilt from them. */
export function instanceLabels(
  scope: string,
  instance: { name: string; key: string; slot: number; generation?: number | undefined },
): Record<string, string> {
  return {
    ...(instance.generation ? { [LABEL.generation]: String(instance.generation) } : {}),
    [LABEL.scope]: scope,
    [LABEL.instance]: instance.name,
    [LABEL.key]: instance.key,
    [LABEL.slot]: String(instance.slot),
  };
}

/**
 * A valid name for a customer's instance, from whatever a company is called. `taken` says whether a name is in use;
 * then `-2`, `-3` … follow.
 */
export function suggestName(company: string, taken: (name: string) => boolean): string {
  const slug = slugOf(company);
  const stem = slug === '' ? 'cliente' : slug;
  if (!RESERVED.has(stem) && !taken(stem)) return stem;
  for (let number = 2; ; number++) {
    const suffix = `-${number}`;
    const name = stem.slice(0, MAX_NAME_LENGTH - suffix.length).replace(/-+$/, '') + suffix;
    if (!taken(name)) return name;
  }
}

function slugOf(text: string): string {
  return text
    .slice(0, 1000)
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/[æœ]/g, (letter) => (letter === 'æ' ? 'ae' : 'oe'))
    .replace(/ø/g, 'o')
    .replace(/ł/g, 'l')
    .replace(/đ/g, 'd')
    .replace(/['’`´]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .replace(/^(?=[0-9])/, 'c')
    .slice(0, MAX_NAME_LENGTH)
    .replace(/-+$/, '');
}
