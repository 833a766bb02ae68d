import type { Engine } from '../solver/engine.ts';
import type { BasisPrecision } from '../solver/projector.ts';
import type { ProjectionKind, SolveStatus } from '../solver/types.ts';
import type { Workers } from '../threads/options.ts';

/** A dense array in C order. */
export interface NdArray<T extends Float32Array | Float64Array = Float64Array> {
  data: T;
  shape: readonly number[];
}

/**
 * Forward stochastic differential equation `dX = f(X, t) dt + g(t) dW` in the plane.
 *
 * Coordinates are those of the grid: `x` along i (rows), `y` along j (columns).
 */
export interface Sde {
  /** f; absent means zero. Scheme `consistent` takes it one spacing outside the grid, too, for its divergence. */
  readonly drift?: (x: number, y: number, t: number) => readonly [number, number];
  /** g, finite and not negative. */
  readonly diffusion: (t: number) => number;
  /** How the preset was made, for reports: `ve:5`. */
  readonly name?: string;
}

/** How the equation is discretised: properly, or as one of the two papers' programs does. */
export type Scheme = 'consistent' | 'lau2025' | 'na2024';

/** What a picture's density is a density of: places of pixels, or pairs of pixel values. */
export type DensityKind = 'pixel-positions' | 'pixel-pairs';
/**
 * What images share. `none`: nothing; an image has the same result, bit for bit, in any batch. `seed-operator`: the
 * multigrid preconditioner of one image; `projection`: Krylov bases of some images; `auto`: multigrid preconditioners,
 * for as long as it pays.
 */
export type Sharing = 'none' | 'projection' | 'seed-operator' | 'auto';

/**
 * What lies outside the grid: `zero` (log density 0 there, as in the papers), `reflecting` (no probability
 * flux through the outermost grid points), or given values at the points one spacing outside.
 */
export type Boundary =
  | 'zero'
  | 'reflecting'
  | {
      /** The log density outside, at a place and time. */
      readonly values: (x: number, y: number, t: number) => number;
    };

/** Where a pre-computation has come to. */
export interface Progress {
  stage: 'density' | 'solve';
  /**
   * Work units done and in all; a unit is one image's density, or one linear system. How many systems there will be
   * shows only as they are solved: `total` is an estimate until the last report, in which `done` is `total`.
   */
  done: number;
  total: number;
}

/** The start that a seed image's subspace gives the others. */
export interface ProjectionOptions {
  /** Default `minimal-residual`. */
  kind?: ProjectionKind;
  /** Most Krylov vectors that a seed leaves; 0 with `solutions` alone. Default 10. */
  dim?: number;
  /**
   * A seed leaves its solution, too: one direction, which is worth more than Krylov vectors where the images are much
   * alike (frames of a scene, one picture under noise), and nothing where they are not. Default false.
   */
  solutions?: boolean;
  /** Index of the seed image, or of several, whose bases are merged in this order. Default 0. */
  seeds?: number | readonly number[];
  /**
   * A target whose projected residual is over this share of ||b|| becomes a seed, too: its Krylov basis is added to
   * that of the level and channel, as far as there is room. The results then depend on the order of the images,
   * within the tolerance of the solves; with fixed seeds they do not, bit for bit. Default: none does.
   */
  threshold?: number;
  /**
   * Most vectors of a basis, for which memory is reserved (for each level and channel in `na2024`, whose sweeps come
   * back to them). Default: what each seed leaves, and three more with a `threshold`.
   */
  maxDim?: number;
  /** How bases are stored. `single` halves their memory; results keep their accuracy. Default `double`. */
  precision?: BasisPrecision;
}

/** {@link ProjectionOptions} with the defaults in place. */
export interface ProjectionSettings {
  kind: ProjectionKind;
  dim: number;
  solutions: boolean;
  seeds: readonly number[];
  threshold?: number;
  maxDim: number;
  precision: BasisPrecision;
}

/** What `precomputeScores` computes, and how. */
export interface PrecomputeOptions {
  /** Pictures, `[images, channels, H, W]`, values in [0, 1]. Give these or `initialLogDensity`. */
  images?: NdArray<Float32Array> | NdArray<Float64Array>;
  /** Log density at the first time level, `[images, channels, H, W]`. */
  initialLogDensity?: NdArray<Float64Array>;
  /** How pictures become densities. */
  density?: DensityKind;
  /** Seed of the random draws of `pixel-positions`. Each image has its own stream. Default 0. */
  seed?: number;
  /** Default `consistent`. The other defaults depend on it: see `SCHEME_DEFAULTS`. */
  scheme?: Scheme;
  sde?: Sde;
  /** N: time steps of `lau2025` and `consistent` (N + 1 levels), time levels of `na2024`. */
  steps?: number;
  /** The end time. */
  T?: number;
  /**
   * `consistent` only: the times of the levels, rising from 0, in the place of `steps` and `T`. Where the diffusion
   * is to be run backward they are best spaced geometrically in the variance.
   */
  times?: readonly number[] | Float64Array;
  /** Grid spacing, one number or [dx, dy]. Default: 1 in `na2024`, the unit square's in the others. */
  spacing?: number | readonly [number, number];
  /**
   * Relative residual of every linear solve. Below `fixedPoint.rtol`: started from the last iterate, a solve changes
   * nothing that its tolerance allows, and a loop that ends by the change would take that for convergence.
   */
  rtol?: number;
  /**
   * The loop over the non-linear term; `na2024` calls it policy iteration. It ends after `maxiter` solves, or when
   * its measure is at most `rtol`.
   *
   * `inner: 'strict'`: every linear system is solved to the option `rtol`; the measure is the relative change of
   * the log density (`na2024`, `lau2025`: as published), or the relative non-linear residual (`consistent`).
   *
   * `inner: 'adaptive'`: every linear system is solved from the last iterate, and only as far as the loop can use;
   * the measure is the relative non-linear residual. The same fields to the same tolerance, for a tenth of the
   * iterations. Default where `method` or `linearization` is given, and the next one would be without.
   *
   * `inner: 'accelerated'`: no linear systems at all where the loop does without: Anderson's method on the residual
   * of the non-linear equation, preconditioned by multigrid at stiff levels; the same measure and tolerance. A level
   * that it does not solve within `maxiter` steps is solved by `adaptive`. In the report a level is one solve then,
   * and a step an iteration of both kinds. Default in `na2024` and `consistent` unless `rtol`, `start: 'zero'` or
   * sharing asks for strict solves; in `lau2025`, which is truncated after five iterations as published, both have
   * to be asked for (and `maxiter` is 30 then).
   */
  fixedPoint?: { rtol?: number; maxiter?: number; inner?: 'strict' | 'adaptive' | 'accelerated' };
  /** `consistent` only: treatment of |grad m|^2. Default `newton`. */
  linearization?: 'picard' | 'newton';
  /** `consistent` only. Default `backward-euler`. */
  timeStepping?: 'backward-euler' | 'crank-nicolson';
  /** `consistent` only. Default `reflecting`. */
  boundary?: Boundary;
  /**
   * `consistent` only: the first-order term; `hybrid` is upwind where the cell
   * Peclet number is over 1. Default `centred`.
   */
  advection?: 'centred' | 'upwind' | 'hybrid';
  /** Krylov method of the linear solves. Default `bicgstab`. */
  method?: 'bicgstab' | 'gmres';
  /**
   * `auto` takes multigrid at the levels that are stiff enough for it to pay, and BiCGSTAB in mixed precision at the
   * others; beside `sharing: 'projection'` the
   * default is `none`, and `na2024` has no other. Default `auto`.
   */
  preconditioner?: 'none' | 'multigrid' | 'auto';
  /** Where a linear solve starts. Default `last-iterate`. */
  start?: 'last-iterate' | 'zero';
  /**
   * What passes between images, and from level to level.
   *
   * `none`: nothing. Where there is multigrid, each image makes its own at each level, for all its channels and
   * fixed-point iterations.
   *
   * `seed-operator`: at each level that has multigrid it is made of one matrix, that of the first channel of the
   * `seedImage` at the level before, and serves all images, channels and fixed-point iterations; an image that does
   * not converge with it gets its own, and the others still have the seed's. The result of an image depends on the
   * seed image and itself alone: bit for bit, whatever the others are and in whatever order. One image alone is
   * solved as with `none`.
   *
   * `auto`: a preconditioner is kept, from image to image and level to level, until the iterations that it costs
   * beyond those of a fresh one would have paid for a fresh one, or until a level's diffusion is another; where
   * keeping does not pay even once, each image and level has its own for a while. Reckoned from counts, not from times, so a run can be repeated bit for bit; but the result of
   * an image depends on those before it, within the tolerance of the loops. The report's `decisions` say what was
   * made, where and why. One image alone, and `na2024`, are solved as with `none`.
   *
   * `projection`: see there. Default `auto`.
   */
  sharing?: Sharing;
  /** With `sharing: 'seed-operator'`: index of the image. Default 0. */
  seedImage?: number;
  /**
   * With `sharing: 'projection'`: the solves of some images, the seeds, leave Krylov bases at every level and channel,
   * on which the systems of the others are projected before they are solved.
   */
  projection?: ProjectionOptions;
  /**
   * Computes images in so many worker threads, or in those of a pool (see `createWorkerPool`); without it, in this one.
   * `auto`: in as many as there are processor cores, as soon as what is left to do would take them 150 ms less; the
   * first images are done in this thread, to see.
   *
   * The number of workers does not change a result, bit for bit. Since what is shared along a sequence of images would
   * depend on it, `sharing: 'auto'` with this option is `seed-operator` with the first image where there is multigrid,
   * and else `none`; `projection` goes without workers. Functions of `sde` and `boundary` stay in this thread: they are
   * evaluated beforehand at all levels and grid points, which takes 16 bytes a point and level for a drift.
   */
  workers?: Workers;
  signal?: AbortSignal;
  /** Called after each picture's density, between slices of some milliseconds, and at the end. What it throws ends the run. */
  onProgress?: (progress: Progress) => void;
  /** Used and left open. Without it, one is made and disposed of. */
  engine?: Engine;
}

/** Milliseconds. What is missing to the total is the loop itself, its tests and copies. */
export interface StageTimes {
  density: number;
  assembly: number;
  /** Seeds' bases, and projections on them. */
  projection: number;
  solve: number;
  score: number;
}

/** One time level of one image: all channels, all fixed-point iterations together. */
export interface StepReport {
  image: number;
  /** Index of the time level in `logDensity`, from 1: level 0 is given. */
  level: number;
  t: number;
  /** The most fixed-point iterations over the channels. */
  fixedPointIterations: number;
  /** Linear solves, and their Krylov iterations, in all. */
  solves: number;
  iterations: number;
  /** Largest relative residual ||b - A x|| / ||b|| that a solve ended with. */
  residual: number;
  /** Largest measure that a fixed-point loop ended with; see `fixedPoint`. */
  change: number;
  /** Mean of (residual after projection) / ||b|| over the solves; absent where nothing was projected. */
  projectedResidual?: number;
  /** There where the image was a seed at this level: one that was named, or by `projection.threshold`. */
  seed?: true;
  /** With `sharing: 'projection'`: most columns of the bases after its systems. */
  columns?: number;
  /**
   * How many images and levels its multigrid preconditioner had served before, 0: made for this one. The largest, where
   * several were tried; absent where there was none. With workers, as far as its own one knows.
   */
  operatorAge?: number;
  status: SolveStatus;
}

/** Multigrid preconditioners that were made for the same reason, one after the other. */
export interface SharingDecision {
  /** Where the first was made. */
  level: number;
  image: number;
  /** How many there are, and how many images and levels they served, one with two counted for both. */
  operators: number;
  served: number;
  /** In words. */
  reason: string;
}

/** How a pre-computation went, and what it took. */
export interface PrecomputeReport {
  scheme: Scheme;
  sde: string;
  density: DensityKind | 'given';
  /** What took place: an operator that served another image or level than its own makes it `seed-operator`. */
  sharing: Exclude<Sharing, 'auto'>;
  /** With `seed-operator` and `auto`: which preconditioners were made and why, or why none was shared. */
  decisions: SharingDecision[];
  /** What was projected with; undefined where nothing was shared. */
  projection: ProjectionSettings | undefined;
  method: 'bicgstab' | 'gmres';
  build: string;
  /** How many worker threads there were; 0: all was done in the calling one. */
  workers: number;
  shape: { images: number; channels: number; height: number; width: number; levels: number };
  /** Times of the levels. */
  times: number[];
  /** The worst of the images'. */
  status: SolveStatus;
  images: {
    status: SolveStatus;
    /** `na2024`, strict: policy iterations. Else the most fixed-point iterations of a step. */
    fixedPointIterations: number;
    solves: number;
    iterations: number;
    /** The measure after each policy iteration (`na2024`, strict), or the last of each step. */
    changes: number[];
  }[];
  steps: StepReport[];
  solves: number;
  iterations: number;
  matvecs: number;
  /** Milliseconds by stage, those of all workers together, and of the clock in all. */
  time: StageTimes & { total: number };
  /** `consistent` only: cells whose Peclet number exceeds 1, over all levels, at the final iterates. */
  peclet?: { cells: number; of: number; max: number };
}

/** The fields that a pre-computation makes, and its report. */
export interface PrecomputeResult {
  /** `na2024`: `[images, N, channels, H, W]`; others: `[images, N + 1, channels, H, W]`. */
  logDensity: NdArray<Float64Array>;
  /** `na2024`: `[images, N, channels, H, W]`; others: `[images, N + 1, channels, 2, H, W]`. */
  scores: NdArray<Float64Array>;
  report: PrecomputeReport;
}
