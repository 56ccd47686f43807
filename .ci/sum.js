// Adds up the counts of all test runs: `node .ci/sum.js FILE EXTRA_FAILURES` prints "N passed, N failed, N skipped" and
// ends with 1 when anything failed or nothing ran.
import { existsSync, readFileSync } from 'node:fs';

const [file, extra] = process.argv.slice(2);
const lines = file && existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
const sum = { passes: 0, failures: Number(extra ?? 0), pending: 0 };
for (const line of lines) {
  const counts = JSON.parse(line);
  for (const name of Object.keys(sum)) sum[name] += counts[name];
}
process.stdout.write(`${sum.passes} passed, ${sum.failures} failed, ${sum.pending} skipped\n`);
process.exit(sum.failures > 0 || sum.passes === 0 ? 1 : 0);
