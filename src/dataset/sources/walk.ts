import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SeedspanError } from '../../errors.ts';
import { ioError } from '../../node/files.ts';
import { loadPeer } from '../../peers.ts';
import { kindByName } from './kinds.ts';

/** A file below a folder. */
export interface FoundFile {
  path: string;
  /** From the folder, with slashes. */
  name: string;
}

/**
 * The files of a folder and of those below it whose names are those of images, in the order of their paths (by code
 * unit, folder by folder). Hidden files and folders are left out. Links are followed; one that leads back to a
 * folder around it is refused.
 *
 * Memory: the names of one folder at each depth.
 */
export async function* walkFolder(folder: string, signal?: AbortSignal): AsyncGenerator<FoundFile> {
  yield* walk(folder, '', [], signal);
}

async function* walk(
  folder: string,
  prefix: string,
  above: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<FoundFile> {
  const identity = await identify(folder);
  if (above.includes(identity)) {
    throw new SeedspanError('INVALID_VALUE', `${folder} is a link to a folder that it lies in; remove it`, {
      path: folder,
    });
  }
  const around = [...above, identity];
  for (const name of await listNames(folder)) {
    signal?.throwIfAborted();
    const isFolder = name.endsWith('/');
    const bare = isFolder ? name.slice(0, -1) : name;
    const path = join(folder, bare);
    if (isFolder) yield* walk(path, `${prefix}${bare}/`, around, signal);
    else yield { path, name: prefix + bare };
  }
}

async function identify(folder: string): Promise<string> {
  try {
    const { dev, ino } = await stat(folder, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    throw ioError('read the folder', folder, error);
  }
}

/** Names of a folder, sorted; folders with a slash at their end. Strings only: a folder may have a million. */
async function listNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of await opendir(folder, { bufferSize: 1024 })) {
      if (entry.name.startsWith('.')) continue;
      const isFolder =
        entry.isDirectory() || (!entry.isFile() && (await isFolderByLink(join(folder, entry.name))));
      if (isFolder) names.push(`${entry.name}/`);
      else if (kindByName(entry.name) !== undefined) names.push(entry.name);
    }
  } catch (error) {
    throw ioError('read the folder', folder, error);
  }
  return names.sort();
}

/** For links, and file systems that do not tell kinds. A link that leads nowhere is told of when it is opened. */
async function isFolderByLink(path: string): Promise<boolean> {
  return stat(path).then(
    (target) => target.isDirectory(),
    () => false,
  );
}

/** Whether a path that does not exist can be meant as a pattern. */
export async function isPattern(path: string): Promise<boolean> {
  return (await loadGlob()).isDynamicPattern(path);
}

/** The files that a pattern matches, whose names are those of images, sorted; hidden files are left out. */
export async function matchPattern(pattern: string, signal?: AbortSignal): Promise<string[]> {
  const { glob } = await loadGlob();
  const paths = await glob(pattern, {
    expandDirectories: false,
    ...(signal === undefined ? {} : { signal }),
  });
  signal?.throwIfAborted();
  return paths.filter((path) => kindByName(path) !== undefined).sort();
}

async function loadGlob() {
  return loadPeer('tinyglobby', 'for patterns of file names', () => import('tinyglobby'));
}
