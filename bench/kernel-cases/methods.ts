import type { KernelExports, Pointer } from '../../src/wasm/exports.ts';
import { bicgstabDia, cg, diaProduct, gmres, type Solver } from '../plain/krylov.ts';
import type * as sparse from '../plain/sparse.ts';
import { type Cases, diaOperator, type KernelCase, sample } from './case.ts';

/** Iterations of a method in one call. */
const STEPS = 10;
const RESTART = 30;

/** A method for some iterations from zero, on the diagonals. */
function method(
  flops: (n: number) => number,
  bytes: (n: number) => number,
  steps: number,
  start: (k: KernelExports, n: number, operator: Pointer, b: Pointer, x: Pointer) => () => void,
  make: (A: sparse.Diagonals) => Solver,
): KernelCase {
  return {
    flops,
    bytes,
    kernel(room, input) {
      const [b, x] = [room.vector(input.x), room.vector(input.n)];
      const run = start(room.k, input.n, diaOperator(room, input), b, x);
      return { run, result: () => sample(room.view(x, input.n)) };
    },
    plain({ x: b, n, diagonals }) {
      const solve = make(diagonals);
      const x = new Float64Array(n);
      return { run: () => void solve(b, x, 0, steps), result: () => sample(x) };
    },
  };
}

export const METHODS: Cases = {
  bicgstabStep: method(
    (n) => STEPS * 42 * n,
    (n) => STEPS * 200 * n,
    STEPS,
    (k, n, operator, b, x) => {
      const w = k.allocate(k.bicgstabSize(n, false));
      return () => {
        k.bicgstabInit(w, operator, 0, b, x, 0, 0, STEPS, true, 0, 0);
        k.bicgstabStep(w, STEPS);
      };
    },
    bicgstabDia,
  ),
  cgStep: method(
    (n) => STEPS * 20 * n,
    (n) => STEPS * 136 * n,
    STEPS,
    (k, n, operator, b, x) => {
      const w = k.allocate(k.cgSize(n, false));
      return () => {
        k.cgInit(w, operator, 0, b, x, 0, 0, STEPS, true, 0, 0);
        k.cgStep(w, STEPS);
      };
    },
    (A) => cg(diaProduct(A)),
  ),
  gmresStep: method(
    (n) => RESTART * (15 + 2 * RESTART + 4) * n,
    (n) => 8 * RESTART * (10 + RESTART) * n,
    RESTART,
    (k, n, operator, b, x) => {
      const w = k.allocate(k.gmresSize(n, RESTART));
      return () => {
        k.gmresInit(w, operator, 0, b, x, 0, 0, RESTART, true, 0, 0, RESTART, false);
        k.gmresStep(w, RESTART);
      };
    },
    (A) => gmres(diaProduct(A), RESTART),
  ),
};
