import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arnoldi } from './arnoldi.ts';
import { operator, product, residual, toDense } from './csr.ts';
import { solve } from './dense.ts';
import { galerkin, minimalResidual } from './projection.ts';
import { random, randomDominant, randomVector } from './random.ts';
import { dot, norm2, relativeDifference } from './vector.ts';

const n = 30;

function problem(seed: number, k: number) {
  const next = random(seed);
  const seedMatrix = randomDominant(n, 0.2, next);
  const target = randomDominant(n, 0.2, next);
  const { V } = arnoldi(operator(seedMatrix), randomVector(n, next), k);
  return { A: target, apply: operator(target), b: randomVector(n, next), V };
}

describe('projected starts', () => {
  it('Galerkin: the residual is orthogonal to V, the minimal residual to A V', () => {
    const { A, apply, b, V } = problem(1, 8);
    const g = residual(apply, b, galerkin(apply, b, V).x);
    const m = residual(apply, b, minimalResidual(apply, b, V).x);
    for (const v of V) {
      expect(Math.abs(dot(v, g))).toBeLessThan(1e-13);
      expect(Math.abs(dot(product(A, v), m))).toBeLessThan(1e-13);
    }
  });

  it('the minimal residual is no longer than the zero start or Galerkin leaves it', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 12 }), (seed, k) => {
        const { apply, b, V } = problem(seed, k);
        const least = minimalResidual(apply, b, V).residualNorm;
        expect(least).toBeLessThanOrEqual(norm2(b) * (1 + 1e-14));
        expect(least).toBeLessThanOrEqual(galerkin(apply, b, V).residualNorm * (1 + 1e-12));
      }),
      { numRuns: 30 },
    );
  });

  it('both are exact where the solution lies in the span', () => {
    const { A, apply, b } = problem(2, 1);
    const x = solve(toDense(A), b);
    const V = [x.map((value) => value / norm2(x))];
    for (const project of [galerkin, minimalResidual]) {
      expect(relativeDifference(project(apply, b, V).x, x)).toBeLessThan(1e-13);
    }
  });
});
