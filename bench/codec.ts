// What it takes to bring an image's fields to the disk: encoding beside numcodecs (Blosc's C library in WebAssembly), and
// the writing of shards as a whole.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Blosc } from 'numcodecs';
import { Codec } from '../src/dataset/store/codec.ts';
import {
  createStore,
  type ShardReport,
  type StoreDtype,
  type StoreLayout,
} from '../src/dataset/store/index.ts';
import { ITEM_SIZE } from '../src/dataset/store/layout.ts';
import { parseSde, precomputeScores } from '../src/diffusion/index.ts';
import { readPictures } from '../src/node/pictures.ts';
import { compare, EFFORT, local, localAsync, type Side, type Timing } from './harness.ts';
import { PHOTOGRAPHS, photographPath } from './photographs.ts';
import { type Case, digits, machine, publish, readArguments, wanted } from './results.ts';

const ENCODED: readonly { size: number; dtype: StoreDtype }[] = [
  { size: 32, dtype: 'float32' },
  { size: 32, dtype: 'float64' },
  { size: 64, dtype: 'float32' },
];
const COMPRESSIONS = ['none', 'lz4', 'zstd'] as const;
const SHARD = 64;
const LEVELS = 20;

const args = readArguments();
const effort = EFFORT[args.quick ? 'quick' : 'full'];
const cases: Case[] = [];
const encoding: string[][] = [];
const writing: string[][] = [];

interface Image {
  scores: Float64Array;
  logDensity: Float64Array;
  initial: Float32Array;
}

for (const { size, dtype } of ENCODED) {
  const key = `encode/${size}x${size}/${dtype}`;
  if (wanted(key, args.only)) await encodings(key, await fields(size), dtype);
}
if (wanted('write', args.only)) await shards(await fields(32));

await publish(
  args,
  {
    name: 'codec',
    command: 'npm run bench:codec',
    machine: machine(),
    notes: [
      `Scores and log densities of ${PHOTOGRAPHS.length} photographs in colour, na2024, ve:5, ${LEVELS} levels. CPU time an image, medians, one thread.`,
      'numcodecs: LZ4, level 5, bits shuffled; it takes all numbers for 4 bytes wide, and doubles stay as they are. Times hold the conversion from f64 to f32.',
    ],
    cases,
  },
  [
    {
      title: 'Encoding of both arrays',
      head: [
        'picture, numbers',
        'kB',
        'numcodecs ms',
        'SIMD ms',
        'scalar ms',
        'numcodecs : SIMD',
        'left by numcodecs: scores',
        'log density',
        'left by the codec: scores',
        'log density',
      ],
      rows: encoding,
    },
    {
      title: `Shards of ${SHARD} images of 32 x 32, float32`,
      head: ['compression', 'ms an image, CPU', 'wall', 'kB an image'],
      rows: writing,
      note: 'Encoding, writing of three files, fsync, and putting them in place; in the folder for temporary files.',
    },
  ].filter(({ rows }) => rows.length > 0),
);

async function fields(size: number): Promise<Image[]> {
  const { data, shape } = await readPictures(PHOTOGRAPHS.map(photographPath), { size });
  const { scores, logDensity } = await precomputeScores({
    images: { data, shape },
    scheme: 'na2024',
    sde: parseSde('ve:5'),
    steps: LEVELS,
  });
  const part = <T extends Float64Array | Float32Array>(all: T, k: number) => {
    const length = all.length / PHOTOGRAPHS.length;
    return all.slice(k * length, (k + 1) * length) as T;
  };
  return PHOTOGRAPHS.map((_, k) => ({
    scores: part(scores.data, k),
    logDensity: part(logDensity.data, k),
    initial: part(data, k),
  }));
}

async function encodings(key: string, images: readonly Image[], dtype: StoreDtype): Promise<void> {
  const blosc = Blosc.fromConfig({ id: 'blosc', cname: 'lz4', clevel: 5, shuffle: 2, blocksize: 0 });
  const codecs = [await Codec.load('simd'), await Codec.load('scalar')];
  const plain = ITEM_SIZE[dtype] * images[0].scores.length;
  const to = new Uint8Array(plain + 16);
  const staged = new (dtype === 'float32' ? Float32Array : Float64Array)(images[0].scores.length);
  const theirs = (values: Float64Array) => {
    staged.set(values);
    return blosc.encode(new Uint8Array(staged.buffer));
  };
  const sides: Side[] = [
    localAsync(async () => {
      for (const { scores, logDensity } of images) {
        await theirs(scores);
        await theirs(logDensity);
      }
    }),
    ...codecs.map((codec) =>
      local(() => {
        for (const { scores, logDensity } of images) {
          codec.encode(scores, dtype, to);
          codec.encode(logDensity, dtype, to);
        }
      }),
    ),
  ];
  const each = (await compare(sides, effort)).map(({ cpu }: Timing) => cpu / images.length);
  const left = async (length: (image: Image) => number | Promise<number>) => {
    let sum = 0;
    for (const image of images) sum += await length(image);
    return sum / images.length / plain;
  };
  const ratios = {
    numcodecs: [
      await left(async ({ scores }) => (await theirs(scores)).length),
      await left(async ({ logDensity }) => (await theirs(logDensity)).length),
    ],
    own: [
      await left(({ scores }) => codecs[0].encode(scores, dtype, to)),
      await left(({ logDensity }) => codecs[0].encode(logDensity, dtype, to)),
    ],
  };
  const [numcodecs, simd, scalar] = each;
  cases.push({ key, ratio: simd / numcodecs, numcodecs, simd, scalar, left: ratios });
  const [, size, type] = key.split('/');
  encoding.push([
    `${size.replace('x', ' x ')}, ${type}`,
    digits((2 * plain) / 1000),
    ...each.map(digits),
    digits(numcodecs / simd),
    ...[...ratios.numcodecs, ...ratios.own].map((ratio) => ratio.toFixed(3)),
  ]);
}

function layoutOf(compression: StoreLayout['compression']): StoreLayout {
  return {
    ...{
      images: 1000 * SHARD,
      shardImages: SHARD,
      channels: 3,
      pictureChannels: 3,
      height: 32,
      width: 32,
      components: null,
    },
    ...{
      levels: LEVELS,
      times: Array.from({ length: LEVELS }, (_, k) => k / LEVELS),
      dtype: 'float32',
      compression,
    },
  };
}

async function shards(images: readonly Image[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'seedspan-bench-'));
  try {
    const sizes: number[] = [];
    const timings = await compare(
      await Promise.all(
        COMPRESSIONS.map(async (compression, k) => {
          const store = await createStore(join(folder, `${compression}.zarr`), layoutOf(compression));
          const writeNext = async (shard: number) => {
            const writer = store.writeShard(shard);
            for (let image = 0; image < SHARD; image++)
              await writer.add(image, images[image % images.length]);
            const { record } = await writer.finish(reportOf(shard));
            sizes[k] = record.bytes / SHARD;
          };
          return shardWriting(writeNext, async (shard) => {
            for (const array of ['scores', 'log_density', 'initial'])
              for (const name of await readdir(join(store.path, array)))
                if (name.startsWith(`c.${shard}.`)) await rm(join(store.path, array, name));
          });
        }),
      ),
      effort,
    );
    for (const [k, compression] of COMPRESSIONS.entries()) {
      const [cpu, wall] = [timings[k].cpu / SHARD, timings[k].wall / SHARD];
      cases.push({ key: `write/${compression}`, cpu, wall, bytes: sizes[k] });
      writing.push([compression, digits(cpu), digits(wall), digits(sizes[k] / 1000)]);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One shard after the other; what was written goes again, without being timed. */
function shardWriting(
  write: (shard: number) => Promise<void>,
  remove: (shard: number) => Promise<void>,
): Side {
  let shard = 0;
  return async (calls) => {
    const sum = { cpu: 0, wall: 0 };
    for (let call = 0; call < calls; call++, shard++) {
      const { cpu, wall } = await localAsync(() => write(shard))(1);
      sum.cpu += cpu;
      sum.wall += wall;
      await remove(shard);
    }
    return sum;
  };
}

function reportOf(shard: number): ShardReport {
  return {
    images: Array.from({ length: SHARD }, (_, k) => ({
      ...{ index: shard * SHARD + k, source: `${k}.png`, hash: '0'.repeat(64) },
      ...{ status: 'converged', iterations: 1, seconds: 0 },
    })),
    worker: 'bench',
    attempt: 1,
    finished: '2026-01-01T00:00:00.000Z',
  };
}
