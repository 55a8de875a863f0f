/**
 * npm run fuzz: hostile values through the real code, read back by other readers. Exit code 0: no crash and no escape.
 * Options: --cases <number> (100,000), --seed <number> (another one each time), --only <part of a target's name>, --json.
 */
import { parseArgs } from 'node:util';
import { run } from './run.js';
import { allTargets } from './targets.js';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const [cases, seed] = [Number(values.cases), Number(values.seed)];
if (!Number.isSafeInteger(cases) || cases < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('--cases and --seed take whole numbers, such as --cases 100000 --seed 7\n');
  process.exit(2);
}
const targets = (await allTargets()).filter(({ name }) => name.includes(values.only));
process.stderr.write(`seed ${seed}\n`);
const result = await run(targets, {
  cases,
  seed,
  onTarget(name, count, ms) {
    process.stderr.write(`${String(count).padStart(7)}  ${(ms / 1000).toFixed(1).padStart(6)} s  ${name}\n`);
  },
});
for (const { target, kind, value, message, path } of result.findings) {
  process.stderr.write(`\n${kind} in "${target}" (seed ${seed}, path ${path}) with\n${value}\n${message}\n`);
}
const { crashes, escapes } = result;
if (values.json) process.stdout.write(`${JSON.stringify({ cases: result.cases, crashes, escapes, seed })}\n`);
else process.stdout.write(`${result.cases} cases, ${crashes} crashes, ${escapes} escapes, seed ${seed}\n`);
process.exit(crashes + escapes === 0 && targets.length > 0 ? 0 : 1);
