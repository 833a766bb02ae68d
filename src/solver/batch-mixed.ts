import type { CsrMatrix } from '../sparse/index.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { type LaneSolver, OneLane, SimdLanes } from './batch-lanes.ts';
import {
  type BatchOptions,
  type BatchPlan,
  type BatchResult,
  type BatchSystem,
  type Lanes,
  planBatch,
} from './batch-options.ts';

/** What solves the systems of a batch as planned; `A` has their pattern. */
export function makeLanes(
  kernel: Kernel,
  A: CsrMatrix,
  options: BatchOptions,
  plan: BatchPlan,
  where: string,
): LaneSolver {
  if (plan.precision === 'mixed') return new MixedLanes(kernel, A, options, plan);
  if (plan.lanes === 1) return new OneLane(kernel, A, options, where);
  return new SimdLanes(kernel, A, options, plan);
}

/**
 * Lanes in single precision, refined. A system that does not converge there is solved again, from its start, as if
 * double precision had been asked for.
 */
class MixedLanes implements LaneSolver {
  readonly lanes: Lanes;
  readonly #mixed: SimdLanes;
  readonly #makeDouble: (A: CsrMatrix) => LaneSolver;
  /** Made when the first system needs it. */
  #double: LaneSolver | undefined;
  /** For each lane of `#double` the lane whose system it has; -1: free. */
  #held: number[] = [];
  /** Lanes whose systems have to be solved again, in this order. */
  readonly #waiting: number[] = [];
  /** The results of systems that were solved again, by lane. */
  readonly #results = new Map<number, BatchResult>();

  constructor(kernel: Kernel, A: CsrMatrix, options: BatchOptions, plan: BatchPlan) {
    this.lanes = plan.lanes;
    this.#mixed = new SimdLanes(kernel, A, options, plan);
    this.#makeDouble = (first) => {
      const again: BatchOptions = { ...options, lanes: 'auto', precision: 'double' };
      return makeLanes(kernel, first, again, planBatch(again, kernel, first), 'solveBatch');
    };
  }

  start(lane: number, system: BatchSystem, where: string): void {
    this.#mixed.start(lane, system, where);
    this.#sort(lane);
  }

  step(count: number): number {
    const made = this.#mixed.step(count);
    for (let lane = 0; lane < this.lanes; lane++) this.#sort(lane);
    return Math.max(made, this.#stepDouble(count));
  }

  running(lane: number): boolean {
    return this.#mixed.running(lane) || this.#waiting.includes(lane) || this.#held.includes(lane);
  }

  take(lane: number, index: number): BatchResult {
    const result = this.#mixed.take(lane, index);
    const again = this.#results.get(lane);
    if (again === undefined) return result;
    this.#results.delete(lane);
    const iterations = result.iterations + again.iterations;
    return { ...again, index, iterations, matvecs: result.matvecs + again.matvecs };
  }

  hasPatternOf(A: CsrMatrix): boolean {
    return this.#mixed.hasPatternOf(A);
  }

  dispose(): void {
    this.#mixed.dispose();
    this.#double?.dispose();
  }

  /** Lets a system that has ended without converging wait for double precision. */
  #sort(lane: number): void {
    if (this.running(lane) || this.#results.has(lane) || !this.#mixed.failed(lane)) return;
    this.#waiting.push(lane);
  }

  #stepDouble(count: number): number {
    if (this.#waiting.length === 0 && this.#held.every((lane) => lane < 0)) return 0;
    this.#fillDouble();
    const solver = this.#double!;
    const made = solver.step(count);
    this.#held.forEach((lane, place) => {
      if (lane < 0 || solver.running(place)) return;
      this.#results.set(lane, solver.take(place, 0));
      this.#held[place] = -1;
    });
    return made;
  }

  #fillDouble(): void {
    while (this.#waiting.length > 0) {
      const lane = this.#waiting[0];
      const system = this.#mixed.systemOf(lane);
      if (this.#double === undefined) {
        this.#double = this.#makeDouble(system.A);
        this.#held = new Array(this.#double.lanes).fill(-1);
      }
      const place = this.#held.indexOf(-1);
      if (place < 0) return;
      this.#double.start(place, system, 'solveBatch');
      this.#held[place] = lane;
      this.#waiting.shift();
    }
  }
}
