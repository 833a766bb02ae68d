import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { checkOptionNames, SeedspanError } from '../errors.ts';
import { exists, ioError, systemCode } from './files.ts';

/**
 * Temporary names lie beside the target, on the same file system, so that a rename is atomic. They carry the
 * machine and process, so that leftovers of a killed process can be told from the work of a living one.
 */
export const HOST = hostname().replace(/[^A-Za-z0-9]/g, '');

type TemporaryKind = 'new' | 'old';

export function temporaryPath(target: string, kind: TemporaryKind): string {
  const unique = randomBytes(4).toString('hex');
  return join(dirname(target), `.${basename(target)}.${kind}-${HOST}-${process.pid}-${unique}`);
}

/** Whether a process of this machine runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

/** Removes what killed processes left beside the target; an old output whose new one never came is put back. */
async function clearLeftovers(target: string): Promise<void> {
  const prefix = `.${basename(target)}.`;
  const folder = dirname(target);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue;
    const match = /^(new|old)-([A-Za-z0-9]*)-(\d+)-[0-9a-f]{8}$/.exec(name.slice(prefix.length));
    if (match === null || match[2] !== HOST || isAlive(Number(match[3]))) continue;
    const leftover = join(folder, name);
    if (match[1] === 'old' && !(await exists(target))) await rename(leftover, target);
    else await rm(leftover, { recursive: true, force: true });
  }
}

/** The place to write to: made absolute, and where it is a link, what the link points to. */
async function locate(path: string): Promise<string> {
  const target = resolve(path);
  const folder = await stat(dirname(target)).catch((error: unknown) => {
    throw ioError('write to the folder', dirname(target), error);
  });
  if (!folder.isDirectory()) {
    throw new SeedspanError('IO', `cannot write ${target}: ${dirname(target)} is not a folder`, {
      path: target,
    });
  }
  if (!(await exists(target))) return target;
  return realpath(target).catch((error: unknown) => {
    throw ioError('write', target, error);
  });
}

/** A new file, on the disk when this ends. */
export async function writeNew(path: string, bytes: Uint8Array | string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync(); // else a rename could outlive its content when the power fails
  } finally {
    await file.close();
  }
}

/** Puts `temporary` where `target` is; an old target is moved away first, and back if that fails. */
async function replace(temporary: string, target: string): Promise<void> {
  if (!(await exists(target))) return rename(temporary, target);
  const old = temporaryPath(target, 'old');
  await rename(target, old);
  try {
    await rename(temporary, target);
  } catch (error) {
    await rename(old, target);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

function refuseExisting(target: string): SeedspanError {
  return new SeedspanError(
    'EXISTS',
    `${target} exists already; choose another name, or replace it with the option force`,
    {
      path: target,
    },
  );
}

/** What may be replaced. */
export interface OutputOptions {
  /** Replace what exists, once the new one is whole. Default false: refuse it. */
  force?: boolean;
}

/** What may be replaced or removed. */
export interface OutputFolderOptions extends OutputOptions {
  /**
   * A file that every output of this kind has. With it, `force` replaces a folder that has this file or is empty,
   * and refuses any other, so that a mistyped name does not cost a folder of something else.
   */
  marker?: string;
}

/** A folder in the making. Nothing is seen under its name until `commit`. */
export interface OutputFolder {
  /** Where it will lie. */
  readonly path: string;
  /** Where it lies until `commit`, for what is written there by others. */
  readonly temporary: string;
  /** Writes one file, `/` between folders. Throws `IO`, or `INVALID_VALUE` for a path that leads outside. */
  write(path: string, bytes: Uint8Array | string): Promise<void>;
  /** Moves the whole folder to its place. Throws `IO`, or `EXISTS` where something has appeared there. */
  commit(): Promise<void>;
  /** Removes what was written; does nothing after `commit`. */
  discard(): Promise<void>;
}

async function checkReplaceable(
  target: string,
  { force = false, marker }: OutputFolderOptions,
): Promise<void> {
  if (!(await exists(target))) return;
  if (!force) throw refuseExisting(target);
  if (!(await stat(target)).isDirectory()) {
    throw new SeedspanError('EXISTS', `${target} is a file; an output folder cannot replace it`, {
      path: target,
    });
  }
  const names = await readdir(target);
  if (marker !== undefined && names.length > 0 && !names.includes(marker)) {
    throw new SeedspanError(
      'EXISTS',
      `${target} holds other files and no ${marker}, so it is not an earlier output and is not replaced; choose another name`,
      { path: target, marker },
    );
  }
}

/**
 * Begins an output folder under a temporary name beside its place. So it is known at once whether writing is
 * possible, an earlier output stays until the new one is whole, and a failure leaves nothing half-written.
 *
 * The folder that it lies in must exist. What killed processes left behind is removed.
 *
 * @throws SeedspanError `EXISTS`; `IO` where it cannot be written; `UNKNOWN_OPTION`.
 */
export async function openOutput(path: string, options: OutputFolderOptions = {}): Promise<OutputFolder> {
  checkOptionNames('openOutput', options, ['force', 'marker']);
  const target = await locate(path);
  const temporary = temporaryPath(target, 'new');
  try {
    await clearLeftovers(target);
    await checkReplaceable(target, options);
    await mkdir(temporary);
  } catch (error) {
    throw ioError('write the folder', target, error);
  }
  return {
    path: target,
    temporary,
    async write(file, bytes) {
      const full = resolve(temporary, file);
      if (!full.startsWith(temporary + sep)) {
        throw new SeedspanError('INVALID_VALUE', `the file name ${file} leads out of the output folder`, {
          path: file,
        });
      }
      try {
        await mkdir(dirname(full), { recursive: true });
        await writeNew(full, bytes);
      } catch (error) {
        throw ioError('write', join(target, file), error);
      }
    },
    async commit() {
      try {
        await checkReplaceable(target, options);
        if (options.force) await replace(temporary, target);
        else await rename(temporary, target);
      } catch (error) {
        // Another one came first, since it was looked at.
        if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(error))) throw refuseExisting(target);
        throw ioError('write the folder', target, error);
      }
    },
    async discard() {
      await rm(temporary, { recursive: true, force: true });
    },
  };
}

/**
 * Checks that a file may be written, before the work whose result goes there.
 *
 * @throws SeedspanError `EXISTS` (and `force` is not set, or it is a folder); `IO` where its folder is missing;
 *   `UNKNOWN_OPTION`.
 */
export async function checkOutputFile(path: string, options: OutputOptions = {}): Promise<void> {
  checkOptionNames('checkOutputFile', options, ['force']);
  const target = await locate(path);
  if (!(await exists(target))) return;
  if (options.force !== true) throw refuseExisting(target);
  if ((await stat(target)).isDirectory()) {
    throw new SeedspanError('EXISTS', `${target} is a folder; a file cannot replace it`, { path: target });
  }
}

/**
 * Writes one file whole: under a temporary name beside its place, then renamed.
 *
 * @throws SeedspanError as {@link checkOutputFile} does; `IO` where it cannot be written.
 */
export async function writeFileWhole(
  path: string,
  bytes: Uint8Array | string,
  options: OutputOptions = {},
): Promise<void> {
  await checkOutputFile(path, options);
  const target = await locate(path);
  const temporary = temporaryPath(target, 'new');
  try {
    await clearLeftovers(target);
    await writeNew(temporary, bytes);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw ioError('write', target, error);
  }
}
