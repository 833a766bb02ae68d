import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** The seed of everything random in the benches. */
export const SEED = 7;

/** Where full runs leave their results, which are kept, and quick ones theirs. */
const KEPT = 'bench/results';
const QUICK = 'build/bench/results';

export interface Arguments {
  quick: boolean;
  /** Only the cases whose key holds one of these. */
  only: readonly string[];
  out: string;
  /** What the bench knows beside the common ones. */
  flags: ReadonlySet<string>;
}

/** Reads `--quick`, `--only a,b`, `--out FOLDER` and the flags of one bench. */
export function readArguments(flags: readonly string[] = []): Arguments {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      out: { type: 'string' },
      ...Object.fromEntries(flags.map((flag) => [flag, { type: 'boolean' as const, default: false }])),
    },
  });
  const given = values as Record<string, unknown>;
  const quick = given.quick === true;
  const only = String(given.only)
    .split(',')
    .filter((part) => part !== '');
  // A part of a bench must not take the place of the whole.
  const out = (given.out as string | undefined) ?? (quick || only.length > 0 ? QUICK : KEPT);
  return { quick, only, out, flags: new Set(flags.filter((flag) => given[flag] === true)) };
}

export function wanted(key: string, only: readonly string[]): boolean {
  return only.length === 0 || only.some((part) => key.includes(part));
}

/** One measured case. `ratio` is its time over that of the plain TypeScript in the same run: smaller is better. */
export interface Case {
  key: string;
  ratio?: number;
  [detail: string]: unknown;
}

export interface Results {
  name: string;
  command: string;
  when: string;
  quick: boolean;
  /** One, or those that everything was run with. */
  seed: number | readonly number[];
  machine: Record<string, string>;
  notes: string[];
  cases: Case[];
}

export function machine(): Record<string, string> {
  const [cpu] = cpus();
  return {
    cpu: `${cpu?.model ?? 'unknown'}, ${cpus().length} threads`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${process.platform} ${release()} ${process.arch}`,
    node: process.versions.node,
    v8: process.versions.v8,
  };
}

export interface Table {
  title: string;
  head: readonly string[];
  rows: readonly (readonly string[])[];
  note?: string;
}

/** Prints the tables, and writes JSON and Markdown: both or neither. */
export async function publish(
  args: Pick<Arguments, 'quick' | 'out'>,
  results: Omit<Results, 'when' | 'quick' | 'seed'> & Partial<Pick<Results, 'seed'>>,
  tables: readonly Table[],
): Promise<void> {
  const all: Results = { when: new Date().toISOString(), quick: args.quick, seed: SEED, ...results };
  const lines = [
    `# ${all.name}`,
    '',
    `\`${all.command}\`, ${all.when.slice(0, 10)}${all.quick ? ', quick' : ''}; seed ${[all.seed].flat().join(', ')}`,
    '',
    ...Object.entries(all.machine).map(([what, value]) => `- ${what}: ${value}`),
    ...all.notes.map((note) => `- ${note}`),
    '',
    ...tables.flatMap(({ title, head, rows, note }) => [
      `## ${title}`,
      '',
      ...markdownTable(head, rows),
      '',
      ...(note === undefined ? [] : [note, '']),
    ]),
  ];
  console.log(
    Object.entries(all.machine)
      .map(([what, value]) => `${what}: ${value}`)
      .join('\n'),
  );
  for (const note of all.notes) console.log(note);
  for (const { title, head, rows, note } of tables) {
    console.log(`\n${title}\n${textTable(head, rows)}${note === undefined ? '' : `\n${note}`}`);
  }
  await mkdir(args.out, { recursive: true });
  const files = [
    { path: join(args.out, `${all.name}.json`), text: `${JSON.stringify(all, null, 1)}\n` },
    { path: join(args.out, `${all.name}.md`), text: lines.join('\n') },
  ];
  const temporary = files.map(({ path }) => `${path}.${process.pid}.tmp`);
  try {
    for (const [k, { text }] of files.entries()) await writeFile(temporary[k], text);
    for (const [k, { path }] of files.entries()) await rename(temporary[k], path);
  } finally {
    for (const path of temporary) await rm(path, { force: true });
  }
  console.log(`\nwritten: ${files.map(({ path }) => path).join(', ')}`);
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map((_, k) => (k === 0 ? ' --- ' : ' ---: ')).join('|')}|`, ...rows.map(line)];
}

function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, k) => Math.max(name.length, ...rows.map((row) => row[k].length)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, k) => (k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k]))).join('  ');
  return [line(head), ...rows.map(line)].join('\n');
}

/** Three digits, no exponent for what tables hold. */
export function digits(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '-';
  if (value === 0) return '0';
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(places, 6));
}
