// Adds up what the test runners left in a folder, and prints one plain line.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const sum = { passed: 0, failed: 0, skipped: 0 };

const vitest = join(folder, 'vitest.json');
if (existsSync(vitest)) {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(vitest, 'utf8'),
  );
  // A file that cannot even be loaded counts as one failure.
  const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  sum.passed += numPassedTests;
  sum.failed += numFailedTests + broken.length;
  sum.skipped += numPendingTests + numTodoTests;
} else {
  console.error('vitest left no results');
  sum.failed++;
}

const kernel = join(folder, 'as-pect.json');
if (existsSync(kernel)) {
  const { passed, failed } = JSON.parse(readFileSync(kernel, 'utf8'));
  sum.passed += passed;
  sum.failed += failed;
} else {
  console.error('as-pect left no results');
  sum.failed++;
}

const runtimes = join(folder, 'runtimes.json');
if (existsSync(runtimes)) {
  const { passed, failed, skipped } = JSON.parse(readFileSync(runtimes, 'utf8'));
  sum.passed += passed;
  sum.failed += failed;
  sum.skipped += skipped;
} else {
  console.error('the runtimes left no results');
  sum.failed++;
}

const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : '';
console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`);
