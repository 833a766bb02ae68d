import { describe, expect, it } from 'vitest';
import type { Pointer } from '../../src/wasm/exports.ts';
import { type Csr, product } from '../twins/csr.ts';
import { ilu0, solveIlu0 } from '../twins/ilu0.ts';
import { random, randomDominant, randomSparse, randomVector } from '../twins/random.ts';
import { dot } from '../twins/vector.ts';
import { LANES } from './batch-run.ts';
import { BUILDS, expectNear, expectSame, expectTwin, type Room, useRoom } from './harness.ts';
import { factorIlu0, uploadCsr } from './matrices.ts';

const cases = BUILDS.flatMap((build) => LANES.map((lanes) => ({ build, lanes })));

/** Other values in the same pattern. */
function reseeded(A: Csr, seed: number): Csr {
  const next = random(seed);
  return { ...A, data: A.data.map((value) => value * (1 + next())) };
}

/** Vectors side by side, as the kernel packs them. */
function packed(room: Room, vectors: Float64Array[], shift = 0): Pointer {
  const n = vectors[0].length;
  const target = room.vector(n * vectors.length, shift);
  vectors.forEach((vector, lane) => {
    room.k.packLane(n, vectors.length, false, lane, room.vector(vector), target);
  });
  return target;
}

function unpacked(room: Room, source: Pointer, n: number, lanes: number): Float64Array[] {
  return Array.from({ length: lanes }, (_, lane) => {
    const target = room.vector(n);
    room.k.unpackLane(n, lanes, false, lane, source, target);
    return room.read(target, n);
  });
}

describe.each(cases)('$lanes lanes, $build', ({ build, lanes }) => {
  const room = useRoom(build);
  /** Vectors of n elements a lane with the padding that methods give them; zeros without `vectors`. */
  const padded = (n: number, vectors: Float64Array[] = []) => {
    const target = room.vector(new Float64Array(Math.ceil((n * lanes) / 4) * 4));
    vectors.forEach((vector, lane) => {
      room.k.packLane(n, lanes, false, lane, room.vector(vector), target);
    });
    return target;
  };
  const seeds = Array.from({ length: lanes }, (_, lane) => lane + 1);

  it('element i of lane l is at [i * lanes + l], and comes back from there', () => {
    for (let n = 0; n <= 13; n++) {
      const vectors = seeds.map((seed) => randomVector(n, random(seed)));
      const target = packed(room, vectors, 1);
      const all = room.read(target, n * lanes);
      for (let i = 0; i < n; i++) {
        for (let lane = 0; lane < lanes; lane++) expect(all[i * lanes + lane]).toBe(vectors[lane][i]);
      }
      unpacked(room, target, n, lanes).forEach((vector, lane) => {
        expectSame(vector, vectors[lane]);
      });
      room.clear();
    }
  });

  it('a lane that is packed leaves the others as they are', () => {
    const vectors = seeds.map((seed) => randomVector(7, random(seed)));
    const target = packed(room, vectors);
    room.k.packLane(7, lanes, false, 1, room.vector(new Float64Array(7).fill(9)), target);
    const wanted = vectors.map((vector, lane) => (lane === 1 ? new Float64Array(7).fill(9) : vector));
    unpacked(room, target, 7, lanes).forEach((vector, lane) => {
      expectSame(vector, wanted[lane]);
    });
  });

  it("products: each lane the twin's, at every size, with empty rows", () => {
    for (let n = 0; n <= 30; n++) {
      const pattern = randomSparse([n, n], 0.2, random(n));
      const matrices = seeds.map((seed) => reseeded(pattern, seed));
      const vectors = seeds.map((seed) => randomVector(n, random(seed + 50)));
      const { indptr, indices } = uploadCsr(room, pattern);
      const data = packed(
        room,
        matrices.map((A) => A.data),
      );
      const y = room.vector(n * lanes);
      room.k.csrMultiplyLanes(n, lanes, false, indptr, indices, data, packed(room, vectors), y);
      unpacked(room, y, n, lanes).forEach((vector, lane) => {
        const A = matrices[lane];
        const absolute = { ...A, data: A.data.map(Math.abs) };
        const scale = product(absolute, vectors[lane].map(Math.abs));
        expectTwin(build, vector, product(A, vectors[lane]), scale, `n = ${n}, lane ${lane}`);
      });
      room.clear();
    }
  });

  it("products with their sums: each lane the twin's, at every size", () => {
    for (let n = 1; n <= 30; n++) {
      const pattern = randomSparse([n, n], 0.2, random(n));
      const matrices = seeds.map((seed) => reseeded(pattern, seed));
      const vectors = seeds.map((seed) => randomVector(n, random(seed + 50)));
      const others = seeds.map((seed) => randomVector(n, random(seed + 90)));
      const { indptr, indices } = uploadCsr(room, pattern);
      const data = packed(
        room,
        matrices.map((A) => A.data),
      );
      const [x, w, y, plain] = [packed(room, vectors), padded(n, others), padded(n), room.vector(n * lanes)];
      const [yw, yy] = [room.vector(4), room.vector(4)];
      room.k.csrMultiplyDotsLanes(n, lanes, false, indptr, indices, data, x, y, w, yw, yy);
      room.k.csrMultiplyLanes(n, lanes, false, indptr, indices, data, x, plain);
      expectSame(room.read(y, n * lanes), room.read(plain, n * lanes));
      unpacked(room, y, n, lanes).forEach((vector, lane) => {
        const sumOf = (row: Pointer) => {
          const places = room.read(row, 4);
          return lanes === 4 ? places[lane] : places[lane] + places[lane + 2];
        };
        const terms = vector.map((value, i) => Math.abs(value * others[lane][i]));
        const scale = terms.reduce((sum, value) => sum + value, 0);
        expectNear([sumOf(yw)], [dot(vector, others[lane])], scale, 1e-14, `n = ${n}, lane ${lane}`);
        expectNear([sumOf(yy)], [dot(vector, vector)], dot(vector, vector), 1e-14, `n = ${n}, lane ${lane}`);
      });
      room.clear();
    }
  });

  it("ILU(0): each lane the twin's solve, at every size, also in place", () => {
    for (let n = 1; n <= 30; n++) {
      const pattern = randomDominant(n, 0.2, random(n), 2);
      const matrices = seeds.map((seed) => reseeded(pattern, seed));
      const rights = seeds.map((seed) => randomVector(n, random(seed + 70)));
      const factors = matrices.map((A) => factorIlu0(room, A));
      expect(factors.every(({ failed }) => failed === -1)).toBe(true);
      const nnz = pattern.indices.length;
      const data = packed(
        room,
        factors.map((one) => room.read(one.data, nnz)),
      );
      const inverse = packed(
        room,
        factors.map((one) => room.read(one.inverse, n)),
      );
      const { indptr, indices, diagonal } = factors[0];
      const r = packed(room, rights);
      for (const z of [room.vector(n * lanes), r]) {
        room.k.ilu0SolveLanes(n, lanes, false, indptr, indices, data, diagonal, inverse, r, z);
        unpacked(room, z, n, lanes).forEach((vector, lane) => {
          const wanted = solveIlu0(ilu0(matrices[lane]), rights[lane]);
          expectNear(vector, wanted, 1, 1e-12, `n = ${n}, lane ${lane}`);
        });
      }
      room.clear();
    }
  });

  it('what is in one lane, NaN too, does not get into another', () => {
    const pattern = randomDominant(12, 0.3, random(5));
    const { indptr, indices } = uploadCsr(room, pattern);
    const vectors = seeds.map((seed) => randomVector(12, random(seed)));
    const multiply = (data: Float64Array[], x: Float64Array[]): Float64Array[] => {
      const y = room.vector(12 * lanes);
      room.k.csrMultiplyLanes(12, lanes, false, indptr, indices, packed(room, data), packed(room, x), y);
      return unpacked(room, y, 12, lanes);
    };
    const wanted = multiply(
      seeds.map(() => pattern.data),
      vectors,
    );
    const spoilt = pattern.data.map(() => Number.NaN);
    const infinite = new Float64Array(12).fill(Infinity);
    const actual = multiply(
      seeds.map((_, lane) => (lane === 0 ? spoilt : pattern.data)),
      vectors.map((vector, lane) => (lane === 0 ? infinite : vector)),
    );
    for (let lane = 1; lane < lanes; lane++) expectSame(actual[lane], wanted[lane]);
    expect(actual[0].every(Number.isNaN)).toBe(true);
  });
});
