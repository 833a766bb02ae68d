import { SeedspanError, withPlace } from '../../errors.ts';
import {
  cifarLayout,
  cifarRecordBytes,
  MAX_IDX_HEADER,
  MAX_NPY_HEADER,
  parseIdxHeader,
  parseNpyLayout,
} from '../../formats/index.ts';
import type { Wanted } from '../../node/picture.ts';
import { checkPictureArray, wrongType } from '../../node/picture-array.ts';
import type { ByteRange } from './byte-range.ts';
import type { OpenFiles } from './open-files.ts';
import type { CatalogueEntry, StoredDtype } from './types.ts';

const BYTES = { f8: 8, f4: 4, u1: 1 } as const;

/** Errors of a parser get the file's name. */
async function named<T>({ name }: ByteRange, step: () => Promise<T> | T): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof SeedspanError) || error.code === 'IO' || error.message.startsWith(name))
      throw error;
    throw withPlace(error, name, { source: name });
  }
}

const startOf = (files: OpenFiles, { path, offset, length }: ByteRange, bytes: number) =>
  files.read(path, offset, Math.min(bytes, length));

/** The pictures of a `.npy` file of shape (n, C, H, W) and type f4, f8 or u1. */
export function listNpy(file: ByteRange, files: OpenFiles, wanted: Wanted): Promise<CatalogueEntry> {
  const { name, path } = file;
  return named(file, async () => {
    const layout = parseNpyLayout(await startOf(files, file, MAX_NPY_HEADER), file.length);
    const [count, ...shape] = checkPictureArray(name, layout.shape, wanted);
    if (layout.dtype === 'i4') throw wrongType(name);
    if (layout.fortranOrder) {
      throw new SeedspanError(
        'BAD_FORMAT',
        `${name}: in Fortran order a picture's values lie apart; save np.ascontiguousarray(a)`,
        { source: name },
      );
    }
    const length = shape[0] * shape[1] * shape[2] * BYTES[layout.dtype];
    const dtype: StoredDtype =
      layout.dtype === 'u1' ? 'u1' : `${layout.littleEndian ? '<' : '>'}${layout.dtype}`;
    return { name, kind: 'npy', path, offset: file.offset + layout.offset, length, count, shape, dtype };
  });
}

/** The pictures of an IDX file of shape (n, H, W) and type u1; `undefined` for labels that were not named outright. */
export function listIdx(
  file: ByteRange,
  files: OpenFiles,
  wanted: Wanted,
): Promise<CatalogueEntry | undefined> {
  const { name, path } = file;
  return named(file, async () => {
    const header = parseIdxHeader(await startOf(files, file, MAX_IDX_HEADER), file.length);
    if (header.shape.length === 1 && !file.outright) return undefined;
    if (header.shape.length !== 3 || header.dtype !== 'u1') {
      throw new SeedspanError(
        'SHAPE_MISMATCH',
        `${name}: expected images of shape (n, H, W) in unsigned bytes, not (${header.shape.join(', ')}) of ${header.dtype}`,
        { source: name, shape: header.shape },
      );
    }
    const [count, height, width] = header.shape;
    if (wanted.channels !== 1) {
      throw new SeedspanError(
        'SHAPE_MISMATCH',
        `${name}: IDX images are grey, and ${wanted.channels} channels were asked for; give --channels 1 (channels: 1)`,
        { source: name, channels: wanted.channels },
      );
    }
    checkPictureArray(name, [count, 1, height, width], wanted);
    const [offset, length] = [file.offset + header.offset, height * width];
    return { name, kind: 'idx', path, offset, length, count, shape: [1, height, width] };
  });
}

/** The pictures of a CIFAR-10 or CIFAR-100 binary file. */
export function listCifar(file: ByteRange, wanted: Wanted): Promise<CatalogueEntry> {
  const { name, path, offset } = file;
  return named(file, () => {
    const { kind, count } = cifarLayout(file.length);
    const [, ...shape] = checkPictureArray(name, [count, 3, 32, 32], wanted);
    return { name, kind, path, offset, length: cifarRecordBytes(kind), count, shape };
  });
}
