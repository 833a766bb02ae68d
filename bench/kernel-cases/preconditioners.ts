import * as sparse from '../plain/sparse.ts';
import { type Cases, csrBytes, entries, sample, uploadCsr } from './case.ts';

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
  ilu0Solve: {
    flops: (n) => 2 * entries(n),
    bytes: (n) => csrBytes(n) + 36 * n,
    kernel(room, { n, csr, x }) {
      const [indptr, indices, data] = uploadCsr(room, csr);
      const [diagonal, inverse, work] = [room.integers(n), room.vector(n), room.integers(n)];
      room.k.ilu0Factor(n, indptr, indices, data, diagonal, inverse, work);
      const [r, z] = [room.vector(x), room.vector(n)];
      return {
        run: () => room.k.ilu0Solve(n, indptr, indices, data, diagonal, inverse, r, z),
        result: () => sample(room.view(z, n)),
      };
    },
    plain({ csr, x, n }) {
      const M = sparse.ilu0Room(csr);
      sparse.ilu0Factor(csr, M);
      const z = new Float64Array(n);
      return { run: () => sparse.ilu0Solve(csr, M, x, z), result: () => sample(z) };
    },
  },
};
