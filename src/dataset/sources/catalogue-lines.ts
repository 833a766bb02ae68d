import { SeedspanError, show } from '../../errors.ts';
import type { CatalogueEntry, ImageShape, SourceKind, StoredDtype } from './types.ts';

/** `catalogue.offsets` has where every so many lines of the catalogue begin. */
export const LINES_PER_MARK = 256;

/** What `catalogue.offsets` holds, as JSON. */
export interface CatalogueIndex {
  version: 1;
  /** Images. */
  count: number;
  shape: [number, number, number];
  hash: string;
  /** Of `catalogue.ndjson`. */
  bytes: number;
  /** For every 256th line from the first: the number of its first image, and where it begins in bytes. */
  marks: [number, number][];
}

const KINDS: readonly SourceKind[] = ['picture', 'cifar10', 'cifar100', 'idx', 'npy'];
const DTYPES: readonly StoredDtype[] = ['u1', '<f4', '>f4', '<f8', '>f8'];

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isShape = (value: unknown): value is ImageShape =>
  Array.isArray(value) && value.length === 3 && value.every((n) => isCount(n) && n > 0);

function parseObject(text: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SeedspanError('BAD_FORMAT', `${what} is no JSON`, {}, { cause });
  }
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new SeedspanError('BAD_FORMAT', `${what} is ${show(value)}, no object`);
}

/** An entry as a line; `first` is the number of its first image. What is the same for most entries is left out. */
export function formatLine(
  { name, kind, path, offset, length, count, shape, dtype }: CatalogueEntry,
  first: number,
): string {
  const line = {
    first,
    name,
    ...(kind === 'picture' ? {} : { kind }),
    path,
    ...(offset === 0 ? {} : { offset }),
    length,
    ...(count === 1 ? {} : { count }),
    ...(shape === undefined ? {} : { shape }),
    ...(dtype === undefined ? {} : { dtype }),
  };
  return `${JSON.stringify(line)}\n`;
}

/**
 * The entry of a line.
 *
 * @param where - Names the file in messages.
 * @throws SeedspanError `BAD_FORMAT`.
 */
export function parseLine(line: string, where = 'catalogue'): { first: number; entry: CatalogueEntry } {
  const value = parseObject(line, `${where}: a line`);
  const { first, name, kind = 'picture', path, offset = 0, length, count = 1, shape, dtype } = value;
  const isPicture = kind === 'picture';
  if (
    !isCount(first) ||
    typeof name !== 'string' ||
    !KINDS.includes(kind as SourceKind) ||
    typeof path !== 'string' ||
    path === '' ||
    !isCount(offset) ||
    !isCount(length) ||
    !isCount(count) ||
    count === 0 ||
    !Number.isSafeInteger(offset + count * length) ||
    !Number.isSafeInteger(first + count) ||
    (isPicture ? shape !== undefined || count !== 1 : !isShape(shape)) ||
    (kind === 'npy' ? !DTYPES.includes(dtype as StoredDtype) : dtype !== undefined)
  ) {
    throw new SeedspanError('BAD_FORMAT', `${where} is damaged: ${show(line)}`);
  }
  const entry: CatalogueEntry = { name, kind: kind as SourceKind, path, offset, length, count };
  if (isShape(shape)) entry.shape = shape;
  if (dtype !== undefined) entry.dtype = dtype as StoredDtype;
  return { first, entry };
}

/**
 * Reads `catalogue.offsets`.
 *
 * @throws SeedspanError `BAD_FORMAT`.
 */
export function parseIndex(bytes: Uint8Array): CatalogueIndex {
  const value = parseObject(new TextDecoder().decode(bytes), 'the index of the catalogue');
  const { version, count, shape, hash, bytes: length, marks } = value;
  const isMark = (mark: unknown) => Array.isArray(mark) && mark.length === 2 && mark.every(isCount);
  if (
    version !== 1 ||
    !isCount(count) ||
    count === 0 ||
    !isShape(shape) ||
    typeof hash !== 'string' ||
    !/^[0-9a-f]{64}$/.test(hash) ||
    !isCount(length) ||
    !Array.isArray(marks) ||
    !marks.every(isMark) ||
    !ascends(marks as [number, number][], count, length)
  ) {
    throw new SeedspanError('BAD_FORMAT', 'the index of the catalogue is damaged, or of another version');
  }
  return { version, count, shape: [...shape], hash, bytes: length, marks: marks as [number, number][] };
}

function ascends(marks: readonly [number, number][], count: number, bytes: number): boolean {
  return (
    marks[0]?.[0] === 0 &&
    marks[0][1] === 0 &&
    marks.every(([first, offset], k) => {
      const [nextFirst, nextOffset] = marks[k + 1] ?? [count, bytes];
      return first < nextFirst && offset < nextOffset;
    })
  );
}
