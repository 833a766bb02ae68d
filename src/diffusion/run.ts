import { SeedspanError } from '../errors.ts';
import type { SolveStatus } from '../solver/types.ts';
import { yieldToHost } from '../solver/yield.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { worse } from './fixed-point.ts';
import type { GridSystem, LinearOutcome } from './grid-system.ts';
import type { Place } from './shared-operator.ts';
import type { PrecomputeReport, Progress, Sde, StageTimes, StepReport } from './types.ts';

/** How long a run works before it lets others run, in milliseconds. */
const SLICE = 12;

export interface Shape {
  images: number;
  channels: number;
  height: number;
  width: number;
  levels: number;
}

/** What a scheme works with: checked settings, where its results go, and the books that are kept of it. */
export class Run {
  readonly kernel: Kernel;
  readonly shape: Shape;
  readonly sde: Sde;
  /** Times of the levels. */
  readonly times: Float64Array;
  readonly spacing: readonly [number, number];
  readonly fixedPoint: { rtol: number; maxiter: number; inner: 'strict' | 'adaptive' | 'accelerated' };
  /** Indices of the seed images; none where nothing is shared. */
  readonly seeds: readonly number[];
  /** Whose matrices make preconditioners that are shared; -1: it is not among these images. */
  readonly seedImage: number;
  /** Then, the fields of its first channel, `[levels, H, W]`. */
  readonly seedFields: Float64Array | undefined;
  /** Relative residual of strict solves. */
  readonly rtol: number;
  /** `[images, levels, channels, H, W]`; level 0 is filled in. */
  readonly logDensity: Float64Array;
  readonly time: StageTimes;
  /** By level, then image; level 0 has none. */
  readonly steps: StepReport[] = [];
  readonly images: PrecomputeReport['images'];
  matvecs = 0;
  peclet: PrecomputeReport['peclet'];

  readonly #signal: AbortSignal | undefined;
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  #done = 0;
  /** Linear systems that are expected in all. */
  #total: number;
  /** Fixed-point loops that are to end, one a level, channel and image, and those that have. */
  readonly #loops: number;
  #ended = 0;
  #lastPause = performance.now();

  constructor(
    settings: Pick<
      Run,
      | 'kernel'
      | 'shape'
      | 'sde'
      | 'times'
      | 'spacing'
      | 'fixedPoint'
      | 'seeds'
      | 'seedImage'
      | 'seedFields'
      | 'rtol'
      | 'logDensity'
      | 'time'
    > & { signal: AbortSignal | undefined; onProgress: ((progress: Progress) => void) | undefined },
  ) {
    this.kernel = settings.kernel;
    this.shape = settings.shape;
    this.sde = settings.sde;
    this.times = settings.times;
    this.spacing = settings.spacing;
    this.fixedPoint = settings.fixedPoint;
    this.seeds = settings.seeds;
    this.seedImage = settings.seedImage;
    this.seedFields = settings.seedFields;
    this.rtol = settings.rtol;
    this.logDensity = settings.logDensity;
    this.time = settings.time;
    this.#signal = settings.signal;
    this.#onProgress = settings.onProgress;
    const { images, channels, levels } = this.shape;
    this.#loops = images * channels * (levels - 1);
    this.#total = this.#loops;
    this.images = Array.from({ length: images }, () => ({
      status: 'converged',
      fixedPointIterations: 0,
      solves: 0,
      iterations: 0,
      changes: [],
    }));
    for (let level = 1; level < levels; level++) {
      for (let image = 0; image < images; image++) {
        this.steps.push({
          image,
          level,
          t: this.times[level],
          fixedPointIterations: 0,
          solves: 0,
          iterations: 0,
          residual: 0,
          change: 0,
          status: 'converged',
        });
      }
    }
  }

  /** The images in the order of work: the seeds first, as they were given. */
  get order(): number[] {
    const seed = this.seedImage < 0 ? [] : [this.seedImage];
    const first = this.seeds.length > 0 ? this.seeds : seed;
    return [...new Set([...first, ...this.images.keys()])];
  }

  /**
   * The fields of a level in the order of work, and where bases begin anew: those of a channel after each other where
   * bases are shared, else those of an image, which may share an operator.
   */
  get fields(): { image: number; channel: number; anew: boolean }[] {
    const channels = Array.from({ length: this.shape.channels }, (_, channel) => channel);
    const { order } = this;
    if (this.seeds.length === 0) {
      return order.flatMap((image) => channels.map((channel) => ({ image, channel, anew: true })));
    }
    return channels.flatMap((channel) => order.map((image, k) => ({ image, channel, anew: k === 0 })));
  }

  /**
   * Goes on to the systems of a place, whose level before is in `system.x`: the preconditioner is what it is to be
   * then, unless it is to be made of the first of these systems.
   *
   * @param assemble - sets up the matrix at `system.x`, of any image and channel.
   */
  enter(system: GridSystem, place: Place, assemble: () => void): void {
    if (!system.operator?.enter(place)) return;
    const began = performance.now();
    const { image, level, channel } = place;
    system.x.view.set(this.#seedField(level - 1));
    assemble();
    system.operator.take(system.data, true);
    system.x.view.set(this.field(image, level - 1, channel));
    this.time.solve += performance.now() - began;
  }

  #seedField(level: number): Float64Array {
    const n = this.shape.height * this.shape.width;
    return this.seedFields?.subarray(level * n, (level + 1) * n) ?? this.field(this.seedImage, level, 0);
  }

  /** What a linear solve multiplies the residual by; `share` is that of an adaptive one. */
  reduction(share: number): number {
    return this.fixedPoint.inner === 'strict' ? this.rtol : share;
  }

  /** What the first system of an image at a level is to the others. */
  roleOf(image: number): 'alone' | 'seed' | 'target' {
    if (this.seeds.length === 0) return 'alone';
    return this.seeds.includes(image) ? 'seed' : 'target';
  }

  /** The field of one image, level and channel, to read or write. */
  field(image: number, level: number, channel: number): Float64Array {
    const { channels, height, width, levels } = this.shape;
    const n = height * width;
    const start = ((image * levels + level) * channels + channel) * n;
    return this.logDensity.subarray(start, start + n);
  }

  step(image: number, level: number): StepReport {
    return this.steps[(level - 1) * this.shape.images + image];
  }

  /** Goes on with an inner solve that `system.begin` started, and books it; `endStep` books the residual. */
  improve(system: GridSystem, share: number, image: number, level: number): LinearOutcome {
    const outcome = system.improve(share, this.time);
    const step = this.step(image, level);
    noteAge(step, outcome.operatorAge);
    step.solves++;
    step.iterations += outcome.iterations;
    this.matvecs += outcome.matvecs;
    this.#done++;
    return outcome;
  }

  /** Books an accelerated loop that has converged: one solve of a level, and as many iterations as it took steps. */
  endLoop(image: number, level: number, iterations: number, measure: number, operatorAge?: number): void {
    const step = this.step(image, level);
    noteAge(step, operatorAge);
    step.solves++;
    step.iterations += iterations;
    step.residual = Math.max(step.residual, measure);
    this.matvecs += iterations + 1;
    this.#done++;
    this.endStep(image, level, iterations, measure, 'converged');
  }

  /** Solves the system of one image and level, and books it. */
  solve(system: GridSystem, role: 'alone' | 'seed' | 'target', image: number, level: number): LinearOutcome {
    const outcome = system.solve(role, this.time);
    const step = this.step(image, level);
    if (outcome.projectedResidual !== undefined) {
      const before = (step.projectedResidual ?? 0) * step.solves;
      step.projectedResidual = (before + outcome.projectedResidual) / (step.solves + 1);
    }
    noteAge(step, outcome.operatorAge);
    if (outcome.seed) step.seed = true;
    if (outcome.columns !== undefined) step.columns = Math.max(step.columns ?? 0, outcome.columns);
    step.solves++;
    step.iterations += outcome.iterations;
    step.residual = Math.max(step.residual, outcome.residual);
    this.matvecs += outcome.matvecs;
    this.#done++;
    return outcome;
  }

  /** Books the end of a fixed-point loop at one level; the loops to come are expected to be as long. */
  endStep(image: number, level: number, iterations: number, measure: number, status: SolveStatus): void {
    const step = this.step(image, level);
    step.fixedPointIterations = Math.max(step.fixedPointIterations, iterations);
    step.change = Math.max(step.change, measure);
    step.status = worse(step.status, status);
    this.#ended++;
    this.expect(Math.round((this.#done * this.#loops) / this.#ended));
  }

  /** Corrects the number of linear systems that are expected in all. */
  expect(total: number): void {
    this.#total = Math.max(total, this.#done);
  }

  get done(): number {
    return this.#done;
  }

  /** True when others should have a turn: `await pause()` then. */
  get due(): boolean {
    return performance.now() - this.#lastPause >= SLICE;
  }

  /** Reports progress, lets other tasks run, and ends the run if it is to be aborted. Returns the milliseconds spent. */
  async pause(): Promise<number> {
    const began = performance.now();
    this.#report();
    await yieldToHost();
    this.#signal?.throwIfAborted();
    if (this.kernel.closed) throw new SeedspanError('DISPOSED', 'the engine was disposed of meanwhile');
    this.#lastPause = performance.now();
    return this.#lastPause - began;
  }

  /** The last report: all is done. */
  complete(): void {
    this.#total = this.#done;
    this.#report();
  }

  #report(): void {
    const total = Math.max(this.#total, this.#done);
    this.#onProgress?.({ stage: 'solve', done: this.#done, total });
  }
}

/** A step that ends with a preconditioner of its own may have begun with a shared one: the oldest counts. */
function noteAge(step: StepReport, age: number | undefined): void {
  if (age !== undefined) step.operatorAge = Math.max(step.operatorAge ?? 0, age);
}
