import { SeedspanError } from '../../errors.ts';
import type { Wanted } from '../../node/picture.ts';
import { openImageReader } from './read-image.ts';
import type { CatalogueEntry, ImageShape } from './types.ts';

/** How many pictures that cannot be decoded may come before the first that can. */
const ATTEMPTS = 64;

/** Finds the one shape of a data set while its entries go by. */
export interface ShapeFinder {
  /** @throws SeedspanError `SHAPE_MISMATCH` for a container of another shape; what reading the first picture throws. */
  add(entry: CatalogueEntry): Promise<void>;
  /** @throws SeedspanError where no entry told. */
  result(): [number, number, number];
}

/**
 * The wanted size, else the first container's shape, else that of the first picture that can be decoded. Pictures after
 * it are not looked at: one that differs is found when it is read.
 */
export function findShape(wanted: Wanted): ShapeFinder {
  const { size, channels } = wanted;
  let shape: ImageShape | undefined = size === undefined ? undefined : [channels, size[0], size[1]];
  let shapedBy = 'the wanted size';
  let entries = 0;
  let attempts = 0;
  let firstError: unknown;

  const decode = async (entry: CatalogueEntry) => {
    const reader = openImageReader({ ...wanted, normalise: 'none' });
    try {
      return (await reader.read(entry)).shape;
    } catch (error) {
      // A picture that cannot be read is set aside when its turn comes; if all are so, this one tells why.
      if (error instanceof SeedspanError && error.code === 'UNSUPPORTED') throw error;
      firstError ??= error;
      if (++attempts >= ATTEMPTS) throw firstError;
      return undefined;
    } finally {
      await reader.close();
    }
  };

  return {
    add: async (entry) => {
      entries++;
      const { name, shape: stored } = entry;
      if (stored === undefined) {
        if (shape !== undefined) return;
        shape = await decode(entry);
        shapedBy = name;
        return;
      }
      if (shape === undefined) {
        shape = stored;
        shapedBy = name;
      } else if (stored.some((n, axis) => n !== shape?.[axis])) {
        throw new SeedspanError(
          'SHAPE_MISMATCH',
          `all images must have one shape: ${shapedBy} has (${shape.join(', ')}), ${name} has (${stored.join(', ')})`,
          { first: shapedBy, other: name },
        );
      }
    },
    result: () => {
      if (entries === 0) throw new SeedspanError('INVALID_VALUE', 'there are no images in the inputs');
      if (shape === undefined) throw firstError;
      return [...shape];
    },
  };
}
