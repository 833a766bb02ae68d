import { diaMultiply, BLOCK } from '../../../assembly/operator/dia';
import { applyOperator, makeCsr, makeDia, makeHostOperator, operatorSize } from '../../../assembly/operator/operator';
import {
  applyPreconditioner,
  makeHostPreconditioner,
  makeJacobi,
  preconditionerSize,
} from '../../../assembly/preconditioner/preconditioner';
import { get, holds, integers, set, vector } from './memory';

/** 1, 2, 3 ... n */
function counting(n: i32): f64[] {
  const values = new Array<f64>(n);
  for (let i = 0; i < n; i++) values[i] = i + 1;
  return values;
}

/** Blocks of `count` diagonals with A[i, i + offset] = offset + 1000, NaN outside the matrix. */
function diagonals(n: i32, offsets: i32[]): usize {
  const count = offsets.length;
  const blocks = (n + BLOCK - 1) / BLOCK;
  const data = heap.alloc(<usize>(blocks * count * BLOCK) << 3);
  for (let row = 0; row < blocks * BLOCK; row++) {
    for (let d = 0; d < count; d++) {
      const column = row + offsets[d];
      const inside = row < n && column >= 0 && column < n;
      set(data, ((row / BLOCK) * count + d) * BLOCK + (row % BLOCK), inside ? offsets[d] + 1000 : NaN);
    }
  }
  return data;
}

function wanted(n: i32, offsets: i32[], x: f64[]): f64[] {
  const y = new Array<f64>(n);
  for (let i = 0; i < n; i++) {
    let sum: f64 = 0;
    for (let d = 0; d < offsets.length; d++) {
      const column = i + offsets[d];
      if (column >= 0 && column < n) sum += (offsets[d] + 1000) * x[column];
    }
    y[i] = sum;
  }
  return y;
}

/** All values are small integers, so that every order of summation gives the same. */
function agrees(n: i32, offsets: i32[]): bool {
  const x = counting(n);
  const y = vector(x);
  diaMultiply(n, offsets.length, integers(offsets), diagonals(n, offsets), vector(x), y);
  return holds(y, wanted(n, offsets, x));
}

describe('blocks of diagonals', () => {
  it('five diagonals: edges, then blocks inside, then edges', () => {
    for (let n = 9; n <= 80; n++) expect<bool>(agrees(n, [-8, -1, 0, 1, 8])).toBe(true);
  });

  it('any number of diagonals', () => {
    for (let n = 6; n <= 60; n++) {
      expect<bool>(agrees(n, [0])).toBe(true);
      expect<bool>(agrees(n, [-1, 2])).toBe(true);
      expect<bool>(agrees(n, [-5, -4, 0, 1, 2, 3])).toBe(true);
    }
  });

  it('no block is inside when the diagonals leave all of them', () => {
    expect<bool>(agrees(20, [-19, -11, 0, 11, 19])).toBe(true);
    expect<bool>(agrees(20, [-19, 19])).toBe(true);
    expect<bool>(agrees(4, [-3, 0, 3])).toBe(true);
  });
});

describe('operators', () => {
  it('dispatch by kind', () => {
    const operator = heap.alloc(operatorSize());
    const x = vector([1, 2, 3]);
    const y = vector([0, 0, 0]);
    makeCsr(operator, 3, integers([0, 1, 1, 3]), integers([2, 0, 2]), vector([10, 5, 7]));
    applyOperator(operator, x, y);
    expect<bool>(holds(y, [30, 0, 26])).toBe(true);
    makeDia(operator, 3, 2, integers([0, 1]), diagonals(3, [0, 1]));
    applyOperator(operator, x, y);
    expect<bool>(holds(y, wanted(3, [0, 1], [1, 2, 3]))).toBe(true);
    makeHostOperator(operator, 3, 4);
    applyOperator(operator, x, y);
    expect<bool>(holds(y, [4, 8, 12])).toBe(true);
    expect<bool>(holds(x, [1, 2, 3])).toBe(true);
  });
});

describe('preconditioners', () => {
  it('dispatch by kind', () => {
    const preconditioner = heap.alloc(preconditionerSize());
    const r = vector([1, 2, 3]);
    const z = vector([0, 0, 0]);
    makeJacobi(preconditioner, 3, vector([2, 0.5, -1]));
    applyPreconditioner(preconditioner, r, z);
    expect<bool>(holds(z, [2, 1, -3])).toBe(true);
    makeHostPreconditioner(preconditioner, 3, 6);
    applyPreconditioner(preconditioner, r, z);
    expect<bool>(holds(z, [6, 12, 18])).toBe(true);
    expect<f64>(get(r, 3)).toBeNaN();
  });
});
