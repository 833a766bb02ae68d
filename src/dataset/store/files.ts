import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SeedspanError } from '../../errors.ts';
import { ioError, systemCode } from '../../node/files.ts';
import { HOST, isAlive } from '../../node/output.ts';

/**
 * Which numbering of processes this one is in: containers of one machine have each their own, under what may be one
 * host name. '0' where the system has no such thing.
 */
export const PROCESS_NAMESPACE = ((): string => {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
})();

/** No two are alike. */
export const newToken = () => randomBytes(8).toString('hex');

/** Bytes of a file; 0 where there is none. */
export async function fileSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** Names in a folder; none where it is not there. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Reads a file of at most `limit` bytes; `undefined` where there is none. */
export async function readLimited(path: string, limit: number): Promise<Uint8Array | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw ioError('read', path, error);
  }
  try {
    const { size } = await file.stat();
    if (size > limit)
      throw new SeedspanError('BAD_FORMAT', `${path} has ${size} bytes; at most ${limit} can be right`, {
        path,
      });
    return await file.readFile();
  } catch (error) {
    throw ioError('read', path, error);
  } finally {
    await file.close();
  }
}

export async function readText(path: string, limit: number): Promise<string | undefined> {
  const bytes = await readLimited(path, limit);
  return bytes && new TextDecoder().decode(bytes);
}

/** Where folders cannot be synchronised, their entries are on the disk when the system thinks fit. */
const NO_SYNC = ['EINVAL', 'EPERM', 'EISDIR', 'ENOTSUP', 'EACCES', 'EBADF'];

/** Puts the names in a folder on the disk, so that a rename outlives a power failure. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!NO_SYNC.includes(systemCode(error))) throw error;
  }
}

/** Makes a folder of one writer's own, whose name says whose, so that it can be told when that one is dead. */
export async function makeTemporary(parent: string, token: string): Promise<string> {
  const folder = join(parent, `${HOST}-${PROCESS_NAMESPACE}-${process.pid}-${token}`);
  await mkdir(folder, { recursive: true });
  return folder;
}

/** Removes folders of {@link makeTemporary}: of dead processes of this machine, or of everyone. */
export async function clearTemporary(parent: string, everyone: boolean): Promise<void> {
  for (const name of await namesIn(parent)) {
    const match = /^([A-Za-z0-9]*)-(\d+)-(\d+)-[0-9a-f]{16}$/.exec(name);
    const dead =
      match !== null && match[1] === HOST && match[2] === PROCESS_NAMESPACE && !isAlive(Number(match[3]));
    if (dead || everyone) await rm(join(parent, name), { recursive: true, force: true });
  }
}
