import { Dir } from 'node:fs';
import { open, opendir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type ErrorCode, SeedspanError } from '../errors.ts';
import type { CatalogueItem } from './sources/index.ts';

/** Whether an image itself is at fault, not the machine that reads it. */
export function isOfImage(error: unknown): error is SeedspanError {
  return error instanceof SeedspanError && OF_IMAGE.has(error.code);
}

const OF_IMAGE = new Set<ErrorCode>(['BAD_FORMAT', 'INVALID_VALUE', 'SHAPE_MISMATCH', 'WORKER_FAILED']);

/**
 * Whether an image cannot be read though what it lies in is there: its container can be opened, its folder has
 * something. Else it is no single image that is lost, but a disk that is away, or was never there on this machine.
 */
export async function isGone(error: unknown, item: CatalogueItem): Promise<boolean> {
  return error instanceof SeedspanError && error.code === 'IO' && (await isHomeThere(item));
}

async function isHomeThere({ kind, path, offset }: CatalogueItem): Promise<boolean> {
  const isFile = kind === 'picture' && offset === 0;
  try {
    const home = isFile ? await opendir(dirname(path)) : await open(path);
    try {
      return !(home instanceof Dir) || (await home.read()) !== null;
    } finally {
      await home.close();
    }
  } catch {
    return false;
  }
}
