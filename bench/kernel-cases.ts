import type { KernelExports, Pointer } from '../src/wasm/exports.ts';
import * as fokkerplanck from './plain/fokkerplanck.ts';
import { bicgstabDia, cg, diaProduct, gmres, type Solver } from './plain/krylov.ts';
import * as sparse from './plain/sparse.ts';
import * as subspace from './plain/subspace.ts';
import * as plain from './plain/vector.ts';
import { fivePoint } from './problems.ts';
import { randomVector } from './random.ts';
import { SEED } from './results.ts';
import type { Room } from './room.ts';

/** One kernel, ready to be called, and what it computed. */
export interface Work {
  run: () => void;
  result: () => ArrayLike<number>;
}

/** An export of the kernel and the plain TypeScript that does the same. */
export interface KernelCase {
  /** Floating-point operations a call, and bytes that must be read or written at least. */
  flops: (n: number) => number;
  bytes: (n: number) => number;
  kernel: (room: Room, input: Input) => Work;
  plain: (input: Input) => Work;
}

/** What all cases of one size start from. */
export interface Input {
  /** Points of the grid, and of each side. */
  n: number;
  side: number;
  x: Float64Array;
  y: Float64Array;
  /** K vectors of length n, nearly orthonormal. */
  V: Float64Array[];
  /** The stiff five-point matrix, by rows and by diagonals. */
  csr: sparse.Csr;
  diagonals: sparse.Diagonals;
  /** The diagonals in the kernel's blocks of eight rows. */
  blocked: Float64Array;
}

/** Vectors in a block. */
const K = 10;
/** Unknowns of the small dense system. */
const DENSE = 30;
/** Iterations of a method in one call. */
const STEPS = 10;
const RESTART = 30;
/** Systems side by side. */
const LANES = 4;
const DIAGONALS = 5;
const TINY = 1e-9;

export function makeInput(side: number): Input {
  const n = side * side;
  const { A } = fivePoint(side, 'stiff');
  const csr = { n, indptr: A.indptr, indices: A.indices, data: A.data };
  const diagonals = sparse.diagonals(csr, side);
  const V = Array.from({ length: K }, (_, j) => randomVector(n, SEED + 10 + j));
  const coefficients = new Float64Array(K + 1);
  V.forEach((column, j) => {
    plain.orthogonalize(j, V, column, coefficients, new Float64Array(K));
  });
  return {
    n,
    side,
    x: randomVector(n, SEED),
    y: randomVector(n, SEED + 1),
    V,
    csr,
    diagonals,
    blocked: blocked(diagonals),
  };
}

function blocked({ n, below, left, centre, right, above }: sparse.Diagonals): Float64Array {
  const all = [below, left, centre, right, above];
  const data = new Float64Array(Math.ceil(n / 8) * 8 * DIAGONALS);
  for (let k = 0; k < n; k++) {
    for (let d = 0; d < DIAGONALS; d++) data[((k >> 3) * DIAGONALS + d) * 8 + (k & 7)] = all[d][k];
  }
  return data;
}

/** A case of vectors: the kernel's and the plain version get x, y, a third vector, and two numbers of room. */
function vectors(
  flops: number,
  bytes: number,
  kernel: (k: KernelExports, n: number, x: Pointer, y: Pointer, z: Pointer, out: Pointer) => unknown,
  own: (x: Float64Array, y: Float64Array, z: Float64Array, out: Float64Array) => unknown,
): KernelCase {
  return {
    flops: (n) => flops * n,
    bytes: (n) => bytes * n,
    kernel(room, { n, x, y }) {
      const [p, q, r, out] = [room.vector(x), room.vector(y), room.vector(n), room.vector(2)];
      let value: unknown = 0;
      return {
        run: () => {
          value = kernel(room.k, n, p, q, r, out);
        },
        result: () => [
          number(value),
          ...room.view(out, 2),
          ...sample(room.view(p, n)),
          ...sample(room.view(q, n)),
          ...sample(room.view(r, n)),
        ],
      };
    },
    plain({ x, y, n }) {
      const [p, q, r, out] = [x.slice(), y.slice(), new Float64Array(n), new Float64Array(2)];
      let value: unknown = 0;
      return {
        run: () => {
          value = own(p, q, r, out);
        },
        result: () => [number(value), ...out, ...sample(p), ...sample(q), ...sample(r)],
      };
    },
  };
}

/** What an operation without a result returns is none. */
function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

/** Enough of a long result to see a difference. */
function sample(values: Float64Array): number[] {
  const step = Math.max(1, Math.floor(values.length / 97));
  return Array.from({ length: Math.ceil(values.length / step) }, (_, k) => values[k * step]);
}

/** V in the kernel: one array, and the bytes from column to column. */
function columns(room: Room, V: readonly Float64Array[]): { pointer: Pointer; stride: number } {
  const n = V[0].length;
  const stride = room.k.vectorStride(n);
  const pointer = room.bytes(stride * V.length);
  V.forEach((column, j) => {
    room.view(pointer + j * stride, n).set(column);
  });
  return { pointer, stride };
}

function uploadCsr(room: Room, { indptr, indices, data }: sparse.Csr): [Pointer, Pointer, Pointer] {
  return [room.integers(indptr), room.integers(indices), room.vector(data)];
}

function diaOperator(room: Room, { n, side, blocked: data }: Input): Pointer {
  const operator = room.bytes(room.k.operatorSize());
  const offsets = room.integers(Int32Array.of(-side, -1, 0, 1, side));
  room.k.makeDia(operator, n, DIAGONALS, offsets, room.vector(data));
  return operator;
}

const entries = (n: number) => DIAGONALS * n - 4 * Math.sqrt(n);
const csrBytes = (n: number) => 12 * entries(n) + 4 * n;

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

/** The assembly of a scheme: `m` in, the diagonals (and b) out. */
function assembly(
  flops: number,
  kernel: (k: KernelExports, side: number, m: Pointer, data: Pointer, b: Pointer, room: Room) => () => void,
  own: (side: number, m: Float64Array, A: sparse.Diagonals, b: Float64Array) => void,
): KernelCase {
  return {
    flops: (n) => flops * n,
    bytes: (n) => 8 * n * (DIAGONALS + 1),
    kernel(room, { n, side, x }) {
      const [m, data, b] = [room.vector(x), room.vector(n * DIAGONALS), room.vector(n)];
      return {
        run: kernel(room.k, side, m, data, b, room),
        result: () => [...sample(room.view(data, n * DIAGONALS)), ...sample(room.view(b, n))],
      };
    },
    plain({ n, side, x }) {
      const A = fokkerplanck.emptyDiagonals(n, side);
      const b = new Float64Array(n);
      return { run: () => own(side, x, A, b), result: () => [...sample(blocked(A)), ...sample(b)] };
    },
  };
}

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

export const CASES: Partial<Record<keyof KernelExports, KernelCase>> = {
  dot: vectors(
    2,
    16,
    (k, n, x, y) => k.dot(n, x, y),
    (x, y) => plain.dot(x, y),
  ),
  norm2: vectors(
    2,
    8,
    (k, n, x) => k.norm2(n, x),
    (x) => plain.norm2(x),
  ),
  maxAbs: vectors(
    1,
    8,
    (k, n, x) => k.maxAbs(n, x),
    (x) => plain.maxAbs(x),
  ),
  axpy: vectors(
    2,
    24,
    (k, n, x, y) => k.axpy(n, TINY, x, y),
    (x, y) => plain.axpy(TINY, x, y),
  ),
  xpay: vectors(
    2,
    24,
    (k, n, x, y) => k.xpay(n, x, 0.5, y),
    (x, y) => plain.xpay(x, 0.5, y),
  ),
  scale: vectors(
    1,
    16,
    (k, n, x) => k.scale(n, 1 - TINY, x),
    (x) => plain.scale(1 - TINY, x),
  ),
  multiply: vectors(
    1,
    24,
    (k, n, x, y, z) => k.multiply(n, x, y, z),
    (x, y, z) => plain.multiply(x, y, z),
  ),
  subtract: vectors(
    1,
    24,
    (k, n, x, y, z) => k.subtract(n, x, y, z),
    (x, y, z) => plain.subtract(x, y, z),
  ),
  copy: vectors(
    0,
    16,
    (k, n, x, _, z) => k.copy(n, x, z),
    (x, _, z) => z.set(x),
  ),
  zero: vectors(
    0,
    8,
    (k, n, _, __, z) => k.zero(n, z),
    (_, __, z) => void z.fill(0),
  ),
  distanceSquared: vectors(
    3,
    16,
    (k, n, x, y) => k.distanceSquared(n, x, y),
    (x, y) => plain.distanceSquared(x, y),
  ),
  dotAndSquare: vectors(
    4,
    16,
    (k, n, x, y, _, out) => k.dotAndSquare(n, x, y, out),
    (x, y, _, out) => plain.dotAndSquare(x, y, out),
  ),
  subtractScaledAndSquare: vectors(
    4,
    24,
    (k, n, x, y) => k.subtractScaledAndSquare(n, TINY, x, y),
    (x, y) => plain.subtractScaledAndSquare(TINY, x, y),
  ),
  flatDifference: vectors(
    2,
    16,
    (k, n, x, _, z) => k.flatDifference(n, 1, x, z),
    (x, _, z) => fokkerplanck.flatDifference(1, x, z),
  ),
  gradient: vectors(
    4,
    24,
    (k, n, x, y, z) => k.gradient(Math.sqrt(n), Math.sqrt(n), 0.1, 0.1, 0, x, y, z),
    (x, y, z) => fokkerplanck.gradient(Math.sqrt(x.length), Math.sqrt(x.length), 0.1, 0.1, x, y, z),
  ),

  transpose: vectors(
    0,
    16,
    (k, n, x) => k.transpose(Math.sqrt(n), x),
    (x) => plain.transpose(Math.sqrt(x.length), x),
  ),
  countSteepCells: vectors(
    10,
    8,
    (k, n, x, y, z, out) =>
      k.countSteepCells(Math.sqrt(n), Math.sqrt(n), 0.1, 0.1, 0.1, true, x, 0, 0, z, y, out),
    (x, _, __, out) =>
      fokkerplanck.countSteepCells(Math.sqrt(x.length), Math.sqrt(x.length), 0.1, 0.1, x, out),
  ),

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

  naAssemble: assembly(
    8,
    (k, side, m, data) => () => k.naAssemble(side * side, side, 0.3, 0.2, m, data),
    (_, m, A) => fokkerplanck.naAssemble(0.3, 0.2, m, A),
  ),
  lauAssemble: assembly(
    10,
    (k, side, m, data) => () => k.lauAssemble(side, side, 0.1, 0.1, 0.5, 60, m, 0, 0, data),
    (side, m, A) => fokkerplanck.lauAssemble(side, side, 0.1, 0.1, 0.5, 60, m, A),
  ),
  consistentAssemble: assembly(
    26,
    (k, side, m, data, b, room) => {
      const base = room.vector(new Float64Array(side * side).fill(1));
      const border = room.vector(4 * side);
      // biome-ignore format: the kernel's order of parameters.
      return () => void k.consistentAssemble(
        side, side, 0.1, 0.1, 0.1, 0.05, 0, true, true, m, base, 0, 0, border, data, b,
      );
    },
    (side, m, A, b) => {
      fokkerplanck.consistentAssemble(side, side, 0.1, 0.1, 0.1, 0.05, m, ONES.get(side)!, A, b);
    },
  ),
};

/** Ones, by the side of the grid: nothing is to be allocated while time is taken. */
const ONES = new Map([8, 32, 64, 128, 256, 512].map((side) => [side, new Float64Array(side * side).fill(1)]));

/** Exports that have no case of their own, and why. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  applyOperator: 'one of the products',
  applyAndDot: 'diaMultiplyDot, or a product and dotAndSquare',
  csrMultiplyDotsLanes: 'csrMultiplyLanes, with sums',
  multigridApply: 'in bench:solve, as a preconditioner',
  multigridUpdate: 'in bench:solve, as a preconditioner',
  transformApply: 'in bench:solve, as a preconditioner',
  transformUpdate: 'in bench:solve, as a preconditioner',
  mixedStep: 'in bench:solve, as a method',
  batchStep: 'in bench:solve, batches',
  directFactor: 'in bench:solve, seedspan lu',
  directInit: 'in bench:solve, seedspan lu, cold',
  directSolve: 'in bench:solve, seedspan lu',
  directSolveMany: 'directSolve, four at a time',
  directRefine: 'directSolve and products',
  directCondition: 'directSolve, some times',
  directFill: 'a sum of the columns that the analysis counts',
  directNonzeros: 'a sum over the fronts',
  refinementInit: 'in bench:solve, seedspan lu',
  refinementStep: 'in bench:solve, seedspan lu',
  pairDensity: 'in bench:precompute, the density of na2024',
  applyToBasis: 'products, a column after the other',
  orthogonality: 'blockDot, a column after the other',
  crossGram: 'projectGalerkin',
  gram: 'projectMinimalResidual',
  solveCholesky: 'solveDense',
  mergeBasis: 'orthogonalize, a column after the other',
  blockUpdateSingle: 'blockUpdate, of half the bytes',
  narrow: 'copy, of fewer bytes',
  widen: 'copy, of fewer bytes',
  csrMultiplyFour: 'csrMultiply; about 1.8 times its speed',
  applyPreconditioner: 'multiply or ilu0Solve',
  bicgstabInit: 'timed with bicgstabStep',
  cgInit: 'timed with cgStep',
  gmresInit: 'timed with gmresStep',
  gcrodrInit: 'timed with gcrodrStep',
  gcrodrStep: 'in bench:solve, gcro-dr',
  schur: 'within gcrodrStep, once a cycle',
};

/** Exports that keep books, and take no time that depends on n. */
export const BOOKS =
  /^(memory|loosen|(un)?packLane|multigridInit|transformInit|mixed(Init|IsSingle)|direct(Release|Form|Ordering|Order|Column|Reused|Residual|BackwardError)|batch(Init|Lane|Start|Precondition|Drop|Take)|allocate|release|bytesInUse|setMemoryLimit|vectorStride|takeHistory|make[A-Z]\w*|recycle[A-Z]\w*|\w+Size|\w+Of|gmres(Basis|Columns|Hessenberg))$/;
