/**
 * Runs every suite one after the other and counts: the last line is `N passed, N failed`. A suite that runs no test,
 * or skips one, has failed. With options for mocha (`--grep …`) only mocha's suites run, and may be empty.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

interface Count {
  passed: number;
  failed: number;
}

interface Suite {
  name: string;
  command: string[];
  /** Reads the counts from what the command printed and its exit code. */
  count(output: string, code: number): Count;
}

const options = process.argv.slice(2);
const reportFile = path.join(tmpdir(), `saas-bridge-test-${process.pid}.json`);

function mocha(name: string, ...specs: string[]): Suite {
  return {
    name,
    command: [
      ...['npx', 'mocha', '--reporter', 'test/support/reporter.cjs', '--reporter-option', `file=${reportFile}`],
      ...specs.flatMap((spec) => ['--spec', spec]),
      ...options,
    ],
    count: mochaCount,
  };
}

const check = (name: string, ...command: string[]): Suite => ({
  name,
  command,
  count: (_output, code) => ({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 }),
});

const addon: Suite = { name: 'addon', command: ['odoo-addon-stub/run-tests.sh'], count: lastLineCount };
const machine = [
  check('build', 'npm', 'run', '--silent', 'build'),
  check('engine', 'compose/engine.sh'),
  check('images', 'compose/images.sh'),
];
const mochaOnly = options.length > 0;
const suites: Suite[] = [
  ...machine,
  ...(mochaOnly
    ? []
    : [check('lint', 'npm', 'run', '--silent', 'lint'), check('types', 'npm', 'run', '--silent', 'types')]),
  mocha('unit', 'test/unit/**/*.test.ts'),
  ...(mochaOnly ? [] : [addon]),
  mocha('integration and end to end', 'test/integration/**/*.test.ts', 'test/e2e/**/*.test.ts'),
];

const total: Count = { passed: 0, failed: 0 };
let child: ChildProcess | null = null;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child?.kill(signal));

for (const suite of suites) {
  const startedAt = performance.now();
  rmSync(reportFile, { force: true });
  process.stdout.write(`\n=== ${suite.name}\n`);
  const { output, code } = await run(suite.command);
  const { passed, failed } = suite.count(output, code);
  total.passed += passed;
  total.failed += failed;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  process.stdout.write(`--- ${suite.name}: ${passed} passed, ${failed} failed, ${seconds} s\n`);
}
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

function mochaCount(_output: string, code: number): Count {
  try {
    const { passes, failures, pending, tests } = JSON.parse(readFileSync(reportFile, 'utf8')) as Record<string, number>;
    const empty = tests === 0 && !mochaOnly ? 1 : 0;
    const failed = (failures ?? 0) + (pending ?? 0) + empty;
    // Ended badly without a failed test: something broke outside of them.
    return { passed: passes ?? 0, failed: failed === 0 && code !== 0 ? 1 : failed };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

function lastLineCount(output: string, code: number): Count {
  const match = /(\d+) passed, (\d+) failed\s*$/.exec(output);
  const passed = Number(match?.[1] ?? 0);
  const failed = Number(match?.[2] ?? 0);
  return { passed, failed: failed === 0 && (code !== 0 || passed === 0) ? 1 : failed };
}

function run([program = '', ...args]: string[]): Promise<{ output: string; code: number }> {
  return new Promise((resolve) => {
    child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      process.stdout.write(chunk);
      output = (output + chunk.toString()).slice(-10_000);
    });
    child.once('error', (error) => resolve({ output: error.message, code: 1 }));
    child.once('close', (code) => resolve({ output, code: code ?? 1 }));
  });
}
