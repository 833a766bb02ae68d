import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { checkOptionNames, SeedspanError, withPlace } from '../../errors.ts';
import { exists, ioError, systemCode } from '../../node/files.ts';
import { openOutput } from '../../node/output.ts';
import { readLimited, readText, syncFolder } from './files.ts';
import {
  checkLayout,
  checkTimes,
  imageShape,
  LARGE_ARRAYS,
  type LargeArray,
  type StoreLayout,
} from './layout.ts';
import { METADATA_FILES, parseStoreMetadata, storeMetadata } from './metadata.ts';
import { PRIVATE, storePaths } from './paths.ts';
import { Store } from './store.ts';

/** A metadata file longer than this is not read. */
const MAX_METADATA_BYTES = 2 ** 24;

export interface CreateStoreOptions {
  /** Of the group, under the key `seedspan`: what users want to know of a run. JSON. */
  attributes?: Record<string, unknown>;
  /** Contents of files in the store's folder `.seedspan`, by name. */
  files?: Record<string, string | Uint8Array>;
  /** Writes more, and larger files into the folder it is given, which will be `.seedspan`. */
  fill?: (folder: string) => Promise<void>;
}

/**
 * Makes a store in which no shard is done: whole or not at all. Of two that make the same one at once, one does.
 *
 * @throws SeedspanError `EXISTS` where something has that name; `INVALID_VALUE` or `SHAPE_MISMATCH` for a layout that
 *   cannot be; `IO`; what `fill` throws.
 */
export async function createStore(
  path: string,
  layout: StoreLayout,
  options: CreateStoreOptions = {},
): Promise<Store> {
  checkOptionNames('createStore', options, ['attributes', 'files', 'fill']);
  checkLayout(layout);
  checkTimes(layout);
  const output = await openOutput(path);
  try {
    const { times, ...shape } = layout;
    const texts = storeMetadata(shape, options.attributes ?? {});
    for (const [file, text] of Object.entries(texts)) await output.write(file, text);
    await output.write('time/c.0', new Uint8Array(Float64Array.from(times).buffer));
    for (const [file, content] of Object.entries(options.files ?? {}))
      await output.write(join(PRIVATE, file), content);
    for (const folder of ['temporary', 'commits', 'records'])
      await mkdir(join(output.temporary, PRIVATE, folder), { recursive: true });
    await options.fill?.(join(output.temporary, PRIVATE));
    await output.commit();
    await syncFolder(dirname(output.path));
  } catch (error) {
    await output.discard();
    throw ioError('make the store', output.path, error);
  }
  return openStore(output.path);
}

/**
 * Opens a store, and checks all its metadata.
 *
 * @throws SeedspanError `IO` where there is none; `BAD_FORMAT`, saying which file is wrong, and how.
 */
export async function openStore(path: string): Promise<Store> {
  const root = resolve(path);
  await readFile(join(root, 'zarr.json')).catch(async (error: unknown) => {
    if (systemCode(error) === 'ENOENT' && (await exists(root))) {
      throw new SeedspanError('IO', `${root} is no store: it has no zarr.json`, {
        path: root,
        system: 'ENOENT',
      });
    }
    throw ioError('open the store', root, error);
  });
  const texts: Record<string, string | undefined> = {};
  for (const file of METADATA_FILES) texts[file] = await readText(join(root, file), MAX_METADATA_BYTES);
  const { shape, attributes } = parseMetadata(root, texts);
  const times = await readLimited(join(root, 'time/c.0'), 8 * shape.levels);
  if (times?.length !== 8 * shape.levels)
    throw new SeedspanError(
      'BAD_FORMAT',
      `${join(root, 'time/c.0')}: it must have ${8 * shape.levels} bytes`,
      {
        path: root,
      },
    );
  const layout: StoreLayout = { ...shape, times: Array.from(new Float64Array(times.slice().buffer)) };
  const ranks = Object.fromEntries(
    LARGE_ARRAYS.map((array) => [array, 1 + imageShape(layout, array).length]),
  ) as Record<LargeArray, number>;
  return new Store(storePaths(root, ranks), layout, attributes);
}

function parseMetadata(root: string, texts: Readonly<Record<string, string | undefined>>) {
  try {
    return parseStoreMetadata(texts);
  } catch (error) {
    if (!(error instanceof SeedspanError)) throw error;
    throw withPlace(error, root, { path: root });
  }
}
