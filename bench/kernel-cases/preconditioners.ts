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
      return { run, result: () => sample(M.inverse) };
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
  const [rowStarts, entries] = uploadCsr(room, csr);
  const [places, work] = [room.integers(n), room.integers(5 * n + 4)];
  room.k.levelOrder(n, rowStarts, entries, places, work);
  const found = (pointer: Pointer, length: number) => new Int32Array(room.k.memory.buffer, pointer, length);
  const [lowerEntries, lowerCount, upperEntries, upperCount] = found(work, 4);
  const part = (length: number, runs: number): [Pointer, number, Pointer, Pointer] => [
    room.integers(3 * runs),
    runs,
    room.integers(length),
    room.vector(length),
  ];
  const lower = part(lowerEntries, lowerCount);
  const upper = part(upperEntries, upperCount);
  room.k.levelSlices(n, rowStarts, entries, places, work, lower[0], lower[2], upper[0], upper[2]);
  const ilu0 = room.bytes(room.k.ilu0Size());
  const pivots = room.vector(n);
  const mates = room.integers(lowerEntries);
  room.k.ilu0Init(ilu0, n, places, ...lower, ...upper, pivots, mates, room.vector(n), room.integers(3 * n));
  return {
    ilu0,
    update: () => void room.k.ilu0Update(ilu0, operator),
    inverse: () => {
      const byRows = new Float64Array(n);
      found(places, n).forEach((row, place) => {
        byRows[row] = room.view(pivots, n)[place];
      });
      return byRows;
    },
  };
}
