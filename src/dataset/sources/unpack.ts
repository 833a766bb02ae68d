import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { SeedspanError } from '../../errors.ts';
import { exists, ioError, systemCode } from '../../node/files.ts';
import type { ByteRange } from './byte-range.ts';
import { unpackedName } from './kinds.ts';
import type { CatalogueOptions } from './types.ts';

const LEAST_LIMIT = 64 * 2 ** 20;
const RATIO = 200;

/**
 * Unpacks a gzip file into the staging folder, whole or not at all, once: what is there from an earlier time is
 * taken, as long as the packed file is the same (path, size, time of change).
 *
 * @returns The unpacked file's path.
 * @throws SeedspanError `BAD_FORMAT` (damaged, cut off), `INVALID_VALUE` (over the limit, no staging folder), `IO`;
 *   the signal's reason.
 */
export async function unpackGzip(packed: ByteRange, options: CatalogueOptions): Promise<string> {
  const { staging, signal } = options;
  if (staging === undefined) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${packed.name} is compressed: unpack it with gunzip, or name a staging folder`,
      { source: packed.name },
    );
  }
  if (packed.length === 0) {
    throw new SeedspanError('BAD_FORMAT', `${packed.name} is empty`, { source: packed.name });
  }
  const limit = options.maxUnpackedBytes ?? Math.max(LEAST_LIMIT, RATIO * packed.length);
  let temporary: string | undefined;
  try {
    await mkdir(staging, { recursive: true });
    const { mtimeMs } = await stat(packed.path);
    const identity = JSON.stringify([packed.path, packed.offset, packed.length, mtimeMs]);
    const key = createHash('sha256').update(identity).digest('hex').slice(0, 16);
    // An archive's names lead anywhere; of them only what is harmless in a file's name is used.
    const readable = unpackedName(basename(packed.name))
      .replace(/[^A-Za-z0-9._-]/g, '_')
      .slice(-80);
    const target = join(staging, `${key}-${readable}`);
    if (await exists(target)) return target;
    temporary = join(staging, `.${key}.new-${process.pid}-${randomBytes(4).toString('hex')}`);
    await gunzip(packed, temporary, limit, signal);
    await rename(temporary, target);
    return target;
  } catch (error) {
    if (temporary !== undefined) await rm(temporary, { force: true });
    signal?.throwIfAborted();
    throw ioError('unpack', packed.path, error);
  }
}

async function gunzip(
  packed: ByteRange,
  temporary: string,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { name, path, offset, length } = packed;
  const file = await open(temporary, 'wx');
  let written = 0;
  // A stream, not a function at the end: what that throws, Node 20 turns into "aborted".
  const target = new Writable({
    write: (chunk: Uint8Array, _, done) => {
      written += chunk.length;
      if (written > limit) {
        done(
          new SeedspanError(
            'INVALID_VALUE',
            `${name} unpacks to over ${limit} bytes, the limit (it has ${length} packed); if that is right, unpack it with gunzip`,
            { source: name, limit, packed: length },
          ),
        );
        return;
      }
      file.writeFile(chunk).then(() => done(), done);
    },
  });
  try {
    await pipeline(
      createReadStream(path, { start: offset, end: offset + length - 1, highWaterMark: 2 ** 18 }),
      createGunzip({ chunkSize: 2 ** 18 }),
      target,
      { signal },
    );
    await file.sync();
  } catch (cause) {
    const code = systemCode(cause);
    if (!code.startsWith('Z_')) throw cause;
    const reason = cause instanceof Error ? cause.message : code;
    throw new SeedspanError('BAD_FORMAT', `cannot unpack ${name}: ${reason}`, { source: name }, { cause });
  } finally {
    await file.close();
  }
}
