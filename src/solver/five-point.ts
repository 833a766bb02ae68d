import { SeedspanError } from '../errors.ts';
import type { Float64Block } from '../memory/block.ts';
import type { Scope } from '../memory/scope.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import { DIA_BLOCK, type KernelOperator, placesInBlocks } from './operator.ts';

/** The grid of a matrix that couples each cell with the next ones in its row and column; row k = i width + j. */
export interface Grid {
  height: number;
  width: number;
}

/**
 * The grid whose five-point pattern holds all entries of A: offsets -W, -1, 0, 1, W, with n a multiple of W.
 * Entries within -1 .. 1 alone make a grid of one row.
 *
 * @throws SeedspanError `INVALID_VALUE` where there is none.
 */
export function gridOf(A: CsrMatrix): Grid {
  const n = A.shape[0];
  let width = 0;
  for (let i = 0; i < n; i++) {
    for (let k = A.indptr[i]; k < A.indptr[i + 1]; k++) {
      const offset = Math.abs(A.indices[k] - i);
      if (offset <= 1 || offset === width) continue;
      if (width !== 0)
        throw noGrid(`has entries ${Math.min(width, offset)} and ${Math.max(width, offset)} off`);
      width = offset;
    }
  }
  if (width === 0) return { height: Math.min(n, 1), width: n };
  if (n % width !== 0)
    throw noGrid(`has entries ${width} off, and ${n} rows, which is no multiple of that, off`);
  return { height: n / width, width };
}

function noGrid(what: string): SeedspanError {
  return new SeedspanError(
    'INVALID_VALUE',
    `this preconditioner needs a five-point matrix on an H x W grid (row i W + j, entries 0, 1 and W off the ` +
      `diagonal, H W rows); this matrix ${what} the diagonal. Take "ilu0"`,
  );
}

/** The five diagonals of a grid's matrix in the kernel: at offsets -W, -1, 0, 1, W, in blocks of eight rows. */
export class FivePointDiagonals {
  readonly grid: Grid;
  readonly pointer: Pointer;
  /** Where the operator does not have them: the own ones, and the place of each entry in them. */
  readonly #own: { block: Float64Block; places: Int32Array } | undefined;

  /** Takes the pattern of A, not its values: `load` does. */
  constructor(scope: Scope, A: CsrMatrix, operator: KernelOperator | undefined) {
    this.grid = gridOf(A);
    const { width } = this.grid;
    const offsets = Int32Array.of(-width, -1, 0, 1, width);
    const shared = operator?.diagonals;
    if (shared?.offsets.length === 5 && shared.offsets.every((offset, d) => offset === offsets[d])) {
      this.pointer = shared.data;
      return;
    }
    const slots = Math.ceil(A.shape[0] / DIA_BLOCK) * DIA_BLOCK * offsets.length;
    const block = scope.float64(slots, 'the diagonals of the matrix');
    this.pointer = block.pointer;
    this.#own = { block, places: placesInBlocks(A, offsets) };
  }

  load(A: CsrMatrix): void {
    if (this.#own === undefined) return;
    const { view } = this.#own.block;
    const { places } = this.#own;
    for (let k = 0; k < places.length; k++) view[places[k]] = A.data[k];
  }
}
