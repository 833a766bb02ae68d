import { createHash } from 'node:crypto';
import { SeedspanError, withPlace } from '../../errors.ts';
import { parseCifarRecord } from '../../formats/index.ts';
import { decodePicture, normaliseMinMax, type Wanted } from '../../node/picture.ts';
import { unitValues } from '../../node/picture-array.ts';
import { changed, OpenFiles, readUnchanged } from './open-files.ts';
import type { CatalogueItem, ImageShape, SourceImage, StoredDtype } from './types.ts';

/** Reads images, one at a time or several at once. */
export interface ImageReader {
  /**
   * Reads one image: of a container its own bytes alone. Bytes are divided by 255, pictures decoded.
   *
   * @throws SeedspanError naming the image: `BAD_FORMAT` (damaged, changed since it was listed), `INVALID_VALUE`
   *   (values outside [0, 1], too many pixels, constant with `min-max`), `SHAPE_MISMATCH` (not the shape of the
   *   others), `IO` (`details.system` says what: `ENOENT`), `UNSUPPORTED` (sharp is missing).
   */
  read(item: CatalogueItem): Promise<SourceImage>;
  /** Closes the containers that are open. */
  close(): Promise<void>;
}

/**
 * A reader of images that keeps the containers it reads from open, up to 16.
 *
 * @param wanted - What pictures are turned into.
 * @param shape - What every image must have. Absent: not looked at.
 */
export function openImageReader(wanted: Wanted, shape?: ImageShape): ImageReader {
  const files = new OpenFiles();
  return {
    read: async (item) => {
      const image = await readImage(item, wanted, files);
      if (shape !== undefined && image.shape.some((n, axis) => n !== shape[axis])) {
        throw new SeedspanError(
          'SHAPE_MISMATCH',
          `all images must have one shape: ${item.name} has (${image.shape.join(', ')}), the first (${shape.join(', ')}); give a size`,
          { source: item.name, shape: image.shape, first: shape },
        );
      }
      return image;
    },
    close: () => files.close(),
  };
}

async function readImage(item: CatalogueItem, wanted: Wanted, files: OpenFiles): Promise<SourceImage> {
  const { name, kind } = item;
  const bytes = await readStored(item, files);
  if (kind === 'picture') {
    const { data, shape } = await decodePicture(bytes, name, wanted);
    return { data, shape: shape as [number, number, number], hash: sha256(bytes) };
  }
  const { shape } = item;
  if (shape === undefined) {
    throw new SeedspanError('INVALID_VALUE', `${name}: the catalogue has no shape for it`, { source: name });
  }
  const stored = kind === 'cifar10' || kind === 'cifar100' ? pixelsOf(bytes, name, kind) : bytes;
  const data = unitValues(name, kind === 'npy' ? numbers(stored, item.dtype) : stored);
  if (wanted.normalise === 'min-max') normaliseMinMax(data, name);
  return { data, shape: [...shape], hash: sha256(stored) };
}

/** The bytes of one image, all of them. */
async function readStored(item: CatalogueItem, files: OpenFiles): Promise<Uint8Array> {
  const { name, kind, path, offset, length } = item;
  // A picture that is a file of its own: not worth keeping open. In an archive there is a header before it.
  if (kind === 'picture' && offset === 0) return readUnchanged(path, length, name);
  const bytes = await files.read(path, offset, length);
  if (bytes.length < length) throw changed(name, path, `it ends at byte ${offset + bytes.length}`);
  return bytes;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function pixelsOf(bytes: Uint8Array, name: string, kind: 'cifar10' | 'cifar100'): Uint8Array {
  try {
    return parseCifarRecord(bytes, kind).pixels;
  } catch (error) {
    if (!(error instanceof SeedspanError)) throw error;
    throw withPlace(error, name, { source: name });
  }
}

function numbers(bytes: Uint8Array, dtype: StoredDtype = 'u1'): Uint8Array | Float32Array | Float64Array {
  if (dtype === 'u1') return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = dtype.startsWith('<');
  return dtype.endsWith('f4')
    ? Float32Array.from({ length: bytes.length / 4 }, (_, k) => view.getFloat32(4 * k, isLittle))
    : Float64Array.from({ length: bytes.length / 8 }, (_, k) => view.getFloat64(8 * k, isLittle));
}
