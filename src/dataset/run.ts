import { join } from 'node:path';
import { SeedspanError } from '../errors.ts';
import { readParsed } from '../node/files.ts';
import type { Wanted } from '../node/picture.ts';
import { type DatasetPlan, readPlan } from './plan.ts';
import { type Catalogue, openCatalogue } from './sources/index.ts';
import { openStore, PRIVATE, type Store } from './store/index.ts';
import type { ShardRecord } from './types.ts';

/** A run as it lies on disk. */
export interface Run {
  store: Store;
  plan: DatasetPlan;
  /** The plan's. */
  hash: string;
  catalogue: Catalogue;
}

/**
 * Opens a store with its plan and catalogue.
 *
 * @param expected - the plan's hash, where it is known.
 * @throws SeedspanError `IO`, `BAD_FORMAT`; `INVALID_VALUE` where the plan is another.
 */
export async function openRun(path: string, expected?: string): Promise<Run> {
  const store = await openStore(path);
  const inside = join(store.path, PRIVATE);
  const { plan, hash } = await readParsed(join(inside, 'plan.json'), (bytes) =>
    readPlan(new TextDecoder().decode(bytes)),
  );
  if (expected !== undefined && hash !== expected) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `the store ${store.path} has another plan than the one that was asked for: it was replaced meanwhile, or this machine has another folder there`,
      { store: store.path, expected, hash },
    );
  }
  return { store, plan, hash, catalogue: await openCatalogue(inside) };
}

/** A picture's density of pixel positions is one, of all its channels. */
export function fieldChannels({ shape, equation }: Pick<DatasetPlan, 'shape' | 'equation'>): number {
  return equation.density === 'pixel-positions' ? 1 : shape[0];
}

/** Numbers in the fields of one image. */
export function imageLengths(plan: Pick<DatasetPlan, 'shape' | 'times' | 'equation'>): {
  scores: number;
  logDensity: number;
} {
  const [, height, width] = plan.shape;
  const logDensity = plan.times.length * fieldChannels(plan) * height * width;
  return { logDensity, scores: logDensity * (plan.equation.scheme === 'na2024' ? 1 : 2) };
}

/** What pictures are turned into. */
export function wantedPictures({ pictures: { size, ...rest } }: DatasetPlan): Wanted {
  return { ...rest, ...(size === null ? {} : { size }) };
}

/** The record of a shard that is done. One that is damaged is forgotten: its shard is done again. */
export async function doneRecord(store: Store, shard: number): Promise<ShardRecord | undefined> {
  return (await store.isDone(shard)) ? await store.readOrForget(shard) : undefined;
}
