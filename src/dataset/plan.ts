import { createHash } from 'node:crypto';
import { SeedspanError } from '../errors.ts';
import { VERSION } from '../version.ts';
import type { StoredEquation } from './options.ts';

/** How seeds are found, where images share what seeds leave. */
export type SeedsWanted =
  | { readonly method: 'k-medoids' | 'leverage' | 'first' | 'random'; readonly count: number | 'auto' }
  /** By their places in the data set, from 0. */
  | { readonly images: readonly number[] };

/** All that decides the results of a run. Nothing else does: not the workers, nor their number, nor their order. */
export interface DatasetPlan {
  /** Of this description. */
  readonly format: 1;
  /** Version of the package: another may round otherwise. */
  readonly seedspan: string;
  readonly equation: StoredEquation;
  /** Of the levels. */
  readonly times: readonly number[];
  readonly pictures: {
    readonly size: readonly [number, number] | null;
    readonly channels: 1 | 3;
    readonly normalise: 'none' | 'min-max';
    readonly maxPixels: number;
  };
  readonly images: number;
  /** `[channels, H, W]` of each. */
  readonly shape: readonly [number, number, number];
  /** SHA-256 of what the inputs are. */
  readonly catalogue: string;
  readonly store: {
    readonly shardImages: number;
    readonly dtype: 'float32' | 'float64';
    readonly compression: 'none' | 'lz4' | 'zstd';
  };
  /** Null where images share nothing. */
  readonly seeds: SeedsWanted | null;
}

/** JSON with the keys in order, so that equal plans have equal texts. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/** SHA-256 of a plan, in hexadecimal. */
export function planHash(plan: DatasetPlan): string {
  return createHash('sha256').update(canonical(plan)).digest('hex');
}

/** The text of `plan.json`. */
export function writePlan(plan: DatasetPlan): string {
  return `${JSON.stringify({ hash: planHash(plan), plan }, undefined, 2)}\n`;
}

/**
 * Reads what {@link writePlan} wrote.
 *
 * @throws SeedspanError `BAD_FORMAT`: damaged, changed by hand, or of another version of the package.
 */
export function readPlan(text: string): { hash: string; plan: DatasetPlan } {
  const refuse = (what: string, cause?: unknown) =>
    new SeedspanError('BAD_FORMAT', `plan.json of the store ${what}`, {}, { cause });
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw refuse('is not JSON', error);
  }
  const { hash, plan } = (document ?? {}) as { hash?: unknown; plan?: Partial<DatasetPlan> };
  if (typeof hash !== 'string' || typeof plan !== 'object' || plan === null) {
    throw refuse('has no plan');
  }
  if (plan.format !== 1) throw refuse(`has format ${String(plan.format)}; this version reads format 1`);
  // What has this hash was written by this package, which checked it then.
  if (planHash(plan as DatasetPlan) !== hash) throw refuse('was changed, or is damaged: its hash is another');
  return { hash, plan: plan as DatasetPlan };
}

/** Leaves of a plan, by their paths: `equation.steps`. */
function leaves(value: unknown, path = ''): [path: string, value: string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, canonical(value)]];
  return Object.entries(value).flatMap(([name, item]) =>
    leaves(item, path === '' ? name : `${path}.${name}`),
  );
}

/** Where two plans differ, in words: `equation.steps is 20, was 10`. */
export function planDifferences(plan: DatasetPlan, former: DatasetPlan): string[] {
  const [now, then] = [new Map(leaves(plan)), new Map(leaves(former))];
  const names = [...new Set([...now.keys(), ...then.keys()])];
  const short = (text = 'not given') => (text.length > 60 ? `${text.slice(0, 57)}...` : text);
  return names
    .filter((name) => now.get(name) !== then.get(name))
    .map((name) =>
      name === 'catalogue'
        ? 'the inputs are others'
        : `${name} is ${short(now.get(name))}, was ${short(then.get(name))}`,
    );
}

/** The package's version, for plans. */
export const PLAN_VERSION = { format: 1, seedspan: VERSION } as const;

/** Bytes of `scores` and `log_density`, uncompressed, that a shard is to have about. */
const SHARD_BYTES = 2 ** 25;
const MOST_SHARD_IMAGES = 256;
/** Shards of a small data set at least, so that several workers find work. */
const LEAST_SHARDS = 16;

/** Images in a shard where the caller does not say: a power of two. */
export function shardImagesFor(images: number, bytesAnImage: number): number {
  const most = Math.min(MOST_SHARD_IMAGES, SHARD_BYTES / bytesAnImage, images / LEAST_SHARDS);
  return 2 ** Math.max(0, Math.floor(Math.log2(most)));
}
