import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { BATCH_DEFAULTS, LANES_MOST_BYTES } from './defaults.ts';
import { usefulOffsets, withPattern } from './diagonals.ts';
import { checkChoice, checkSolveOptions } from './options.ts';
import { checkRecycle } from './recycle-space.ts';
import { checkSeed } from './seed-subspace.ts';
import type { Method, SolveResult, SolveStatus } from './types.ts';
import type { RunOptions } from './workspace-options.ts';

/** One system of a batch. What it holds is copied when it is taken: the next may use the same arrays. */
export interface BatchSystem {
  /** Square; the pattern of all systems is that of the first. */
  A: CsrMatrix;
  /** Length n. */
  b: ArrayLike<number>;
  /** Start; zero without it. */
  x0?: ArrayLike<number>;
}

/** How many systems are solved at once. */
export type Lanes = 1 | 2 | 4;

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
   * none where the matrix is not stored by diagonals (see `storage`): four, or two of a size whose fours would leave
   * the cache (about 150 x 150 grid points). Else, and for systems larger still, one. The digits of a result depend
   * on it, not on the neighbours.
   */
  lanes?: 'auto' | Lanes;
  /** Checked between slices of some milliseconds; the iterator throws its reason. */
  signal?: AbortSignal;
  /** Called after each slice, and for each system that has ended. */
  onProgress?: (progress: BatchProgress) => void;
}

export interface BatchProgress {
  /** Systems that have ended. */
  finished: number;
  /** Systems under way. */
  running: number;
}

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
  'signal',
  'onProgress',
] as const;

const IN_LANES: readonly unknown[] = ['none', 'jacobi', 'ilu0'];

/** Refuses what cannot be used. */
export function checkBatchOptions(where: string, options: BatchOptions): void {
  checkOptionNames(where, options, OPTIONS);
  const { lanes, signal, onProgress, ...rest } = options;
  checkSeed(where, rest.seed);
  checkSolveOptions(where, rest, OPTIONS);
  checkChoice(where, 'lanes', lanes, ['auto', 1, 2, 4]);
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
  if (lanes === 2 || lanes === 4) {
    const reason = whyNotInLanes(options);
    if (reason !== undefined) {
      throw new SeedspanError(
        'INVALID_VALUE',
        `${where}: lanes is ${lanes}, and ${reason}; leave lanes away, or ask for 1`,
        { option: 'lanes', value: lanes },
      );
    }
  }
}

/** How many systems at once; `A` has their pattern. */
export function chooseLanes(options: BatchOptions, kernel: Kernel, A: CsrMatrix): Lanes {
  const { lanes = BATCH_DEFAULTS.lanes, preconditioner, storage } = options;
  if (lanes !== 'auto') return lanes;
  if (kernel.build === 'scalar' || whyNotInLanes(options) !== undefined) return 1;
  // A product by diagonals uses the SIMD lanes already, and reads no indices.
  if (preconditioner !== 'ilu0' && storage !== 'csr') {
    const offsets = withPattern(kernel, A, (pattern) => usefulOffsets(kernel, A, pattern, false));
    if (offsets !== undefined) return 1;
  }
  const matrices = preconditioner === 'ilu0' ? 2 : 1;
  const vectors = preconditioner === undefined || preconditioner === 'none' ? 7 : 10;
  const bytes = 8 * (matrices * A.nnz + vectors * A.shape[0]);
  if (4 * bytes <= LANES_MOST_BYTES[4]) return 4;
  return 2 * bytes <= LANES_MOST_BYTES[2] ? 2 : 1;
}

function whyNotInLanes({ method = BATCH_DEFAULTS.method, preconditioner = 'none', storage }: BatchOptions) {
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
