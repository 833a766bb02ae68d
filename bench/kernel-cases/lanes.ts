import type { Pointer } from '../../src/wasm/exports.ts';
import * as sparse from '../plain/sparse.ts';
import type { Room } from '../room.ts';
import { type Cases, entries, type Input, type KernelCase, sample } from './case.ts';

/** Systems side by side. */
const LANES = 4;

/** The same system in all lanes, against one after the other. */
function lanes(
  flops: (n: number) => number,
  bytes: (n: number) => number,
  kernel: (
    room: Room,
    input: { n: number; csr: sparse.Csr; data: Pointer; x: Pointer; y: Pointer },
  ) => () => void,
  own: (input: Input, y: Float64Array) => () => void,
): KernelCase {
  return {
    flops,
    bytes,
    kernel(room, { n, csr, x }) {
      const [data, from, to] = [
        room.vector(inLanes(csr.data)),
        room.vector(inLanes(x)),
        room.vector(LANES * n),
      ];
      const run = kernel(room, { n, csr, data, x: from, y: to });
      return {
        run,
        result: () => sample(room.view(to, LANES * n).filter((_, k) => k % LANES === LANES - 1)),
      };
    },
    plain(input) {
      const y = new Float64Array(input.n);
      const one = own(input, y);
      const run = () => {
        for (let lane = 0; lane < LANES; lane++) one();
      };
      return { run, result: () => sample(y) };
    },
  };
}

function inLanes(values: Float64Array): Float64Array {
  return Float64Array.from({ length: LANES * values.length }, (_, k) => values[Math.floor(k / LANES)]);
}

export const LANE_CASES: Cases = {
  csrMultiplyLanes: lanes(
    (n) => 2 * LANES * entries(n),
    (n) => 4 * entries(n) + 4 * n + 8 * LANES * (entries(n) + 2 * n),
    (room, { n, csr, data, x, y }) => {
      const [indptr, indices] = [room.integers(csr.indptr), room.integers(csr.indices)];
      return () => room.k.csrMultiplyLanes(n, LANES, false, indptr, indices, data, x, y);
    },
    ({ csr, x }, y) =>
      () =>
        sparse.csrMultiply(csr, x, y),
  ),
  ilu0SolveLanes: lanes(
    (n) => 2 * LANES * entries(n),
    (n) => 4 * entries(n) + 8 * n + 8 * LANES * (entries(n) + 4 * n),
    (room, { n, csr, data, x, y }) => {
      const M = sparse.ilu0Room(csr);
      sparse.ilu0Factor(csr, M);
      const [indptr, indices] = [room.integers(csr.indptr), room.integers(csr.indices)];
      const [diagonal, inverse] = [room.integers(M.diagonal), room.vector(inLanes(M.inverse))];
      room.view(data, LANES * csr.data.length).set(inLanes(M.data));
      return () => room.k.ilu0SolveLanes(n, LANES, false, indptr, indices, data, diagonal, inverse, x, y);
    },
    ({ csr, x }, y) => {
      const M = sparse.ilu0Room(csr);
      sparse.ilu0Factor(csr, M);
      return () => sparse.ilu0Solve(csr, M, x, y);
    },
  ),
};
