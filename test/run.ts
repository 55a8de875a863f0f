/**
 * Runs every suite and counts: the last line is `N passed, N failed`. A suite that runs no test, or skips one, has failed.
 * With options for mocha (`--grep …`) only mocha's suites run, and may be empty.
 *
 * Two lanes run side by side, each with a master and a daemon of its own; what needs no image runs while those are built.
 * At the end the slowest test files, with what was made for them before their first test, and what failed and why.
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
  failed: Failure[];
}

/** A test by its whole title, and what it said. */
interface Failure {
  title: string;
  why: string;
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

const build = check('build', 'npm', 'run', '--silent', 'build');
const machine = [check('engine', 'test/machine.sh', 'engine'), check('images', 'test/machine.sh', 'images')];
const linters = [
  check('lint', 'npm', 'run', '--silent', 'lint'),
  check('shell', 'compose/lint.sh', 'shell'),
  check('python', 'compose/lint.sh', 'python'),
  check('types', 'npm', 'run', '--silent', 'types'),
];
const unit = mocha('unit', 1, 'test/unit/**/*.test.ts');
const addon: Suite = { name: 'addon', command: ['odoo-addon-stub/run-tests.sh'], count: lastLineCount };
const endToEnd = mocha('end to end, faults', 0, 'test/e2e/*.test.ts', 'test/faults/*.test.ts');
const integration = mocha('integration', 1, 'test/integration/**/*.test.ts');
const pages = mocha('pages', 1, 'test/pages/*.test.ts');

const SLOWEST = 10;
/** Lines of what a failed test said. */
const WHY_LINES = 30;
const total: Count = { passed: 0, failed: 0 };
const files: TimedFile[] = [];
const whatFailed: Failure[] = [];
const children = new Set<ChildProcess>();
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    stopped = true;
    for (const child of children) child.kill(signal);
  });
}

await inOrder([build]);
const machineIsReady = inOrder(machine);
await Promise.all([
  machineIsReady.then(() => inOrder([endToEnd])),
  inOrder([...(mochaOnly ? [] : linters), unit])
    .then(() => machineIsReady)
    .then(() => inOrder([...(mochaOnly ? [] : [addon]), integration, pages])),
]);
tellSlowest();
tellFailures();
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
    if (failed > 0 && !whatFailed.some(({ title }) => title.startsWith(`${suite.name}:`)))
      whatFailed.push({ title: `${suite.name}: its last lines`, why: output.split('\n').slice(-WHY_LINES).join('\n') });
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    process.stdout.write(`--- ${suite.name}: ${passed} passed, ${failed} failed, ${seconds} s\n`);
  }
}

function mochaCount(suite: string, report: string, code: number): Count {
  try {
    const { passes, failures, pending, tests, ...timed } = JSON.parse(readFileSync(report, 'utf8')) as Report;
    rmSync(report);
    files.push(...timed.files);
    whatFailed.push(...timed.failed.map(({ title, why }) => ({ title: `${suite}: ${title}`, why })));
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

function tellFailures(): void {
  if (whatFailed.length === 0) return;
  process.stdout.write('\n=== failed\n');
  for (const { title, why } of whatFailed) {
    const lines = why.split('\n').slice(0, WHY_LINES);
    process.stdout.write(`${title}\n${lines.map((line) => `    ${line}\n`).join('')}`);
  }
}

function lastLineCount(output: string, code: number): Count {
  const match = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
  const passed = Number(match?.[1] ?? 0);
  const failed = Number(match?.[2] ?? 0);
  return { passed, failed: failed === 0 && (code !== 0 || passed === 0) ? 1 : failed };
}

/** Its lines carry its name: two suites write at the same time. Its output: the end of both streams. */
function run({ name, command: [program = '', ...args], env }: Suite): Promise<{ output: string; code: number }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    children.add(child);
    let output = '';
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ] as const) {
      createInterface({ input: from }).on('line', (line) => {
        to.write(`${name} | ${line}\n`);
        output = `${output}${line}\n`.slice(-10_000);
      });
    }
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
