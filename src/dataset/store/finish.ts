import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError } from '../../node/files.ts';
import { writeNew } from '../../node/output.ts';
import type { ImageRecord, ShardRecord } from '../types.ts';
import { makeTemporary, newToken, syncFolder } from './files.ts';
import { IMAGE_ARRAYS, type ImageArray, METADATA_CHUNK, shardRange } from './layout.ts';
import { HASH_BYTES, STATUS_NAMES } from './metadata.ts';
import { summaryOf } from './records.ts';
import type { Store } from './store.ts';

/** What the records say of a run, when all are read. */
export interface FinishSummary {
  /** Shards without a record, ascending; their images are `pending`. */
  missing: number[];
  /** Those whose record was damaged: it was removed, so that they are among the missing ones and are done again. */
  damaged: { shard: number; reason: string }[];
  images: number;
  /** Set aside. */
  failed: number;
  /** Computed, but short of their tolerance. */
  unconverged: number;
  iterations: number;
  /** Of computing. */
  seconds: number;
  /** Of the large arrays' files. */
  bytes: number;
}

/** Chunk of a `string` array as the codec `vlen-utf8` writes it: a count, then each text behind its length. */
function encodeTexts(texts: readonly string[]): Uint8Array {
  const encoder = new TextEncoder();
  const encoded = texts.map((text) => encoder.encode(text));
  const bytes = new Uint8Array(encoded.reduce((sum, { length }) => sum + 4 + length, 4));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, texts.length, true);
  let at = 4;
  for (const text of encoded) {
    view.setUint32(at, text.length, true);
    bytes.set(text, at + 4);
    at += 4 + text.length;
  }
  return bytes;
}

/** One chunk of each of the arrays with an entry an image, filled with what stands for nothing. */
class ImageChunk {
  readonly #size: number;
  readonly #sources: string[];
  readonly #errors: string[];
  readonly #hashes: Uint8Array;
  readonly #statuses: Uint8Array;
  readonly #iterations: Int32Array;
  readonly #seconds: Float64Array;

  constructor(size: number) {
    this.#size = size;
    this.#sources = new Array<string>(size).fill('');
    this.#errors = new Array<string>(size).fill('');
    this.#hashes = new Uint8Array(HASH_BYTES * size);
    this.#statuses = new Uint8Array(size);
    this.#iterations = new Int32Array(size);
    this.#seconds = new Float64Array(size).fill(Number.NaN);
  }

  set(image: ImageRecord): void {
    const k = image.index % this.#size;
    this.#sources[k] = image.source;
    this.#errors[k] = image.error ?? '';
    if (image.hash !== undefined) this.#hashes.set(Buffer.from(image.hash, 'hex'), HASH_BYTES * k);
    this.#statuses[k] = STATUS_NAMES.indexOf(image.status);
    this.#iterations[k] = image.iterations;
    this.#seconds[k] = image.seconds;
  }

  encode(): Record<ImageArray, Uint8Array> {
    return {
      source: encodeTexts(this.#sources),
      hash: this.#hashes,
      status: this.#statuses,
      iterations: new Uint8Array(this.#iterations.buffer),
      compute_time: new Uint8Array(this.#seconds.buffer),
      error: encodeTexts(this.#errors),
    };
  }
}

/** Key of a chunk: `hash` has a second dimension. */
const keyOf = (array: ImageArray, chunk: number) => (array === 'hash' ? `c.${chunk}.0` : `c.${chunk}`);

function count(summary: FinishSummary, record: ShardRecord): void {
  const { images, failed, unconverged, iterations, bytes } = summaryOf(record);
  summary.images += images;
  summary.failed += failed;
  summary.unconverged += unconverged;
  summary.iterations += iterations;
  summary.bytes += bytes;
  for (const { seconds } of record.images) summary.seconds += seconds;
}

/** Writes the chunks of all arrays into `folder`, from the records in their order; says how many there are of each. */
async function writeChunks(
  store: Store,
  folder: string,
  summary: FinishSummary,
  onRecord: (record: ShardRecord) => void,
): Promise<number> {
  const { layout } = store;
  const size = Math.min(METADATA_CHUNK, layout.images);
  const chunks = Math.ceil(layout.images / size);
  for (const array of IMAGE_ARRAYS) await mkdir(join(folder, array));
  let chunk = 0;
  let current = new ImageChunk(size);
  const flush = async () => {
    for (const [array, bytes] of Object.entries(current.encode()))
      await writeNew(join(folder, array, keyOf(array as ImageArray, chunk)), bytes);
    chunk += 1;
    current = new ImageChunk(size);
  };
  for (let shard = 0; shard < store.shards; shard++) {
    const record = await store.readOrForget(shard, (reason) => summary.damaged.push({ shard, reason }));
    if (record === undefined) summary.missing.push(shard);
    else {
      count(summary, record);
      onRecord(record);
    }
    const [from, to] = shardRange(layout, shard);
    for (let index = from; index < to; index++) {
      if (index >= (chunk + 1) * size) await flush();
      if (record !== undefined) current.set(record.images[index - from]);
    }
  }
  await flush();
  return chunks;
}

/**
 * Writes the arrays with an entry an image, from the records, in memory that does not grow with the images. All chunks
 * are written before the first one is put in place, each whole; whoever is interrupted between does it once more, with
 * the same result.
 *
 * @param onRecord - Gets each record, so that nobody needs to read them once more.
 */
export async function finishMetadata(
  store: Store,
  onRecord: (record: ShardRecord) => void = () => undefined,
): Promise<FinishSummary> {
  const summary: FinishSummary = {
    missing: [],
    damaged: [],
    images: 0,
    failed: 0,
    unconverged: 0,
    iterations: 0,
    seconds: 0,
    bytes: 0,
  };
  const folder = await makeTemporary(store.paths.temporary, newToken());
  try {
    const chunks = await writeChunks(store, folder, summary, onRecord);
    for (const array of IMAGE_ARRAYS) {
      for (let chunk = 0; chunk < chunks; chunk++) {
        const key = keyOf(array, chunk);
        await rename(join(folder, array, key), join(store.path, array, key));
      }
      await syncFolder(join(store.path, array));
    }
  } catch (error) {
    throw ioError('write the metadata of', store.path, error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return summary;
}
