import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PRECOMPUTE_DEFAULTS, SCHEME_DEFAULTS } from '../src/diffusion/index.ts';
import { RECYCLE_DEFAULTS, SOLVE_DEFAULTS } from '../src/solver/defaults.ts';
import { table as runtimesTable } from './runtimes/table.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)];
/** `[page, number, code]` of each example. */
const examples = pages.flatMap((page) => {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/```js\n([\s\S]*?)```/g)].map((match, k) => [page, k + 1, match[1]] as const);
});
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Rows of the table whose header starts with `first`, as cells. */
function table(first: string): string[][] {
  const lines = readme.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${first} |`));
  const rows: string[][] = [];
  for (let k = start + 2; lines[k]?.startsWith('|'); k++) {
    rows.push(
      lines[k]
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
  }
  return rows;
}

describe('the examples', () => {
  it('are there', () => {
    expect(examples.filter(([page]) => page === 'README.md').length).toBeGreaterThanOrEqual(4);
  });

  it.each(examples)('of %s, number %i runs as it stands', (_page, _number, code) => {
    // Inside the package, so that its own name resolves to the build.
    const folder = mkdtempSync(join(root, 'build', 'readme-'));
    try {
      const file = join(folder, 'example.mjs');
      writeFileSync(file, code);
      const output = execFileSync(process.execPath, [file], { encoding: 'utf8' });
      expect(output).not.toBe('');
      expect(output).not.toMatch(/max-iterations|breakdown|stagnated|non-finite/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the README', () => {
  it('names commands that exist', () => {
    expect(readme).toContain('npm install && npm start');
    expect(readme).toContain('npm install && npm test');
    expect(manifest.scripts).toHaveProperty('start');
    expect(manifest.scripts).toHaveProperty('test');
  });

  it('has the table of runtimes as the last kept run made it', () => {
    const file = (name: string) => readFileSync(join(root, 'tests', 'runtimes', name), 'utf8');
    const made = runtimesTable(JSON.parse(file('results.json')));
    expect(made).toBe(file('results.md'));
    expect(readme).toContain(made);
  });

  it('gives the limits of the sizes as they are', () => {
    for (const { limit } of manifest['size-limit']) expect(readme).toContain(limit);
  });

  it('gives the defaults of a solve as they are', () => {
    const rows = new Map(table('option').map(([name, value]) => [name, value]));
    for (const [name, value] of Object.entries(SOLVE_DEFAULTS)) {
      expect(rows.get(name), name).toBe(typeof value === 'string' ? `'${value}'` : String(value));
    }
    expect(rows.has('recycle')).toBe(true);
    expect(readme).toContain(`engine.recycleSpace({ size, dim: ${RECYCLE_DEFAULTS.dim} })`);
  });

  it('gives the default of what images share as it is', () => {
    const preset = table('`sharing`').find(([name]) => name.endsWith('(default)'));
    expect(preset?.[0]).toBe(`'${PRECOMPUTE_DEFAULTS.sharing}' (default)`);
    expect(readme).toContain(`the \`seedImage\`'s (${PRECOMPUTE_DEFAULTS.seedImage})`);
  });

  it('gives the defaults of the schemes as they are', () => {
    const schemes = ['consistent', 'lau2025', 'na2024'] as const;
    for (const [name, ...values] of table('default')) {
      for (const [k, scheme] of schemes.entries()) {
        let value: unknown = SCHEME_DEFAULTS[scheme];
        for (const part of name.split('.')) value = (value as Record<string, unknown>)[part];
        expect(values[k], `${name} of ${scheme}`).toBe(String(value));
      }
    }
  });
});
