import fc from 'fast-check';
import { Blosc } from 'numcodecs';
import { describe, expect, it } from 'vitest';
import { Codec, type CodecBuild, FRAME_OVERHEAD } from '../../src/dataset/store/codec.ts';
import { parseSde, precomputeScores } from '../../src/diffusion/index.ts';
import { random } from '../twins/random.ts';
import { blosc } from '../twins/zarr.ts';

const BUILDS: CodecBuild[] = ['scalar', 'simd'];
const DTYPES = ['float32', 'float64'] as const;
type Dtype = (typeof DTYPES)[number];

const codecs = { scalar: await Codec.load('scalar'), simd: await Codec.load('simd') };
const library = Blosc.fromConfig({ id: 'blosc', cname: 'lz4', clevel: 5, shuffle: 2, blocksize: 0 });

/** What is not to be written to. */
const UNTOUCHED = 0xa5;

const bytesOf = (values: Float64Array | Float32Array, dtype: Dtype) =>
  new Uint8Array((dtype === 'float32' ? new Float32Array(values) : new Float64Array(values)).buffer);

function encode(build: CodecBuild, values: Float64Array | Float32Array, dtype: Dtype): Uint8Array {
  const most = bytesOf(values, dtype).length + FRAME_OVERHEAD;
  const room = new Uint8Array(most + 16).fill(UNTOUCHED);
  const length = codecs[build].encode(values, dtype, room.subarray(0, most));
  expect(length).toBeLessThanOrEqual(most);
  expect(room.subarray(length).every((byte) => byte === UNTOUCHED)).toBe(true);
  return room.slice(0, length);
}

/** Both builds make one frame, which Blosc's own library and the twin read. Returns it. */
async function check(values: Float64Array | Float32Array, dtype: Dtype, note = ''): Promise<Uint8Array> {
  const frame = encode('simd', values, dtype);
  expect(Buffer.compare(encode('scalar', values, dtype), frame), `builds, ${note}`).toBe(0);
  const plain = bytesOf(values, dtype);
  expect(Buffer.compare(blosc(frame), plain), `twin, ${note}`).toBe(0);
  expect(Buffer.compare(await library.decode(frame), plain), `library, ${note}`).toBe(0);
  return frame;
}

const from = (length: number, value: (k: number) => number) =>
  Float64Array.from({ length }, (_, k) => value(k));
/** Digits in every byte, slowly changing. */
const wave = (length: number) => from(length, (k) => Math.sin(k / 19) * 3 + 1 / (k + 3));

/** Any bits, as numbers: among them NaN of all kinds, infinities and subnormal ones. */
function anyBits(length: number, seed: number): Float64Array {
  const next = random(seed);
  const words = Uint32Array.from({ length: 2 * length }, () => next() * 2 ** 32);
  return new Float64Array(words.buffer);
}

/** Elements of one block: 61,440 bytes. */
const blockOf = (dtype: Dtype) => (dtype === 'float32' ? 15_360 : 7_680);

describe.each(DTYPES)('frames of %s', (dtype) => {
  it('of every length to 300, of numbers that compress and of such that do not', async () => {
    for (let length = 1; length <= 300; length++) {
      await check(wave(length), dtype, `wave, ${length}`);
      await check(from(length, random(length)), dtype, `noise, ${length}`);
      await check(new Float64Array(length), dtype, `zeros, ${length}`);
    }
  });

  it('of lengths around one, two and three blocks', async () => {
    for (const blocks of [1, 2, 3])
      for (const more of [-17, -16, -9, -8, -7, -1, 0, 1, 7, 8, 9, 15, 16, 17, 33]) {
        const length = blocks * blockOf(dtype) + more;
        await check(wave(length), dtype, `${length}`);
        if (more >= 0 && more < 9) await check(from(length, random(length)), dtype, `noise, ${length}`);
      }
  });

  it('of nothing are a header', () => {
    for (const build of BUILDS) {
      const frame = encode(build, new Float64Array(0), dtype);
      expect(frame.length).toBe(16);
      expect(blosc(frame)).toEqual(new Uint8Array(0));
    }
  });

  it('of one number again and again are short', async () => {
    for (const value of [0, 1, -2.5, 0.1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const values = new Float64Array(5 * blockOf(dtype)).fill(value);
      expect((await check(values, dtype, `${value}`)).length).toBeLessThan(3000);
    }
  });

  it('keep every bit of numbers that are not computed with', async () => {
    for (const length of [8, 100, 1000, blockOf(dtype) + 40]) {
      if (dtype === 'float64') await check(anyBits(length, length), dtype);
      else await check(new Float32Array(anyBits(length, length).buffer, 0, length), dtype);
    }
  });

  it('of any numbers', async () => {
    const special = [0, -0, Number.NaN, Infinity, -Infinity, 1e-310, 1e-40, 3.5e38, 1e308];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.oneof(fc.double(), fc.constantFrom(...special)), fc.nat({ max: 200 })), {
          maxLength: 200,
        }),
        async (runs) => {
          const values = Float64Array.from(
            runs.flatMap(([value, times]) => new Array<number>(times).fill(value)),
          );
          if (values.length > 0) await check(values, dtype);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('of what repeats at any distance', async () => {
    const next = random(5);
    for (const period of [8, 24, 64, 1000, 1024, 8192, 14_000]) {
      const values = from(40_000, next);
      for (let k = period; k < values.length; k++) values[k] = next() < 0.001 ? next() : values[k - period];
      await check(values, dtype, `period ${period}`);
    }
  });
});

it('fields of pictures become as short as by the library', async () => {
  const next = random(3);
  const picture = Float32Array.from({ length: 3 * 32 * 32 }, (_, k) =>
    Math.min(1, Math.max(0, 0.5 + 0.4 * Math.sin(k / 40) + 0.1 * next())),
  );
  const { scores, logDensity } = await precomputeScores({
    images: { data: picture, shape: [1, 3, 32, 32] },
    scheme: 'na2024',
    sde: parseSde('ve:5'),
  });
  for (const { data } of [scores, logDensity]) {
    for (const dtype of DTYPES) {
      const settings = { id: 'blosc', cname: 'lz4', clevel: 5, shuffle: 2, blocksize: 0 } as const;
      const theirs = Blosc.fromConfig(settings).encode(bytesOf(data, dtype));
      const frame = await check(data, dtype);
      expect(frame.length).toBeLessThan(1.02 * (await theirs).length);
    }
  }
});

it('a small array after a large one, and the other way round', async () => {
  for (const length of [100, 70_000, 3, 200_000, 50]) await check(wave(length), 'float32');
});

it('noise is kept as it is, and costs 16 bytes', async () => {
  const frame = await check(anyBits(20_000, 1), 'float64');
  expect(frame.length).toBe(160_000 + 16);
});
