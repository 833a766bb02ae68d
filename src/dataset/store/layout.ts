import { SeedspanError, show } from '../../errors.ts';

/** Numbers of scores and log densities in a store. */
export type StoreDtype = 'float32' | 'float64';
export type StoreCompression = 'none' | 'lz4' | 'zstd';

/** All that decides the arrays of a store. */
export interface StoreLayout {
  images: number;
  /** Of scores and log densities. */
  channels: number;
  /** Of the pictures themselves, which may become one density all together. */
  pictureChannels: number;
  height: number;
  width: number;
  /** Time levels. */
  levels: number;
  /** Of the scores: 2, along x and y, or `null` where there is one value a point and no axis for it. */
  components: number | null;
  /** Images a shard, a file of each of the large arrays. */
  shardImages: number;
  /** Of scores and log densities; the pictures themselves are always `float32`. */
  dtype: StoreDtype;
  /** `lz4` and `zstd` are Blosc's. For `float64` `zstd` is the slower, and leaves more. */
  compression: StoreCompression;
  /** Of the levels. */
  times: readonly number[];
}

/** The large arrays, of which each shard writes its part. */
export const LARGE_ARRAYS = ['scores', 'log_density', 'initial'] as const;
export type LargeArray = (typeof LARGE_ARRAYS)[number];

/** The arrays with an entry an image, written from the records. */
export const IMAGE_ARRAYS = ['source', 'hash', 'status', 'iterations', 'compute_time', 'error'] as const;
export type ImageArray = (typeof IMAGE_ARRAYS)[number];

/** Images a chunk of {@link IMAGE_ARRAYS}. */
export const METADATA_CHUNK = 16_384;

export const ITEM_SIZE = { float32: 4, float64: 8 } as const;

/**
 * How Blosc compresses, with bits shuffled. `lz4` is our own codec, of which readers are told what they expect. `zstd`
 * was found on scores and log densities of photographs: levels from 3 on take half as long again for hardly fewer
 * bytes, and Blosc's own choice of blocks (0) is slower and leaves more.
 */
export const BLOSC = {
  lz4: { clevel: 5, blocksize: 0 },
  zstd: { clevel: 2, blocksize: 2 ** 18 },
} as const;

/** What codecs and readers can take as one block of bytes. */
const MAX_IMAGE_BYTES = 2 ** 30;

const LIMITS = {
  images: 2 ** 31 - 1,
  channels: 2 ** 16,
  pictureChannels: 2 ** 16,
  height: 2 ** 16,
  width: 2 ** 16,
  levels: 2 ** 16,
  shardImages: 2 ** 16,
} as const;

/** The shape of one image's part of a large array. */
export function imageShape(layout: Omit<StoreLayout, 'times'>, array: LargeArray): number[] {
  const { levels, channels, pictureChannels, components, height, width } = layout;
  if (array === 'initial') return [pictureChannels, height, width];
  const between = array === 'scores' && components !== null ? [components] : [];
  return [levels, channels, ...between, height, width];
}

export function imageLength(layout: Omit<StoreLayout, 'times'>, array: LargeArray): number {
  return imageShape(layout, array).reduce((product, length) => product * length, 1);
}

export function arrayDtype(layout: Pick<StoreLayout, 'dtype'>, array: LargeArray): StoreDtype {
  return array === 'initial' ? 'float32' : layout.dtype;
}

export function shardCount({ images, shardImages }: Pick<StoreLayout, 'images' | 'shardImages'>): number {
  return Math.ceil(images / shardImages);
}

/** The images of a shard: from, to (exclusive). The last shard may be shorter. */
export function shardRange(
  { images, shardImages }: Pick<StoreLayout, 'images' | 'shardImages'>,
  shard: number,
): [number, number] {
  return [shard * shardImages, Math.min(images, (shard + 1) * shardImages)];
}

export function checkShard(layout: Pick<StoreLayout, 'images' | 'shardImages'>, shard: number): void {
  const count = shardCount(layout);
  if (Number.isInteger(shard) && shard >= 0 && shard < count) return;
  throw new SeedspanError('INVALID_VALUE', `the store has shards 0 to ${count - 1}, not ${show(shard)}`, {
    shard,
    shards: count,
  });
}

/** @throws SeedspanError with `code`, naming what is wrong. */
export function checkLayout(
  layout: Omit<StoreLayout, 'times'>,
  code: 'INVALID_VALUE' | 'BAD_FORMAT' = 'INVALID_VALUE',
): void {
  const fail = (message: string): never => {
    throw new SeedspanError(code, `the store's layout: ${message}`);
  };
  for (const name of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) {
    const value: unknown = layout[name];
    if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > LIMITS[name])
      fail(`${name} must be an integer from 1 to ${LIMITS[name]}, not ${show(value)}`);
  }
  if (layout.components !== null && layout.components !== 2)
    fail(`components must be 2 or null, not ${show(layout.components)}`);
  if (!Object.hasOwn(ITEM_SIZE, layout.dtype))
    fail(`dtype must be float32 or float64, not ${show(layout.dtype)}`);
  if (!['none', 'lz4', 'zstd'].includes(layout.compression))
    fail(`compression must be none, lz4 or zstd, not ${show(layout.compression)}`);
  for (const array of LARGE_ARRAYS) {
    const bytes = imageLength(layout, array) * ITEM_SIZE[arrayDtype(layout, array)];
    if (bytes > MAX_IMAGE_BYTES)
      fail(
        `${array} of one image has ${bytes} bytes, more than the ${MAX_IMAGE_BYTES} that a chunk may have`,
      );
  }
}

export function checkTimes(layout: StoreLayout): void {
  const { times, levels } = layout;
  if (!Array.isArray(times) || times.length !== levels)
    throw new SeedspanError('SHAPE_MISMATCH', `times must be ${levels} numbers, one a level`, { levels });
  if (!times.every((time) => typeof time === 'number' && Number.isFinite(time)))
    throw new SeedspanError('INVALID_VALUE', 'times must be finite numbers');
}
