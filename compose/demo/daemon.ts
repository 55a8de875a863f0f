/** Runs the built daemon in the background, beside a demonstration master, and reads what it logs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MasterState, REPO_DIR } from './master.js';

export interface DaemonOptions {
  dataDir: string;
  scope: string;
  httpPort: number;
  portRange: string;
  subnetPool: string;
  /** Settings beside or instead of the ones computed here. */
  settings?: Record<string, string>;
  /** What node is to run instead of the built daemon. */
  program?: string[];
}

/** One line of the daemon's log. */
export interface LogLine {
  time: string;
  level: string;
  event: string;
  message: string;
  [field: string]: unknown;
}

export interface RunningDaemon {
  url: string;
  logFile: string;
  pid: number;
  /** All lines logged since it was started here. */
  lines(): LogLine[];
  /** SIGTERM, or another signal; resolves when the process has ended. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 60_000;

/** A daemon that mostly waits needs little memory for new objects: the same flags as in the first line of main.ts. */
const NODE_FLAGS = ['--max-semi-space-size=1', '--optimize-for-size'];
const MAIN = path.join(REPO_DIR, 'dist/main.js');

/** The environment that connects a daemon to a master. */
export function daemonEnv(master: MasterState, options: DaemonOptions): Record<string, string> {
  return {
    SAAS_ODOO_URL: master.master_url,
    SAAS_ODOO_DB: master.master_db,
    SAAS_ODOO_LOGIN: master.api_login,
    SAAS_ODOO_API_KEY_FILE: master.api_key_file,
    SAAS_DATA_DIR: options.dataDir,
    SAAS_SCOPE: options.scope,
    SAAS_HTTP_PORT: String(options.httpPort),
    SAAS_PORT_RANGE: options.portRange,
    SAAS_SUBNET_POOL: options.subnetPool,
    SAAS_LOG_LEVEL: 'debug',
    SAAS_LOG_FORMAT: 'json',
    ...options.settings,
  };
}

/** Starts it detached, its log in `<dataDir>/daemon.log`, and waits until `/health` answers. */
export async function startDaemon(master: MasterState, options: DaemonOptions): Promise<RunningDaemon> {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const logFile = path.join(options.dataDir, 'daemon.log');
  const from = existsSync(logFile) ? statSync(logFile).size : 0;
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(process.execPath, [...NODE_FLAGS, ...(options.program ?? [MAIN, 'run'])], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { PATH: process.env.PATH, ...daemonEnv(master, options) },
  });
  child.unref();
  const url = `http://127.0.0.1:${options.httpPort}`;
  const lines = () => readLines(logFile, from);
  await waitForHealth(child, url, lines);
  return { url, logFile, pid: child.pid ?? 0, lines, stop: (signal) => stopChild(child, signal) };
}

/** Runs a command of the command line with the same settings; gives its standard output. */
export function runCommand(
  master: MasterState,
  options: DaemonOptions,
  args: string[],
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH, ...daemonEnv(master, options) },
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** Stops the daemon of a data folder that an earlier run left in the background. */
export async function stopLeftover(dataDir: string): Promise<boolean> {
  const pid = runningPid(dataDir);
  if (pid === null) return false;
  process.kill(pid, 'SIGTERM');
  for (let waited = 0; waited < STOP_TIMEOUT_MS; waited += 100) {
    if (runningPid(dataDir) === null) return true;
    await sleep(100);
  }
  throw new Error(`the daemon with pid ${pid} did not stop in ${STOP_TIMEOUT_MS / 1000} s`);
}

/** Resident memory of a process in MB, from the kernel. */
export function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes ?? 0) / 102.4) / 10;
}

/** The pid of a folder's daemon, only if that process still is one. */
function runningPid(dataDir: string): number | null {
  try {
    const pid = Number(readFileSync(path.join(dataDir, 'daemon.pid'), 'utf8'));
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes('run') && words.some((word) => word.endsWith('main.js')) ? pid : null;
  } catch {
    return null;
  }
}

async function waitForHealth(child: ChildProcess, url: string, lines: () => LogLine[]): Promise<void> {
  for (let waited = 0; waited < START_TIMEOUT_MS; waited += 100) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the daemon ended at once: ${lines().at(-1)?.message ?? 'it logged nothing'}`);
    }
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2000) }).catch(() => null);
    if (answer?.ok) return;
    await sleep(100);
  }
  throw new Error(`the daemon did not answer at ${url} in ${START_TIMEOUT_MS / 1000} s`);
}

function stopChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the daemon did not stop')), STOP_TIMEOUT_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill(signal);
  });
}

/** Lines that are no JSON (a start that failed) are kept as messages. */
function readLines(file: string, from: number): LogLine[] {
  return readFileSync(file)
    .subarray(from)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as LogLine;
      } catch {
        return { time: '', level: 'error', event: 'output', message: line };
      }
    });
}
