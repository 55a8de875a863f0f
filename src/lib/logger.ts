/**
 * The admin's log: one event name a line in the past tense (`instance.provisioned`), one sentence, key-value fields.
 * JSON in production, readable lines on a terminal.
 */
import { once } from 'node:events';
import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import winston from 'winston';
import { BridgeError, messageOf, TerminalError } from './errors.js';
import { printable, printableJson } from './printable.js';
import { runbookPage } from './runbook.js';

/** The file may be on a disk that does not answer: stopping does not wait for it any longer. */
const CLOSE_TIMEOUT_MS = 2_000;

export type Fields = Record<string, unknown>;

export interface Log {
  debug(event: string, message: string, fields?: Fields): void;
  info(event: string, message: string, fields?: Fields): void;
  warn(event: string, message: string, fields?: Fields): void;
  error(event: string, message: string, fields?: Fields): void;
}

export interface LogOptions {
  level: 'debug' | 'info' | 'warn' | 'error';
  format: 'auto' | 'json' | 'pretty';
  /** Also written here, rotated at 10 MB, 10 files kept. */
  file: string | null;
  stream?: NodeJS.WriteStream;
  env?: NodeJS.ProcessEnv;
}

/** The fields that tell what went wrong and what to do about it, of anything that was thrown. */
export function errorFields(error: unknown): Fields {
  if (error instanceof BridgeError) {
    const { code, advice } = error;
    const page = runbookPage(code);
    return { code, error: messageOf(error), advice, ...(page ? { more: page } : {}) };
  }
  return { error: messageOf(error), ...(error instanceof Error ? { stack: error.stack } : {}) };
}

/**
 * Makes the log and a `close` that resolves when all is written.
 * @throws TerminalError `config.log_file` when the file cannot be written: winston itself would only keep silent.
 */
export function createLog(options: LogOptions): Log & { close(): Promise<void> } {
  const stream = options.stream ?? process.stderr;
  const env = options.env ?? process.env;
  const pretty = options.format === 'pretty' || (options.format === 'auto' && stream.isTTY === true);
  const colours = pretty && stream.isTTY === true && !env.NO_COLOR;
  const json = winston.format.combine(winston.format.timestamp(), winston.format.printf(jsonLine));
  const transports: winston.transport[] = [
    new winston.transports.Stream({
      stream,
      format: pretty
        ? winston.format.combine(
            winston.format.timestamp({ format: 'HH:mm:ss' }),
            winston.format.printf((info) => prettyLine(info, colours)),
          )
        : json,
    }),
  ];
  if (options.file) {
    requireWritable(options.file);
    transports.push(
      new winston.transports.File({
        filename: options.file,
        format: json,
        maxsize: 10_000_000,
        maxFiles: 10,
        tailable: true,
        options: { flags: 'a', mode: 0o640 },
      }),
    );
  }
  const logger = winston.createLogger({ level: options.level, transports });
  const write =
    (level: string) =>
    (event: string, message: string, fields: Fields = {}) => {
      logger.log({ level, event, message, fields });
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    async close() {
      const finished = once(logger, 'finish');
      logger.end();
      await Promise.race([finished, sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}

function requireWritable(file: string): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    appendFileSync(file, '', { mode: 0o640 });
  } catch (error) {
    throw new TerminalError(
      'config.log_file',
      `SAAS_LOG_FILE: ${file} cannot be written (${messageOf(error)})`,
      'Name a file that the user of the daemon may write, or leave the setting out.',
      { cause: error },
    );
  }
}

function jsonLine(info: winston.Logform.TransformableInfo): string {
  const { timestamp, level, event, message, fields } = info;
  // A name that a customer chose must not move the cursor or start a line of its own.
  return printableJson(JSON.stringify({ time: timestamp, level, event, message, ...(fields as Fields) }));
}

const COLOURS: Record<string, string> = {
  debug: '\u001b[2m',
  info: '\u001b[32m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
};

function prettyLine(info: winston.Logform.TransformableInfo, colours: boolean): string {
  const { timestamp, level, event, message, fields } = info;
  const pairs = Object.entries(fields as Fields)
    .filter(([name, value]) => value !== undefined && name !== 'stack')
    .map(([name, value]) => `${name}=${fieldText(value)}`)
    .join(' ');
  const label = colours ? `${COLOURS[level] ?? ''}${level.padEnd(5)}\u001b[0m` : level.padEnd(5);
  const faint = colours && pairs ? `\u001b[2m${pairs}\u001b[0m` : pairs;
  return [timestamp, label, event, printable(String(message)), faint].filter(Boolean).join('  ');
}

function fieldText(value: unknown): string {
  const json = JSON.stringify(value) ?? '';
  const text = printable(json.startsWith('"') ? (JSON.parse(json) as string) : json);
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text);
}
