import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { checkOptionNames, SeedspanError, withPlace } from '../../errors.ts';
import { type ReadAt, readTarEntries, tarLabel } from '../../formats/index.ts';
import { ioError, systemCode } from '../../node/files.ts';
import { PICTURE_EXTENSIONS } from '../../node/pictures.ts';
import type { ByteRange } from './byte-range.ts';
import { listCifar, listIdx, listNpy } from './containers.ts';
import { kindByContent, kindByName, unpackedName } from './kinds.ts';
import { OpenFiles } from './open-files.ts';
import type { CatalogueEntry, CatalogueOptions } from './types.ts';
import { unpackGzip } from './unpack.ts';
import { isPattern, matchPattern, walkFolder } from './walk.ts';

/** Archives in archives, and compressed files: deeper ones are taken for a bomb. */
const MAX_DEPTH = 4;
/** Headers of small members come in one piece. */
const WINDOW = 16 * 1024;

interface Listing {
  files: OpenFiles;
  options: CatalogueOptions;
}

/**
 * Finds the images of a data set, in the order of the inputs, and reads none of them but for the headers of
 * containers. An input is
 *
 * - a file: a picture of any extension; a container, known by its name, else by its content: `.npy` of shape
 *   (n, C, H, W), of f4, f8 or u1, C order; IDX of shape (n, H, W), unsigned bytes; CIFAR-10 or CIFAR-100 `.bin`; a
 *   tar archive;
 * - a folder: what has a picture's or container's name in it and in the folders below, sorted by path, hidden ones
 *   left out; IDX labels (`idx1`) are left out, and CIFAR's `test_batch.bin` is not;
 * - an archive: likewise, in the archive's order, archives in it too; links (hard ones, too) and devices are left out, files with
 *   holes refused;
 * - a pattern (`photographs/*.jpg`, by tinyglobby), where nothing has this very name: likewise, sorted;
 * - any of these compressed by gzip (`.gz`, `.tgz`): unpacked once into the staging folder.
 *
 * A picture's name has its folder's before it (often its class), a container's has not.
 *
 * Memory: the names of one folder, or of one pattern's files.
 *
 * @throws SeedspanError `IO` (not there, cannot be read, no images in it), `BAD_FORMAT` (damaged container),
 *   `SHAPE_MISMATCH` (a container's images are not of the wanted size or number of channels), `INVALID_VALUE` (not a
 *   file, over a limit), `UNKNOWN_OPTION`, `UNSUPPORTED` (tinyglobby is missing); the signal's reason.
 */
export async function* catalogue(
  inputs: readonly string[],
  options: CatalogueOptions,
): AsyncGenerator<CatalogueEntry, void, undefined> {
  checkOptionNames('catalogue', options, ['wanted', 'staging', 'maxUnpackedBytes', 'signal']);
  if (!Array.isArray(inputs) || inputs.length === 0) {
    throw new SeedspanError('INVALID_VALUE', 'catalogue: give at least one input');
  }
  const files = new OpenFiles();
  try {
    for (const input of inputs as readonly string[]) {
      let found = false;
      for await (const entry of listInput(input, { files, options })) {
        options.signal?.throwIfAborted();
        found = true;
        yield entry;
      }
      if (!found) throw noImages(input);
    }
  } finally {
    await files.close();
  }
}

function noImages(input: string): SeedspanError {
  return new SeedspanError(
    'IO',
    `${input} has no images; looked for: ${PICTURE_EXTENSIONS.map((e) => `*${e}`).join(', ')}, *.npy, *.bin (CIFAR), *-idx3-ubyte, *.tar, and these with .gz`,
    { path: input },
  );
}

async function* listInput(input: string, listing: Listing): AsyncGenerator<CatalogueEntry> {
  const { signal } = listing.options;
  let kind: Awaited<ReturnType<typeof stat>>;
  try {
    kind = await stat(input);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || !(await isPattern(input))) throw ioError('read', input, error);
    for (const path of await matchPattern(input, signal))
      yield* listPath(path, labelOf(path), false, listing);
    return;
  }
  if (!kind.isDirectory()) {
    yield* listPath(input, labelOf(input), true, listing);
    return;
  }
  const folder = resolve(input);
  for await (const { path, name } of walkFolder(folder, signal)) {
    yield* listPath(path, `${basename(folder)}/${name}`, false, listing);
  }
}

function labelOf(path: string): string {
  const absolute = resolve(path);
  const isContainer = (kindByName(absolute) ?? 'picture') !== 'picture';
  return isContainer ? basename(absolute) : `${basename(dirname(absolute))}/${basename(absolute)}`;
}

async function* listPath(
  path: string,
  name: string,
  outright: boolean,
  listing: Listing,
): AsyncGenerator<CatalogueEntry> {
  const found = await stat(path).catch((error: unknown) => {
    throw ioError('read', path, error);
  });
  if (!found.isFile()) throw new SeedspanError('INVALID_VALUE', `${path} is not a file`, { path });
  yield* listFile({ name, path: resolve(path), offset: 0, length: found.size, outright, depth: 0 }, listing);
}

async function* listFile(file: ByteRange, listing: Listing): AsyncGenerator<CatalogueEntry> {
  const { files, options } = listing;
  const { name, path, offset, length } = file;
  if (file.depth > MAX_DEPTH) {
    throw new SeedspanError('BAD_FORMAT', `${name} is packed over ${MAX_DEPTH} times`, { source: name });
  }
  const byName = kindByName(name);
  const kind =
    byName ??
    (file.outright ? kindByContent(await files.read(path, offset, Math.min(512, length))) : undefined);
  if (kind === 'picture') yield { name, kind, path, offset, length, count: 1 };
  else if (kind === 'npy') yield await listNpy(file, files, options.wanted);
  else if (kind === 'cifar') yield await listCifar(file, options.wanted);
  else if (kind === 'tar') yield* listTar(file, listing);
  else if (kind === 'gzip') yield* listGzip(file, listing);
  else if (kind === 'idx') {
    const entry = await listIdx(file, files, options.wanted);
    if (entry !== undefined) yield entry;
  }
}

async function* listGzip(file: ByteRange, listing: Listing): AsyncGenerator<CatalogueEntry> {
  const path = await unpackGzip(file, listing.options);
  const { size } = await stat(path).catch((error: unknown) => {
    throw ioError('read', path, error);
  });
  const name = unpackedName(file.name);
  yield* listFile({ ...file, name, path, offset: 0, length: size, depth: file.depth + 1 }, listing);
}

/** Members are byte ranges of the archive: nothing is unpacked. */
async function* listTar(archive: ByteRange, listing: Listing): AsyncGenerator<CatalogueEntry> {
  const { name, path, offset, length } = archive;
  const entries = readTarEntries(windowed(archive, listing.files), length);
  for (;;) {
    const next = await entries.next().catch((error: unknown) => {
      if (!(error instanceof SeedspanError) || error.code === 'IO') throw error;
      throw withPlace(error, name, { source: name, path });
    });
    if (next.done === true) return;
    listing.options.signal?.throwIfAborted();
    const { value: entry } = next;
    const label = tarLabel(entry.name);
    const isHidden = label.split('/').some((part) => part.startsWith('.'));
    if (isHidden) continue;
    if (entry.type === 'sparse' && kindByName(label) !== undefined) {
      throw new SeedspanError(
        'BAD_FORMAT',
        `${name}/${label} is stored with holes, which are not read: pack the archive without --sparse`,
        { source: `${name}/${label}`, path },
      );
    }
    if (entry.type !== 'file') continue;
    yield* listFile(
      {
        name: `${name}/${label}`,
        path,
        offset: offset + entry.offset,
        length: entry.size,
        outright: false,
        depth: archive.depth + 1,
      },
      listing,
    );
  }
}

/** Reads an archive a window at a time. */
function windowed({ path, offset, length }: ByteRange, files: OpenFiles): ReadAt {
  let start = 0;
  let window: Uint8Array = new Uint8Array(0);
  return async (at, size) => {
    if (at < start || at + size > start + window.length) {
      window = await files.read(path, offset + at, Math.min(Math.max(size, WINDOW), length - at));
      start = at;
    }
    return window.subarray(at - start, at - start + size);
  };
}
