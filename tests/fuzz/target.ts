import type fc from 'fast-check';

/** Something that takes what comes from outside. Every case is bytes, so that one that fails can be kept as a file. */
export interface FuzzTarget {
  /** Also the name of its folder in `corpus/`. */
  name: string;
  /** Of the cases of a full run, where a case is slow. Default 1. */
  share?: number;
  /** Valid files, or nearly. Those kept in `corpus/` are added. */
  seeds(): Uint8Array[];
  /** Written by hand, by what is wrong with them: all have to be refused. They are seeds, too. */
  nasty?(): Record<string, Uint8Array>;
  /** Cases that are made, not damaged. */
  generate?: fc.Arbitrary<Uint8Array>;
  /** Whether cases are damaged as bytes; false where `generate` does all. Default true. */
  damage?: boolean;
  /** Bytes that arrays made in one case may have together. Default 1 MiB and 64 times the input. */
  memory?(input: number): number;
  /** More may be asked for, as sizes that are arguments do, and is refused with `OUT_OF_MEMORY`. */
  asksForMemory?: boolean;
  /** False where a library compares constructors, and those of arrays must stay as they are. Default true. */
  metered?: boolean;
  /** Seconds that a case may take. Default 1. */
  seconds?: number;
  /**
   * Takes a case. Returns where it is accepted and what came of it is in order; throws a SeedspanError where it is
   * refused, and anything else where something is wrong.
   */
  run(input: Uint8Array): void | Promise<void>;
  /** Done once before the first case. */
  prepare?(): Promise<void>;
  /** Done once after the last. */
  cleanUp?(): void;
}

/** Refuses a result that is not what it should be. */
export function ensure(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`the result is wrong: ${what}`);
}

const encoder = new TextEncoder();

export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
export const fromLatin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
export const utf8 = (text: string): Uint8Array => encoder.encode(text);

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
