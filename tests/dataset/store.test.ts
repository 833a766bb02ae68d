import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createStore,
  finishMetadata,
  openScores,
  openStore,
  STATUS_NAMES,
  type StoreLayout,
} from '../../src/dataset/store/index.ts';
import { readZarrArray } from '../twins/zarr.ts';
import {
  expectedArrays,
  imageRecord,
  imageValues,
  report,
  root,
  run,
  type States,
  scratchFolder,
  small,
  writeShard,
} from './made-up-store.ts';

const folder = scratchFolder();
const statuses: States = (image) => (image === 1 ? 'failed' : image === 2 ? 'max-iterations' : 'converged');
const has = (image: number) => statuses(image) !== 'failed';
let made = 0;

async function makeStore(layout: Partial<StoreLayout> = {}) {
  return createStore(join(folder, `${made++}.zarr`), { ...small, ...layout });
}

async function makeWhole(layout: Partial<StoreLayout> = {}) {
  const store = await makeStore(layout);
  for (let shard = 0; shard < store.shards; shard++) await writeShard(store, shard, statuses);
  return store;
}

const digest = (values: Float32Array | Float64Array) =>
  createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex');

/** zarrita in a process of its own: all arrays of a store, large ones as digests. */
const READER = `
  import { createHash } from 'node:crypto';
  import { open } from 'node:fs/promises';
  import { join } from 'node:path';
  import * as zarr from 'zarrita';
  const path = (key) => join(process.argv[1], key);
  const whole = async (key) => { const f = await open(path(key)); const b = await f.readFile(); await f.close(); return b; };
  const store = {
    get: (key) => whole(key).catch(() => undefined),
    getRange: (key, r) => whole(key).then((b) => r.suffixLength ? b.subarray(-r.suffixLength) : b.subarray(r.offset, r.offset + r.length), () => undefined),
  };
  const result = {};
  for (const name of ['scores', 'log_density', 'initial', 'source', 'hash', 'status', 'iterations', 'compute_time', 'error', 'time']) {
    const array = await zarr.open.v3(zarr.root(store).resolve(name), { kind: 'array' });
    const { data, shape } = await zarr.get(array);
    const large = ['scores', 'log_density', 'initial'].includes(name);
    result[name] = { shape, names: array.dimensionNames, data: large ? createHash('sha256').update(new Uint8Array(data.buffer)).digest('hex') : [...data] };
  }
  console.log(JSON.stringify(result));
`;

const runReader = (path: string) =>
  run('node', ['--input-type=module', '-e', READER, path], { cwd: root, maxBuffer: 2 ** 25 });

const kinds = (['none', 'lz4', 'zstd'] as const).flatMap((compression) =>
  (['float32', 'float64'] as const).map((dtype) => ({ compression, dtype })),
);

describe('what other readers find', () => {
  it.each([
    ...kinds.map((kind) => ({ ...kind, height: 4, width: 5 })),
    // Several blocks of Blosc, the last one short.
    ...kinds.slice(2).map((kind) => ({ ...kind, height: 91, width: 97 })),
  ])('zarrita in a process of its own: %o', async (layout) => {
    const components = layout.dtype === 'float32' ? 2 : null;
    const store = await makeWhole({ ...layout, components });
    await finishMetadata(store);
    const { stdout } = await runReader(store.path);
    const found = JSON.parse(stdout);
    const expected = expectedArrays(store.layout, has);
    const { height, width } = layout;
    expect(found.scores.shape).toEqual([5, 2, 3, ...(components ? [2] : []), height, width]);
    expect(found.scores.names).toEqual([
      ...['image', 'level', 'channel'],
      ...(components ? ['component'] : []),
      ...['y', 'x'],
    ]);
    for (const array of ['scores', 'log_density', 'initial'] as const)
      expect(found[array].data).toBe(digest(expected[array]));
    const records = [0, 1, 2, 3, 4].map((image) => imageRecord(image, statuses(image)));
    expect(found.source.data).toEqual(records.map(({ source }) => source));
    expect(found.status.data.map((k: number) => STATUS_NAMES[k])).toEqual(
      records.map(({ status }) => status),
    );
    expect(found.iterations.data).toEqual([0, 10, 20, 30, 40]);
    expect(found.compute_time.data).toEqual([0, 1 / 8, 2 / 8, 3 / 8, 4 / 8]);
    expect(found.error.data).toEqual(['', 'no picture: 1', '', '', '']);
    expect(found.hash.shape).toEqual([5, 32]);
    expect(Buffer.from(found.hash.data).toString('hex')).toBe(
      records.map(({ hash }) => hash ?? '0'.repeat(64)).join(''),
    );
    expect(found.time.data).toEqual([0, 0.25]);
  });

  it.each([
    ...kinds
      .filter(({ compression }) => compression !== 'zstd')
      .map((kind) => ({ ...kind, height: 4, width: 5 })),
    // Elements that are no multiple of 8; several blocks of Blosc, the last one short.
    { compression: 'lz4', dtype: 'float32', height: 3, width: 5 },
    { compression: 'lz4', dtype: 'float64', height: 1, width: 1 },
    { compression: 'lz4', dtype: 'float32', height: 60, width: 70 },
    { compression: 'lz4', dtype: 'float64', height: 61, width: 67 },
  ] as const)('a reader made from the formats: %o', async (layout) => {
    const store = await makeWhole(layout);
    await finishMetadata(store);
    const expected = expectedArrays(store.layout, has);
    for (const array of ['scores', 'log_density', 'initial'] as const) {
      const { values } = readZarrArray(join(store.path, array));
      const Values = expected[array].constructor as typeof Float64Array;
      expect(digest(Values.from(values as number[]))).toBe(digest(expected[array] as Float64Array));
    }
    expect(readZarrArray(join(store.path, 'source')).values[3]).toBe('bilder/größe-3.png');
    expect(readZarrArray(join(store.path, 'status')).values).toEqual([1, 6, 2, 1, 1]);
    expect(readZarrArray(join(store.path, 'time')).values).toEqual([0, 0.25]);
  });
});

describe('openScores', () => {
  it('reads a part, across shards, of a run that is not complete', async () => {
    const store = await makeStore({ compression: 'lz4' });
    await writeShard(store, 0, statuses);
    await writeShard(store, 2, statuses);
    const scores = await openScores(store.path);
    expect(scores.complete).toBe(false);
    expect(scores.shape).toEqual([5, 2, 3, 2, 4, 5]);
    expect(scores.times).toEqual([0, 0.25]);
    const part = await scores.read(1, 5);
    expect(part.status).toEqual(['failed', 'pending', 'pending', 'converged']);
    expect(part.images[3]).toEqual(imageRecord(4, 'converged'));
    const expected = expectedArrays(store.layout, (image) => image === 0 || image === 4);
    expect(part.scores).toEqual(expected.scores.slice(240));
    expect(part.logDensity).toEqual(expected.log_density.slice(120));
    expect(part.initial).toEqual(expected.initial.slice(20));
    await writeShard(store, 1, statuses); // and goes on being made
    expect((await scores.read(2, 3)).status).toEqual(['max-iterations']);
    expect((await openScores(store.path)).complete).toBe(true);
  });

  it('refuses ranges that are not there, and damaged files', async () => {
    const store = await makeWhole({ compression: 'lz4' });
    const scores = await openScores(store.path);
    for (const [from, to] of [
      [-1, 2],
      [2, 2],
      [0, 6],
      [0.5, 2],
    ])
      await expect(scores.read(from, to)).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    writeFileSync(join(store.path, 'scores/c.1.0.0.0.0.0'), 'short');
    await expect(scores.read(2, 3)).rejects.toMatchObject({ code: 'BAD_FORMAT' });
    await expect(scores.read(0, 1)).resolves.toBeDefined();
  });
});

describe('a store', () => {
  it('is made once, of two who make it at the same time', async () => {
    const path = join(folder, 'once.zarr');
    const ends = await Promise.allSettled(
      Array.from({ length: 4 }, () =>
        createStore(path, small, { attributes: { scheme: 'na2024' }, files: { 'plan.json': '{}' } }),
      ),
    );
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const end of ends)
      if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'EXISTS' });
    const store = await openStore(path);
    expect(store.layout).toEqual(small);
    expect(store.attributes).toEqual({ scheme: 'na2024' });
    expect(readFileSync(join(path, '.seedspan/plan.json'), 'utf8')).toBe('{}');
    expect(readdirSync(folder).filter((name) => name.startsWith('.once'))).toEqual([]);
  });

  it('leaves nothing where it cannot be made', async () => {
    const path = join(folder, 'never.zarr');
    const fill = () => Promise.reject(new Error('no catalogue'));
    await expect(createStore(path, small, { fill })).rejects.toMatchObject({ code: 'IO' });
    await expect(createStore(path, { ...small, images: 0 })).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    await expect(createStore(path, { ...small, times: [1] })).rejects.toMatchObject({
      code: 'SHAPE_MISMATCH',
    });
    expect(readdirSync(folder).filter((name) => name.includes('never'))).toEqual([]);
  });

  it('knows which shards are done', async () => {
    const store = await makeStore();
    expect(await store.doneShards()).toEqual([]);
    const { outcome, record } = await writeShard(store, 2);
    expect(outcome).toBe('done');
    await writeShard(store, 0);
    expect(await store.doneShards()).toEqual([0, 2]);
    expect(await store.isDone(1)).toBe(false);
    expect(await store.isDone(2)).toBe(true);
    expect(await store.readRecord(2)).toEqual(record);
    expect(await store.readRecord(1)).toBeUndefined();
    await expect(store.isDone(3)).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    expect(() => store.writeShard(-1)).toThrow(/shards 0 to 2/);
    await store.forget(2);
    expect(await store.doneShards()).toEqual([0]);
  });

  it('takes images in any order, and their values from views that change', async () => {
    const [there, back] = [await makeStore({ compression: 'lz4' }), await makeStore({ compression: 'lz4' })];
    await writeShard(there, 0);
    const writer = back.writeShard(0);
    const kept = imageValues(small, 1);
    await writer.add(1, kept);
    const other = imageValues(small, 0);
    kept.scores.set(other.scores);
    kept.logDensity.set(other.logDensity);
    kept.initial.set(other.initial);
    await writer.add(0, kept);
    await writer.finish(report([imageRecord(0, 'converged'), imageRecord(1, 'converged')]));
    for (const array of ['scores', 'log_density', 'initial'])
      expect(readZarrArray(join(back.path, array)).values.slice(0, 480)).toEqual(
        readZarrArray(join(there.path, array)).values.slice(0, 480),
      );
  });

  it.each(['none', 'lz4'] as const)(
    'writes files of many images a piece at a time, %s',
    async (compression) => {
      // Pieces of the scores of one image, and the log densities of two.
      const store = await makeStore({ shardImages: 5, height: 90, width: 100, compression });
      await writeShard(store, 0);
      const { read } = await openScores(store.path);
      const { scores, logDensity, initial } = await read(0, 5);
      const expected = expectedArrays(store.layout, () => true);
      expect(digest(scores as Float32Array)).toBe(digest(expected.scores));
      expect(digest(logDensity as Float32Array)).toBe(digest(expected.log_density));
      expect(digest(initial)).toBe(digest(expected.initial));
    },
  );

  it('takes images at once, of several shards', async () => {
    const store = await makeStore({ compression: 'lz4', dtype: 'float64' });
    const writers = [0, 1, 2].map((shard) => store.writeShard(shard));
    await Promise.all(
      [0, 1, 2, 3, 4].map((image) =>
        writers[Math.floor(image / 2)].add(image % 2, imageValues(store.layout, image)),
      ),
    );
    for (const [shard, writer] of writers.entries()) {
      const images = shard === 2 ? [4] : [2 * shard, 2 * shard + 1];
      await writer.finish(report(images.map((image) => imageRecord(image, 'converged'))));
    }
    const expected = expectedArrays(store.layout, () => true);
    const part = await (await openScores(store.path)).read(0, 5);
    expect(part.scores).toEqual(expected.scores);
    expect(part.logDensity).toEqual(expected.log_density);
    expect(part.initial).toEqual(expected.initial);
  });

  it('refuses what does not fit, and leaves nothing of it', async () => {
    const store = await makeStore();
    const values = imageValues(small, 0);
    const writer = store.writeShard(0);
    await expect(writer.add(2, values)).rejects.toThrow(/positions 0 to 1/);
    const empty = { ...values, scores: new Float64Array(3) };
    await expect(store.writeShard(0).add(0, empty)).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' });
    await writer.add(0, values);
    await expect(writer.add(0, values)).rejects.toThrow(/given before/);
    const images = [imageRecord(0, 'converged'), imageRecord(1, 'failed')];
    await expect(writer.finish(report(images))).rejects.toThrow(/neither added nor skipped/);
    writer.skip(1);
    await expect(writer.finish(report(images.slice(1)))).rejects.toThrow(/must have 2 images/);
    await expect(writer.finish(report([images[0], imageRecord(1, 'converged')]))).rejects.toThrow(
      /was skipped, and its status is converged/,
    );
    await writer.discard();
    await expect(writer.add(1, values)).rejects.toMatchObject({ code: 'DISPOSED' });
    expect(readdirSync(join(store.path, '.seedspan/temporary'))).toEqual([]);
    expect(await store.doneShards()).toEqual([]);
  });
});

describe('finishMetadata', () => {
  const files = ['source/c.0', 'hash/c.0.0', 'status/c.0', 'iterations/c.0', 'error/c.0', 'compute_time/c.0'];

  it('sums the records up, with pending images where there is none, and again with the same result', async () => {
    const store = await makeStore();
    await writeShard(store, 0, statuses);
    await writeShard(store, 2, statuses);
    const summary = await finishMetadata(store);
    expect(summary).toMatchObject({ missing: [1], damaged: [], images: 3, failed: 1, unconverged: 0 });
    expect(summary.iterations).toBe(50);
    expect(readZarrArray(join(store.path, 'status')).values).toEqual([1, 6, 0, 0, 1]);
    expect(readZarrArray(join(store.path, 'compute_time')).values).toEqual([0, 0.125, NaN, NaN, 0.5]);
    const before = files.map((file) => readFileSync(join(store.path, file)));
    await finishMetadata(store);
    expect(files.map((file) => readFileSync(join(store.path, file)))).toEqual(before);
    expect(readdirSync(join(store.path, '.seedspan/temporary'))).toEqual([]);
  });

  it('tells of damaged records, which are done again', async () => {
    const store = await makeWhole();
    const path = join(store.path, '.seedspan/records/00000001.json');
    const text = readFileSync(path, 'utf8');
    for (const damaged of [
      text.slice(0, 50),
      '[]',
      text.replace('max-iterations', 'fine'),
      text.replace('"shard":1', '"shard":2'),
    ]) {
      writeFileSync(path, damaged);
      await expect(store.readRecord(1)).rejects.toMatchObject({ code: 'BAD_FORMAT' });
      const { missing, damaged: told } = await finishMetadata(store);
      expect(missing).toEqual([1]);
      expect(told).toMatchObject([{ shard: 1 }]);
      expect(await store.isDone(1)).toBe(false);
      expect((await writeShard(store, 1, statuses)).outcome).toBe('done');
    }
    expect(await finishMetadata(store)).toMatchObject({ missing: [], damaged: [], images: 5 });
  });

  it('writes chunks of 16,384 images, whatever the shards', async () => {
    const images = 16_384 + 40;
    const store = await makeStore({
      images,
      shardImages: 1000,
      levels: 1,
      times: [1],
      channels: 1,
      height: 1,
      width: 1,
    });
    for (const shard of [0, 16])
      await writeShard(store, shard, (image) => (image % 7 === 3 ? 'failed' : 'converged'));
    expect((await finishMetadata(store)).missing).toHaveLength(15);
    const { values } = readZarrArray(join(store.path, 'source'));
    expect(values).toHaveLength(images);
    expect(values[999]).toBe('bilder/größe-999.png');
    expect(values[1000]).toBe('');
    expect(values[16_000]).toBe('bilder/größe-16000.png');
    expect(values[images - 1]).toBe(`bilder/größe-${images - 1}.png`);
    expect(existsSync(join(store.path, 'hash/c.1.0'))).toBe(true);
    const { stdout } = await runReader(store.path);
    expect(stdout).toContain(`bilder/größe-${images - 1}.png`);
  });
});
