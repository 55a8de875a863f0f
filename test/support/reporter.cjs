/** Mocha's own spec report on the terminal, and its counts in a file for test/run.ts. */
const { writeFileSync } = require('node:fs');
const Mocha = require('mocha');

module.exports = class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const { file } = options.reporterOptions ?? options.reporterOption ?? {};
    runner.once('end', () => {
      if (file) writeFileSync(file, JSON.stringify(this.stats));
    });
  }
};
