import { log10 } from '../elementary.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { type Choice, wayCosts } from './auto.ts';
import type { BatchOptions } from './batch-options.ts';
import { OperatorPolicy, type Solved, type WayCosts } from './sharing-policy.ts';
import type { SolveResult } from './types.ts';
import { type BeginHooks, Workspace } from './workspace.ts';
import type { RunOptions } from './workspace-options.ts';

/** Systems over which the making of a kept preconditioner is spread when ways are compared. */
const SPREAD = 8;

/** One way of solving the systems of a sequence, and what it has turned out to cost. */
export class SequenceWay {
  costs: WayCosts;
  /** Nanoseconds a row and decimal digit, of the last system solved; Infinity before, and where another had to help. */
  cost = Infinity;
  tried = false;
  /** Systems that the preconditioner at hand has served before. */
  age = 0;
  readonly #choice: Choice;
  readonly #keeps: boolean;
  readonly #make: () => Workspace;
  readonly #price: (traits?: Parameters<typeof wayCosts>[3]) => WayCosts;
  #operators: OperatorPolicy | undefined;
  #made: Workspace | undefined;

  /** Reserves nothing before it is used. A's pattern counts, and `width`, the columns of its grid or 0. */
  constructor(
    kernel: Kernel,
    A: CsrMatrix,
    width: number,
    choice: Choice,
    options: BatchOptions,
    keeps: boolean,
  ) {
    const { side, restart, storage, precision } = options;
    this.#choice = choice;
    this.#keeps = keeps;
    this.#make = () =>
      new Workspace(kernel, A, { ...choice, side, restart, storage, precision }, 'solveBatch');
    this.#price = (traits) => wayCosts(A, width, choice, traits);
    this.costs = this.#price();
  }

  get #workspace(): Workspace {
    this.prepare();
    return this.#made!;
  }

  /** Reserves what it needs, if it has not; only then are the costs of a direct solver known. */
  prepare(): void {
    if (this.#made !== undefined) return;
    this.#made = this.#make();
    const { precision, directTraits: direct } = this.#made;
    this.costs = this.#price({ mixed: precision === 'mixed', direct });
    if (this.#keeps) this.#operators = new OperatorPolicy(this.costs);
  }

  /** With factors of the whole matrix. */
  get direct(): boolean {
    return this.#choice.preconditioner === 'lu';
  }

  begin(
    A: CsrMatrix,
    b: ArrayLike<number>,
    options: RunOptions,
    start: BeginHooks['start'],
    where: string,
  ): boolean {
    this.prepare();
    const keepPreconditioner = this.#operators?.renew === false;
    this.age = keepPreconditioner ? this.age + 1 : 0;
    return this.#using(where, (workspace) =>
      workspace.begin(A, b, options, where, { keepPreconditioner, start }),
    );
  }

  step(count: number): boolean {
    return this.#using('solveBatch', (workspace) => workspace.step(count));
  }

  get iterations(): number {
    return this.#workspace.progress.iterations;
  }

  /** Products with A so far, those for the start included. */
  get matvecs(): number {
    return this.#workspace.matvecs;
  }

  get succeeded(): boolean {
    return this.#workspace.succeeded;
  }

  get tolerance(): number {
    return this.#workspace.progress.tolerance;
  }

  /** Where the last solution lies. */
  get solution(): Pointer {
    return this.#workspace.solution;
  }

  /** Decimal digits between the residual and the tolerance. */
  get digitsToGo(): number {
    const { residualNorm, tolerance } = this.#workspace.progress;
    return residualNorm > tolerance && tolerance > 0 ? log10(residualNorm / tolerance) : 0;
  }

  /** Iterations after which a kept preconditioner is to be given up. */
  limit(digits: number): number {
    return this.age > 0 ? this.#operators!.limit(digits) : Infinity;
  }

  /** Iterations that another way's cost would pay for. */
  iterationsFor(cost: number, digits: number): number {
    return (cost * Math.max(digits, 1)) / this.costs.iteration;
  }

  finish(): SolveResult {
    return this.#workspace.finish(undefined);
  }

  observe(solved: Solved): void {
    this.tried = true;
    const { iteration, setup } = this.costs;
    if (solved.digits > 0.5) {
      const making = this.#operators === undefined ? setup : setup / SPREAD;
      this.cost = (solved.iterations * iteration + making) / solved.digits;
    }
    this.#operators?.observe(solved);
  }

  /** It is too dear to be tried. */
  refuse(): void {
    this.tried = true;
    this.#made?.dispose();
    this.#made = undefined;
  }

  /** A kept preconditioner did not get there: the next is made anew. */
  failKept(): void {
    this.#operators!.failed();
  }

  /** It was no use, where another way was. */
  fail(): void {
    this.tried = true;
    this.cost = Infinity;
  }

  dispose(): void {
    this.#made?.dispose();
  }

  #using<T>(where: string, act: (workspace: Workspace) => T): T {
    const workspace = this.#workspace;
    workspace.acquire(where);
    try {
      return act(workspace);
    } finally {
      workspace.release();
    }
  }
}
