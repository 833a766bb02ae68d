import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, vi } from 'vitest';
import { SeedspanError } from '../../src/errors.ts';

const folder = new URL('../fixtures/formats/', import.meta.url);

/** What a fixture holds, by NumPy and SciPy: row-major. */
export interface Expected {
  shape: number[];
  data: number[];
  dtype?: string;
  sparse?: boolean;
}

export const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Record<
  string,
  Expected
>;

export const readFixture = (name: string): Buffer => readFileSync(new URL(name, folder));

export const fixtureNames = (start: string, end: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith(start) && name.endsWith(end))
    .sort();

/** Damaged copies: bytes changed, inserted and removed, and the end cut off. */
export function damaged(files: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    kind: fc.constantFrom('change', 'change', 'change', 'insert', 'remove', 'cut'),
    at: fc.noBias(fc.integer({ min: 0, max: 2 ** 20 - 1 })),
    // Half of them from what such files are made of: those go deeper.
    byte: fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(...Array.from("0123456789 .-+eEdDnai\n%,()'<>|", (c) => c.charCodeAt(0))),
    ),
  });
  return fc
    .tuple(fc.constantFrom(...files), fc.array(edit, { minLength: 1, maxLength: 3 }))
    .map(([file, edits]) => {
      const bytes = Array.from(file);
      for (const { kind, at, byte } of edits) {
        const place = Math.floor((at / 2 ** 20) * bytes.length);
        if (kind === 'change') bytes[place] = byte;
        if (kind === 'insert') bytes.splice(place, 0, byte);
        if (kind === 'remove') bytes.splice(place, 1);
        if (kind === 'cut') bytes.length = place;
      }
      return Uint8Array.from(bytes);
    });
}

/**
 * Runs `read` on damaged files. It must return or throw a BAD_FORMAT, and never ask for an array of more than
 * `mostElements(bytes)` elements.
 */
export function fuzz(
  files: readonly Uint8Array[],
  read: (bytes: Uint8Array) => unknown,
  mostElements: (bytes: Uint8Array) => number,
): { read: number; refused: number } {
  const counts = { read: 0, refused: 0 };
  let largest = 0;
  for (const name of ['Int32Array', 'Float64Array', 'Float32Array', 'Uint8Array', 'ArrayBuffer'] as const) {
    const watched = new Proxy(globalThis[name], {
      construct(target, args, newTarget) {
        if (typeof args[0] === 'number') largest = Math.max(largest, args[0]);
        return Reflect.construct(target, args, newTarget);
      },
    });
    vi.stubGlobal(name, watched);
  }
  try {
    fc.assert(
      fc.property(damaged(files), (bytes) => {
        largest = 0;
        try {
          read(bytes);
          counts.read++;
        } catch (error) {
          if (!(error instanceof SeedspanError)) throw error;
          expect(error.code).toBe('BAD_FORMAT');
          counts.refused++;
        }
        expect(largest).toBeLessThanOrEqual(mostElements(bytes));
      }),
      { numRuns: 4000 },
    );
  } finally {
    vi.unstubAllGlobals();
  }
  return counts;
}
