import { describe, expect, it } from 'vitest';
import { arnoldi } from './arnoldi.ts';
import { bicgstab } from './bicgstab.ts';
import { cg } from './cg.ts';
import { fromTriplets, operator, product, residual, toDense } from './csr.ts';
import { fromColumns, leastSquares, multiply, multiplyVector, orthogonalityError, solve } from './dense.ts';
import { gmres } from './gmres.ts';
import { ilu0Preconditioner } from './ilu0.ts';
import { jacobi } from './jacobi.ts';
import { random, randomBanded, randomDominant, randomSpd, randomVector } from './random.ts';
import { differenceMaxabs, differenceNorm, dot, norm2, relativeDifference } from './vector.ts';

const permutation3 = fromTriplets(
  [3, 3],
  [
    [0, 1, 1],
    [1, 2, 1],
    [2, 0, 1],
  ],
);

describe('Arnoldi', () => {
  it.each([1, 5, 20])('A V_k = V_{k+1} H with orthonormal V and Hessenberg H (k = %i)', (k) => {
    const next = random(k);
    const A = randomDominant(40, 0.2, next);
    const { V, H, breakdown } = arnoldi(operator(A), randomVector(40, next), k);
    expect(breakdown).toBe(false);
    expect([V.length, H.rows, H.cols]).toEqual([k + 1, k + 1, k]);
    expect(orthogonalityError(V)).toBeLessThan(1e-14);
    const AV = multiply(toDense(A), fromColumns(V.slice(0, k)));
    expect(differenceMaxabs(AV.data, multiply(fromColumns(V), H).data)).toBeLessThan(1e-13);
    for (let i = 0; i < H.rows; i++) for (let j = 0; j < i - 1; j++) expect(H.data[i * k + j]).toBe(0);
  });

  it('keeps V orthonormal where one pass would lose it', () => {
    const n = 30;
    const triplets = Array.from({ length: n }, (_, i): [number, number, number] => [i, i, 10 ** (-i / 2)]);
    const { V } = arnoldi(operator(fromTriplets([n, n], triplets)), new Float64Array(n).fill(1), 12);
    expect(orthogonalityError(V)).toBeLessThan(1e-14);
  });

  it('ends with A V_k = V_k H in an invariant subspace', () => {
    const { V, H, breakdown } = arnoldi(operator(permutation3), Float64Array.of(0, 0, 2), 7);
    expect(breakdown).toBe(true);
    expect([V.length, H.rows, H.cols]).toEqual([3, 3, 3]);
    const AV = multiply(toDense(permutation3), fromColumns(V));
    expect(differenceMaxabs(AV.data, multiply(fromColumns(V), H).data)).toBe(0);
    expect(arnoldi(operator(permutation3), new Float64Array(3), 2)).toMatchObject({ V: [], breakdown: true });
  });
});

describe('GMRES', () => {
  it('has in each step the least residual over the Krylov space, from powers of A and dense QR', () => {
    const next = random(2);
    const A = randomDominant(15, 0.4, next, 0.2);
    const b = randomVector(15, next);
    const { history } = gmres(operator(A), b, { rtol: 1e-14, maxiter: 6 });
    const images: Float64Array[] = [];
    let power: Float64Array = b;
    for (let j = 1; j <= 6; j++) {
      power = product(A, power);
      power = power.map((value) => value / norm2(power));
      images.push(power);
      const W = fromColumns(images);
      const least = differenceNorm(b, multiplyVector(W, leastSquares(W, b)));
      expect(history[j] / least).toBeCloseTo(1, 9);
    }
  });

  it.each(['left', 'right'] as const)('with ILU(0) on the %s equals the dense solution', (side) => {
    const next = random(3);
    const A = randomDominant(60, 0.1, next, 0.1);
    const b = randomVector(60, next);
    const preconditioner = ilu0Preconditioner(A);
    const plain = gmres(operator(A), b, { rtol: 1e-12, restart: 8 });
    const result = gmres(operator(A), b, { rtol: 1e-12, restart: 8, side, preconditioner });
    expect(result.converged).toBe(true);
    expect(result.history.length).toBe(result.iterations + 1);
    expect(result.iterations).toBeLessThan(plain.iterations);
    expect(relativeDifference(result.x, solve(toDense(A), b))).toBeLessThan(1e-11);
  });

  it('has a history that never rises within and over cycles and ends at the true residual', () => {
    const next = random(4);
    const A = randomDominant(50, 0.2, next, 0.01);
    const b = randomVector(50, next);
    const { x, history, residualNorm, iterations } = gmres(operator(A), b, { rtol: 1e-9, restart: 5 });
    expect(iterations).toBeGreaterThan(5);
    for (let j = 1; j < history.length; j++) {
      expect(history[j]).toBeLessThanOrEqual(history[j - 1] * (1 + 1e-12));
    }
    expect(residualNorm).toBe(norm2(residual(operator(A), b, x)));
    expect(history[iterations] / residualNorm).toBeCloseTo(1, 5);
  });

  it('needs a full cycle on a cyclic shift, and reports a singular operator', () => {
    const shift = gmres(operator(permutation3), Float64Array.of(1, 0, 0), { rtol: 1e-14 });
    expect(shift).toMatchObject({ converged: true, iterations: 3, history: [1, 1, 1, 0] });
    const nilpotent = fromTriplets([2, 2], [[0, 1, 1]]);
    const failed = gmres(operator(nilpotent), Float64Array.of(1, 1));
    expect(failed.converged).toBe(false);
    expect(failed.breakdown).toBe(true);
    const zero = gmres(operator(fromTriplets([2, 2], [])), Float64Array.of(1, 1));
    expect(zero).toMatchObject({ converged: false, breakdown: true, iterations: 1 });
  });
});

describe('BiCGSTAB', () => {
  it.each(['none', 'jacobi', 'ilu0'] as const)('with %s equals the dense solution', (name) => {
    const next = random(6);
    const A = randomDominant(60, 0.1, next);
    const b = randomVector(60, next);
    const preconditioner = { none: undefined, jacobi: jacobi(A), ilu0: ilu0Preconditioner(A) }[name];
    const result = bicgstab(operator(A), b, { rtol: 1e-12, preconditioner });
    expect(result).toMatchObject({ converged: true, breakdown: false });
    expect(result.history.length).toBe(result.iterations + 1);
    expect(relativeDifference(result.x, solve(toDense(A), b))).toBeLessThan(1e-11);
  });

  it('has in the first step the residual that its definition gives', () => {
    const next = random(7);
    const A = randomBanded(12, [-2, 0, 1], next);
    const b = randomVector(12, next);
    const { history } = bicgstab(operator(A), b, { rtol: 0, maxiter: 1 });
    // From zero: s = b - alpha A b with s orthogonal to b, r = s - omega A s with r orthogonal to A s.
    const Ab = product(A, b);
    const alpha = dot(b, b) / dot(b, Ab);
    const s = b.map((value, i) => value - alpha * Ab[i]);
    const As = product(A, s);
    const omega = dot(As, s) / dot(As, As);
    expect(history[1]).toBeCloseTo(norm2(s.map((value, i) => value - omega * As[i])), 14);
  });

  it('reports breakdown on a rotation by a quarter turn', () => {
    const turn = fromTriplets(
      [2, 2],
      [
        [0, 1, -1],
        [1, 0, 1],
      ],
    );
    const result = bicgstab(operator(turn), Float64Array.of(1, 0));
    expect(result.converged).toBe(false);
    expect(result.breakdown).toBe(true);
  });
});

describe('CG', () => {
  it.each(['none', 'jacobi'] as const)('with %s equals the dense solution', (name) => {
    const next = random(8);
    const A = randomSpd(60, 0.1, next);
    const b = randomVector(60, next);
    const preconditioner = name === 'jacobi' ? jacobi(A) : undefined;
    const result = cg(operator(A), b, { rtol: 1e-12, preconditioner });
    expect(result).toMatchObject({ converged: true, breakdown: false });
    expect(relativeDifference(result.x, solve(toDense(A), b))).toBeLessThan(1e-11);
  });

  it('ends after as many steps as there are eigenvalues', () => {
    const eigenvalues = [1, 5, 20];
    const triplets = Array.from({ length: 24 }, (_, i): [number, number, number] => [
      i,
      i,
      eigenvalues[i % 3],
    ]);
    const A = fromTriplets([24, 24], triplets);
    const { iterations } = cg(operator(A), randomVector(24, random(9)), { rtol: 1e-12 });
    expect(iterations).toBe(3);
  });

  it('reports an indefinite matrix', () => {
    const A = fromTriplets(
      [2, 2],
      [
        [0, 0, 1],
        [1, 1, -1],
      ],
    );
    expect(cg(operator(A), Float64Array.of(1, 2))).toMatchObject({ converged: false, breakdown: true });
  });
});

describe('every method', () => {
  const next = random(10);
  const A = randomSpd(30, 0.2, next);
  const b = randomVector(30, next);
  const exact = solve(toDense(A), b);

  it.each([
    ['gmres', gmres],
    ['bicgstab', bicgstab],
    ['cg', cg],
  ] as const)('%s: start, tolerances, maxiter, b = 0', (_, method) => {
    const started = method(operator(A), b, { x0: exact, rtol: 1e-10 });
    expect(started).toMatchObject({ converged: true, iterations: 0 });
    expect([...started.x]).toEqual([...exact]);
    const x0 = exact.map((value, i) => value + (i % 3));
    const near = method(operator(A), b, { x0, rtol: 1e-10 });
    expect(near.converged).toBe(true);
    expect(near.history[0]).toBeCloseTo(norm2(residual(operator(A), b, x0)), 12);
    expect(relativeDifference(near.x, exact)).toBeLessThan(1e-9);
    expect(method(operator(A), b, { rtol: 0, atol: 0.5 }).residualNorm).toBeLessThanOrEqual(0.5);
    const short = method(operator(A), b, { rtol: 1e-14, maxiter: 2 });
    expect(short).toMatchObject({ converged: false, iterations: 2, breakdown: false });
    expect(method(operator(A), new Float64Array(30))).toMatchObject({ converged: true, iterations: 0 });
  });
});
