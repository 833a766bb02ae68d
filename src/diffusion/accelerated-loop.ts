import { log10 } from '../elementary.ts';
import type { Float64Block } from '../memory/block.ts';
import type { Scope } from '../memory/scope.ts';
import type { Pointer } from '../wasm/exports.ts';
import { FixedPointMonitor } from './fixed-point.ts';
import type { GridSystem } from './grid-system.ts';
import type { Run } from './run.ts';

/** The level from which on a parabola is the better guess: pictures change fast at first. */
const PARABOLA_FROM = 6;

/** The non-linear equation of one image, level and channel, at the iterate in `system.x`. */
export interface LevelEquation {
  image: number;
  level: number;
  channel: number;
  /** What the residual is measured by. */
  norm: number;
  /** Puts the residual at an address; returns the square of its norm. */
  residual: (r: Pointer) => number;
  /** Sets up the matrix, for the preconditioner. */
  assemble: () => void;
}

/**
 * The fixed-point loop of a level by Anderson's method (`assembly/method/anderson.ts`): a step takes one evaluation
 * of the non-linear residual, without a matrix, and one multigrid cycle.
 */
export class AcceleratedLoop {
  readonly #run: Run;
  readonly #system: GridSystem;
  readonly #workspace: Pointer;
  readonly #earlier: Float64Block;

  /** Undefined where the run asks for another loop. The memory is the scope's. */
  static for(run: Run, system: GridSystem, scope: Scope): AcceleratedLoop | undefined {
    return run.fixedPoint.inner === 'accelerated' ? new AcceleratedLoop(run, system, scope) : undefined;
  }

  private constructor(run: Run, system: GridSystem, scope: Scope) {
    const { exports } = run.kernel;
    const n = run.shape.height * run.shape.width;
    this.#run = run;
    this.#system = system;
    this.#workspace = scope.bytes(exports.andersonSize(n), 'the vectors of the loop');
    exports.andersonInit(this.#workspace, n);
    this.#earlier = scope.float64(n, 'an earlier level');
  }

  /**
   * Solves the equation, from the level before in `system.x`, and books it. Returns false where that is for another
   * loop to do: `system.x` is the level before again then, and nothing is booked.
   */
  async solve({ image, level, channel, norm, residual, assemble }: LevelEquation): Promise<boolean> {
    const run = this.#run;
    const system = this.#system;
    const { operator } = system;
    if (operator === undefined || operator.pointer === 0) return false;
    let began = performance.now();
    const { exports } = run.kernel;
    const x = system.x.pointer;
    const before = run.field(image, level - 1, channel);
    const scale = 1 / (norm || 1);
    let steps = 0;
    try {
      do {
        if (operator.due) {
          assemble();
          operator.take(system.data);
        }
        const { pointer } = operator;
        if (pointer === 0) return false;
        const age = operator.use();
        this.#extrapolate(image, level, channel);
        const monitor = new FixedPointMonitor(run.fixedPoint);
        let first = 0;
        let r = exports.andersonStart(this.#workspace);
        for (let iteration = 0; ; iteration++, steps++) {
          const measure = scale * Math.sqrt(residual(r));
          if (iteration === 0) first = measure;
          const status = monitor.update(measure, iteration);
          if (status === 'converged') {
            operator.observe(iteration, iteration > 0 && measure > 0 ? log10(first / measure) : 0);
            run.endLoop(image, level, steps, measure, age);
            return true;
          }
          if (status !== undefined || iteration >= operator.limit(log10(first / run.fixedPoint.rtol))) break;
          r = exports.andersonStep(this.#workspace, pointer, x);
          if (run.due) began += await run.pause();
        }
        system.x.view.set(before);
      } while (operator.retry());
      return false;
    } finally {
      run.time.solve += performance.now() - began;
    }
  }

  /** x, the level before, goes on as the levels before it did: along a line, later along a parabola. */
  #extrapolate(image: number, level: number, channel: number): void {
    if (level < 2) return;
    const { exports } = this.#run.kernel;
    const { x } = this.#system;
    const weights = level < PARABOLA_FROM ? [-1] : [-3, 1];
    exports.scale(x.length, level < PARABOLA_FROM ? 2 : 3, x.pointer);
    for (const [k, weight] of weights.entries()) {
      this.#earlier.view.set(this.#run.field(image, level - 2 - k, channel));
      exports.axpy(x.length, weight, this.#earlier.pointer, x.pointer);
    }
  }
}
