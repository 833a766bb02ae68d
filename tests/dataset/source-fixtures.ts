import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { SeedspanError } from '../../src/errors.ts';

const folder = new URL('../fixtures/sources/', import.meta.url);

/** What NumPy and Python's tarfile find in the fixtures. */
export const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as {
  idx: Record<string, { dtype: string; shape: number[]; offset: number; bytes: number; data: number[] }>;
  cifar: Record<string, { labels: number[][]; hash: string[]; pixel: number[][] }>;
  npy: Record<string, { values: number[][]; hash: string[] }>;
  tar: Record<string, { name: string; type: string; offset: number; size?: number; hash?: string }[]>;
  pictures: number[][];
};

export const fixturePath = (name: string): string => fileURLToPath(new URL(name, folder));
export const readFixture = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(name, folder)));

/** Expects a SeedspanError with this code and message, and returns it. */
export async function expectRefused(
  act: () => Promise<unknown>,
  code: string,
  message: RegExp,
): Promise<SeedspanError> {
  const caught = await act().then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(caught).toBeInstanceOf(SeedspanError);
  expect((caught as SeedspanError).message).toMatch(message);
  expect((caught as SeedspanError).code).toBe(code);
  return caught as SeedspanError;
}
