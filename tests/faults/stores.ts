import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { ShardRecord } from '../../src/dataset/types.ts';
import { readZarrArray } from '../twins/zarr.ts';

const PRIVATE = '.seedspan';

export const inside = (store: string, ...names: string[]) => join(store, PRIVATE, ...names);

/** Names in a folder; none where it is not there. */
export function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Numbers of the shards that have a record. */
export function doneShards(store: string): number[] {
  return names(inside(store, 'records')).map((name) => Number.parseInt(name, 10));
}

export function readRecord(store: string, shard: number): ShardRecord & { commit: string } {
  return JSON.parse(readFileSync(inside(store, 'records', `${String(shard).padStart(8, '0')}.json`), 'utf8'));
}

/** Whether a writer has a folder with some bytes of a chunk in it, and no record yet. */
export function isInWrite(store: string): boolean {
  return names(inside(store, 'temporary')).some((writer) => {
    const files = names(inside(store, 'temporary', writer));
    if (files.some((name) => name.endsWith('.json'))) return false;
    return files.some((name) => sizeOf(inside(store, 'temporary', writer, name)) > 0);
  });
}

/** Whether shards are at work, and none of their files exists, neither in the making nor on the way to its place. */
export function isInSolve(store: string): boolean {
  if (['temporary', 'commits'].some((folder) => names(inside(store, folder)).length > 0)) return false;
  const done = doneShards(store);
  return shardsAtWork(store).some((shard) => !done.includes(shard));
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}

/** Shards whose book is open. */
export function shardsAtWork(store: string): number[] {
  return names(inside(store, 'attempts'))
    .filter((name) => /^\d+\.json$/.test(name))
    .map((name) => Number.parseInt(name, 10));
}

/** All files of a folder, by their paths in it. */
function filesOf(folder: string, under = ''): string[] {
  return readdirSync(join(folder, under), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesOf(folder, join(under, entry.name)) : [join(under, entry.name)],
  );
}

/** What a reader of the store sees, but for the times that computing took. */
function arrayFiles(store: string): string[] {
  return filesOf(store)
    .filter((file) => !file.startsWith(PRIVATE) && !/^compute_time.c\./.test(file))
    .sort();
}

/** Without what differs from run to run: who did it, when, and how long it took. */
function lasting({ images, shard, bytes }: ShardRecord) {
  return { shard, bytes, images: images.map(({ seconds: _, ...image }) => image) };
}

export interface Losses {
  /** Images that are not as in the undisturbed run. */
  images: number;
  /** Arrays' files and records that are not as in the undisturbed run. */
  files: string[];
}

/** Compares a store with that of an undisturbed run: every file of every array, every record. */
export function compareStores(store: string, reference: string): Losses {
  const files: string[] = [];
  const [found, expected] = [arrayFiles(store), arrayFiles(reference)];
  for (const file of new Set([...found, ...expected])) {
    const [a, b] = [join(store, file), join(reference, file)];
    if (!existsSync(a) || !existsSync(b) || !readFileSync(a).equals(readFileSync(b))) files.push(file);
  }
  let images = 0;
  for (const shard of doneShards(reference)) {
    const then = lasting(readRecord(reference, shard));
    const now = doneShards(store).includes(shard) ? lasting(readRecord(store, shard)) : { images: [] };
    if (JSON.stringify(now) !== JSON.stringify(then)) files.push(`record ${shard}`);
    for (const [k, image] of then.images.entries()) {
      if (JSON.stringify(now.images[k]) !== JSON.stringify(image)) images++;
    }
  }
  return { images, files };
}

/** Nothing that was half-written, and nothing that was only needed meanwhile, is left in a store or beside it. */
export function expectNoLeftovers(store: string): void {
  for (const folder of ['temporary', 'commits', 'lock', 'attempts', 'staging']) {
    expect(names(inside(store, folder)), `left in ${folder}`).toEqual([]);
  }
  expect(filesOf(inside(store)).filter((file) => file.includes('new'))).toEqual([]);
  const known = /^(attempts|catalogue\.(ndjson|offsets)|commits|lock|plan\.json|records|seed.*|temporary)$/;
  expect(names(inside(store)).filter((name) => !known.test(name))).toEqual([]);
  const beside = names(dirname(store)).filter((name) => name.startsWith(`.${basename(store)}`));
  expect(beside).toEqual([]);
}

/** What is done is in place while others go on: the chunks of shards with a record are those of the undisturbed run. */
export function expectDoneIsWhole(store: string, reference: string): void {
  for (const shard of doneShards(store)) {
    for (const array of ['scores', 'log_density', 'initial']) {
      const name = names(join(reference, array)).find((file) => file.startsWith(`c.${shard}.`)) as string;
      expect(
        readFileSync(join(store, array, name)).equals(readFileSync(join(reference, array, name))),
        `${array}/${name}`,
      ).toBe(true);
    }
  }
}

/** Looks at a store again and again, and notes who has done which shard. */
export class CommitWatch {
  readonly #store: string;
  readonly #seen = new Map<number, string>();
  readonly #timer: NodeJS.Timeout;

  constructor(store: string) {
    this.#store = store;
    this.#timer = setInterval(() => this.#look(), 20);
  }

  #look(): void {
    for (const shard of doneShards(this.#store)) {
      if (!this.#seen.has(shard)) this.#seen.set(shard, readRecord(this.#store, shard).commit);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Shards that were done, and now are somebody else's; but for those that were damaged on purpose. */
  doneTwice(damaged: readonly number[] = []): number {
    this.stop();
    this.#look();
    return [...this.#seen].filter(
      ([shard, commit]) => !damaged.includes(shard) && readRecord(this.#store, shard).commit !== commit,
    ).length;
  }
}

/** What is stored of an image in each of the large arrays: bytes of the files' inner chunks; undefined where there are none. */
export function imageBytes(store: string, image: number): (Buffer | undefined)[] {
  return ['scores', 'log_density', 'initial'].map((array) => {
    const { shape, chunk_grid: grid } = JSON.parse(readFileSync(join(store, array, 'zarr.json'), 'utf8')) as {
      shape: number[];
      chunk_grid: { configuration: { chunk_shape: number[] } };
    };
    const [images] = grid.configuration.chunk_shape;
    const key = ['c', Math.floor(image / images), ...shape.slice(1).map(() => 0)].join('.');
    const file = readFileSync(join(store, array, key));
    // The index at the end: where each image begins, and how long it is; then four bytes of a checksum.
    const entry = file.length - 4 - 16 * (images - (image % images));
    const [offset, length] = [file.readBigUInt64LE(entry), file.readBigUInt64LE(entry + 8)];
    return offset === 2n ** 64n - 1n ? undefined : file.subarray(Number(offset), Number(offset + length));
  });
}

/** A metadata array. */
export function metadata(store: string, array: string): (number | string)[] {
  return readZarrArray(join(store, array)).values;
}
