import {
  begin,
  BREAKDOWN,
  CONVERGED,
  finish,
  firstVector,
  Iteration,
  MAX_ITERATIONS,
  NON_FINITE,
  record,
  RUNNING,
  takeHistory,
  trueResidual,
  vectorStride,
} from '../../../assembly/method/iteration';
import { makeHostOperator, operatorSize } from '../../../assembly/operator/operator';
import { get, holds, set, vector } from './memory';

/** The host's operator is `scale` times the identity. */
function scaling(n: i32, scale: i32): usize {
  const operator = heap.alloc(operatorSize());
  makeHostOperator(operator, n, scale);
  return operator;
}

const it0 = changetype<Iteration>(heap.alloc(offsetof<Iteration>()));
const r = vector([0, 0]);
const history = vector([0, 0, 0]);

function start(b: usize, x: usize, rtol: f64, atol: f64, maxiter: i32, zeroStart: bool): i32 {
  begin(it0, scaling(2, 2), 0, b, x, r, rtol, atol, maxiter, zeroStart, history, 3);
  return it0.status;
}

describe('begin', () => {
  it('from zero: r = b, and no product', () => {
    const x = vector([7, NaN]);
    expect<i32>(start(vector([3, 4]), x, 0.1, 0, 10, true)).toBe(RUNNING);
    expect<bool>(holds(x, [0, 0])).toBe(true);
    expect<bool>(holds(r, [3, 4])).toBe(true);
    expect<f64>(it0.bNorm).toBe(5);
    expect<f64>(it0.residualNorm).toBe(5);
    expect<f64>(it0.tolerance).toBe(0.5);
    expect<i32>(it0.matvecs).toBe(0);
  });

  it('from x: r = b - A x, one product', () => {
    const x = vector([1, -2]);
    expect<i32>(start(vector([3, 4]), x, 0, 1, 10, false)).toBe(RUNNING);
    expect<bool>(holds(x, [1, -2])).toBe(true);
    expect<bool>(holds(r, [1, 8])).toBe(true);
    expect<f64>(it0.tolerance).toBe(1);
    expect<i32>(it0.matvecs).toBe(1);
    expect<f64>(it0.estimate).toBe(it0.residualNorm);
  });

  it('ends at once where it can', () => {
    expect<i32>(start(vector([0, 0]), vector([1, 1]), 0, 0, 10, false)).toBe(CONVERGED);
    expect<i32>(start(vector([2, 4]), vector([1, 2]), 0, 0, 10, false)).toBe(CONVERGED);
    expect<i32>(start(vector([2, 4]), vector([1, 1]), 0, 0, 0, false)).toBe(MAX_ITERATIONS);
    expect<i32>(start(vector([2, NaN]), vector([1, 1]), 0.5, 9, 10, true)).toBe(NON_FINITE);
    expect<i32>(start(vector([2, 4]), vector([1, Infinity]), 0.5, 9, 10, false)).toBe(NON_FINITE);
  });
});

describe('finish', () => {
  it('the true residual has the last word', () => {
    const x = vector([0, 0]);
    start(vector([2, 4]), x, 1e-10, 0, 10, true);
    finish(it0, BREAKDOWN, r);
    expect<i32>(it0.status).toBe(BREAKDOWN);
    expect<f64>(it0.residualNorm).toBe(Math.sqrt(20));
    set(x, 0, 1);
    set(x, 1, 2);
    finish(it0, BREAKDOWN, r);
    expect<i32>(it0.status).toBe(CONVERGED);
    expect<f64>(it0.residualNorm).toBe(0);
    set(x, 0, NaN);
    finish(it0, BREAKDOWN, r);
    expect<i32>(it0.status).toBe(NON_FINITE);
    expect<i32>(it0.matvecs).toBe(3);
  });

  it('trueResidual fills r and returns its norm', () => {
    const x = vector([0, 0]);
    start(vector([2, 4]), x, 1e-10, 0, 10, true);
    set(x, 0, -0.5);
    expect<f64>(trueResidual(it0, r)).toBe(5);
    expect<bool>(holds(r, [3, 4])).toBe(true);
  });
});

describe('history', () => {
  it('is filled up to its capacity, and emptied when taken', () => {
    start(vector([3, 4]), vector([0, 0]), 0, 0, 10, true);
    record(it0, 4);
    record(it0, 3);
    record(it0, 2);
    expect<f64>(it0.estimate).toBe(2);
    expect<bool>(holds(history, [5, 4, 3])).toBe(true);
    expect<i32>(takeHistory(changetype<usize>(it0))).toBe(3);
    expect<i32>(takeHistory(changetype<usize>(it0))).toBe(0);
    record(it0, 1);
    expect<f64>(get(history, 0)).toBe(1);
    expect<i32>(takeHistory(changetype<usize>(it0))).toBe(1);
  });
});

describe('layout', () => {
  it('vectors begin on cache lines, behind the record', () => {
    for (let address: usize = 4096; address < 4096 + 64; address += 8) {
      for (let bytes: usize = 1; bytes < 200; bytes += 13) {
        const at = firstVector(address, bytes);
        expect<usize>(at % 64).toBe(0);
        expect<bool>(at >= address + bytes && at < address + bytes + 64).toBe(true);
      }
    }
    expect<usize>(vectorStride(0)).toBe(0);
    expect<usize>(vectorStride(8)).toBe(64);
    expect<usize>(vectorStride(9)).toBe(128);
  });

  it('the size of a huge system is not wrapped', () => {
    expect<usize>(vectorStride(400_000_000)).toBe(3_200_000_000);
  });
});
