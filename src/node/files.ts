import { lstat, readFile as read } from 'node:fs/promises';
import { SeedspanError, withPlace } from '../errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'a part of its path is a file, not a folder',
  EISDIR: 'it is a folder, not a file',
  EACCES: 'permission is denied',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the disk quota is used up',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'its name is too long',
  ERR_FS_FILE_TOO_LARGE: 'it is over 2 GiB',
};

/** The system's code of a failed file operation (`ENOENT`), or '' for any other error. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** A file operation that failed, in plain words. Errors that are ours already pass through. */
export function ioError(what: string, path: string, cause: unknown): SeedspanError {
  if (cause instanceof SeedspanError) return cause;
  const system = systemCode(cause);
  const reason = REASONS[system] ?? (cause instanceof Error ? cause.message : String(cause));
  return new SeedspanError('IO', `cannot ${what} ${path}: ${reason}`, { path, system }, { cause });
}

/** Whether something has that name, a link that leads nowhere too. */
export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw ioError('look at', path, error);
  }
}

/**
 * Reads a whole file.
 *
 * @throws SeedspanError `IO`, naming the file and the reason.
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await read(path);
  } catch (error) {
    throw ioError('read', path, error);
  }
}

/**
 * Reads a file and makes something of its bytes; errors of `parse` get the file's name.
 *
 * @throws SeedspanError `IO`, or what `parse` throws.
 */
export async function readParsed<T>(path: string, parse: (bytes: Uint8Array) => T | Promise<T>): Promise<T> {
  const bytes = await readBytes(path);
  try {
    return await parse(bytes);
  } catch (error) {
    if (!(error instanceof SeedspanError)) throw error;
    throw withPlace(error, path, { path });
  }
}
