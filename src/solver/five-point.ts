import { SeedspanError } from '../errors.ts';
import type { Scope } from '../memory/scope.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { Diagonals, type KernelPattern, offsetsOf, withPattern } from './diagonals.ts';
import type { KernelOperator } from './operator.ts';

/** The grid of a matrix that couples each cell with the next ones in its row and column; row k = i width + j. */
export interface Grid {
  height: number;
  width: number;
}

/** More diagonals than a grid has: two of them are sure to be more than one off the main one, at two distances. */
const TOO_MANY = 6;

/**
 * The grid whose five-point pattern holds all entries of a matrix of n rows: offsets -W, -1, 0, 1, W, with n a
 * multiple of W. Entries within -1 .. 1 alone make a grid of one row.
 *
 * @param offsets - all that occur, or six of them.
 * @throws SeedspanError `INVALID_VALUE` where there is none.
 */
export function gridOf(n: number, offsets: Int32Array): Grid {
  const distances = new Set(offsets.map(Math.abs).filter((distance) => distance > 1));
  const [width, other] = [...distances].sort((a, b) => a - b);
  if (width === undefined) return { height: Math.min(n, 1), width: n };
  if (other !== undefined) throw noGrid(`has entries ${width} and ${other} off`);
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

/** As {@link gridOf}, of a pattern in the kernel. */
function findGrid(kernel: Kernel, n: number, pattern: KernelPattern): Grid {
  return gridOf(n, offsetsOf(kernel, n, pattern, TOO_MANY).offsets);
}

/** Columns of the grid of A; 0 where there is none, or of one row. */
export function gridWidth(kernel: Kernel, A: CsrMatrix): number {
  const [n] = A.shape;
  return withPattern(kernel, A, (pattern) => {
    try {
      const { height, width } = findGrid(kernel, n, pattern);
      return height > 1 ? width : 0;
    } catch (error) {
      if (error instanceof SeedspanError && error.code === 'INVALID_VALUE') return 0;
      throw error;
    }
  });
}

/** The grid whose five diagonals the operator has in the kernel, at offsets -W, -1, 0, 1, W; undefined: it has none. */
export function gridOfDiagonals(operator: KernelOperator): Grid | undefined {
  const offsets = operator.diagonals?.offsets;
  if (offsets?.length !== 5) return undefined;
  const width = offsets[4];
  if (width < 2 || operator.n % width !== 0) return undefined;
  const wanted = [-width, -1, 0, 1, width];
  return offsets.every((offset, d) => offset === wanted[d])
    ? { height: operator.n / width, width }
    : undefined;
}

/** The five diagonals of a grid's matrix in the kernel: at offsets -W, -1, 0, 1, W, in blocks of eight rows. */
export class FivePointDiagonals {
  readonly grid: Grid;
  readonly pointer: Pointer;
  /** Where the operator does not have them. */
  readonly #own: Diagonals | undefined;

  /** Takes the pattern of A, not its values: `load` does. */
  constructor(scope: Scope, A: CsrMatrix, operator: KernelOperator | undefined) {
    const { kernel } = scope;
    const [n] = A.shape;
    const shared = operator?.diagonals;
    const five = ({ width }: Grid) => Int32Array.of(-width, -1, 0, 1, width);
    if (shared !== undefined) {
      this.grid = gridOf(n, shared.offsets);
      const offsets = five(this.grid);
      if (shared.offsets.length === 5 && shared.offsets.every((offset, d) => offset === offsets[d])) {
        this.pointer = shared.pointer;
        return;
      }
    }
    const found = withPattern(kernel, A, (pattern, passing) => {
      const grid = findGrid(kernel, n, pattern);
      return { grid, own: new Diagonals(scope, A, pattern, passing, five(grid)) };
    });
    this.grid = found.grid;
    this.pointer = found.own.pointer;
    this.#own = found.own;
  }

  load(A: CsrMatrix): void {
    this.#own?.load(A);
  }
}
