import { describe, expect, it } from 'vitest';
import { random } from '../twins/random.ts';
import * as twin from '../twins/sampler.ts';
import { BUILDS, expectNear, expectTwin, useRoom } from './harness.ts';

/** Counter, key and words of the authors' own list of known answers. */
const KNOWN = [
  { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
];
const [HEIGHT, WIDTH] = [5, 7];
const SEED = [123456789, 77] as const;

function density(seed: number): Float64Array {
  const next = random(seed);
  return Float64Array.from({ length: HEIGHT * WIDTH }, (_, k) => (k % 11 === 3 ? 0 : 0.1 + next()));
}

/** Points in all cells, on the faces and corners too. */
function points(count: number, seed: number): Float64Array {
  const next = random(seed);
  return Float64Array.from({ length: 2 * count }, (_, k) => {
    const side = k % 2 === 0 ? HEIGHT : WIDTH;
    return k % 10 === 0 ? Math.round(next() * side) : next() * side;
  });
}

describe.each(BUILDS)('random numbers by counter, %s', (build) => {
  const room = useRoom(build);
  const words = (counter: readonly number[], key: readonly number[]) => {
    const out = room.bytes(16);
    room.k.philox(counter[0], counter[1], counter[2], counter[3], key[0], key[1], out);
    return { out, words: [...new Uint32Array(room.kernel.buffer, out, 4)] };
  };

  it.each(KNOWN)('are the published ones of $counter', ({ counter, key, words: wanted }) => {
    expect(twin.philox(counter, key)).toEqual(wanted);
    expect(words(counter, key).words).toEqual(wanted);
  });

  it("are the twin's of any counter, and their normal pairs those of log, sine and cosine", () => {
    const next = random(1);
    for (let k = 0; k < 400; k++) {
      const six = Array.from({ length: 6 }, () => Math.floor(next() * 2 ** 32));
      const drawn = words(six.slice(0, 4), six.slice(4));
      expect(drawn.words).toEqual(twin.philox(six.slice(0, 4), six.slice(4)));
      const normals = room.vector(2);
      room.k.normalPair(drawn.out, normals);
      expectNear(room.read(normals, 2), twin.normalPair(drawn.words), 10, 1e-15, String(k));
    }
  });

  it.each([
    ['all zero', [0, 0, 0, 0]],
    ['all one', [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff]],
    ['a quarter turn', [7, 7, 0x40000000, 0]],
    ['half a turn', [7, 7, 0x80000000, 0]],
    ['an eighth', [7, 7, 0x20000000, 0]],
  ])('%s: the normal pair is finite, and right', (_, given) => {
    const out = room.bytes(16);
    new Uint32Array(room.kernel.buffer, out, 4).set(given);
    const normals = room.vector(2);
    room.k.normalPair(out, normals);
    expectNear(room.read(normals, 2), twin.normalPair(given), 10, 1e-15);
  });
});

describe.each(BUILDS)('points in a field, %s', (build) => {
  const room = useRoom(build);
  const fieldOf = (seed: number, cx: number, cy: number) => {
    const p = density(seed);
    const cells = room.vector(4 * HEIGHT * WIDTH);
    room.k.cellScores(HEIGHT, WIDTH, cx, cy, room.vector(p), cells);
    return { cells, wanted: twin.cellScores(p, HEIGHT, WIDTH, cx, cy) };
  };

  it('has the scores of the twin: zero at the border and where nothing is', () => {
    const { cells, wanted } = fieldOf(1, 0.3, 0.7);
    expectTwin(build, room.read(cells, wanted.length), wanted, 100);
    expect(wanted.subarray(0, 2)).toEqual(Float64Array.of(0, 0));
    expect(wanted.subarray(12, 16).every((value) => value === 0)).toBe(true);
  });

  it.each([0, 1, 2, 3, 7, 40])(
    "%i points move as the twin's, without noise, also into another array",
    (count) => {
      const { cells, wanted } = fieldOf(2, 0.05, 0.08);
      const start = points(count, count);
      const x = room.vector(start);
      const out = room.vector(2 * count);
      room.k.movePoints(count, HEIGHT, WIDTH, cells, 0, 0, ...SEED, 0, 0, x, out);
      const moved = twin.movePoints(wanted, HEIGHT, WIDTH, start, () => [0, 0]);
      expectTwin(build, room.read(out, 2 * count), moved, 10);
      expect(room.read(x, 2 * count)).toEqual(start);
      room.k.movePoints(count, HEIGHT, WIDTH, cells, 0, 0, ...SEED, 0, 0, x, x);
      expect(room.read(x, 2 * count)).toEqual(room.read(out, 2 * count));
    },
  );

  it.each([0, 1, 2, 3, 7, 40])("%i points make Heun steps as the twin's", (count) => {
    const before = fieldOf(3, 0.05, 0.08);
    const after = fieldOf(4, 0.04, 0.02);
    const start = points(count, 50 + count);
    const x = room.vector(start);
    room.k.movePointsHeun(count, HEIGHT, WIDTH, before.cells, after.cells, x);
    const wanted = twin.movePointsHeun(before.wanted, after.wanted, HEIGHT, WIDTH, start);
    expectTwin(build, room.read(x, 2 * count), wanted, 10);
  });

  it("noise is the twin's of seed, number of the point and step; far jumps are reflected, more than once", () => {
    const { cells, wanted } = fieldOf(5, 0.05, 0.08);
    const first = 2 ** 32 - 3;
    const start = points(40, 9);
    const x = room.vector(start);
    room.k.movePoints(40, HEIGHT, WIDTH, cells, 9, 13, ...SEED, first, 4, x, x);
    const moved = twin.movePoints(wanted, HEIGHT, WIDTH, start, (k) => {
      const point = first + k;
      const words = twin.philox([point % 2 ** 32, Math.floor(point / 2 ** 32), 4, 1], SEED);
      const [a, b] = twin.normalPair(words);
      return [9 * a, 13 * b];
    });
    expectNear(room.read(x, 80), moved, 10, 1e-13);
    expect(Math.max(...moved)).toBeLessThanOrEqual(WIDTH);
    expect(Math.min(...moved)).toBeGreaterThanOrEqual(0);
  });

  it('a point that is no number stays one, and harms nothing', () => {
    const { cells } = fieldOf(6, 1, 1);
    const x = room.vector([Number.NaN, 1, Infinity, -Infinity, 2.5, 3.5]);
    room.k.movePointsHeun(3, HEIGHT, WIDTH, cells, cells, x);
    room.k.movePoints(3, HEIGHT, WIDTH, cells, 0, 0, ...SEED, 0, 0, x, x);
    const moved = room.read(x, 6);
    expect(moved[0]).toBeNaN();
    expect(moved.subarray(4).every(Number.isFinite)).toBe(true);
  });

  it("draws are the twin's; cells without mass get none", () => {
    const p = density(7);
    const rows = new Float64Array(HEIGHT);
    const sums = new Float64Array(HEIGHT * WIDTH);
    let total = 0;
    for (let i = 0; i < HEIGHT; i++) {
      let sum = 0;
      for (let j = 0; j < WIDTH; j++) sums[i * WIDTH + j] = sum += p[i * WIDTH + j];
      rows[i] = total += sum;
    }
    const count = 300;
    const x = room.vector(2 * count);
    const masses = Array.from(rows, (value, i) => value - (rows[i - 1] ?? 0));
    room.k.drawPoints(count, HEIGHT, WIDTH, room.vector(rows), room.vector(sums), ...SEED, 10, x);
    const drawn = room.read(x, 2 * count);
    for (let k = 0; k < count; k++) {
      const words = twin.philox([10 + k, 0, 0, 0], SEED);
      const { index, at } = twin.drawAlong(masses, twin.uniformOf(words[0], words[1]));
      const row = p.subarray(index * WIDTH, (index + 1) * WIDTH);
      const across = twin.drawAlong(row, twin.uniformOf(words[2], words[3]));
      expectNear(drawn.subarray(2 * k, 2 * k + 2), [at, across.at], 10, 1e-13, String(k));
      expect(p[Math.floor(drawn[2 * k]) * WIDTH + Math.floor(drawn[2 * k + 1])]).toBeGreaterThan(0);
    }
  });
});
