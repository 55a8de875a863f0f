/** The files in templates/instance with values in them. A value passes a serializer or the template does not render. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import Handlebars from 'handlebars';
import { TerminalError } from '../lib/errors.js';

const FOLDER = new URL('../../templates/instance/', import.meta.url);

type Render = (values: object) => string;

export interface Templates {
  compose: Render;
  conf: Render;
  personalise: Render;
  roleSql: Render;
  adminSql: Render;
  settingsSql: Render;
  /** Scripts that run inside one-shot containers; constants. */
  seedScript: string;
  buildScript: string;
  warmScript: string;
  limitsScript: string;
  secretsScript: string;
  settingsScript: string;
  measureScript: string;
  dumpScript: string;
  packScript: string;
  rawCopyScript: string;
  closeScript: string;
  /** With what opens the target before it. */
  backupScript: string;
  fetchScript: string;
  probeScript: string;
  removeBackupsScript: string;
  listScript: string;
  checkScript: string;
  /** A trial: load, serve, prove. */
  loadScript: string;
  serveScript: string;
  proveScript: string;
  /** Changes with what containers are made from: the compose file, odoo.conf, the module. */
  revision: string;
  /** Odoo's server-wide module saas_limits, by the names its files have in the config volume. */
  limitsModule: ModuleFile[];
}

export interface ModuleFile {
  name: string;
  content: string;
}

/** Reads and compiles the templates once. */
export async function loadTemplates(): Promise<Templates> {
  const read = (file: string): Promise<string> => readFile(new URL(file, FOLDER), 'utf8');
  const moduleFiles = (await readdir(new URL('saas_limits/', FOLDER))).filter((file) => file.endsWith('.py')).sort();
  const limitsModule = await Promise.all(
    moduleFiles.map(async (file) => ({
      name: `addons/saas_limits/${file}`,
      content: await read(`saas_limits/${file}`),
    })),
  );
  const [composeFile, confFile] = [await read('docker-compose.yml.hbs'), await read('odoo.conf.hbs')];
  const targets = await read('targets.sh');
  return {
    compose: compile(composeFile),
    conf: compile(confFile),
    personalise: compile(await read('personalise.sql.hbs')),
    roleSql: compile(await read('role.sql.hbs')),
    adminSql: compile(await read('admin.sql.hbs')),
    seedScript: await read('seed.sh'),
    buildScript: await read('compact.sh'),
    warmScript: await read('warm.py'),
    settingsSql: compile(await read('settings.sql.hbs')),
    settingsScript: await read('settings.sh'),
    limitsScript: await read('limits.sh'),
    secretsScript: await read('secrets.sh'),
    measureScript: await read('measure.sh'),
    dumpScript: await read('dump.sh'),
    packScript: await read('pack.py'),
    rawCopyScript: await read('raw-copy.sh'),
    closeScript: await read('close.sh'),
    backupScript: targets + (await read('backup.sh')),
    fetchScript: targets + (await read('fetch.sh')),
    listScript: targets + (await read('list.sh')),
    checkScript: targets + (await read('check.sh')),
    probeScript: targets + (await read('probe.sh')),
    removeBackupsScript: targets + (await read('remove-backups.sh')),
    loadScript: await read('load.sh'),
    serveScript: await read('serve.sh'),
    proveScript: await read('prove.py'),
    limitsModule,
    revision: createHash('sha256')
      .update(JSON.stringify([composeFile, confFile, limitsModule]))
      .digest('hex'),
  };
}

/**
 * A template in which every value must be written through one of the helpers json, ini, text, integer, decimal.
 * A missing value throws; a bare `{{value}}` throws as well, because nothing would have made it safe.
 */
export function compile(source: string): Render {
  const handlebars = Handlebars.create();
  handlebars.registerHelper({ json, ini, text: sqlText, integer, decimal });
  assertSerialized(handlebars.parse(source));
  return handlebars.compile(source, {
    strict: true,
    noEscape: true,
    knownHelpersOnly: true,
    knownHelpers: { json: true, ini: true, text: true, integer: true, decimal: true },
  });
}

/** A JSON scalar, which is a YAML scalar too. */
export function json(value: unknown): string {
  if (!['string', 'number', 'boolean'].includes(typeof value)) throw refused('json', 'not a scalar');
  // YAML takes these two as line breaks, and JSON leaves them as they are.
  return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (c) => {
    return `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** A value of odoo.conf. INI has no escapes: what could end the line, or be read as a comment, throws. */
export function ini(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw refused('ini', 'not a text');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through.
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(value)) throw refused('ini', 'control characters');
  if (value.trim() !== value || /[%;#]/.test(value)) throw refused('ini', 'characters that INI files give a meaning');
  return value;
}

/** A text in SQL, as hexadecimal digits. PostgreSQL texts cannot hold NUL: it is left out. */
export function sqlText(value: unknown): string {
  if (typeof value !== 'string') throw refused('text', 'not a text');
  const bytes = Buffer.from(value.replaceAll('\0', ''), 'utf8');
  return `convert_from(decode('${bytes.toString('hex')}', 'hex'), 'UTF8')`;
}

export function integer(value: unknown): string {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw refused('integer', 'not an integer');
  return String(value);
}

/** A positive number with at most three decimals. */
export function decimal(value: unknown): string {
  if (typeof value !== 'number' || !(value > 0) || value > 1e6) throw refused('decimal', 'not a positive number');
  return String(Math.round(value * 1000) / 1000);
}

function refused(helper: string, why: string): TerminalError {
  return new TerminalError('template.value', `a value for ${helper} was refused: ${why}`, 'Correct the value.');
}

/** Walks the parsed template: mustaches without parameters are values nobody has serialized. */
function assertSerialized(program: hbs.AST.Program): void {
  for (const statement of program.body) {
    if (statement.type === 'MustacheStatement' && (statement as hbs.AST.MustacheStatement).params.length === 0) {
      throw refused('template', `a bare value in line ${statement.loc.start.line}`);
    }
    if (statement.type === 'BlockStatement') {
      const block = statement as hbs.AST.BlockStatement;
      assertSerialized(block.program);
      if (block.inverse) assertSerialized(block.inverse);
    }
  }
}
