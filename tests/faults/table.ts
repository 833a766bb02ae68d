import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How often a fault was tried, and what came of it. */
export interface FaultRow {
  fault: string;
  mode: 'threads' | 'queue' | 'both';
  tried: number;
  /** Afterwards all was there, bit for bit as in an undisturbed run. */
  survived: number;
  /** Images that were not as in the undisturbed run. */
  lost: number;
  /** Shards that were committed more than once. */
  twice: number;
}

const RESULTS = 'build/test-results';
const ROWS = join(RESULTS, 'faults');

export function keepRow(row: FaultRow): void {
  mkdirSync(ROWS, { recursive: true });
  const name = `${row.fault}-${row.mode}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  writeFileSync(join(ROWS, `${name}.json`), JSON.stringify(row));
}

/** Writes the table of all rows that were kept so far. */
export function writeTable(): void {
  const rows = readdirSync(ROWS)
    .sort()
    .map((name) => JSON.parse(readFileSync(join(ROWS, name), 'utf8')) as FaultRow);
  const lines = [
    '| Fault | Work by | Tried | Survived | Images lost | Shards done twice |',
    '| --- | --- | --: | --: | --: | --: |',
    ...rows.map(
      ({ fault, mode, tried, survived, lost, twice }) =>
        `| ${fault} | ${mode} | ${tried} | ${survived} | ${lost} | ${twice} |`,
    ),
  ];
  const temporary = join(RESULTS, `faults.md.${process.pid}`);
  writeFileSync(temporary, `${lines.join('\n')}\n`);
  renameSync(temporary, join(RESULTS, 'faults.md'));
}
