import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createStore,
  METADATA_FILES,
  openStore,
  parseStoreMetadata,
  type StoreLayout,
} from '../../src/dataset/store/index.ts';
import { scratchFolder, small } from './made-up-store.ts';

const folder = scratchFolder();
let made = 0;
async function makeTexts(layout: Partial<StoreLayout> = {}) {
  const store = await createStore(join(folder, `${made++}.zarr`), { ...small, ...layout });
  const texts = Object.fromEntries(
    METADATA_FILES.map((file) => [file, readFileSync(join(store.path, file), 'utf8')]),
  );
  return { store, texts };
}

describe('metadata', () => {
  it.each([
    {},
    { components: null },
    { dtype: 'float64', compression: 'zstd' },
    { compression: 'lz4', images: 100_000 },
  ] as const)('is read as it was written: %o', async (layout) => {
    const { texts } = await makeTexts(layout);
    const { times: _, ...shape } = { ...small, ...layout };
    expect(parseStoreMetadata(texts).shape).toEqual(shape);
  });

  it('is what the specification of Zarr 3 shows', async () => {
    const { texts } = await makeTexts({ compression: 'lz4' });
    expect(JSON.parse(texts['scores/zarr.json'])).toEqual({
      zarr_format: 3,
      node_type: 'array',
      shape: [5, 2, 3, 2, 4, 5],
      data_type: 'float32',
      chunk_grid: { name: 'regular', configuration: { chunk_shape: [2, 2, 3, 2, 4, 5] } },
      chunk_key_encoding: { name: 'default', configuration: { separator: '.' } },
      fill_value: 'NaN',
      codecs: [
        {
          name: 'sharding_indexed',
          configuration: {
            chunk_shape: [1, 2, 3, 2, 4, 5],
            codecs: [
              { name: 'bytes', configuration: { endian: 'little' } },
              {
                name: 'blosc',
                configuration: { cname: 'lz4', clevel: 5, shuffle: 'bitshuffle', typesize: 4, blocksize: 0 },
              },
            ],
            index_codecs: [{ name: 'bytes', configuration: { endian: 'little' } }, { name: 'crc32c' }],
            index_location: 'end',
          },
        },
      ],
      attributes: {},
      dimension_names: ['image', 'level', 'channel', 'component', 'y', 'x'],
    });
    expect(JSON.parse(texts['source/zarr.json'])).toMatchObject({
      data_type: 'string',
      fill_value: '',
      codecs: [{ name: 'vlen-utf8' }],
    });
  });

  /** One change in one file, and what is said of it. */
  const changes: [string, (metadata: Record<string, unknown>) => void, RegExp][] = [
    ['zarr.json', (m) => (m.zarr_format = 2), /zarr.json: zarr_format must be 3, not 2/],
    ['zarr.json', (m) => (m.attributes = {}), /another Zarr store/],
    ['zarr.json', (m) => (m.attributes = { seedspan: { format: 9 } }), /format is 9/],
    ['scores/zarr.json', (m) => (m.shape = [5]), /5 or 6 dimensions/],
    ['scores/zarr.json', (m) => (m.shape = [5, 2, 3, 3, 4, 5]), /components must be 2/],
    ['scores/zarr.json', (m) => (m.shape = [-5, 2, 3, 2, 4, 5]), /images must be an integer/],
    ['scores/zarr.json', (m) => (m.shape = [5, 60000, 60000, 2, 4, 5]), /levels|bytes, more than/],
    ['scores/zarr.json', (m) => (m.shape = [5, 2, 3, 2, 4, 1e300]), /width must be an integer/],
    ['scores/zarr.json', (m) => (m.data_type = 'int8'), /dtype must be float32 or float64/],
    ['scores/zarr.json', (m) => (m.codecs = []), /codecs must have 1 entries/],
    ['scores/zarr.json', (m) => (m.fill_value = 0), /fill_value must be "NaN", not 0/],
    ['scores/zarr.json', (m) => (m.chunk_grid = null), /shardImages must be/],
    ['log_density/zarr.json', (m) => (m.shape = [5, 2, 3, 4, 6]), /log_density.*shape\[4\] must be 5, not 6/],
    ['initial/zarr.json', (m) => (m.data_type = 'float64'), /initial.*data_type must be "float32"/],
    ['hash/zarr.json', (m) => (m.chunk_key_encoding = { name: 'v2' }), /chunk_key_encoding.name/],
    ['status/zarr.json', (m) => (m.attributes = { names: ['converged'] }), /attributes.names must have 7/],
    ['time/zarr.json', (m) => (m.extension = { a: 1 }), /unknown key "extension"/],
  ];
  it.each(changes)('%s, changed, is refused with what is wrong: %#', async (file, change, message) => {
    const { texts } = await makeTexts();
    const metadata = JSON.parse(texts[file]);
    change(metadata);
    const changed = { ...texts, [file]: JSON.stringify(metadata) };
    expect(() => parseStoreMetadata(changed)).toThrow(message);
    try {
      parseStoreMetadata(changed);
    } catch (error) {
      expect(error).toMatchObject({ code: 'BAD_FORMAT' });
    }
  });

  it('of no JSON, or missing, is refused', async () => {
    const { texts } = await makeTexts();
    for (const file of METADATA_FILES) {
      for (const text of [undefined, '', '{', 'null', '[]', '7', texts[file].slice(0, -3)])
        expect(() => parseStoreMetadata({ ...texts, [file]: text })).toThrow(file);
    }
  });

  it('may have attributes, and what need not be understood', async () => {
    const { texts } = await makeTexts();
    const metadata = JSON.parse(texts['scores/zarr.json']);
    Object.assign(metadata, {
      attributes: { mine: 1 },
      storage_transformers: [],
      extension: { must_understand: false },
    });
    expect(parseStoreMetadata({ ...texts, 'scores/zarr.json': JSON.stringify(metadata) }).shape.images).toBe(
      5,
    );
  });

  it('on the disk is named with its path', async () => {
    const { store } = await makeTexts();
    writeFileSync(join(store.path, 'time/c.0'), 'short');
    await expect(openStore(store.path)).rejects.toThrow(/time.c\.0: it must have 16 bytes/);
    writeFileSync(join(store.path, 'hash/zarr.json'), '{}');
    await expect(openStore(store.path)).rejects.toThrow(`${store.path}: hash/zarr.json`);
    await expect(openStore(join(folder, 'nowhere.zarr'))).rejects.toMatchObject({ code: 'IO' });
    await expect(openStore(folder)).rejects.toThrow(`${folder} is no store: it has no zarr.json`);
  });
});
