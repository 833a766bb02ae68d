import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  openScores,
  type PrecomputeDatasetOptions,
  precomputeDataset,
  storeStatus,
} from '../../src/dataset/index.ts';
import { chooseSeeds, parseSde, precomputeScores, randomStream } from '../../src/diffusion/index.ts';
import { writeNpy } from '../../src/formats/index.ts';

// Threads run the package as it was built.
const SIZE = 8;
const LENGTH = 3 * SIZE * SIZE;
const COUNT = 21;
const NA = { scheme: 'na2024', sde: parseSde('ve:5'), steps: 4 } as const;

const place = mkdtempSync(join(tmpdir(), 'seedspan-dataset-'));
const at = (...names: string[]) => join(place, ...names);
let number = 0;

/** Pictures, each a ramp with noise, in float32. */
function pictures(count: number, firstStream = 0): Float32Array {
  const data = new Float32Array(count * LENGTH);
  for (let image = 0; image < count; image++) {
    const random = randomStream(3, firstStream + image);
    for (let k = 0; k < LENGTH; k++) {
      data[image * LENGTH + k] = 0.1 + 0.6 * ((k % SIZE) / SIZE) + 0.3 * random.uniform();
    }
  }
  return data;
}

const data = pictures(COUNT);
const images = { data, shape: [COUNT, 3, SIZE, SIZE] };

function run(options: Partial<PrecomputeDatasetOptions> = {}) {
  const out = at(`${number++}.zarr`);
  return precomputeDataset({ inputs: [at('images.npy')], out, workers: 2, ...options });
}

beforeAll(() => writeFileSync(at('images.npy'), writeNpy(images)));
afterAll(() => rmSync(place, { recursive: true, force: true }));

describe('a data set', () => {
  it('has the digits of precomputeScores, whatever the shards', async () => {
    const { scores, logDensity, report } = await precomputeScores({ images, ...NA });
    for (const shardImages of [1, 4, 32]) {
      const done = await run({ equation: NA, dtype: 'float64', compression: 'none', shardImages });
      expect(done).toMatchObject({ images: COUNT, done: COUNT, computed: COUNT, complete: true, failed: 0 });
      expect(done.iterations).toBe(report.iterations);
      const reader = await openScores(done.store);
      expect(reader.shape).toEqual(scores.shape);
      expect(reader.times).toEqual(report.times);
      const part = await reader.read(0, COUNT);
      expect(part.scores).toEqual(scores.data);
      expect(part.logDensity).toEqual(logDensity.data);
      expect(part.initial).toEqual(data);
      expect(part.status).toEqual(report.images.map(({ status }) => status));
      expect(part.images.map((image) => image?.iterations)).toEqual(
        report.images.map(({ iterations }) => iterations),
      );
    }
  });

  it('has random draws by the place of an image, not by its shard', async () => {
    const equation = { scheme: 'lau2025', steps: 3, density: 'pixel-positions', seed: 5 } as const;
    const { scores } = await precomputeScores({ images, ...equation, sharing: 'none' });
    const done = await run({
      equation: { ...equation, sharing: 'none' },
      dtype: 'float64',
      shardImages: 4,
    });
    expect((await (await openScores(done.store)).read(0, COUNT)).scores).toEqual(scores.data);
  });

  it('shares the multigrid of its seed, as precomputeScores does', async () => {
    const equation = { scheme: 'consistent', sde: parseSde('constant:2'), steps: 4 } as const;
    const chosen = chooseSeeds({ images, count: 1, scheme: 'consistent' }).seeds[0];
    for (const seedImage of [chosen, 5]) {
      const seeds = seedImage === chosen ? undefined : { images: [seedImage] };
      const done = await run({ equation, dtype: 'float64', shardImages: 4, ...(seeds && { seeds }) });
      const { scores } = await precomputeScores({ images, ...equation, sharing: 'seed-operator', seedImage });
      expect((await (await openScores(done.store)).read(0, COUNT)).scores).toEqual(scores.data);
    }
  });

  it('projects on what seeds leave, the same in every shard', async () => {
    const equation = { ...NA, sharing: 'projection', projection: { dim: 6 } } as const;
    const seeds = { images: [2, 7] };
    const all = await run({ equation, seeds, dtype: 'float64', shardImages: 32 });
    const parted = await run({ equation, seeds, dtype: 'float64', shardImages: 2 });
    const alone = await run({ equation: { ...NA, rtol: 1e-10 }, dtype: 'float64' });
    const [a, b, c] = await Promise.all(
      [all, parted, alone].map(async ({ store }) => (await openScores(store)).read(0, COUNT)),
    );
    expect(a.scores).toEqual(b.scores);
    expect(all.iterations).toBeLessThan(alone.iterations);
    const scale = Math.max(...c.scores.map(Math.abs));
    expect(Math.max(...a.scores.map((value, k) => Math.abs(value - c.scores[k])))).toBeLessThan(1e-5 * scale);
  });

  it('chooses seeds, and says why so many', async () => {
    const equation = { ...NA, sharing: 'projection' } as const;
    const choiceOf = async (seeds?: PrecomputeDatasetOptions['seeds']) => {
      const done = await run({ equation, shardImages: 16, ...(seeds && { seeds }) });
      expect(done.complete).toBe(true);
      return JSON.parse(readFileSync(join(done.store, '.seedspan', 'seeds.json'), 'utf8'));
    };
    const { seeds } = chooseSeeds({ images, count: 2, scheme: 'na2024' });
    expect(await choiceOf({ method: 'k-medoids', count: 2 })).toMatchObject({ images: seeds });
    expect(await choiceOf({ method: 'first', count: 2 })).toMatchObject({ images: [0, 1] });
    // Where none pays, nothing is shared.
    expect(await choiceOf()).toMatchObject({ images: [], reason: expect.stringMatching(/./) });
  });

  it('keeps float32 by default, rounded once', async () => {
    const { scores } = await precomputeScores({ images, ...NA });
    const done = await run({ equation: NA });
    const part = await (await openScores(done.store)).read(0, COUNT);
    expect(part.scores).toEqual(Float32Array.from(scores.data));
  });

  it('says where it is, and what it took', async () => {
    const stages: string[] = [];
    let most = 0;
    const done = await run({
      equation: NA,
      shardImages: 4,
      onProgress: ({ stage, done: now, total }) => {
        if (stages.at(-1) !== stage) stages.push(stage);
        if (stage !== 'images') return;
        expect(now).toBeGreaterThanOrEqual(most);
        expect(total).toBe(COUNT);
        most = now;
      },
    });
    expect(stages).toEqual(['inputs', 'seeds', 'images', 'metadata']);
    expect(most).toBe(COUNT);
    expect(done.workers).toBe(2);
    const status = await storeStatus(done.store);
    expect(status).toMatchObject({ images: COUNT, shards: 6, shardsDone: 6, complete: true });
    expect(status.seconds).toBeGreaterThan(0);
  });
});

describe('images that cannot be read', () => {
  it('are set aside with the reason, and the others computed', async () => {
    const folder = at('mixed');
    const { mkdirSync } = await import('node:fs');
    mkdirSync(folder);
    const { default: sharp } = await import('sharp');
    for (let k = 0; k < 6; k++) {
      const raw = Uint8Array.from(pictures(1, k), (value) => 255 * value);
      const png = await sharp(raw, { raw: { width: SIZE, height: SIZE, channels: 3 } })
        .png()
        .toBuffer();
      writeFileSync(join(folder, `${k}.png`), k === 2 ? png.subarray(0, 60) : png);
    }
    writeFileSync(join(folder, '3.png'), 'no picture');
    const done = await run({ inputs: [folder], equation: NA, pictures: { size: SIZE }, shardImages: 4 });
    expect(done).toMatchObject({ images: 6, done: 6, failed: 2, complete: true });
    expect(done.failures.map(({ index, source }) => [index, source])).toEqual([
      [2, 'mixed/2.png'],
      [3, 'mixed/3.png'],
    ]);
    const part = await (await openScores(done.store)).read(0, 6);
    expect(part.status.map((status) => status === 'failed')).toEqual([
      false,
      false,
      true,
      true,
      false,
      false,
    ]);
    const n = part.scores.length / 6;
    for (let k = 0; k < 6; k++) {
      expect(part.scores.subarray(k * n, (k + 1) * n).every(Number.isNaN)).toBe(k === 2 || k === 3);
    }
    expect(part.images[2]?.error).toMatch(/2\.png/);
  });
});

describe('a store that is there', () => {
  it('is gone on with, and nothing is computed twice', async () => {
    const options = { equation: NA, shardImages: 2, out: at('again.zarr') };
    const controller = new AbortController();
    await expect(
      run({
        ...options,
        signal: controller.signal,
        onProgress: ({ stage, done }) => {
          if (stage === 'images' && done >= 8) controller.abort(new Error('enough'));
        },
      }),
    ).rejects.toThrow('enough');
    const before = await storeStatus(options.out);
    expect(before.complete).toBe(false);
    const done = await run(options);
    expect(done.complete).toBe(true);
    expect(done.computed).toBe(COUNT - before.done);
    const fresh = await run({ equation: NA, shardImages: 2 });
    for (const array of ['scores', 'log_density', 'initial', 'hash', 'source', 'status', 'iterations']) {
      for (const file of readdirSync(join(fresh.store, array))) {
        expect(readFileSync(join(done.store, array, file))).toEqual(
          readFileSync(join(fresh.store, array, file)),
        );
      }
    }
    expect((await run(options)).computed).toBe(0);
    await expect(run({ ...options, resume: false })).rejects.toMatchObject({ code: 'EXISTS' });
  });

  it('is refused where options or inputs differ, and stays as it is', async () => {
    const options = { equation: NA, out: at('other.zarr') };
    await run(options);
    const plan = readFileSync(join(options.out, '.seedspan', 'plan.json'));
    const refused = async (others: Partial<PrecomputeDatasetOptions>, message: RegExp) =>
      await expect(run({ ...options, ...others })).rejects.toMatchObject({
        code: 'EXISTS',
        message: expect.stringMatching(message),
      });
    await refused({ equation: { ...NA, steps: 5 } }, /equation\.steps is 5, was 4/);
    await refused({ dtype: 'float64' }, /store\.dtype is "float64", was "float32"/);
    writeFileSync(at('more.npy'), writeNpy({ data: pictures(2), shape: [2, 3, SIZE, SIZE] }));
    await refused({ inputs: [at('more.npy')] }, /images is 2, was 21.*inputs are others/);
    expect(readFileSync(join(options.out, '.seedspan', 'plan.json'))).toEqual(plan);
    // Nothing of the attempts is left.
    expect(readdirSync(place).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(readdirSync(join(options.out, '.seedspan', 'temporary'))).toEqual([]);
  });

  it('is gone on with where its inputs lie elsewhere now', async () => {
    const options = { equation: NA, shardImages: 2, out: at('moved.zarr') };
    const { cpSync, mkdirSync, renameSync } = await import('node:fs');
    mkdirSync(at('here'));
    cpSync(at('images.npy'), at('here', 'images.npy'));
    const controller = new AbortController();
    const first = run({
      ...options,
      inputs: [at('here', 'images.npy')],
      signal: controller.signal,
      onProgress: ({ stage, done }) => stage === 'images' && done > 0 && controller.abort(),
    });
    await expect(first).rejects.toThrow();
    renameSync(at('here'), at('there'));
    // A driver that was killed while it put the new catalogue in the old one's place: half of it is there.
    const inside = join(options.out, '.seedspan');
    const lines = readFileSync(join(inside, 'catalogue.ndjson'), 'utf8');
    writeFileSync(join(inside, 'catalogue.ndjson'), lines.replace('/here/', '/there/'));
    const done = await run({ ...options, inputs: [at('there', 'images.npy')] });
    expect(done).toMatchObject({ complete: true, failed: 0 });
    expect(readdirSync(join(inside, 'temporary'))).toEqual([]);
  });

  it.each(['{"images": [0', 'null', '{"images": "all"}'])('whose seeds are %s is told', async (text) => {
    const equation = { scheme: 'consistent', steps: 2 } as const;
    const done = await run({ equation, shardImages: 4 });
    const inside = join(done.store, '.seedspan');
    writeFileSync(join(inside, 'seeds.json'), text);
    rmSync(join(inside, 'records', '00000001.json'));
    const again = run({ equation, shardImages: 4, out: done.store });
    await expect(again).rejects.toMatchObject({
      code: 'BAD_FORMAT',
      message: expect.stringMatching(/seeds\.json: it (is not JSON|names no seeds)/),
    });
  });

  it('that is damaged is told', async () => {
    const done = await run({ equation: NA });
    writeFileSync(join(done.store, '.seedspan', 'plan.json'), '{"hash": "x", "plan": {"format": 1}}');
    const again = precomputeDataset({ inputs: [at('images.npy')], out: done.store, equation: NA });
    await expect(again).rejects.toMatchObject({
      code: 'BAD_FORMAT',
      message: expect.stringMatching(/plan\.json.*damaged/),
    });
  });
});

describe('options', () => {
  const refused: [string, Partial<PrecomputeDatasetOptions>, string, RegExp][] = [
    ['inputs', { inputs: [] }, 'INVALID_TYPE', /inputs/],
    ['a name', { colour: 1 } as object, 'UNKNOWN_OPTION', /colour/],
    ['dtype', { dtype: 'f2' as 'float32' }, 'INVALID_VALUE', /dtype/],
    ['workers', { workers: 0 }, 'INVALID_VALUE', /workers/],
    ['workers and a queue', { queue: { url: 'redis://localhost' } }, 'INVALID_VALUE', /serveQueue/],
    [
      'a seed beyond the images',
      { equation: { sharing: 'projection' }, seeds: { images: [21] } },
      'INVALID_VALUE',
      /21/,
    ],
    ['seeds without sharing', { equation: NA, seeds: { images: [0] } }, 'INVALID_VALUE', /do not/],
    ['two seeds of one operator', { seeds: { images: [0, 1] } }, 'INVALID_VALUE', /one seed/],
    [
      'an equation without a name',
      { equation: { sde: { diffusion: () => 1 } as never } },
      'INVALID_VALUE',
      /preset/,
    ],
    ['what has another place', { equation: { workers: 2 } as object }, 'UNKNOWN_OPTION', /equation.*workers/],
    [
      'seeds in the wrong place',
      { equation: { ...NA, sharing: 'projection', projection: { seeds: [1] } as object } },
      'UNKNOWN_OPTION',
      /projection has seeds/,
    ],
    [
      'more seeds than there are images to choose from',
      { equation: { ...NA, sharing: 'projection' }, seeds: { method: 'first', count: 22 } },
      'INVALID_VALUE',
      /count is 22.*among 21/,
    ],
    ['an input that is not there', { inputs: [at('nothing.npy')] }, 'IO', /nothing\.npy/],
  ];
  it.each(refused)('refuses %s', async (_, options, code, message) => {
    const out = at('refused.zarr');
    await expect(run({ out, ...options })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(readdirSync(place).filter((name) => /refused/.test(name))).toEqual([]);
  });
});
