import { describe, expect, it } from 'vitest';
import { type Csr, operator, product, productMagnitude } from '../twins/csr.ts';
import { galerkin, minimalResidual } from '../twins/projection.ts';
import { random, randomDominant, randomVector } from '../twins/random.ts';
import { axpy, difference, dot, norm2 } from '../twins/vector.ts';
import { BUILDS, expectNear, expectSame, type Room, replaced, useRoom } from './harness.ts';
import { csrOperator, diaOperator } from './matrices.ts';
import { diagonalMatrix, residualNorm } from './systems.ts';

const KINDS = ['galerkin', 'minimal-residual'] as const;

interface Projected {
  improved: boolean;
  x: Float64Array;
  r: Float64Array;
}

interface Storages {
  /** Columns of f32. */
  single?: boolean;
  operator?: typeof csrOperator;
}

function project(
  room: Room,
  kind: (typeof KINDS)[number],
  A: Csr,
  V: readonly Float64Array[],
  x: Float64Array,
  r: Float64Array,
  { single = false, operator = csrOperator }: Storages = {},
): Projected {
  const n = r.length;
  const k = V.length;
  const wStride = room.k.vectorStride(n);
  const stride = single ? Math.ceil(n / 16) * 64 : wStride;
  const [pV, pW] = [room.bytes(k * stride), room.vector((k * wStride) / 8)];
  V.forEach((v, j) => {
    if (single) new Float32Array(room.kernel.buffer, pV + j * stride, n).set(v);
    else room.view(pV + j * stride, n).set(v);
  });
  const scratch = room.vector(n);
  room.k.applyToBasis(operator(room, A), k, pV, stride, single, pW, wStride, scratch);
  V.forEach((v, j) => {
    const column = single ? Float64Array.from(Float32Array.from(v)) : v;
    const found = room.read(pW + j * wStride, n);
    expectNear(found, product(A, column), productMagnitude(A, column), 1e-15, 'A V');
  });
  const [px, pr] = [room.vector(x), room.vector(r, 1)];
  const call = kind === 'galerkin' ? room.k.projectGalerkin : room.k.projectMinimalResidual;
  const small = room.vector((k + 1) * (k + 3));
  const improved = call(n, k, pV, stride, single, pW, wStride, small, scratch, px, pr) !== 0;
  const start = x.slice();
  const y = room.read(small, k);
  if (improved) {
    for (const [j, v] of V.entries()) axpy(y[j], single ? Float64Array.from(Float32Array.from(v)) : v, start);
    expectNear(room.read(px, n), start, 1 + norm2(y), 1e-12, 'x + V y');
  }
  return { improved, x: room.read(px, n), r: room.read(pr, n) };
}

describe.each(BUILDS)('projection on a basis, %s', (build) => {
  const room = useRoom(build);
  const next = random(12);
  const basis = (n: number, k: number): Float64Array[] =>
    Array.from({ length: k }, () => randomVector(n, next));

  it.each(KINDS)('%s equals the twin, from a start of zero or not', (kind) => {
    for (const n of [14, 23, 40, 57]) {
      for (let k = 1; k <= 13; k++) {
        const A = randomDominant(n, 0.2, next);
        const b = randomVector(n, next);
        const V = basis(n, k);
        for (const x0 of [new Float64Array(n), randomVector(n, next)]) {
          const r0 = difference(b, product(A, x0));
          const wanted = (kind === 'galerkin' ? galerkin : minimalResidual)(operator(A), r0, V);
          const { improved, x, r } = project(room, kind, A, V, x0, r0);
          const what = `n = ${n}, k = ${k}`;
          expect(improved, what).toBe(true);
          axpy(1, wanted.x, x0);
          expectNear(x, x0, 1 + norm2(wanted.x), 1e-11, what);
          expectNear(
            r,
            difference(b, product(A, x)),
            norm2(b) + norm2(r0) + wanted.residualNorm,
            1e-11,
            what,
          );
          expectNear(
            [residualNorm(A, b, x)],
            [wanted.residualNorm],
            norm2(r0) + wanted.residualNorm,
            1e-11,
            what,
          );
          room.clear();
        }
      }
    }
  });

  it.each(KINDS)('%s of columns in single precision, and of a matrix by diagonals', (kind) => {
    for (const [n, k] of [
      [14, 1],
      [23, 4],
      [40, 7],
      [57, 13],
      [300, 6],
    ]) {
      const A = randomDominant(n, 0.2, next);
      const b = randomVector(n, next);
      const V = basis(n, k);
      const rounded = V.map((v) => Float64Array.from(Float32Array.from(v)));
      for (const storages of [
        { single: true },
        { operator: diaOperator },
        { single: true, operator: diaOperator },
      ]) {
        const columns = storages.single ? rounded : V;
        const wanted = (kind === 'galerkin' ? galerkin : minimalResidual)(operator(A), b, columns);
        const { improved, x, r } = project(room, kind, A, V, new Float64Array(n), b, storages);
        expect(improved).toBe(true);
        expectNear(x, wanted.x, norm2(wanted.x), 1e-11, `n = ${n}, k = ${k}`);
        expectNear(r, difference(b, product(A, x)), norm2(b) + wanted.residualNorm, 1e-11);
        room.clear();
      }
    }
  });

  it('minimal residual is as good where the normal equations are ill-conditioned', () => {
    const n = 40;
    const A = randomDominant(n, 0.2, next);
    const b = randomVector(n, next);
    const [u, v, noise] = basis(n, 3);
    // From well-conditioned to what only QR can tell apart.
    for (const share of [1e-2, 1e-3, 1e-4, 1e-5, 1e-7]) {
      const V = [u, v, u.map((value, i) => value - v[i] + share * noise[i])];
      const wanted = minimalResidual(operator(A), b, [u, v, noise]);
      const { r } = project(room, 'minimal-residual', A, V, new Float64Array(n), b);
      expectNear([norm2(r)], [wanted.residualNorm], norm2(b), 1e-9, `share ${share}`);
    }
  });

  it('the residual is orthogonal to V (Galerkin), or to A V and never longer (minimal residual)', () => {
    for (let trial = 0; trial < 30; trial++) {
      const n = 20 + trial;
      const k = 1 + (trial % 10);
      const A = randomDominant(n, 0.3, next);
      const b = randomVector(n, next);
      const V = basis(n, k);
      const g = project(room, 'galerkin', A, V, new Float64Array(n), b);
      for (const v of V) expect(Math.abs(dot(v, g.r))).toBeLessThan(1e-11 * norm2(v) * norm2(b));
      const m = project(room, 'minimal-residual', A, V, new Float64Array(n), b);
      for (const v of V) {
        const w = product(A, v);
        expect(Math.abs(dot(w, m.r))).toBeLessThan(1e-12 * norm2(w) * norm2(b));
      }
      expect(norm2(m.r)).toBeLessThan(norm2(b));
      expect(norm2(m.r)).toBeLessThanOrEqual(norm2(g.r) * (1 + 1e-12));
      room.clear();
    }
  });

  it.each(KINDS)('%s finds the solution when the basis holds it', (kind) => {
    const n = 45;
    const A = randomDominant(n, 0.2, next);
    const V = basis(n, 6);
    const exact = new Float64Array(n);
    V.forEach((v, j) => {
      axpy(j - 2, v, exact);
    });
    const { improved, x, r } = project(room, kind, A, V, new Float64Array(n), product(A, exact));
    expect(improved).toBe(true);
    expectNear(x, exact, norm2(exact), 1e-12);
    expect(norm2(r)).toBeLessThan(1e-11 * norm2(exact));
  });

  it('minimal residual leaves out columns that depend on others', () => {
    const n = 30;
    const A = randomDominant(n, 0.3, next);
    const b = randomVector(n, next);
    const [u, v, w] = basis(n, 3);
    const wanted = minimalResidual(operator(A), b, [u, v, w]);
    const sum = u.map((value, i) => 2 * value - v[i]);
    for (const V of [
      [u, v, sum, w],
      [u, u, v, w],
      [new Float64Array(n), u, v, w],
      [u, v, w, sum, u],
    ]) {
      const { improved, x, r } = project(room, 'minimal-residual', A, V, new Float64Array(n), b);
      expect(improved).toBe(true);
      expectNear([norm2(r)], [wanted.residualNorm], norm2(b), 1e-12);
      expectNear(r, difference(b, product(A, x)), norm2(b), 1e-12);
    }
  });

  it('minimal residual leaves x and r alone when nothing is to be won', () => {
    const n = 26;
    // A V has no part along b: the last row of A and of V's columns is alone.
    const A = diagonalMatrix(Array.from({ length: n }, (_, i) => i + 1));
    const V = basis(n, 4).map((v) => replaced(v, n - 1, 0));
    const b = replaced(new Float64Array(n), n - 1, 2);
    const start = randomVector(n, next);
    for (const columns of [V, [], [new Float64Array(n)]]) {
      const { improved, x, r } = project(room, 'minimal-residual', A, columns, start, b);
      expect(improved).toBe(false);
      expectSame(x, start);
      expectSame(r, b);
    }
    const none = project(room, 'minimal-residual', A, V, start, new Float64Array(n));
    expect(none.improved).toBe(false);
    expectSame(none.x, start);
  });

  it("Galerkin leaves x and r alone when V'A V is singular", () => {
    const n = 26;
    const [v] = basis(n, 1);
    const start = randomVector(n, next);
    const b = randomVector(n, next);
    const A = randomDominant(n, 0.3, next);
    const zero = diagonalMatrix(new Array(n).fill(0));
    for (const [matrix, V] of [
      [zero, [v]],
      [A, [v, v]],
      [A, [v, new Float64Array(n)]],
    ] as const) {
      const { improved, x, r } = project(room, 'galerkin', matrix, V, start, b);
      expect(improved).toBe(false);
      expectSame(x, start);
      expectSame(r, b);
    }
  });

  it('NaN in the residual changes nothing', () => {
    const n = 17;
    const A = randomDominant(n, 0.3, next);
    const V = basis(n, 3);
    const start = randomVector(n, next);
    const bad = replaced(randomVector(n, next), 4, Number.NaN);
    const inResidual = project(room, 'minimal-residual', A, V, start, bad);
    expect(inResidual.improved).toBe(false);
    expectSame(inResidual.x, start);
    expectSame(inResidual.r, bad);
  });

  it('a product that overflows is left out, or nothing is changed', () => {
    const n = 17;
    const A = diagonalMatrix(Array.from({ length: n }, (_, i) => (i === 0 ? 1e308 : 2)));
    const [u, v, w] = basis(n, 3).map((column) => replaced(column, 0, 0));
    const b = randomVector(n, next);
    const start = randomVector(n, next);
    for (const V of [
      [replaced(u, 0, 10), v, w],
      [u, replaced(v, 0, -10), w],
      [u, v, replaced(w, 0, 10)],
    ]) {
      for (const kind of KINDS) {
        const { improved, x, r } = project(room, kind, A, V, start, b);
        expect(improved).toBe(kind === 'minimal-residual');
        expect(x.every(Number.isFinite)).toBe(true);
        expect(r.every(Number.isFinite)).toBe(true);
        if (!improved) expectSame(x, start);
      }
    }
  });
});
