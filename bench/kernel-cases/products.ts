import * as sparse from '../plain/sparse.ts';
import { type Cases, csrBytes, DIAGONALS, entries, sample, uploadCsr } from './case.ts';

export const PRODUCTS: Cases = {
  csrMultiply: {
    flops: (n) => 2 * entries(n),
    bytes: (n) => csrBytes(n) + 16 * n,
    kernel(room, { n, csr, x }) {
      const [indptr, indices, data] = uploadCsr(room, csr);
      const [p, q] = [room.vector(x), room.vector(n)];
      return {
        run: () => room.k.csrMultiply(n, indptr, indices, data, p, q),
        result: () => sample(room.view(q, n)),
      };
    },
    plain({ csr, x, n }) {
      const y = new Float64Array(n);
      return { run: () => sparse.csrMultiply(csr, x, y), result: () => sample(y) };
    },
  },
  csrMultiplyTransposed: {
    flops: (n) => 2 * entries(n),
    bytes: (n) => csrBytes(n) + 16 * n,
    kernel(room, { n, csr, x }) {
      const [indptr, indices, data] = uploadCsr(room, csr);
      const [p, q] = [room.vector(x), room.vector(n)];
      return {
        run: () => room.k.csrMultiplyTransposed(n, n, indptr, indices, data, p, q),
        result: () => sample(room.view(q, n)),
      };
    },
    plain({ csr, x, n }) {
      const y = new Float64Array(n);
      return { run: () => sparse.csrMultiplyTransposed(csr, x, y), result: () => sample(y) };
    },
  },
  diaMultiply: {
    flops: (n) => 2 * entries(n),
    bytes: (n) => 8 * (DIAGONALS + 2) * n,
    kernel(room, { n, side, blocked: data, x }) {
      const offsets = room.integers(Int32Array.of(-side, -1, 0, 1, side));
      const [values, p, q] = [room.vector(data), room.vector(x), room.vector(n)];
      return {
        run: () => room.k.diaMultiply(n, DIAGONALS, offsets, values, p, q),
        result: () => sample(room.view(q, n)),
      };
    },
    plain({ n, side, diagonals, x }) {
      const [p, q] = [new Float64Array(n + 2 * side), new Float64Array(n + 2 * side)];
      p.set(x, side);
      return {
        run: () => sparse.diaMultiply(diagonals, p, q),
        result: () => sample(q.subarray(side, side + n)),
      };
    },
  },
  diaMultiplyDot: {
    flops: (n) => 2 * entries(n) + 4 * n,
    bytes: (n) => 8 * (DIAGONALS + 3) * n,
    kernel(room, { n, side, blocked: data, x, y: w }) {
      const offsets = room.integers(Int32Array.of(-side, -1, 0, 1, side));
      const [values, p, q, u, out] = [data, x, n, w, 2].map((part) => room.vector(part));
      return {
        run: () => room.k.diaMultiplyDot(n, DIAGONALS, offsets, values, p, q, u, out),
        result: () => [room.view(out, 2)[0], ...sample(room.view(q, n))],
      };
    },
    plain({ n, side, diagonals, x, y: w }) {
      const [p, q, u] = Array.from({ length: 3 }, () => new Float64Array(n + 2 * side));
      p.set(x, side);
      u.set(w, side);
      let value = 0;
      const run = () => {
        value = sparse.diaMultiplyDot(diagonals, p, q, u);
      };
      return { run, result: () => [value, ...sample(q.subarray(side, side + n))] };
    },
  },
};
