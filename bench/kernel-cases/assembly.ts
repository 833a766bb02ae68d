import type { KernelExports, Pointer } from '../../src/wasm/exports.ts';
import * as fokkerplanck from '../plain/fokkerplanck.ts';
import type * as sparse from '../plain/sparse.ts';
import type { Room } from '../room.ts';
import { blocked, type Cases, DIAGONALS, type KernelCase, sample } from './case.ts';

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

export const ASSEMBLY: Cases = {
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
