import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SeedspanError, show } from '../../errors.ts';
import { exists, ioError } from '../../node/files.ts';
import { writeNew } from '../../node/output.ts';
import type { ShardRecord } from '../types.ts';
import type { Encoder } from './encode.ts';
import { makeTemporary, newToken } from './files.ts';
import { imageLength, LARGE_ARRAYS, type LargeArray, type StoreLayout, shardRange } from './layout.ts';
import type { StorePaths } from './paths.ts';
import { readRecordFile, recordFault, type StoredRecord } from './records.ts';
import { arrayFile, claimShard, recordFile, settleShard } from './shard-commit.ts';
import { ShardFile } from './shard-file.ts';

/** What was computed of one image; may be used again once `add` has ended. C order, shapes of the store's arrays. */
export interface ImageValues {
  /** (levels, channels, components, height, width), or without components. */
  scores: Float64Array;
  /** (levels, channels, height, width). */
  logDensity: Float64Array;
  /** (channels, height, width). */
  initial: Float32Array;
}

/** How a shard was finished. */
export interface ShardCommit {
  /** `already`: another one had done it, and what was written here is thrown away. */
  outcome: 'done' | 'already';
  /** What stands in the store. */
  record: ShardRecord;
}

/** What a worker knows of a shard; the store adds the rest. */
export type ShardReport = Omit<ShardRecord, 'shard' | 'bytes'>;

/** What all writers of one store share. */
export interface WriterContext {
  layout: StoreLayout;
  paths: StorePaths;
  /** By array; made once. */
  encoders: Promise<Record<LargeArray, Encoder>>;
}

/**
 * Writes one shard, image by image. Nothing of it is seen until `finish`; after an error of `add` or `finish`, and
 * after `discard`, nothing is left of it.
 */
export class ShardWriter {
  readonly shard: number;
  /** Images of the shard. */
  readonly images: number;
  readonly #context: WriterContext;
  readonly #token = newToken();
  readonly #states: ('added' | 'skipped' | undefined)[];
  readonly #files = new Map<LargeArray, ShardFile>();
  #folder: string | undefined;
  #ended = false;
  #last: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(context: WriterContext, shard: number) {
    const [from, to] = shardRange(context.layout, shard);
    this.#context = context;
    this.shard = shard;
    this.images = to - from;
    this.#states = new Array(this.images);
  }

  /**
   * Takes one image, at `position` in the shard. What is written goes on being written after this has ended.
   *
   * @throws SeedspanError `SHAPE_MISMATCH`, `INVALID_VALUE` (the position), `IO`.
   */
  async add(position: number, image: ImageValues): Promise<void> {
    this.#claimPosition(position);
    const values = { scores: image.scores, log_density: image.logDensity, initial: image.initial };
    const { layout } = this.#context;
    for (const array of LARGE_ARRAYS) {
      const length = imageLength(layout, array);
      if (values[array].length !== length)
        throw new SeedspanError(
          'SHAPE_MISMATCH',
          `${array} of an image must have ${length} values, not ${values[array].length}`,
          { array, length },
        );
    }
    await this.#orDiscard(async () => {
      await this.#begin();
      for (const array of LARGE_ARRAYS) await this.#files.get(array)!.append(position, values[array]);
    });
    this.#states[position] = 'added';
  }

  /** Leaves an image out: its values are NaN, and its record must say why. */
  skip(position: number): void {
    this.#claimPosition(position);
    this.#states[position] = 'skipped';
  }

  /**
   * Puts the shard in place, with its record last.
   *
   * @throws SeedspanError `INVALID_VALUE` where the report does not fit what was added; `IO`.
   */
  async finish(report: ShardReport): Promise<ShardCommit> {
    this.#checkOpen();
    const { paths, layout } = this.#context;
    const record: StoredRecord = { ...report, shard: this.shard, bytes: 0, commit: this.#token };
    const fault = recordFault(record, layout, this.shard) ?? this.#misfit(report);
    if (fault !== undefined)
      throw new SeedspanError('INVALID_VALUE', `shard ${this.shard}: ${fault}`, { shard: this.shard });
    await this.#orDiscard(async () => {
      if (await exists(paths.record(this.shard))) return;
      await this.#begin();
      const sizes = await Promise.all([...this.#files.values()].map((file) => file.finish()));
      record.bytes = sizes.reduce((sum, size) => sum + size, 0);
      await writeNew(join(this.#folder!, recordFile(this.#token)), JSON.stringify(record));
      while (!(await settleShard(paths, this.shard))) {
        // Where another's folder is there, that one is settled first, and if that fails it is out of the way.
        if (this.#folder === undefined) throw new Error('its files have disappeared');
        if (await claimShard(paths, this.shard, this.#folder, this.#token)) this.#folder = undefined;
      }
    });
    await this.discard();
    const standing = await readRecordFile(paths, layout, this.shard);
    if (standing === undefined)
      throw ioError('write', paths.record(this.shard), new Error('it was removed by somebody else'));
    const { commit, ...rest } = standing;
    return { outcome: commit === this.#token ? 'done' : 'already', record: rest };
  }

  /** Removes what was written; does nothing after `finish`. */
  async discard(): Promise<void> {
    this.#ended = true;
    for (const file of this.#files.values()) await file.close();
    this.#files.clear();
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  /** The folder and its files, at the first image. */
  async #begin(): Promise<void> {
    if (this.#folder !== undefined) return;
    const encoders = await this.#context.encoders;
    this.#folder = await makeTemporary(this.#context.paths.temporary, this.#token);
    for (const array of LARGE_ARRAYS) {
      const path = join(this.#folder, arrayFile(this.#token, array));
      const file = new ShardFile(path, encoders[array], this.#context.layout.shardImages);
      await file.open();
      this.#files.set(array, file);
    }
  }

  /** After whatever was asked before. */
  async #orDiscard(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(async () => {
      this.#checkOpen();
      await work();
    });
    this.#last = turn.catch(() => undefined);
    try {
      await turn;
    } catch (error) {
      await this.discard().catch(() => undefined); // the first error is the one to tell
      throw ioError(`write shard ${this.shard} of`, this.#context.paths.root, error);
    }
  }

  #checkOpen(): void {
    if (this.#ended)
      throw new SeedspanError('DISPOSED', `the writer of shard ${this.shard} has ended`, {
        shard: this.shard,
      });
  }

  #claimPosition(position: number): void {
    this.#checkOpen();
    if (!Number.isInteger(position) || position < 0 || position >= this.images)
      throw new SeedspanError(
        'INVALID_VALUE',
        `shard ${this.shard} has the positions 0 to ${this.images - 1}, not ${show(position)}`,
        { position },
      );
    if (this.#states[position] !== undefined)
      throw new SeedspanError(
        'INVALID_VALUE',
        `position ${position} of shard ${this.shard} was given before`,
        {
          position,
        },
      );
  }

  /** How a report and the images that were added contradict each other. */
  #misfit({ images }: ShardReport): string | undefined {
    for (let k = 0; k < this.images; k++) {
      const state = this.#states[k];
      if (state === undefined) return `the image at position ${k} was neither added nor skipped`;
      if ((images[k].status === 'failed') !== (state === 'skipped'))
        return `the image at position ${k} was ${state}, and its status is ${images[k].status}`;
    }
    return undefined;
  }
}
