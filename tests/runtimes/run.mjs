// Runs the packed package in every runtime that is there, and compares the digits of what each computed.
//
//   node tests/runtimes/run.mjs [--all] [--keep] [--only TEXT]
//
// --all, or SEEDSPAN_RUNTIMES=all: what is missing counts as failed. --keep: writes results.json and results.md. --only: cases whose names
// contain TEXT (and Node, whose digits are the ones to compare with).
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, parseArgs } from 'node:util';
import { cases } from './cases.mjs';
import { makePlace } from './place.mjs';
import { table } from './table.mjs';

const { values } = parseArgs({
  options: { all: { type: 'boolean' }, keep: { type: 'boolean' }, only: { type: 'string', default: '' } },
});
const all = values.all || process.env.SEEDSPAN_RUNTIMES === 'all';
const root = fileURLToPath(new URL('../..', import.meta.url));
const REFERENCE = 'Node, ES modules';

/** What is wrong with a suite's outcome, in words; empty: nothing. */
function problems(outcome, reference) {
  const { failures = [], digests } = outcome;
  if (digests === undefined) return [];
  const differing = Object.keys(reference.digests).filter(
    (name) => digests[name] !== reference.digests[name],
  );
  return [...failures.map((name) => `wrong: ${name}`), ...differing.map((name) => `other digits: ${name}`)];
}

const context = { place: undefined, reference: undefined };
const { folder, remove } = makePlace();
context.place = folder;
const results = [];
try {
  for (const [name, { missing, version, run }] of Object.entries(cases)) {
    if (!name.includes(values.only) && name !== REFERENCE) continue;
    const how = missing?.();
    if (how !== undefined) {
      console.log(`${all ? 'failed ' : 'skipped'}  ${name}: not here; ${how}`);
      results.push({ name, status: all ? 'failed' : 'skipped', how });
      continue;
    }
    const began = performance.now();
    try {
      const outcome = await run(context);
      if (name === REFERENCE) context.reference = outcome;
      const wrong = problems(outcome, context.reference);
      if (wrong.length > 0) throw new Error(wrong.join('; '));
      const found = await version();
      results.push({ name, status: 'passed', version: found, ...outcome });
      console.log(`passed   ${name} (${found}) ${Math.round(performance.now() - began)} ms`);
    } catch (error) {
      results.push({ name, status: 'failed', how: String(error.message) });
      console.log(`failed   ${name}: ${error.message}`);
      console.log(inspect(error));
    }
  }
} finally {
  remove();
}

const count = (status) => results.filter((result) => result.status === status).length;
const sum = { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
const left = join(root, 'build', 'test-results');
mkdirSync(left, { recursive: true });
writeFileSync(join(left, 'runtimes.json'), `${JSON.stringify(sum)}\n`);
if (values.keep) {
  if (sum.failed + sum.skipped > 0)
    throw new Error('only a run in which everything was there and passed is kept');
  const kept = {
    digests: context.reference.digests,
    results: results.map(({ digests: _, failures: __, ...rest }) => rest),
  };
  writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify(kept, undefined, 2)}\n`);
  writeFileSync(new URL('results.md', import.meta.url), table(kept));
}
console.log(
  `runtimes: ${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''}`,
);
process.exitCode = sum.failed > 0 ? 1 : 0;
