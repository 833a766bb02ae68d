// Prints what failed, and a closing line of its own: as-pect says Pass when there was nothing to run. The counts are
// left in build/test-results too, from where they are added up with vitest's.
import { mkdirSync, writeFileSync, writeSync } from 'node:fs';

let passed = 0;
let failed = 0;

process.on('exit', (code) => {
  // A spec that does not compile ends everything before it is counted.
  if (code !== 0 && failed === 0) failed = 1;
  mkdirSync('build/test-results', { recursive: true });
  writeFileSync('build/test-results/as-pect.json', JSON.stringify({ passed, failed }));
  writeSync(1, `as-pect: ${passed} passed, ${failed} failed\n`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
});

export default {
  stdout: null,
  stderr: null,
  onEnter() {},
  onExit() {},
  onFinish(context) {
    const tests = context.rootNode.childGroups.flatMap((group) => group.groupTests.map((test) => [group, test]));
    const bad = tests.filter(([, test]) => !test.pass);
    passed += tests.length - bad.length;
    // A spec that fails outside its tests fails as a whole.
    failed += bad.length === 0 && !context.pass ? 1 : bad.length;
    for (const [group, test] of bad) {
      this.stdout.write(`FAIL ${context.fileName} > ${group.name} > ${test.name}: ${test.message}\n`);
      if (test.actual) this.stdout.write(`  actual   ${test.actual.stringify({ indent: 0 }).trim()}\n`);
      if (test.expected) this.stdout.write(`  expected ${test.expected.stringify({ indent: 0 }).trim()}\n`);
    }
    for (const error of context.errors) this.stdout.write(`FAIL ${context.fileName}: ${error.message}\n`);
  },
};
