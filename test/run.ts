/**
 * Runs every suite and counts: the last line is `N passed, N failed`. A suite that runs no test, or skips one, has failed.
 * With options for mocha (`--grep …`) only mocha's suites run, and may be empty.
 *
 * First what the others need; then two lanes side by side, each with a master and a daemon of its own. At the end the
 * slowest test files, with what was made for them before their first test, and what failed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

interface Count {
  passed: number;
  failed: number;
}

/** Its hooks are in the duration. */
interface TimedFile {
  file: string;
  durationMs: number;
}

/** What support/reporter.cjs writes. */
interface Report {
  passes: number;
  failures: number;
  pending: number;
  tests: number;
  files: TimedFile[];
  /** Full titles. */
  failed: string[];
}

interface Suite {
  name: string;
  command: string[];
  env?: Record<string, string>;
  /** Reads the counts from what the command printed and its exit code. */
  count(output: string, code: number): Count;
}

const options = process.argv.slice(2);
const mochaOnly = options.length > 0;

const check = (name: string, ...command: string[]): Suite => ({
  name,
  command,
  count: (_output, code) => ({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 }),
});

/** @param world the number of its world: lanes that run side by side have different ones. */
function mocha(name: string, world: number, ...specs: string[]): Suite {
  const report = path.join(tmpdir(), `saas-bridge-test-${process.pid}-${name.replace(/\W+/g, '-')}.json`);
  return {
    name,
    command: [
      ...['npx', 'mocha', '--reporter', 'test/support/reporter.cjs', '--reporter-option', `file=${report}`],
      ...specs.flatMap((spec) => ['--spec', spec]),
      ...options,
    ],
    env: { TEST_WORLD: String(Number(process.env.TEST_WORLD ?? 0) + world) },
    count: (_output, code) => mochaCount(name, report, code),
  };
}

const addon: Suite = { name: 'addon', command: ['odoo-addon-stub/run-tests.sh'], count: lastLineCount };
const machine = [
  check('build', 'npm', 'run', '--silent', 'build'),
  check('engine', 'compose/engine.sh'),
  check(
    'images',
    'compose/images.sh',
    'postgres',
    'odoo',
    'backup',
    'node',
    'mail',
    'browser',
    'targets',
    'edge',
    'acme',
  ),
];
const lint = check('lint', 'npm', 'run', '--silent', 'lint');
const shell = check('shell', 'compose/lint.sh', 'shell');
const python = check('python', 'compose/lint.sh', 'python');
const types = check('types', 'npm', 'run', '--silent', 'types');
const unit = mocha('unit', 0, 'test/unit/**/*.test.ts');
/** Divided so that both lanes take as long. */
const lanes: Suite[][] = [
  [unit, mocha('end to end, faults', 0, 'test/e2e/*.test.ts', 'test/faults/*.test.ts')],
  [
    ...(mochaOnly ? [] : [lint, shell, python, types, addon]),
    mocha('integration', 1, 'test/integration/**/*.test.ts'),
    mocha('pages', 1, 'test/pages/*.test.ts'),
  ],
];

const SLOWEST = 10;
const total: Count = { passed: 0, failed: 0 };
const files: TimedFile[] = [];
/** A line each. */
const failedTests: string[] = [];
const children = new Set<ChildProcess>();
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    stopped = true;
    for (const child of children) child.kill(signal);
  });
}

await inOrder(machine);
await Promise.all(lanes.map(inOrder));
tellSlowest();
if (failedTests.length > 0) process.stdout.write(`\n=== failed\n${failedTests.map((line) => `${line}\n`).join('')}`);
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed === 0 && total.passed > 0 && !stopped ? 0 : 1;

async function inOrder(suites: Suite[]): Promise<void> {
  for (const suite of suites) {
    if (stopped) return;
    const startedAt = performance.now();
    process.stdout.write(`\n=== ${suite.name}\n`);
    const { output, code } = await run(suite);
    const { passed, failed } = suite.count(output, code);
    total.passed += passed;
    total.failed += failed;
    if (failed > 0 && !failedTests.some((line) => line.startsWith(`${suite.name}:`)))
      failedTests.push(`${suite.name}: see above`);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    process.stdout.write(`--- ${suite.name}: ${passed} passed, ${failed} failed, ${seconds} s\n`);
  }
}

function mochaCount(suite: string, report: string, code: number): Count {
  try {
    const { passes, failures, pending, tests, ...timed } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    rmSync(report);
    files.push(...timed.files);
    failedTests.push(...timed.failed.map((title) => `${suite}: ${title}`));
    const failed = failures + pending + (tests === 0 && !mochaOnly ? 1 : 0);
    // Ended badly without a failed test: something broke outside of them.
    return { passed: passes, failed: failed === 0 && code !== 0 ? 1 : failed };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

function tellSlowest(): void {
  const slowest = files.sort((a, b) => b.durationMs - a.durationMs).slice(0, SLOWEST);
  if (slowest.length === 0) return;
  process.stdout.write('\n=== the slowest test files\n');
  for (const { file, durationMs } of slowest) {
    process.stdout.write(`${(durationMs / 1000).toFixed(1).padStart(7)} s  ${file}\n`);
  }
}

function lastLineCount(output: string, code: number): Count {
  const match = /(\d+) passed, (\d+) failed\s*$/.exec(output);
  const passed = Number(match?.[1] ?? 0);
  const failed = Number(match?.[2] ?? 0);
  return { passed, failed: failed === 0 && (code !== 0 || passed === 0) ? 1 : failed };
}

/** Its lines carry its name: two suites write at the same time. */
function run({ name, command: [program = '', ...args], env }: Suite): Promise<{ output: string; code: number }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    children.add(child);
    let output = '';
    createInterface({ input: child.stderr }).on('line', (line) => process.stderr.write(`${name} | ${line}\n`));
    createInterface({ input: child.stdout }).on('line', (line) => {
      process.stdout.write(`${name} | ${line}\n`);
      output = `${output}${line}\n`.slice(-10_000);
    });
    child.once('error', (error) => {
      children.delete(child);
      resolve({ output: error.message, code: 1 });
    });
    child.once('close', (code) => {
      children.delete(child);
      resolve({ output, code: code ?? 1 });
    });
  });
}
