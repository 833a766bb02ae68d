import { type Factor, levelPattern } from '../../src/solver/levels.ts';
import { countRuns } from '../../src/solver/slices.ts';
import type { Pointer } from '../../src/wasm/exports.ts';
import * as sparse from '../plain/sparse.ts';
import type { Room } from '../room.ts';
import { type Cases, csrBytes, entries, sample, uploadCsr, uploadSliced } from './case.ts';

export const PRECONDITIONERS: Cases = {
  ilu0Factor: {
    flops: (n) => 7 * n,
    bytes: (n) => csrBytes(n) + 8 * (entries(n) + n),
    kernel(room, { n, csr }) {
      const [indptr, indices, kept] = uploadCsr(room, csr);
      const { length } = csr.data;
      const [data, diagonal, inverse, work] = [
        room.vector(length),
        room.integers(n),
        room.vector(n),
        room.integers(n),
      ];
      const run = () => {
        room.k.copy(length, kept, data);
        room.k.ilu0Factor(n, indptr, indices, data, diagonal, inverse, work);
      };
      return { run, result: () => sample(room.view(inverse, n)) };
    },
    plain({ csr }) {
      const M = sparse.ilu0Room(csr);
      const run = () => {
        M.data.set(csr.data);
        sparse.ilu0Factor(csr, M);
      };
      return { run, result: () => sample(M.inverse) };
    },
  },
  ilu0Update: {
    flops: (n) => 7 * n,
    bytes: (n) => csrBytes(n) + 8 * (entries(n) + n),
    kernel(room, { csr }) {
      const { update, inverse } = levels(room, csr);
      return { run: update, result: () => sample(inverse()) };
    },
    plain({ csr }) {
      const M = sparse.ilu0Room(csr);
      const run = () => {
        M.data.set(csr.data);
        sparse.ilu0Factor(csr, M);
      };
      const { order } = levelPattern(csr);
      return { run, result: () => sample(Float64Array.from(order, (row) => M.inverse[row])) };
    },
  },
  ilu0Apply: {
    flops: (n) => 2 * entries(n),
    bytes: (n) => csrBytes(n) + 36 * n,
    kernel(room, { n, csr, x }) {
      const { ilu0, update } = levels(room, csr);
      update();
      const [r, z] = [room.vector(x), room.vector(n)];
      return { run: () => room.k.ilu0Apply(ilu0, r, z), result: () => sample(room.view(z, n)) };
    },
    plain({ csr, x, n }) {
      const M = sparse.ilu0Room(csr);
      sparse.ilu0Factor(csr, M);
      const z = new Float64Array(n);
      return { run: () => sparse.ilu0Solve(csr, M, x, z), result: () => sample(z) };
    },
  },
};

/** Factors level by level, of the matrix by rows. */
function levels(
  room: Room,
  csr: sparse.Csr,
): { ilu0: Pointer; update: () => void; inverse: () => Float64Array } {
  const { n } = csr;
  const { runs, count, order, indices, data } = uploadSliced(room, csr);
  const operator = room.bytes(room.k.operatorSize());
  room.k.makeSliced(operator, n, runs, count, order, indices, data);
  const pattern = levelPattern(csr);
  const part = ({ runs, columns }: Factor): [Pointer, number, Pointer, Pointer] => [
    room.integers(runs),
    countRuns(runs),
    room.integers(columns),
    room.vector(columns.length),
  ];
  const ilu0 = room.bytes(room.k.ilu0Size());
  const pivots = room.vector(n);
  const places = room.integers(pattern.order);
  const mates = room.integers(pattern.lower.columns.length);
  const rest = [room.vector(n), room.integers(3 * n)] as const;
  room.k.ilu0Init(ilu0, n, places, ...part(pattern.lower), ...part(pattern.upper), pivots, mates, ...rest);
  return {
    ilu0,
    update: () => void room.k.ilu0Update(ilu0, operator),
    inverse: () => room.view(pivots, n),
  };
}
