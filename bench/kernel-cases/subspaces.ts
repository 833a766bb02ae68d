import * as subspace from '../plain/subspace.ts';
import * as plain from '../plain/vector.ts';
import { randomVector } from '../random.ts';
import { SEED } from '../results.ts';
import { type Cases, columns, K, sample } from './case.ts';

/** Unknowns of the small dense system. */
const DENSE = 30;
const TINY = 1e-9;

export const SUBSPACES: Cases = {
  blockDot: {
    flops: (n) => 2 * K * n,
    bytes: (n) => 8 * (K + 1) * n,
    kernel(room, { n, V, x }) {
      const { pointer, stride } = columns(room, V);
      const [w, h] = [room.vector(x), room.vector(K)];
      return { run: () => room.k.blockDot(n, K, pointer, stride, w, h), result: () => room.view(h, K) };
    },
    plain({ V, x }) {
      const h = new Float64Array(K);
      return { run: () => plain.blockDot(K, V, x, h), result: () => h };
    },
  },
  blockUpdate: {
    flops: (n) => 2 * K * n,
    bytes: (n) => 8 * (K + 2) * n,
    kernel(room, { n, V, x }) {
      const { pointer, stride } = columns(room, V);
      const [w, h] = [room.vector(x), room.vector(new Float64Array(K).fill(TINY))];
      return {
        run: () => room.k.blockUpdate(n, K, 1, pointer, stride, h, w),
        result: () => sample(room.view(w, n)),
      };
    },
    plain({ V, x }) {
      const [w, h] = [x.slice(), new Float64Array(K).fill(TINY)];
      return { run: () => plain.blockUpdate(K, 1, V, h, w), result: () => sample(w) };
    },
  },
  orthogonalize: {
    flops: (n) => (4 * K + 5) * n,
    bytes: (n) => 8 * (2 * K + 5) * n,
    kernel(room, { n, V, x }) {
      const { pointer, stride } = columns(room, V);
      const [w, h, work] = [room.vector(x), room.vector(K + 1), room.vector(K + 1)];
      return {
        run: () => void room.k.orthogonalize(n, K, pointer, stride, w, h, work),
        result: () => sample(room.view(w, n)),
      };
    },
    plain({ V, x }) {
      const [w, h, work] = [x.slice(), new Float64Array(K + 1), new Float64Array(K + 1)];
      return { run: () => void plain.orthogonalize(K, V, w, h, work), result: () => sample(w) };
    },
  },
  solveDense: {
    flops: () => (2 * DENSE ** 3) / 3 + 2 * DENSE ** 2,
    bytes: () => 8 * DENSE ** 2,
    kernel(room) {
      const size = DENSE * DENSE;
      const [kept, A, y] = [room.vector(randomVector(size, SEED)), room.vector(size), room.vector(DENSE)];
      const run = () => {
        room.k.copy(size, kept, A);
        room.view(y, DENSE).fill(1);
        room.k.solveDense(DENSE, A, y);
      };
      return { run, result: () => room.view(y, DENSE) };
    },
    plain() {
      const kept = randomVector(DENSE * DENSE, SEED);
      const [A, y] = [kept.slice(), new Float64Array(DENSE)];
      const run = () => {
        A.set(kept);
        y.fill(1);
        subspace.solveDense(DENSE, A, y);
      };
      return { run, result: () => y };
    },
  },
  projectGalerkin: {
    flops: (n) => (2 * K * K + 6 * K) * n,
    bytes: (n) => 8 * (K * (K + 1) + 3 * K + 4) * n,
    kernel(room, { n, V, x, y }) {
      const { pointer, stride } = columns(room, V);
      const small = room.vector((K + 1) * (K + 3));
      const [scratch, start, r] = [room.vector(n), room.vector(x), room.vector(y)];
      const W = columns(room, V).pointer;
      const { projectGalerkin: project } = room.k;
      return {
        run: () => void project(n, K, pointer, stride, false, W, stride, small, scratch, start, r),
        result: () => sample(room.view(start, n)),
      };
    },
    plain({ V, x, y }) {
      const [start, r] = [x.slice(), y.slice()];
      const [small, z] = [new Float64Array(K * K), new Float64Array(K)];
      return {
        run: () => subspace.projectGalerkin(V, V, small, z, start, r),
        result: () => sample(start),
      };
    },
  },
  projectMinimalResidual: {
    flops: (n) => (2 * K * K + 6 * K) * n,
    bytes: (n) => 8 * (K * (K + 1) + 3 * K + 4) * n,
    kernel(room, { n, V, x, y }) {
      const { pointer, stride } = columns(room, V);
      const W = columns(room, V).pointer;
      const small = room.vector((K + 1) * (K + 3));
      const [scratch, start, kept, r] = [room.vector(n), room.vector(x), room.vector(y), room.vector(n)];
      const { projectMinimalResidual: project } = room.k;
      const run = () => {
        room.k.copy(n, kept, r);
        project(n, K, pointer, stride, false, W, stride, small, scratch, start, r);
      };
      return { run, result: () => sample(room.view(start, n)) };
    },
    plain({ V, x, y, n }) {
      const W = V.map((column) => column.slice());
      const H = V.map(() => new Float64Array(K + 1));
      const [work, z, start, r] = [new Float64Array(K), new Float64Array(K), x.slice(), new Float64Array(n)];
      const run = () => {
        r.set(y);
        subspace.projectMinimalResidual(V, W, H, work, z, start, r);
      };
      return { run, result: () => sample(start) };
    },
  },
};
