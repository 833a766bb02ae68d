import { SeedspanError, show } from '../errors.ts';

/** The input's bytes as a plain `Uint8Array` on the same memory (a Node `Buffer` slices differently). */
export function viewBytes(where: string, input: unknown): Uint8Array {
  if (input instanceof ArrayBuffer) return new Uint8Array(input);
  if (input instanceof Uint8Array) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  throw new SeedspanError(
    'INVALID_TYPE',
    `${where}: give the file's bytes as a Uint8Array, not ${show(input)}`,
  );
}

/** A limit given as an option: an integer, not negative; `fallback` where it is absent. */
export function readLimit(where: string, name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && (value as number) >= 0) return value as number;
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: ${name} must be an integer from 0, not ${show(value)}`,
    {
      name,
      value,
    },
  );
}
