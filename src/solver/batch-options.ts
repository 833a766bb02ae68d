import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import { checkWorkers, type Workers } from '../threads/options.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { BATCH_DEFAULTS, KEPT, LANES_MOST_BYTES, MIXED_LEAST_RTOL, SOLVE_DEFAULTS } from './defaults.ts';
import { usefulOffsets, withPattern } from './diagonals.ts';
import { checkChoice, checkSolveOptions } from './options.ts';
import { checkRecycle } from './recycle-space.ts';
import { checkSeed } from './seed-subspace.ts';
import type { Method, Precision, SolveResult, SolveStatus } from './types.ts';
import type { RunOptions } from './workspace-options.ts';

/**
 * One system of a batch. What it holds is copied when it is taken: the next may use the same arrays. With `sharing` it
 * may be read again until its result is out, which is before the next is taken.
 */
export interface BatchSystem {
  /** Square; the pattern of all systems is that of the first. */
  A: CsrMatrix;
  /** Length n. */
  b: ArrayLike<number>;
  /** Start; zero without it. */
  x0?: ArrayLike<number>;
}

/** What a system of a sequence has of those before it. */
export type BatchSharing = 'none' | 'solutions' | 'seed-operator' | 'auto';

/** How many systems are solved at once. */
export type Lanes = 1 | 2 | 4 | 8;

/** How the systems of a batch are solved. */
export interface BatchPlan {
  lanes: Lanes;
  precision: Precision;
}

/** How the systems of a batch are solved, and what they share. */
export interface BatchOptions
  extends Pick<
    RunOptions,
    | 'method'
    | 'preconditioner'
    | 'side'
    | 'restart'
    | 'rtol'
    | 'atol'
    | 'maxiter'
    | 'storage'
    | 'seed'
    | 'projection'
    | 'recycle'
  > {
  /**
   * `auto`: what is faster by measurement. Several for `bicgstab` in a SIMD build, with `ilu0`, or with `jacobi` or
   * none where the matrix is not stored by diagonals (see `storage`). In mixed precision eight, or four of a size
   * whose eights would leave the cache (about 150 x 150 grid points with `ilu0`); in double four, or two (about
   * 120 x 120); one for systems larger still. 8 is for mixed precision, 2 for double. The digits of a result
   * depend on it, not on the neighbours.
   */
  lanes?: 'auto' | Lanes;
  /**
   * `mixed`: the lanes compute in f32, and what they find is added to x in f64 whenever the residual is down by
   * 1e-4; then the true residual, of A, b and x in f64, goes on from there. It meets the same tolerances. A system
   * that does not converge so (f32 has too few digits for it, or too small a range) is solved again by itself, from
   * its start, in double precision, as `precision: 'double'` does: its result then says `double`. Each of the two
   * solves has `maxiter`. For `bicgstab` with `none`, `jacobi` and `ilu0`, storage `auto` or `csr`.
   *
   * `auto` (the default): mixed where `lanes` is 8, or is `auto` and comes to several, and rtol is at least 1e-12.
   * One after the other they are solved as `solve` does with `auto`; else double. Which way is tried depends on the
   * options and on the pattern alone.
   */
  precision?: 'auto' | Precision;
  /**
   * What a system gets from those before it, so that results depend on their order; they are solved one after the
   * other then.
   *
   * - `none`: nothing.
   * - `solutions`: the start is the combination of the last solutions (up to 8) with the smallest residual (Fischer
   *   1998, Comput. Methods Appl. Mech. Eng. 163), of as many as pays.
   * - `seed-operator`: a preconditioner (`ilu0`, `multigrid`, `sine-transform`, `cosine-transform` or `lu`; without
   *   one given, what suits the first matrix) serves the systems that follow, until the iterations that it costs are
   *   dearer than a new one.
   * - `auto`: both, where they pay, with the method and preconditioner that suit a sequence if none are given: then
   *   the first systems try up to three of them, and the direct solver's factors where these promise to pay.
   *
   * A system that a kept preconditioner does not solve is solved anew with its own, and with `auto` in the other
   * ways, each once: `maxiter` bounds each try, and `iterations` and `matvecs` count them all. Of tries that all
   * failed, the result is the one with the smallest residual. A system with an `x0` starts there. Not together with
   * `seed`, `recycle`, or a preconditioner made before.
   *
   * What pays is reckoned from iterations and residuals, not from the clock: the same systems in the same order have
   * the same results, bit for bit. It is also reckoned from the number of systems, where they come as an array.
   */
  sharing?: BatchSharing;
  /**
   * Solves them in so many worker threads, or in those of a pool (see `createWorkerPool`); without it, in this one.
   * `auto`: in as many as there are processor cores, as soon as what is left to do would take them 150 ms less (where
   * systems come from a generator, as many are expected as there were). Results are the same, bit for bit.
   *
   * Systems go to workers in parts of at most 64 and some megabytes, two parts a worker at a time, and are taken before
   * the results of those before them are out: none may depend on another's result. What lives in this engine's memory or
   * is a function cannot go there: `seed`, `recycle`, preconditioners made before; nor does `sharing`, whose systems
   * wait for each other.
   */
  workers?: Workers;
  /** Checked between slices of some milliseconds; the iterator throws its reason. */
  signal?: AbortSignal;
  /** Called after each slice, and for each system that has ended. */
  onProgress?: (progress: BatchProgress) => void;
}

/** Where a batch has come to. */
export interface BatchProgress {
  /** Systems that have ended. */
  finished: number;
  /** Systems under way. */
  running: number;
}

/** The result of one system of a batch. */
export interface BatchResult {
  /** The system's place in the order given, from 0. */
  index: number;
  /** Length n, its own array. */
  x: Float64Array;
  status: SolveStatus;
  /** `status === 'converged'`. */
  converged: boolean;
  iterations: number;
  /** Products with A, those that check the residual included. */
  matvecs: number;
  /** `||b - A x||` of the returned x, computed from b, A and x. */
  residualNorm: number;
  /** `||b||`. */
  rightHandSideNorm: number;
  method: Method;
  /** The preconditioner that was used: its kind, or `function`. */
  preconditioner: SolveResult['preconditioner'];
  storage: 'csr' | 'dia';
  /** With `seed`: `||b - A x||` of the projected start, and whether the projection could help. */
  projectedResidualNorm?: number;
  projected?: boolean;
  /** How many systems were solved at once: 1, one after the other. */
  lanes: Lanes;
  /** `double` also where mixed precision was tried in vain: `iterations` and `matvecs` then count both solves. */
  precision: Precision;
  /** With `sharing`: what earlier systems gave. */
  shared?: {
    /** Solutions that the start was made of. */
    solutions: number;
    /** Systems that the preconditioner had served before; 0: it is this one's own. */
    operatorAge: number;
  };
}

const OPTIONS = [
  'method',
  'preconditioner',
  'side',
  'restart',
  'rtol',
  'atol',
  'maxiter',
  'storage',
  'seed',
  'projection',
  'recycle',
  'lanes',
  'precision',
  'sharing',
  'workers',
  'signal',
  'onProgress',
] as const;

const IN_LANES: readonly unknown[] = ['none', 'jacobi', 'ilu0'];

/** Refuses what cannot be used. */
export function checkBatchOptions(where: string, options: BatchOptions): void {
  checkOptionNames(where, options, OPTIONS);
  const { lanes, precision, sharing, workers, signal, onProgress, ...rest } = options;
  checkSeed(where, rest.seed);
  checkSolveOptions(where, rest, OPTIONS);
  checkChoice(where, 'lanes', lanes, ['auto', 1, 2, 4, 8]);
  checkChoice(where, 'precision', precision, ['auto', 'double', 'mixed']);
  checkChoice(where, 'sharing', sharing, ['none', 'solutions', 'seed-operator', 'auto']);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new SeedspanError('INVALID_TYPE', `${where}: signal must be an AbortSignal, not ${show(signal)}`);
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${where}: onProgress must be a function, not ${show(onProgress)}`,
    );
  }
  const { method = BATCH_DEFAULTS.method, side } = rest;
  if (side === 'left' && method !== 'gmres') {
    throw new SeedspanError('INVALID_VALUE', `${where}: side "left" is for method "gmres", not "${method}"`, {
      option: 'side',
    });
  }
  checkRecycle(where, options.recycle, method);
  checkSharing(where, options);
  checkWorkers(where, workers);
  if (workers !== undefined) checkPostable(where, options);
  const reason = whyNotInLanes(options);
  if (typeof lanes === 'number' && lanes > 1 && reason !== undefined) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: lanes is ${lanes}, and ${reason}; leave lanes away, or ask for 1`,
      { option: 'lanes', value: lanes },
    );
  }
  if (precision === 'mixed' && reason !== undefined) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: precision is "mixed", which is for several systems at once, and ${reason}; leave precision away`,
      { option: 'precision', value: precision },
    );
  }
  if (precision === 'mixed' && (lanes === 1 || lanes === 2)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: lanes is ${lanes}, and precision "mixed" has 4 or 8; leave one of them away`,
      { option: 'lanes', value: lanes },
    );
  }
  if (precision === 'double' && lanes === 8) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: lanes is 8, and precision "double" has at most 4; leave one of them away`,
      { option: 'lanes', value: lanes },
    );
  }
}

/** What `sharing` makes itself cannot be given, too. */
function checkSharing(where: string, options: BatchOptions): void {
  const { sharing = BATCH_DEFAULTS.sharing, preconditioner } = options;
  if (sharing === 'none') return;
  for (const option of ['seed', 'recycle'] as const) {
    if (options[option] === undefined) continue;
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: sharing "${sharing}" hands on solutions and preconditioners, not what ${option} holds; leave ` +
        `${option} away, or sharing`,
      { option },
    );
  }
  if (preconditioner === undefined) return;
  const keeps = sharing === 'seed-operator';
  if (keeps ? (KEPT as readonly unknown[]).includes(preconditioner) : typeof preconditioner === 'string')
    return;
  const fit = keeps ? KEPT.map(show).join(', ') : 'the name of one';
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: sharing "${sharing}" makes the preconditioner itself; give ${fit}, or leave preconditioner away`,
    { option: 'preconditioner' },
  );
}

/** Refuses what cannot go to workers. */
function checkPostable(where: string, options: BatchOptions): void {
  const { sharing = BATCH_DEFAULTS.sharing, preconditioner } = options;
  const refuse = (option: keyof BatchOptions, reason: string): never => {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: ${option} cannot go to workers: ${reason}; leave workers away, or ${option}`,
      { option },
    );
  };
  if (sharing !== 'none') refuse('sharing', 'each system waits for what those before it leave');
  if (typeof preconditioner === 'function') refuse('preconditioner', 'it is a function');
  if (typeof preconditioner === 'object') refuse('preconditioner', "it is in this engine's memory");
  for (const option of ['seed', 'recycle'] as const) {
    if (options[option] !== undefined) refuse(option, "it is in this engine's memory");
  }
}

/** How many systems at once, and in which precision; `A` has their pattern. */
export function planBatch(options: BatchOptions, kernel: Kernel, A: CsrMatrix): BatchPlan {
  const { lanes = BATCH_DEFAULTS.lanes, rtol = SOLVE_DEFAULTS.rtol } = options;
  const asked = options.precision ?? BATCH_DEFAULTS.precision;
  const mayBeMixed = lanes === 8 || (lanes === 'auto' && rtol >= MIXED_LEAST_RTOL);
  const precision = asked === 'auto' ? (mayBeMixed ? 'mixed' : 'double') : asked;
  if (lanes !== 'auto') return { lanes, precision };
  if (asked !== 'mixed' && !paysInLanes(options, kernel, A)) return { lanes: 1, precision: 'double' };
  const fitting = lanesThatFit(options, A, precision);
  if (fitting > 1) return { lanes: fitting, precision };
  return asked === 'mixed' ? { lanes: 4, precision } : { lanes: 1, precision: 'double' };
}

function paysInLanes(options: BatchOptions, kernel: Kernel, A: CsrMatrix): boolean {
  if (kernel.build === 'scalar' || whyNotInLanes(options) !== undefined) return false;
  // A product by diagonals uses the SIMD lanes already, and reads no indices.
  const { preconditioner, storage } = options;
  if (preconditioner === 'ilu0' || storage === 'csr') return true;
  return withPattern(kernel, A, (pattern) => usefulOffsets(kernel, A, pattern, false)) === undefined;
}

function lanesThatFit({ preconditioner = 'none' }: BatchOptions, A: CsrMatrix, precision: Precision): Lanes {
  const matrices = preconditioner === 'ilu0' ? 2 : 1;
  const vectors = preconditioner === 'none' ? 7 : 10;
  const bytes = (precision === 'mixed' ? 4 : 8) * (matrices * A.nnz + vectors * A.shape[0]);
  const most = LANES_MOST_BYTES[precision];
  return most.find(([lanes, room]) => lanes * bytes <= room)?.[0] ?? 1;
}

function whyNotInLanes({
  method = BATCH_DEFAULTS.method,
  preconditioner = 'none',
  storage,
  sharing = BATCH_DEFAULTS.sharing,
}: BatchOptions) {
  if (sharing !== 'none') return `sharing "${sharing}" hands on from one system to the next`;
  if (method !== 'bicgstab')
    return `method "${method}" solves one system at a time ("bicgstab" solves several)`;
  if (!IN_LANES.includes(preconditioner)) {
    const what =
      typeof preconditioner === 'string' ? show(preconditioner) : 'that is a function or made before';
    return `preconditioner ${what} serves one system at a time ("none", "jacobi" and "ilu0" serve several)`;
  }
  if (storage === 'dia') return 'storage "dia" holds one system at a time ("csr" holds several)';
  return undefined;
}
