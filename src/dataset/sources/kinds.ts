import { extname } from 'node:path';
import { PICTURE_EXTENSIONS } from '../../node/pictures.ts';

/** What a file is taken for. */
export type FileKind = 'picture' | 'npy' | 'idx' | 'cifar' | 'tar' | 'gzip';

const COMPRESSED = /\.(gz|tgz)$/i;
/** `train-images-idx3-ubyte`, `train-images.idx3-ubyte`, `train.idx`. */
const IDX = /([-.]idx\d-ubyte|\.idx\d?)$/i;
const IDX_LABELS = /[-.]idx1(-ubyte)?$/i;

/** The name of what is in a gzip file. */
export function unpackedName(name: string): string {
  return name.replace(/\.tgz$/i, '.tar').replace(/\.gz$/i, '');
}

/** By its name; `undefined` for what is none of ours, labels in IDX among them. */
export function kindByName(name: string): FileKind | undefined {
  const extension = extname(name).toLowerCase();
  if (PICTURE_EXTENSIONS.includes(extension)) return 'picture';
  if (extension === '.npy') return 'npy';
  if (extension === '.bin') return 'cifar';
  if (extension === '.tar') return 'tar';
  if (IDX.test(name)) return IDX_LABELS.test(name) ? undefined : 'idx';
  if (COMPRESSED.test(name)) return kindByName(unpackedName(name)) === undefined ? undefined : 'gzip';
  return undefined;
}

/** By its first 512 bytes, for a file that was named outright: what has no mark of ours is left to sharp. */
export function kindByContent(start: Uint8Array): FileKind {
  const begins = (...bytes: number[]) => bytes.every((byte, k) => start[k] === byte);
  if (begins(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)) return 'npy';
  if (begins(0x1f, 0x8b)) return 'gzip';
  if (String.fromCharCode(...start.subarray(257, 262)) === 'ustar') return 'tar';
  // Two zeros, unsigned bytes, one to four dimensions. A picture (ICO) may begin with 0 0 1, never with 0 0 8.
  if (begins(0, 0, 8) && start[3] >= 1 && start[3] <= 4) return 'idx';
  return 'picture';
}
