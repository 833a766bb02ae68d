import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists, systemCode } from '../../node/files.ts';
import { namesIn, syncFolder } from './files.ts';
import { LARGE_ARRAYS } from './layout.ts';
import type { StorePaths } from './paths.ts';

/**
 * How a shard becomes part of the store, whoever dies when, and however many write it at once.
 *
 * 1. A writer puts its files, complete and on the disk, into a folder of its own. Their names begin with its token.
 * 2. It renames the folder to `commits/SHARD`. That fails where a folder with files is there already: of several
 *    writers one wins, by the file system alone and on any that knows `rename` (hard links are not needed).
 * 3. The winner, or whoever finds its folder, moves the files to their places and the record last. Each step may be
 *    done by anybody, once more, or after a crash: a token's file is moved once, and is then no longer there.
 *
 * So a record means that the whole shard of its writer is in place; and one that comes too late, after the folder has
 * gone, finds the record and throws its own away.
 */

export const recordFile = (token: string) => `${token}.json`;
export const arrayFile = (token: string, array: string) => `${token}.${array}`;

/** The writer whose files lie in a folder of `commits`. */
function tokenOf(names: readonly string[]): string | undefined {
  return names.map((name) => /^([0-9a-f]{16})\.json$/.exec(name)?.[1]).find((token) => token !== undefined);
}

/** Renames, unless somebody has: says whether `to` is there. */
async function moveOnce(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return exists(to);
  }
}

/**
 * Ends what a writer began: moves the files of `commits/SHARD` to their places. Says whether the shard has a record.
 */
export async function settleShard(paths: StorePaths, shard: number): Promise<boolean> {
  const folder = paths.commit(shard);
  const record = paths.record(shard);
  // In this order: a folder that is found after its shard got a record was renamed too late, and means nothing.
  const names = await namesIn(folder);
  if (await exists(record)) {
    if (names.length > 0) await rm(folder, { recursive: true, force: true });
    else await rmdir(folder).catch(() => undefined); // mostly there is none
    return true;
  }
  const token = tokenOf(names);
  if (token === undefined) {
    // Data without a record: a disk that lost a file, or one who cleans up. Without files nobody began.
    if (names.length > 0) await rm(folder, { recursive: true, force: true });
    return exists(record);
  }
  for (const array of LARGE_ARRAYS) {
    if (await moveOnce(join(folder, arrayFile(token, array)), paths.chunk(array, shard))) continue;
    await rm(folder, { recursive: true, force: true }); // its data are lost, so the shard is not done
    return exists(record);
  }
  await Promise.all(LARGE_ARRAYS.map((array) => syncFolder(dirname(paths.chunk(array, shard)))));
  const settled = await moveOnce(join(folder, recordFile(token)), record);
  await syncFolder(paths.records);
  await rmdir(folder).catch(() => undefined); // empty, gone, or taken by one who comes too late
  return settled;
}

/** Renames a writer's folder to `commits/SHARD`; `false` where another writer's is there. */
export async function claimShard(
  paths: StorePaths,
  shard: number,
  folder: string,
  token: string,
): Promise<boolean> {
  const target = paths.commit(shard);
  try {
    await rename(folder, target);
    return true;
  } catch (error) {
    const names = await readdir(target).catch((): string[] => []);
    // A file server may answer a request that it has fulfilled, and which was sent twice, with an error.
    if (names.includes(recordFile(token))) return true;
    // Another's was there; it may have been settled, and be gone, by now.
    if (names.length > 0 || ['ENOTEMPTY', 'EEXIST'].includes(systemCode(error))) return false;
    throw error;
  }
}
