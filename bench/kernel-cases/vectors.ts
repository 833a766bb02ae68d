import type { KernelExports, Pointer } from '../../src/wasm/exports.ts';
import * as fokkerplanck from '../plain/fokkerplanck.ts';
import * as plain from '../plain/vector.ts';
import { type Cases, type KernelCase, sample } from './case.ts';

const TINY = 1e-9;

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

export const VECTORS: Cases = {
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
  countSteepCells: {
    flops: (n) => 10 * n,
    bytes: (n) => 8 * n,
    kernel(room, { n, x }) {
      const side = Math.sqrt(n);
      const [m, out] = [room.vector(x), room.vector(1)];
      const [border, ghosts] = [room.vector(4 * side), room.vector(2 * side)];
      let cells = 0;
      return {
        run: () => {
          cells = room.k.countSteepCells(side, side, 0.1, 0.1, 0.1, true, m, 0, 0, border, ghosts, out);
        },
        result: () => [cells, room.view(out, 1)[0]],
      };
    },
    plain({ n, x }) {
      const side = Math.sqrt(n);
      const out = new Float64Array(1);
      let cells = 0;
      return {
        run: () => {
          cells = fokkerplanck.countSteepCells(side, side, 0.1, 0.1, x, out);
        },
        result: () => [cells, out[0]],
      };
    },
  },
};
