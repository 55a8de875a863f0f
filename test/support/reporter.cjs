/** Mocha's own spec report on the terminal; its counts, what failed, and how long each file took, in a file for test/run.ts. */
const { writeFileSync } = require('node:fs');
const path = require('node:path');
const Mocha = require('mocha');
const { config } = require('chai');

// What a page said instead is the first that one wants to know of a failure on another machine.
config.truncateThreshold = 2_000;

module.exports = class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const { file: report } = options.reporterOptions ?? options.reporterOption ?? {};
    const durations = new Map();
    const failed = [];
    let startedAt = 0;
    runner.on('fail', (test, error) => failed.push({ title: test.fullTitle(), why: String(error.stack ?? error) }));
    const isOfFile = ({ parent }) => parent?.root;
    runner.on('suite', (suite) => {
      if (isOfFile(suite)) startedAt = performance.now();
    });
    runner.on('suite end', (suite) => {
      if (!isOfFile(suite)) return;
      const file = path.relative(process.cwd(), suite.file);
      durations.set(file, (durations.get(file) ?? 0) + performance.now() - startedAt);
    });
    runner.once('end', () => {
      const files = [...durations].map(([file, durationMs]) => ({ file, durationMs }));
      if (report) writeFileSync(report, JSON.stringify({ ...this.stats, files, failed }));
    });
  }
};
