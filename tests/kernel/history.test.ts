import { describe, expect, it } from 'vitest';
import { operator, product } from '../twins/csr.ts';
import { minimalResidual } from '../twins/projection.ts';
import { random, randomDominant, randomVector } from '../twins/random.ts';
import { difference, dot, norm2 } from '../twins/vector.ts';
import { BUILDS, expectNear, expectSame, LENGTHS, type Room, useRoom } from './harness.ts';
import { csrOperator } from './matrices.ts';

/** The k-th backward differences of the vectors, the last vector first, by their definition. */
function differences(vectors: readonly Float64Array[], count: number): Float64Array[] {
  const table: Float64Array[] = [];
  let row = [...vectors].reverse();
  for (let k = 0; k < count; k++) {
    table.push(row[0]);
    row = row.slice(1).map((vector, i) => difference(row[i], vector));
  }
  return table;
}

function columns(room: Room, vectors: readonly Float64Array[], n: number) {
  const stride = room.k.vectorStride(n);
  const D = room.vector((vectors.length * stride) / 8);
  vectors.forEach((vector, j) => {
    room.view(D + j * stride, n).set(vector);
  });
  return { D, stride };
}

function start(
  room: Room,
  A: ReturnType<typeof randomDominant>,
  vectors: readonly Float64Array[],
  b: Float64Array,
) {
  const n = b.length;
  const k = vectors.length;
  const { D, stride } = columns(room, vectors, n);
  const small = room.vector(k * (k + 3));
  const x = room.vector(n, 1);
  room.k.startFromDifferences(
    csrOperator(room, A),
    n,
    k,
    D,
    stride,
    room.vector((k * stride) / 8),
    small,
    room.vector(b),
    x,
  );
  return { x: room.read(x, n), parts: room.read(small, k) };
}

describe.each(BUILDS)('history of solutions, %s', (build) => {
  const room = useRoom(build);

  it('keeps backward differences of every order', () => {
    for (const n of LENGTHS) {
      const vectors = Array.from({ length: 6 }, (_, k) => randomVector(n, random(100 + k)));
      const { D, stride } = columns(
        room,
        Array.from({ length: 4 }, () => new Float64Array(n)),
        n,
      );
      vectors.forEach((vector, k) => {
        room.k.pushDifference(n, Math.min(k + 1, 4), D, stride, room.vector(vector));
      });
      differences(vectors, 4).forEach((wanted, j) => {
        expectNear(room.read(D + j * stride, n), wanted, 10, 1e-15, `order ${j}, n = ${n}`);
      });
      room.clear();
    }
  });

  it('starts with the smallest residual that the columns allow, and says what each takes away', () => {
    for (const n of [1, 2, 7, 16, 33, 100]) {
      const A = randomDominant(n, 0.3, random(n));
      const apply = operator(A);
      const b = randomVector(n, random(5));
      for (const k of [1, 2, 3, 4, 5, 8].filter((k) => k <= n)) {
        const vectors = Array.from({ length: k }, (_, j) => randomVector(n, random(200 + j)));
        const { x, parts } = start(room, A, vectors, b);
        const wanted = minimalResidual(apply, b, vectors);
        expectNear(x, wanted.x, norm2(wanted.x), 1e-9, `n = ${n}, k = ${k}`);
        let rest = dot(b, b);
        for (let j = 1; j <= k; j++) {
          rest -= parts[j - 1];
          const { residualNorm } = minimalResidual(apply, b, vectors.slice(0, j));
          expect(Math.abs(Math.max(rest, 0) - residualNorm ** 2)).toBeLessThan(1e-10 * dot(b, b));
        }
        room.clear();
      }
    }
  });

  it('gives columns that depend on others, vanish or are not finite no part', () => {
    const n = 40;
    const A = randomDominant(n, 0.2, random(3));
    const b = randomVector(n, random(6));
    const [u, v] = [randomVector(n, random(7)), randomVector(n, random(8))];
    const wanted = minimalResidual(operator(A), b, [u, v]).x;
    const sum = u.map((value, i) => value - 2 * v[i]);
    for (const extra of [u, sum, new Float64Array(n), u.map((value) => value * 1e200)]) {
      const { x, parts } = start(room, A, [u, v, extra], b);
      expectNear(x, wanted, norm2(wanted), 1e-9);
      expect(parts[2]).toBe(0);
      room.clear();
    }
    for (const extra of [new Float64Array(n), u.map((value) => value * 1e200)]) {
      const { x, parts } = start(room, A, [extra, u, v], b);
      expect(parts[0]).toBe(0);
      expectNear(x, wanted, norm2(wanted), 1e-9);
      room.clear();
    }
  });

  it('finds the solution among combinations of earlier ones', () => {
    const n = 60;
    const A = randomDominant(n, 0.2, random(4));
    const vectors = Array.from({ length: 4 }, (_, k) => randomVector(n, random(300 + k)));
    const x = vectors[0].map((value, i) => value - 3 * vectors[2][i] + vectors[3][i]);
    const found = start(room, A, differences(vectors, 4), product(A, x));
    expectNear(found.x, x, 10, 1e-9);
  });

  it('of no columns it is zero', () => {
    const n = 5;
    const { x } = start(room, randomDominant(n, 0.2, random(1)), [], randomVector(n, random(1)));
    expectSame(x, new Float64Array(n));
  });
});
