// Quick runs of all benches against the kept results, by their ratios to the plain TypeScript of the same run, so that
// another machine or a busy one does not matter. Ends with 1 where something got slower.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Results } from './results.ts';

const BENCHES = ['kernels', 'solve', 'precompute'] as const;
const FRESH = 'build/bench/check';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    /** The results to compare with. */
    against: { type: 'string', default: 'bench/results' },
    /** How much slower, in parts, is reported. */
    tolerance: { type: 'string', default: '0.3' },
    /** Accepted for the sake of the other commands; a check is quick. */
    quick: { type: 'boolean' },
  },
});
const tolerance = Number(values.tolerance);
if (!(tolerance > 0)) throw new Error(`--tolerance ${values.tolerance}: must be a number over 0`);
const names = BENCHES.filter((name) => values.only === '' || values.only.split(',').includes(name));
if (names.length === 0) throw new Error(`--only ${values.only}: must name some of ${BENCHES.join(', ')}`);

interface Change {
  key: string;
  before: number;
  now: number;
}

const slower: Change[] = [];
let compared = 0;
for (const name of names) {
  const keptFile = `${values.against}/${name}.json`;
  if (!existsSync(keptFile)) {
    console.log(`${name}: no kept results; make them with npm run bench:${name}`);
    continue;
  }
  const kept = ratios(keptFile);
  const changes = compareWith(kept, run(name));
  compared += changes.length;
  const suspects = changes.filter(isSlower);
  if (suspects.length === 0) continue;
  // What looks slower is looked at twice: the better of two runs counts.
  const again = new Map(compareWith(kept, run(name)).map((change) => [change.key, change]));
  slower.push(
    ...suspects
      .map((change) => ({ ...change, now: Math.min(change.now, again.get(change.key)?.now ?? Infinity) }))
      .filter(isSlower)
      .map((change) => ({ ...change, key: `${name}: ${change.key}` })),
  );
}

console.log(
  `${compared} ratios compared, ${slower.length} slower by more than ${Math.round(100 * tolerance)} %`,
);
for (const { key, before, now } of slower.sort((a, b) => b.now / b.before - a.now / a.before)) {
  console.log(
    `  ${key}: ${(now / before).toFixed(2)} times as long as before (${before.toFixed(3)} -> ${now.toFixed(3)})`,
  );
}
process.exitCode = slower.length > 0 ? 1 : 0;

/** Runs a bench; returns its ratios. */
function run(name: string): Map<string, number> {
  console.log(`${name} ...`);
  execFileSync(process.execPath, [`build/bench/${name}.js`, '--quick', '--out', FRESH], { stdio: 'ignore' });
  return ratios(`${FRESH}/${name}.json`);
}

function ratios(file: string): Map<string, number> {
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as Results;
  return new Map(cases.flatMap(({ key, ratio }) => (typeof ratio === 'number' ? [[key, ratio]] : [])));
}

function compareWith(kept: ReadonlyMap<string, number>, fresh: ReadonlyMap<string, number>): Change[] {
  const changes: Change[] = [];
  for (const [key, now] of fresh) {
    const before = kept.get(key);
    if (before !== undefined) changes.push({ key, before, now });
  }
  return changes;
}

function isSlower({ before, now }: Change): boolean {
  return now > before * (1 + tolerance);
}
