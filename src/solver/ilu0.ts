import type { Scope } from '../memory/scope.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { withPattern } from './diagonals.ts';
import { KernelOperator } from './operator.ts';
import { RUN_BYTES } from './sliced-rows.ts';

/** The pattern of a triangular factor in the kernel, in slices. */
interface Factor {
  entries: number;
  runs: Pointer;
  /** Number of runs. */
  count: number;
  columns: Pointer;
}

/** Factors without fill in the kernel, level by level. */
export class LevelIlu0 {
  /** The kernel's record. */
  readonly pointer: Pointer;
  readonly #kernel: Kernel;
  readonly #operator: KernelOperator;
  /** Nobody else loads its values. */
  readonly #ownOperator: boolean;
  /** The first row without a diagonal entry; -1: none. */
  readonly #gap: number;

  /**
   * Takes the pattern of A, not its values.
   *
   * @param scratch - three times n i32 that `update` may write over; made where not given.
   */
  constructor(
    scope: Scope,
    A: CsrMatrix,
    operator: KernelOperator | undefined,
    scratch: Pointer | undefined,
  ) {
    const { kernel } = scope;
    const { exports } = kernel;
    const n = A.shape[0];
    this.#kernel = kernel;
    this.#operator = operator ?? new KernelOperator(scope, A, n, 'auto');
    this.#ownOperator = operator === undefined;
    const order = scope.int32(n, 'the levels of the ILU(0) factors').pointer;
    const { gap, lower, upper } = withPattern(kernel, A, ({ indptr, indices }, passing) => {
      const work = passing.int32(5 * n + 4, 'scratch of the levels');
      const gap = exports.levelOrder(n, indptr, indices, order, work.pointer);
      const [lowerEntries, lowerCount, upperEntries, upperCount] = work.view;
      const part = (entries: number, count: number, what: string): Factor => ({
        entries,
        runs: scope.bytes(RUN_BYTES * count, `the slices of ${what}`),
        count,
        columns: scope.bytes(4 * entries, `the column indices of ${what}`),
      });
      const lower = part(lowerEntries, lowerCount, 'the lower ILU(0) factor');
      const upper = part(upperEntries, upperCount, 'the upper ILU(0) factor');
      const places = [lower.runs, lower.columns, upper.runs, upper.columns] as const;
      exports.levelSlices(n, indptr, indices, order, work.pointer, ...places);
      return { gap, lower, upper };
    });
    this.#gap = gap;
    this.pointer = scope.bytes(exports.ilu0Size(), 'the ILU(0) factors');
    exports.ilu0Init(
      this.pointer,
      n,
      order,
      lower.runs,
      lower.count,
      lower.columns,
      scope.float64(lower.entries, 'the lower ILU(0) factor').pointer,
      upper.runs,
      upper.count,
      upper.columns,
      scope.float64(upper.entries, 'the upper ILU(0) factor').pointer,
      scope.float64(n, 'the inverse pivots').pointer,
      scope.int32(lower.entries, 'the order of elimination').pointer,
      scope.float64(n, 'a vector by levels').pointer,
      scratch ?? scope.int32(3 * n, 'scratch of the factorisation').pointer,
    );
  }

  /** Takes the values of A, which the operator has already. Returns -1, or a row that has no usable pivot. */
  update(A: CsrMatrix): number {
    if (this.#gap >= 0) return this.#gap;
    if (this.#ownOperator) this.#operator.load(A);
    return this.#kernel.exports.ilu0Update(this.pointer, this.#operator.pointer);
  }
}
