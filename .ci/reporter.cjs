// Mocha's own "spec" report; adds one line of counts to the file named by TEST_COUNTS, for .ci/sum.js.
const { appendFileSync } = require('node:fs');
const { Spec } = require('mocha').reporters;

module.exports = class extends Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.TEST_COUNTS;
    if (file === undefined) return;
    runner.once('end', () => {
      const { passes, failures, pending } = runner.stats;
      appendFileSync(file, `${JSON.stringify({ passes, failures, pending })}\n`);
    });
  }
};
