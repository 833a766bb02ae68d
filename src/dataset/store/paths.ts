import { join } from 'node:path';
import type { LargeArray } from './layout.ts';

/** What is not Zarr's lies in one folder, which its readers pass over. */
export const PRIVATE = '.seedspan';

const DIGITS = 8;

export const shardName = (shard: number) => String(shard).padStart(DIGITS, '0');

/** The shard that a name of {@link shardName} means; `undefined` for any other name. */
export function shardOfName(name: string): number | undefined {
  return /^\d{8,10}$/.test(name) && shardName(Number(name)) === name ? Number(name) : undefined;
}

export interface StorePaths {
  readonly root: string;
  /** Of what is being written: a folder for each writer. */
  readonly temporary: string;
  /** Shards that are written and not yet in place: see shard-commit.ts. */
  readonly commits: string;
  readonly records: string;
  readonly lock: string;
  commit(shard: number): string;
  record(shard: number): string;
  chunk(array: LargeArray, shard: number): string;
}

/** Keys of chunks are joined by dots: one folder an array, instead of five a chunk. */
export function chunkKey(shard: number, rank: number): string {
  return ['c', shard, ...Array<number>(rank - 1).fill(0)].join('.');
}

export function storePaths(root: string, ranks: Readonly<Record<LargeArray, number>>): StorePaths {
  const inside = (name: string) => join(root, PRIVATE, name);
  return {
    root,
    temporary: inside('temporary'),
    commits: inside('commits'),
    records: inside('records'),
    lock: inside('lock'),
    commit: (shard) => join(inside('commits'), shardName(shard)),
    record: (shard) => join(inside('records'), `${shardName(shard)}.json`),
    chunk: (array, shard) => join(root, array, chunkKey(shard, ranks[array])),
  };
}
