import { SeedspanError, show } from '../errors.ts';
import { viewBytes } from './input.ts';

/** CIFAR-10 has one byte of label before each picture, CIFAR-100 two: coarse and fine. */
export type CifarKind = 'cifar10' | 'cifar100';

/** One picture of a CIFAR file. */
export interface CifarRecord {
  /** CIFAR-10: the class, 0 to 9. CIFAR-100: coarse (0 to 19) and fine class (0 to 99). */
  labels: number[];
  /** 3072 bytes, shape (3, 32, 32): red, green, blue, each by rows. Shares memory with the record. */
  pixels: Uint8Array;
}

/** Bytes of the pixels of a record: shape (3, 32, 32). */
const PIXELS = 3 * 32 * 32;
/** How many values each label can have. */
const CLASSES: Readonly<Record<CifarKind, readonly number[]>> = { cifar10: [10], cifar100: [20, 100] };

function fail(where: string, message: string, details: Record<string, unknown> = {}): never {
  throw new SeedspanError('BAD_FORMAT', `${where}: ${message}`, details);
}

/** Bytes of a record: 3073 for CIFAR-10, 3074 for CIFAR-100. */
export function cifarRecordBytes(kind: CifarKind): number {
  return CLASSES[kind].length + PIXELS;
}

/**
 * Which CIFAR binary file has this length, and how many records. There is no header: a multiple of 3073 bytes is
 * CIFAR-10, else a multiple of 3074 CIFAR-100.
 *
 * @throws SeedspanError `BAD_FORMAT` where the length is neither's, or 0.
 */
export function cifarLayout(fileBytes: number): { kind: CifarKind; count: number } {
  for (const kind of ['cifar10', 'cifar100'] as const) {
    const count = fileBytes / cifarRecordBytes(kind);
    if (Number.isSafeInteger(count) && count > 0) return { kind, count };
  }
  return fail(
    'cifarLayout',
    `${fileBytes} bytes are no whole number of records, neither of CIFAR-10 (3073 bytes) nor of CIFAR-100 (3074)`,
    { fileBytes },
  );
}

/**
 * Reads one record of a CIFAR binary file.
 *
 * @param input - The record: 3073 bytes (CIFAR-10) or 3074 (CIFAR-100).
 * @throws SeedspanError `BAD_FORMAT` (length, a label that no class has), `INVALID_TYPE`, `INVALID_VALUE`. Source:
 *   A. Krizhevsky, the description of the binary version at the CIFAR-10 and CIFAR-100 data sets.
 */
export function parseCifarRecord(input: Uint8Array | ArrayBuffer, kind: CifarKind): CifarRecord {
  const bytes = viewBytes('parseCifarRecord', input);
  if (!Object.hasOwn(CLASSES, kind)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `parseCifarRecord: kind must be cifar10 or cifar100, not ${show(kind)}`,
    );
  }
  const classes = CLASSES[kind];
  const length = cifarRecordBytes(kind);
  if (bytes.length !== length) {
    fail('parseCifarRecord', `a record of ${kind} has ${length} bytes, not ${bytes.length}`, { kind });
  }
  const labels = classes.map((count, k) => {
    if (bytes[k] >= count) {
      fail('parseCifarRecord', `label ${bytes[k]} is none of ${kind}'s ${count} classes`, {
        label: bytes[k],
      });
    }
    return bytes[k];
  });
  return { labels, pixels: bytes.subarray(classes.length) };
}
