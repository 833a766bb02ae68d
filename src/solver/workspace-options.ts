import { SeedspanError } from '../errors.ts';
import type { Preconditioner } from './preconditioner.ts';
import type { RecycleSpace } from './recycle-space.ts';
import type { SeedSubspace } from './seed-subspace.ts';
import type { MatrixFree, Method, Precision, PreconditionerKind, ProjectionKind, Storage } from './types.ts';

/** The options of a solve, but for the workspace that it uses. */
export interface RunOptions {
  /**
   * `auto` looks at the matrix (size, entries a row, dominance of the diagonal, symmetry, grid or not) and takes what
   * promises to be fastest; with `preconditioner` given, only the method is chosen. Should that fail, `solve` tries
   * up to three others, the direct solver last; a workspace keeps to the first choice.
   */
  method?: Method | 'auto';
  /**
   * A kind, a function `(r, z)` that writes `M^-1 r` into z, or one made by `engine.preconditioner`. Method `lu` makes
   * its own factors, or refines with those of a preconditioner of kind `lu`.
   */
  preconditioner?: PreconditionerKind | MatrixFree | Preconditioner;
  /** GMRES only: the side of the preconditioner. */
  side?: 'left' | 'right';
  /** GMRES and GCRO-DR: dimension of a cycle, recycled vectors included; never more than n is used. */
  restart?: number;
  /** Stop when `||b - A x|| <= max(rtol ||b||, atol)`. */
  rtol?: number;
  atol?: number;
  /** Most iterations; an iteration of GMRES or GCRO-DR is one step of Arnoldi, a restart costs none. */
  maxiter?: number;
  /** Start; zero without it. Not changed, unless it is `out` too. */
  x0?: ArrayLike<number>;
  /** The solution is written here, and is `result.x`. */
  out?: Float64Array;
  /** Keep the residual norm of every iteration. */
  history?: boolean;
  storage?: Storage;
  /** `auto`: `mixed` where there is such a way, but for the smallest systems. `mixed` asks for it. */
  precision?: Precision | 'auto';
  /** Improve the start by projection on a seed's Krylov subspace. */
  seed?: SeedSubspace;
  projection?: ProjectionKind;
  /**
   * GCRO-DR only: what solves before have left, to be used and renewed. Without it a solve recycles from cycle to
   * cycle, at most 10 vectors, and leaves nothing.
   */
  recycle?: RecycleSpace;
}

/** What a workspace is made for; later solves in it keep to that. */
export type WorkspaceOptions = Pick<
  RunOptions,
  'method' | 'preconditioner' | 'side' | 'restart' | 'storage' | 'precision'
> & {
  /** Unknowns; needed for a matrix-free system only. */
  size?: number;
};

/** What a workspace was made with. */
interface Made {
  size: number;
  method: Method;
  side: 'left' | 'right';
  preconditioner: NonNullable<RunOptions['preconditioner']>;
  restart: number;
  storage: 'csr' | 'dia' | 'function';
  precision: Precision;
}

/** What was chosen when a workspace was made cannot be chosen again. `askedStorage` is what its maker asked for. */
export function checkAgreement(where: string, made: Made, askedStorage: Storage, options: RunOptions): void {
  for (const name of ['method', 'side', 'preconditioner', 'precision'] as const) {
    if (options[name] === undefined || options[name] === made[name] || options[name] === 'auto') continue;
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: the workspace was made with ${name} ${describe(made[name])}, the solve asks for ${describe(options[name])}`,
      { option: name },
    );
  }
  const { restart, storage = 'auto' } = options;
  if (restart !== undefined && Math.max(1, Math.min(restart, made.size)) !== made.restart) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: the workspace was made with restart ${made.restart}, the solve asks for ${restart}`,
      { option: 'restart' },
    );
  }
  if (storage !== 'auto' && storage !== made.storage && storage !== askedStorage) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: the workspace was made with storage "${made.storage}", the solve asks for "${storage}"`,
      { option: 'storage' },
    );
  }
}

function describe(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : typeof value === 'function' ? 'a function' : 'an object';
}
