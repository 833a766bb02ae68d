import type { Scope } from '../memory/scope.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { type Factor, levelPattern } from './levels.ts';
import { KernelOperator } from './operator.ts';
import { countRuns } from './slices.ts';

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
    const { exports } = scope.kernel;
    const n = A.shape[0];
    const { order, lower, upper, gap } = levelPattern(A);
    this.#kernel = scope.kernel;
    this.#operator = operator ?? new KernelOperator(scope, A, n, 'auto');
    this.#ownOperator = operator === undefined;
    this.#gap = gap;
    const upload = (
      { runs, columns }: Factor,
      what: string,
    ): [runs: Pointer, count: number, columns: Pointer, data: Pointer] => [
      scope.int32(runs, `the slices of ${what}`).pointer,
      countRuns(runs),
      scope.int32(columns, `the column indices of ${what}`).pointer,
      scope.float64(columns.length, what).pointer,
    ];
    this.pointer = scope.bytes(exports.ilu0Size(), 'the ILU(0) factors');
    exports.ilu0Init(
      this.pointer,
      n,
      scope.int32(order, 'the levels of the ILU(0) factors').pointer,
      ...upload(lower, 'the lower ILU(0) factor'),
      ...upload(upper, 'the upper ILU(0) factor'),
      scope.float64(n, 'the inverse pivots').pointer,
      scope.int32(lower.columns.length, 'the order of elimination').pointer,
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
