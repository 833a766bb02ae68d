import { type FileHandle, open } from 'node:fs/promises';
import { SeedspanError } from '../../errors.ts';
import { ioError } from '../../node/files.ts';

/** Files that stay open, read or not; a reader of one data set needs few. */
const KEPT = 16;

interface OpenFile {
  handle: Promise<FileHandle>;
  users: number;
}

/** Reads from files by place, and keeps the last ones open. */
export class OpenFiles {
  /** The last used at the end. */
  readonly #files = new Map<string, OpenFile>();

  /**
   * Reads `length` bytes from `offset`; fewer where the file ends.
   *
   * @throws SeedspanError `IO`, naming the file.
   */
  async read(path: string, offset: number, length: number): Promise<Uint8Array> {
    const file = this.#files.get(path) ?? { handle: open(path), users: 0 };
    this.#files.delete(path);
    this.#files.set(path, file);
    file.users++;
    try {
      return await readFully(await file.handle, offset, length);
    } catch (error) {
      // Nothing of a file that failed is kept: it may have come back under another handle.
      if (this.#files.get(path) === file) this.#files.delete(path);
      throw ioError('read', path, error);
    } finally {
      file.users--;
      if (file.users === 0 && this.#files.get(path) !== file) await closeQuietly(file);
      await this.#closeIdle(KEPT);
    }
  }

  /** Closes what is open. It may be used again after it. */
  async close(): Promise<void> {
    await this.#closeIdle(0);
  }

  async #closeIdle(kept: number): Promise<void> {
    const idle = [...this.#files].filter(([, file]) => file.users === 0);
    const surplus = idle.slice(0, Math.max(0, this.#files.size - kept));
    for (const [path] of surplus) this.#files.delete(path);
    for (const [, file] of surplus) await closeQuietly(file);
  }
}

/** Of files that were only read nothing can be lost; one that was never opened has told so already. */
async function closeQuietly({ handle }: OpenFile): Promise<void> {
  await handle.then((file) => file.close()).catch(() => undefined);
}

/** Reads until `length` bytes are there, or the file ends. */
async function readFully(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done < length ? bytes.subarray(0, done) : bytes;
}

/**
 * Reads a whole file of the length that it had when it was listed.
 *
 * @throws SeedspanError `IO`; `BAD_FORMAT` where it has another length.
 */
export async function readUnchanged(path: string, length: number, name: string): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path);
    const { size } = await handle.stat();
    if (size === length) return await readFully(handle, 0, length);
    throw changed(name, path, `it has ${size} bytes, and had ${length}`);
  } catch (error) {
    throw ioError('read', path, error);
  } finally {
    await handle?.close();
  }
}

/** The error for a file that is not what the catalogue says. */
export function changed(name: string, path: string, what: string): SeedspanError {
  return new SeedspanError('BAD_FORMAT', `${name}: ${path} was changed since it was listed: ${what}`, {
    source: name,
    path,
  });
}
