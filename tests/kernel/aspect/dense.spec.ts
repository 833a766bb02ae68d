import { solveDense } from '../../../assembly/subspace/dense';
import { get, holds, vector } from './memory';

describe('solveDense', () => {
  it('solves by columns, with a row exchange', () => {
    // [0 2 1; 1 -2 -3; -1 1 2] y = (-8, 0, 3) has y = (-4, -5, 2).
    const A = vector([0, 1, -1, 2, -2, 1, 1, -3, 2]);
    const y = vector([-8, 0, 3]);
    expect<bool>(solveDense(3, A, y)).toBe(true);
    expect<bool>(holds(y, [-4, -5, 2])).toBe(true);
    expect<f64>(get(A, 9)).toBeNaN();
  });

  it('nothing to solve', () => {
    expect<bool>(solveDense(0, vector([]), vector([]))).toBe(true);
  });

  it('takes the largest pivot: a tiny one would lose all digits', () => {
    const y = vector([1, 2]);
    expect<bool>(solveDense(2, vector([1e-20, 1, 1, 1]), y)).toBe(true);
    expect<bool>(holds(y, [1, 1])).toBe(true);
  });

  it('singular, up to rounding, is refused', () => {
    expect<bool>(solveDense(2, vector([1, 2, 2, 4]), vector([1, 1]))).toBe(false);
    expect<bool>(solveDense(2, vector([0, 0, 0, 0]), vector([1, 1]))).toBe(false);
    expect<bool>(solveDense(2, vector([1, 0.1, 3, 0.1 * 3]), vector([1, 1]))).toBe(false);
    expect<bool>(solveDense(1, vector([NaN]), vector([1]))).toBe(false);
  });
});
