import { SeedspanError, show } from '../../errors.ts';
import type { ImageStatus } from '../types.ts';
import {
  arrayDtype,
  BLOSC,
  checkLayout,
  IMAGE_ARRAYS,
  type ImageArray,
  ITEM_SIZE,
  imageShape,
  LARGE_ARRAYS,
  type LargeArray,
  METADATA_CHUNK,
  type StoreCompression,
  type StoreDtype,
  type StoreLayout,
} from './layout.ts';

/** What the numbers of the array `status` mean. */
export const STATUS_NAMES: readonly ('pending' | ImageStatus)[] = [
  'pending',
  'converged',
  'max-iterations',
  'breakdown',
  'stagnated',
  'non-finite',
  'failed',
];

/** Of the store as a whole; another number is refused. */
const STORE_FORMAT = 1;

/** A layout without its times, which are not in the metadata. */
export type StoreShape = Omit<StoreLayout, 'times'>;

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

const bytesCodec: JsonObject = { name: 'bytes', configuration: { endian: 'little' } };

const DIMENSIONS: Record<LargeArray, readonly string[]> = {
  scores: ['image', 'level', 'channel', 'component', 'y', 'x'],
  log_density: ['image', 'level', 'channel', 'y', 'x'],
  initial: ['image', 'channel', 'y', 'x'],
};

const IMAGE_ARRAY_TYPES: Record<
  ImageArray,
  { type: string; fill: Json; width?: number; attributes?: JsonObject }
> = {
  source: { type: 'string', fill: '' },
  hash: { type: 'uint8', fill: 0, width: 32, attributes: { algorithm: 'SHA-256' } },
  status: { type: 'uint8', fill: 0, attributes: { names: [...STATUS_NAMES] } },
  iterations: { type: 'int32', fill: 0 },
  compute_time: { type: 'float64', fill: 'NaN', attributes: { unit: 's' } },
  error: { type: 'string', fill: '' },
};

export const HASH_BYTES = 32;

function arrayMetadata(
  shape: readonly number[],
  chunk: readonly number[],
  type: string,
  fill: Json,
  codecs: Json[],
  names: readonly string[],
  attributes: JsonObject = {},
): JsonObject {
  return {
    zarr_format: 3,
    node_type: 'array',
    shape: [...shape],
    data_type: type,
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [...chunk] } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '.' } },
    fill_value: fill,
    codecs,
    attributes,
    dimension_names: [...names],
  };
}

/** Codecs of one image's part of a large array. */
function imageCodecs(compression: StoreCompression, dtype: StoreDtype): JsonObject[] {
  if (compression === 'none') return [bytesCodec];
  const configuration = {
    cname: compression,
    clevel: BLOSC[compression].clevel,
    shuffle: 'bitshuffle',
    typesize: ITEM_SIZE[dtype],
    blocksize: BLOSC[compression].blocksize,
  };
  return [bytesCodec, { name: 'blosc', configuration }];
}

function largeArrayMetadata(shape: StoreShape, array: LargeArray): JsonObject {
  const image = imageShape(shape, array);
  const dtype = arrayDtype(shape, array);
  const sharding = {
    name: 'sharding_indexed',
    configuration: {
      chunk_shape: [1, ...image],
      codecs: imageCodecs(shape.compression, dtype),
      index_codecs: [bytesCodec, { name: 'crc32c' }],
      index_location: 'end',
    },
  };
  const names = DIMENSIONS[array].filter((name) => name !== 'component' || shape.components !== null);
  return arrayMetadata(
    [shape.images, ...image],
    [shape.shardImages, ...image],
    dtype,
    'NaN',
    [sharding],
    names,
  );
}

/** Path in the store, metadata: of each array. */
function allArrays(shape: StoreShape): [string, JsonObject][] {
  const chunk = Math.min(METADATA_CHUNK, shape.images);
  const ofImages = IMAGE_ARRAYS.map((array): [string, JsonObject] => {
    const { type, fill, width, attributes } = IMAGE_ARRAY_TYPES[array];
    const tail = width === undefined ? [] : [width];
    const codec = type === 'string' ? { name: 'vlen-utf8', configuration: {} } : bytesCodec;
    const names = ['image', ...(width === undefined ? [] : ['byte'])];
    return [
      array,
      arrayMetadata([shape.images, ...tail], [chunk, ...tail], type, fill, [codec], names, attributes),
    ];
  });
  return [
    ...LARGE_ARRAYS.map((array): [string, JsonObject] => [array, largeArrayMetadata(shape, array)]),
    ...ofImages,
    ['time', arrayMetadata([shape.levels], [shape.levels], 'float64', 'NaN', [bytesCodec], ['level'])],
  ];
}

/** Names of all metadata files of a store, from its root. */
export const METADATA_FILES: readonly string[] = [
  'zarr.json',
  ...[...LARGE_ARRAYS, ...IMAGE_ARRAYS, 'time'].map((array) => `${array}/zarr.json`),
];

/** The metadata files of a store, by their path from its root. */
export function storeMetadata(
  shape: StoreShape,
  attributes: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const group = {
    zarr_format: 3,
    node_type: 'group',
    attributes: { seedspan: { ...attributes, format: STORE_FORMAT } },
  };
  const text = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  return {
    'zarr.json': text(group),
    ...Object.fromEntries(
      allArrays(shape).map(([array, metadata]) => [`${array}/zarr.json`, text(metadata)]),
    ),
  };
}

function fail(file: string, message: string): never {
  throw new SeedspanError('BAD_FORMAT', `${file}: ${message}`, { file });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseObject(file: string, text: string | undefined): Record<string, unknown> {
  if (typeof text !== 'string') fail(file, 'it is missing');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    fail(file, `it is not JSON (${(error as Error).message.slice(0, 100)})`);
  }
  return isObject(value) ? value : fail(file, `it must be a JSON object, not ${show(value)}`);
}

/** The value along `path`, where there is one. */
function at(value: unknown, ...path: (string | number)[]): unknown {
  let found = value;
  for (const key of path) {
    if (Array.isArray(found) && typeof key === 'number') found = found[key];
    else if (isObject(found) && Object.hasOwn(found, key)) found = found[key];
    else return undefined;
  }
  return found;
}

/** Where `actual` first differs from `expected`; keys that `expected` has not are told by {@link extraKey}. */
function difference(actual: unknown, expected: unknown, path: string): string | undefined {
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return `${path} must be a list`;
    if (actual.length !== expected.length) return `${path} must have ${expected.length} entries`;
    for (let k = 0; k < expected.length; k++) {
      const found = difference(actual[k], expected[k], `${path}[${k}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isObject(expected)) {
    if (!isObject(actual)) return `${path} must be an object`;
    for (const key of Object.keys(expected)) {
      const found = difference(
        Object.hasOwn(actual, key) ? actual[key] : undefined,
        expected[key],
        path === '' ? key : `${path}.${key}`,
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return Object.is(actual, expected) ? undefined : `${path} must be ${show(expected)}, not ${show(actual)}`;
}

/** A key that the specification tells us to refuse: unknown, and not marked as dispensable. */
function extraKey(metadata: Record<string, unknown>, known: readonly string[]): string | undefined {
  return Object.keys(metadata).find((key) => {
    if (known.includes(key)) return false;
    const value = metadata[key];
    if (Array.isArray(value) && value.length === 0) return false; // storage_transformers: []
    return !(isObject(value) && value.must_understand === false);
  });
}

/** What the metadata of `scores` and `initial` say of the layout, unchecked. */
function shapeOf(scores: Record<string, unknown>, initial: Record<string, unknown>): StoreShape {
  const shape = at(scores, 'shape');
  const dimensions: unknown[] = Array.isArray(shape) ? shape : [];
  if (dimensions.length !== 5 && dimensions.length !== 6)
    fail('scores/zarr.json', 'shape must have 5 or 6 dimensions');
  const [images, levels, channels] = dimensions;
  const [height, width] = dimensions.slice(-2);
  const codecs = at(scores, 'codecs', 0, 'configuration', 'codecs');
  const blosc = at(codecs, 1);
  return {
    images,
    levels,
    channels,
    pictureChannels: at(initial, 'shape', 1),
    height,
    width,
    components: dimensions.length === 6 ? dimensions[3] : null,
    shardImages: at(scores, 'chunk_grid', 'configuration', 'chunk_shape', 0),
    dtype: at(scores, 'data_type'),
    compression: blosc === undefined ? 'none' : at(blosc, 'configuration', 'cname'),
  } as StoreShape; // checked by checkLayout
}

/**
 * Reads the metadata of a store, strictly: what is not as this version writes it is refused, but for attributes.
 *
 * @param texts - Contents of {@link METADATA_FILES}, by name.
 * @throws SeedspanError `BAD_FORMAT`, naming the file and what is wrong.
 */
export function parseStoreMetadata(texts: Readonly<Record<string, string | undefined>>): {
  shape: StoreShape;
  attributes: Record<string, unknown>;
} {
  const parsed = Object.fromEntries(METADATA_FILES.map((file) => [file, parseObject(file, texts[file])]));
  const group = parsed['zarr.json'];
  const wrong = difference(group, { zarr_format: 3, node_type: 'group' }, '');
  if (wrong !== undefined) fail('zarr.json', wrong);
  const attributes = at(group, 'attributes', 'seedspan');
  if (!isObject(attributes))
    fail('zarr.json', 'it has no attributes of seedspan; this is another Zarr store');
  const { format, ...rest } = attributes;
  if (format !== STORE_FORMAT)
    fail('zarr.json', `the store's format is ${show(format)}, and this version reads ${STORE_FORMAT}`);
  const shape = shapeOf(parsed['scores/zarr.json'], parsed['initial/zarr.json']);
  checkLayout(shape, 'BAD_FORMAT');
  for (const [array, { attributes: own, ...expected }] of allArrays(shape)) {
    const file = `${array}/zarr.json`;
    const found = difference(
      parsed[file],
      array === 'status' ? { ...expected, attributes: own } : expected,
      '',
    );
    if (found !== undefined) fail(file, found);
    const extra = extraKey(parsed[file], [...Object.keys(expected), 'attributes']);
    if (extra !== undefined) fail(file, `unknown key ${show(extra)}`);
  }
  return { shape, attributes: rest };
}
