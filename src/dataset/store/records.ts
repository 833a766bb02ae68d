import { SeedspanError, show, withPlace } from '../../errors.ts';
import type { ImageRecord, ShardRecord, ShardSummary } from '../types.ts';
import { readText } from './files.ts';
import { type StoreLayout, shardRange } from './layout.ts';
import { STATUS_NAMES } from './metadata.ts';
import type { StorePaths } from './paths.ts';

/** A record longer than this is not read. */
const MAX_RECORD_BYTES = 2 ** 28;

/** As it is on the disk: `commit` says which of several writers it was. */
export interface StoredRecord extends ShardRecord {
  commit: string;
}

type Shards = Pick<StoreLayout, 'images' | 'shardImages'>;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown) => typeof value === 'string';

const IMAGE_FIELDS: Record<keyof ImageRecord, (value: unknown) => boolean> = {
  index: isCount,
  source: isText,
  hash: (value) => value === undefined || (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)),
  status: (value) => value !== 'pending' && (STATUS_NAMES as readonly unknown[]).includes(value),
  iterations: (value) => isCount(value) && (value as number) < 2 ** 31,
  seconds: (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
  error: (value) => value === undefined || isText(value),
};

const RECORD_FIELDS: Record<Exclude<keyof StoredRecord, 'images'>, (value: unknown) => boolean> = {
  shard: isCount,
  bytes: isCount,
  worker: isText,
  attempt: (value) => isCount(value) && (value as number) > 0,
  finished: isText,
  commit: (value) => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value),
};

function wrongField(
  value: Record<string, unknown>,
  fields: Record<string, (value: unknown) => boolean>,
): string | undefined {
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(fields, name) && name !== 'images');
  if (unknown !== undefined) return `unknown field ${show(unknown)}`;
  const wrong = Object.keys(fields).find((name) => !fields[name](value[name]));
  return wrong === undefined ? undefined : `${wrong} cannot be ${show(value[wrong])}`;
}

/** What is wrong with a record, in words; `undefined` if nothing is. */
export function recordFault(record: unknown, shards: Shards, shard: number): string | undefined {
  if (!isObject(record)) return `a record must be an object, not ${show(record)}`;
  const fault = wrongField(record, RECORD_FIELDS);
  if (fault !== undefined) return fault;
  if (record.shard !== shard) return `it is the record of shard ${record.shard}, not of ${shard}`;
  const [from, to] = shardRange(shards, shard);
  const { images } = record;
  if (!Array.isArray(images) || images.length !== to - from) return `it must have ${to - from} images`;
  for (const [k, image] of images.entries()) {
    if (!isObject(image)) return `images[${k}] must be an object`;
    const wrong = wrongField(image, IMAGE_FIELDS);
    if (wrong !== undefined) return `images[${k}]: ${wrong}`;
    if (image.index !== from + k) return `images[${k}] must be image ${from + k}, not ${image.index}`;
  }
  return undefined;
}

/**
 * Reads a shard's record, strictly.
 *
 * @throws SeedspanError `BAD_FORMAT`, saying what is wrong.
 */
export function parseRecord(text: string, shards: Shards, shard: number): StoredRecord {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    throw new SeedspanError('BAD_FORMAT', `the record of shard ${shard} is not JSON`, { shard });
  }
  const fault = recordFault(record, shards, shard);
  if (fault === undefined) return record as StoredRecord;
  throw new SeedspanError('BAD_FORMAT', `the record of shard ${shard}: ${fault}`, { shard });
}

/**
 * Reads the record of a shard; `undefined` where there is none.
 *
 * @throws SeedspanError `BAD_FORMAT`, `IO`.
 */
export async function readRecordFile(
  paths: StorePaths,
  shards: Shards,
  shard: number,
): Promise<StoredRecord | undefined> {
  const path = paths.record(shard);
  const text = await readText(path, MAX_RECORD_BYTES);
  if (text === undefined) return undefined;
  try {
    return parseRecord(text, shards, shard);
  } catch (error) {
    throw withPlace(error as SeedspanError, path, { path });
  }
}

/** What a shard's record comes to. */
export function summaryOf({
  shard,
  images,
  bytes,
}: Pick<ShardRecord, 'shard' | 'images' | 'bytes'>): ShardSummary {
  const failed = images.filter(({ status }) => status === 'failed').length;
  const converged = images.filter(({ status }) => status === 'converged').length;
  return {
    shard,
    images: images.length,
    failed,
    unconverged: images.length - failed - converged,
    iterations: images.reduce((sum, { iterations }) => sum + iterations, 0),
    bytes,
  };
}
