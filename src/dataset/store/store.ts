import { rm } from 'node:fs/promises';
import { SeedspanError } from '../../errors.ts';
import { ioError } from '../../node/files.ts';
import type { ShardRecord } from '../types.ts';
import { createEncoders } from './encode.ts';
import { clearTemporary, fileSize, makeTemporary, namesIn, newToken } from './files.ts';
import { checkShard, LARGE_ARRAYS, type StoreLayout, shardCount } from './layout.ts';
import { type StorePaths, shardOfName } from './paths.ts';
import { readRecordFile } from './records.ts';
import { settleShard } from './shard-commit.ts';
import { ShardWriter, type WriterContext } from './shard-writer.ts';

/** A run's store: a Zarr v3 group, and what seedspan keeps in it. Made by `createStore` and `openStore`. */
export class Store {
  /** Absolute. */
  readonly path: string;
  readonly layout: Readonly<StoreLayout>;
  /** Of the group, under `seedspan`. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** How many shards there are. */
  readonly shards: number;
  /** @internal */
  readonly paths: StorePaths;
  #context: WriterContext | undefined;

  /** @internal */
  constructor(paths: StorePaths, layout: StoreLayout, attributes: Record<string, unknown>) {
    this.path = paths.root;
    this.paths = paths;
    this.layout = layout;
    this.attributes = attributes;
    this.shards = shardCount(layout);
  }

  /**
   * Begins a shard. Nothing touches the disk before the first image.
   *
   * @throws SeedspanError `INVALID_VALUE` for a shard that does not exist.
   */
  writeShard(shard: number): ShardWriter {
    checkShard(this.layout, shard);
    if (this.#context === undefined) {
      const encoders = createEncoders(this.layout);
      encoders.catch(() => undefined); // told by `add`
      this.#context = { layout: this.layout, paths: this.paths, encoders };
    }
    return new ShardWriter(this.#context, shard);
  }

  /** Whether a shard is done; one whose writer died in the last step is put in place first. */
  async isDone(shard: number): Promise<boolean> {
    checkShard(this.layout, shard);
    return this.#io('look at', () => settleShard(this.paths, shard));
  }

  /** Numbers of the shards that are done, ascending; see {@link isDone}. */
  async doneShards(): Promise<number[]> {
    return this.#io('read', async () => {
      for (const shard of this.#shardsOf(await namesIn(this.paths.commits)))
        await settleShard(this.paths, shard);
      const names = await namesIn(this.paths.records);
      return this.#shardsOf(
        names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length)),
      );
    });
  }

  /**
   * What was written of a shard that is done; `undefined` of one that is not.
   *
   * @throws SeedspanError `BAD_FORMAT` where it is damaged. The shard is done again after {@link forget}.
   */
  async readRecord(shard: number): Promise<ShardRecord | undefined> {
    checkShard(this.layout, shard);
    const stored = await readRecordFile(this.paths, this.layout, shard);
    if (stored === undefined) return undefined;
    const { commit: _, ...record } = stored;
    return record;
  }

  /**
   * What was written of a shard; a damaged record is forgotten, so that its shard is done again.
   *
   * @param onDamage - Told what is wrong with it.
   */
  async readOrForget(
    shard: number,
    onDamage: (reason: string) => void = () => undefined,
  ): Promise<ShardRecord | undefined> {
    try {
      return await this.readRecord(shard);
    } catch (error) {
      if (!(error instanceof SeedspanError && error.code === 'BAD_FORMAT')) throw error;
      onDamage(error.message);
      await this.forget(shard);
      return undefined;
    }
  }

  /** Makes a shard one that is not done. Its chunks stay until it is done again. */
  async forget(shard: number): Promise<void> {
    checkShard(this.layout, shard);
    await this.#io('change', () => rm(this.paths.record(shard), { force: true }));
  }

  /**
   * Removes what dead writers left behind: those of this machine, or with `everyone`, which is for a driver whose run
   * has ended, those of all machines. A writer that still works then fails, and finds its shard done.
   */
  async clearTemporary({ everyone = false }: { everyone?: boolean } = {}): Promise<void> {
    await this.#io('clear', () => clearTemporary(this.paths.temporary, everyone));
  }

  /** A folder of this process's own, for what is to be moved into the store; `clearTemporary` removes it when it is dead. */
  async temporaryFolder(): Promise<string> {
    return this.#io('write to', () => makeTemporary(this.paths.temporary, newToken()));
  }

  /** Whether the files of a shard that is done are as long as its record says; else they were damaged since. */
  async isWhole({ shard, bytes }: Pick<ShardRecord, 'shard' | 'bytes'>): Promise<boolean> {
    return this.#io('look at', async () => {
      const sizes = await Promise.all(LARGE_ARRAYS.map((array) => fileSize(this.paths.chunk(array, shard))));
      return sizes.reduce((sum, size) => sum + size, 0) === bytes;
    });
  }

  #shardsOf(names: readonly string[]): number[] {
    return names
      .map(shardOfName)
      .filter((shard): shard is number => shard !== undefined && shard < this.shards)
      .sort((a, b) => a - b);
  }

  async #io<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw ioError(`${what} the store`, this.path, error);
    }
  }
}
