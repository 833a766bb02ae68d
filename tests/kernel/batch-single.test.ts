import { describe, expect, it } from 'vitest';
import type { Pointer } from '../../src/wasm/exports.ts';
import { type Csr, product } from '../twins/csr.ts';
import { ilu0 } from '../twins/ilu0.ts';
import { random, randomDominant, randomSparse, randomVector } from '../twins/random.ts';
import { dotSingle, productSingle, solveIlu0Single } from '../twins/single.ts';
import { dot } from '../twins/vector.ts';
import { BUILDS, expectNear, expectSame, useRoom } from './harness.ts';
import { factorIlu0, uploadCsr } from './matrices.ts';

const cases = BUILDS.flatMap((build) => [4, 8].map((lanes) => ({ build, lanes })));
/** With blocks of 64 rows: three full ones and every kind of rest. */
const SIZES = [...Array.from({ length: 20 }, (_, k) => k), 63, 64, 65, 127, 128, 129, 191, 192, 193, 200];

describe.each(cases)('$lanes lanes of f32, $build', ({ build, lanes }) => {
  const room = useRoom(build);
  const seeds = Array.from({ length: lanes }, (_, lane) => lane + 1);
  const singles = (pointer: Pointer, length: number) =>
    new Float32Array(room.kernel.buffer, pointer, length).slice();
  /** Padded to 32 bytes with zeros, as methods have them. */
  const packed = (vectors: Float64Array[]): Pointer => {
    const n = vectors[0].length;
    const target = room.bytes(Math.ceil((4 * n * lanes) / 32) * 32);
    new Uint8Array(room.kernel.buffer, target, Math.ceil((4 * n * lanes) / 32) * 32).fill(0);
    vectors.forEach(
      (vector, lane) => void room.k.packLane(n, lanes, true, lane, room.vector(vector), target),
    );
    return target;
  };
  const unpacked = (source: Pointer, n: number): Float64Array[] =>
    seeds.map((_, lane) => {
      const target = room.vector(n);
      room.k.unpackLane(n, lanes, true, lane, source, target);
      return room.read(target, n);
    });
  /** Bit for bit where nothing is fused. */
  const expectTwin = (actual: ArrayLike<number>, wanted: ArrayLike<number>, scale: number, what: string) => {
    if (build === 'relaxed-simd') expectNear(actual, wanted, scale, 1e-5, what);
    else expectSame(actual, wanted, what);
  };
  const matricesOf = (pattern: Csr): Csr[] =>
    seeds.map((seed) => {
      const next = random(seed);
      return { ...pattern, data: pattern.data.map((value) => value * (1 + next())) };
    });

  it('element i of lane l is at [i * lanes + l], rounded, and comes back from there', () => {
    for (let n = 0; n <= 13; n++) {
      const vectors = seeds.map((seed) => randomVector(n, random(seed)));
      const target = packed(vectors.map((vector) => vector));
      const all = singles(target, n * lanes);
      for (let i = 0; i < n; i++) {
        for (let lane = 0; lane < lanes; lane++)
          expect(all[i * lanes + lane]).toBe(Math.fround(vectors[lane][i]));
      }
      unpacked(target, n).forEach((vector, lane) => {
        expectSame(vector, vectors[lane].map(Math.fround));
      });
      room.clear();
    }
  });

  it("products and their sums: each lane the twin's, at every size, with empty rows", () => {
    for (const n of SIZES.slice(1)) {
      const pattern = randomSparse([n, n], Math.min(0.2, 6 / n), random(n));
      const matrices = matricesOf(pattern);
      const vectors = seeds.map((seed) => randomVector(n, random(seed + 50)).map(Math.fround));
      const others = seeds.map((seed) => randomVector(n, random(seed + 90)).map(Math.fround));
      const { indptr, indices } = uploadCsr(room, pattern);
      const data = packed(matrices.map((A) => A.data));
      const [x, w] = [packed(vectors), packed(others)];
      const [y, plain] = [room.bytes(4 * n * lanes), room.bytes(4 * n * lanes)];
      const [yw, yy] = [room.vector(8), room.vector(8)];
      room.k.csrMultiplyDotsLanes(n, lanes, true, indptr, indices, data, x, y, w, yw, yy);
      room.k.csrMultiplyLanes(n, lanes, true, indptr, indices, data, x, plain);
      expectSame(singles(y, n * lanes), singles(plain, n * lanes));
      unpacked(y, n).forEach((vector, lane) => {
        const what = `n = ${n}, lane ${lane}`;
        const wanted = productSingle(matrices[lane], vectors[lane]);
        expectTwin(vector, wanted, 10, what);
        expectNear(vector, product(matrices[lane], vectors[lane]), 10, 1e-5, what);
        const sumOf = (row: Pointer) => {
          const places = room.read(row, 8);
          return lanes === 8 ? places[lane] : places[lane] + places[lane + 4];
        };
        expectTwin([sumOf(yw)], [dotSingle(wanted, others[lane])], 10 * n, what);
        expectTwin([sumOf(yy)], [dotSingle(wanted, wanted)], 10 * n, what);
        expectNear([sumOf(yy)], [dot(vector, vector)], dot(vector, vector), 1e-5, what);
      });
      room.clear();
    }
  });

  it('sums do not lose digits with the length', () => {
    const n = 40_000;
    const identity: Csr = {
      shape: [n, n],
      indptr: Int32Array.from({ length: n + 1 }, (_, i) => i),
      indices: Int32Array.from({ length: n }, (_, i) => i),
      data: new Float64Array(n).fill(1),
    };
    const { indptr, indices } = uploadCsr(room, identity);
    const values = randomVector(n, random(3)).map((value) => Math.fround(1 + Math.abs(value)));
    const [data, x] = [packed(seeds.map(() => identity.data)), packed(seeds.map(() => values))];
    const [y, yw, yy] = [room.bytes(4 * n * lanes), room.vector(8), room.vector(8)];
    room.k.csrMultiplyDotsLanes(n, lanes, true, indptr, indices, data, x, y, x, yw, yy);
    const exact = dot(values, values);
    expectNear([room.read(yw, 1)[0]], [exact], exact, 3e-7);
    expectNear([room.read(yy, 1)[0]], [exact], exact, 3e-7);
  });

  it("ILU(0): each lane the twin's solve, at every size, also in place", () => {
    for (let n = 1; n <= 30; n++) {
      const pattern = randomDominant(n, 0.2, random(n), 2);
      const matrices = matricesOf(pattern);
      const rights = seeds.map((seed) => randomVector(n, random(seed + 70)).map(Math.fround));
      const factors = matrices.map((A) => factorIlu0(room, A));
      const nnz = pattern.indices.length;
      const data = packed(factors.map((one) => room.read(one.data, nnz)));
      const inverse = packed(factors.map((one) => room.read(one.inverse, n)));
      const { indptr, indices, diagonal } = factors[0];
      const r = packed(rights);
      for (const z of [room.bytes(4 * n * lanes), r]) {
        room.k.ilu0SolveLanes(n, lanes, true, indptr, indices, data, diagonal, inverse, r, z);
        unpacked(z, n).forEach((vector, lane) => {
          const wanted = solveIlu0Single(ilu0(matrices[lane]), rights[lane]);
          expectNear(vector, wanted, 1, 1e-5, `n = ${n}, lane ${lane}`);
        });
      }
      room.clear();
    }
  });
});
