import * as sparse from '../plain/sparse.ts';
import {
  type Cases,
  columns,
  csrBytes,
  DIAGONALS,
  entries,
  sample,
  uploadCsr,
  uploadSliced,
} from './case.ts';

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
  slicedMultiply: {
    flops: (n) => 2 * entries(n),
    bytes: (n) => csrBytes(n) + 16 * n,
    kernel(room, { n, csr, x }) {
      const { runs, count, order, indices, data } = uploadSliced(room, csr);
      const [p, q] = [room.vector(x), room.vector(n)];
      return {
        run: () => room.k.slicedMultiply(runs, count, order, indices, data, p, q),
        result: () => sample(room.view(q, n)),
      };
    },
    plain({ csr, x, n }) {
      const y = new Float64Array(n);
      return { run: () => sparse.csrMultiply(csr, x, y), result: () => sample(y) };
    },
  },
  slicedMultiplyTwo: {
    flops: (n) => 4 * entries(n),
    bytes: (n) => csrBytes(n) + 32 * n,
    kernel(room, { n, csr, V }) {
      const { runs, count, order, indices, data } = uploadSliced(room, csr);
      const { pointer, stride } = columns(room, V);
      const Y = room.bytes(stride * 2);
      return {
        run: () => room.k.slicedMultiplyTwo(runs, count, order, indices, data, pointer, stride, Y, stride),
        result: () => sample(room.view(Y + stride, n)),
      };
    },
    plain({ csr, V, n }) {
      const Y = Array.from({ length: 2 }, () => new Float64Array(n));
      const run = () => {
        for (let j = 0; j < 2; j++) sparse.csrMultiply(csr, V[j], Y[j]);
      };
      return { run, result: () => sample(Y[1]) };
    },
  },
  slicedPack: {
    flops: () => 0,
    bytes: (n) => 16 * entries(n),
    kernel(room, { csr }) {
      const { data, pack } = uploadSliced(room, csr);
      const values = room.view(data, csr.data.length);
      const run = () => {
        values.set(csr.data);
        pack();
      };
      return { run, result: () => [] };
    },
    plain({ csr }) {
      const values = csr.data.slice();
      return { run: () => values.set(csr.data), result: () => [] };
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
