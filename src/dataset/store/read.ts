import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Array as ZarrArray } from 'zarrita';
import { SeedspanError, show } from '../../errors.ts';
import { ioError, systemCode } from '../../node/files.ts';
import { loadPeer } from '../../peers.ts';
import type { ImageRecord, ImageStatus } from '../types.ts';
import { openStore } from './create.ts';
import { LARGE_ARRAYS, type LargeArray, type StoreDtype } from './layout.ts';
import type { Store } from './store.ts';

/** Images `from` to `to` of a data set, in C order. Values of images that failed or are pending are NaN. */
export interface ScoresPart {
  /** (to - from, levels, channels, components, height, width), or without components. */
  scores: Float32Array | Float64Array;
  /** (to - from, levels, channels, height, width). */
  logDensity: Float32Array | Float64Array;
  /** (to - from, channels, height, width): the pictures that it was computed from. */
  initial: Float32Array;
  status: ('pending' | ImageStatus)[];
  /** Where each image came from, and what it took; `undefined` of pending ones. */
  images: (ImageRecord | undefined)[];
}

/** A data set of scores, for reading. */
export interface ScoresReader {
  /** Of the scores: images, levels, channels, components where there are any, height, width. */
  readonly shape: readonly number[];
  readonly dtype: StoreDtype;
  /** Of the levels. */
  readonly times: readonly number[];
  /** What the run was made with. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Whether all images were done, or set aside, when it was opened. */
  readonly complete: boolean;
  /**
   * Reads images `from` to `to` (exclusive).
   *
   * @throws SeedspanError `INVALID_VALUE` for a range that is not there; `BAD_FORMAT` for files that are damaged; `IO`.
   */
  read(from: number, to: number): Promise<ScoresPart>;
}

type Range = { offset: number; length: number } | { suffixLength: number };

/** Files below a folder, as zarrita asks for them. A file that is shorter than it should be is an error. */
function fileStore(root: string) {
  const pathOf = (key: string) => join(root, key.replace(/^\//, ''));
  return {
    async get(key: string): Promise<Uint8Array | undefined> {
      try {
        return await readFile(pathOf(key));
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return undefined;
        throw ioError('read', pathOf(key), error);
      }
    },
    async getRange(key: string, range: Range): Promise<Uint8Array | undefined> {
      const path = pathOf(key);
      try {
        const file = await open(path, 'r');
        try {
          const { size } = await file.stat();
          const length = 'length' in range ? range.length : range.suffixLength;
          const offset = 'length' in range ? range.offset : size - length;
          if (offset < 0 || offset + length > size)
            throw new SeedspanError('BAD_FORMAT', `${path} is too short: it has ${size} bytes`, { path });
          const bytes = new Uint8Array(length);
          let read = 0;
          while (read < length) {
            const { bytesRead } = await file.read(bytes, read, length - read, offset + read);
            if (bytesRead === 0)
              throw new SeedspanError('BAD_FORMAT', `${path} became shorter while it was read`, { path });
            read += bytesRead;
          }
          return bytes;
        } finally {
          await file.close();
        }
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return undefined;
        throw ioError('read', path, error);
      }
    },
  };
}

/** What zarrita and its codecs throw, in our words. */
function unreadable(path: string, error: unknown): SeedspanError {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof SeedspanError) return cause;
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new SeedspanError('BAD_FORMAT', `${path} cannot be read: ${reason}`, { path }, { cause: error });
}

async function readRecords(store: Store, from: number, to: number): Promise<(ImageRecord | undefined)[]> {
  const { shardImages } = store.layout;
  const images: (ImageRecord | undefined)[] = [];
  for (let index = from; index < to; ) {
    const shard = Math.floor(index / shardImages);
    const end = Math.min(to, (shard + 1) * shardImages);
    const record = await store.readRecord(shard);
    for (; index < end; index++) images.push(record?.images[index - shard * shardImages]);
  }
  return images;
}

/**
 * Opens a data set that `seedspan precompute --out NAME.zarr` has made, also while it is being made. Needs the package
 * zarrita.
 *
 * @throws SeedspanError `IO` where there is none; `BAD_FORMAT` where it is damaged or another Zarr store;
 *   `UNSUPPORTED` without zarrita.
 */
export async function openScores(path: string): Promise<ScoresReader> {
  const store = await openStore(path);
  const zarr = await loadPeer('zarrita', 'to read data sets', () => import('zarrita'));
  const { layout } = store;
  const done = await store.doneShards();
  const group = zarr.root(fileStore(store.path));
  const openArray = async (array: LargeArray): Promise<ZarrArray<StoreDtype>> => {
    const opened = await zarr.open.v3(group.resolve(array), { kind: 'array' });
    return opened as ZarrArray<StoreDtype>;
  };
  const { shape } = await openArray('scores');
  return {
    shape,
    dtype: layout.dtype,
    times: layout.times,
    attributes: store.attributes,
    complete: done.length === store.shards,
    async read(from, to) {
      if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to <= from || to > layout.images)
        throw new SeedspanError(
          'INVALID_VALUE',
          `images ${show(from)} to ${show(to)} are not there; the data set has ${layout.images}`,
          { from, to },
        );
      try {
        // Opened anew: zarrita remembers of a shard that was not there that it is not there.
        const [scores, logDensity, initial] = await Promise.all(
          LARGE_ARRAYS.map(async (array) => {
            const opened = await openArray(array);
            const whole = opened.shape.slice(1).map(() => null);
            const { data } = await zarr.get(opened, [zarr.slice(from, to), ...whole]);
            return data as Float32Array | Float64Array;
          }),
        );
        const images = await readRecords(store, from, to);
        for (const values of [scores, logDensity, initial]) {
          const length = values.length / images.length;
          // A shard without its record may have chunks, which mean nothing.
          for (const [k, image] of images.entries())
            if (image === undefined) values.fill(Number.NaN, k * length, (k + 1) * length);
        }
        const status = images.map((image) => image?.status ?? 'pending');
        return { scores, logDensity, initial: initial as Float32Array, status, images };
      } catch (error) {
        throw unreadable(store.path, error);
      }
    },
  };
}
