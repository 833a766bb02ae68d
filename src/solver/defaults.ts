/** Defaults of every solve, in one place; the README's table is checked against it. */
export const SOLVE_DEFAULTS = {
  method: 'gmres',
  preconditioner: 'none',
  side: 'right',
  restart: 30,
  rtol: 1e-8,
  atol: 0,
  history: false,
  storage: 'auto',
  precision: 'auto',
  projection: 'minimal-residual',
} as const;

/** Most iterations, where the caller says nothing: ten times the unknowns, at least 1,000, at most 100,000. */
export function defaultMaxiter(n: number): number {
  return Math.min(Math.max(10 * n, 1000), 100_000);
}

/** Systems with fewer unknowns are solved in double precision throughout, unless asked otherwise. */
export const MIXED_LEAST = 256;

/** Defaults of `engine.seedSubspace`. */
export const SEED_DEFAULTS = { dim: 20, rtol: 1e-14, precision: 'double' } as const;

/** Of the length of a direction that is to join a basis: with less than this share new, it counts as dependent. */
export const DEPENDENT = { double: 1e-8, single: 1e-5 } as const;

/** Most vectors that `gcro-dr` keeps, from cycle to cycle and in `engine.recycleSpace`. */
export const RECYCLE_DEFAULTS = { dim: 10 } as const;

/** Defaults of `engine.solveBatch`, where they are others than a solve's. */
export const BATCH_DEFAULTS = {
  method: 'bicgstab',
  lanes: 'auto',
  precision: 'auto',
  sharing: 'none',
} as const;

/** Preconditioners that may serve the next matrices, too: making them takes longer than one product. */
export const KEPT = ['ilu0', 'multigrid', 'sine-transform', 'cosine-transform', 'lu'] as const;

/** With `sharing`, a start is made of at most so many earlier solutions. */
export const HISTORY_MOST = 8;

/** So many systems are solved at once where together they take at most so many bytes: what a cache holds. */
export const LANES_MOST_BYTES = {
  mixed: [
    [8, 13e6],
    [4, 12e6],
  ],
  double: [
    [4, 16e6],
    [2, 22e6],
  ],
} as const;

/** A batch in mixed precision is not for smaller tolerances, unless it is asked for. */
export const MIXED_LEAST_RTOL = 1e-12;
/** Defaults of `engine.factorize`. */
export const FACTORIZE_DEFAULTS = {
  ordering: 'auto',
  kind: 'auto',
  pivotThreshold: 0.1,
  refine: 10,
} as const;

/** `method: 'auto'` ends with a direct solve for at most so many unknowns: of a grid, and of any pattern. */
export const DIRECT_MOST = { grid: 250_000, other: 5_000 } as const;

/** Diagonals are stored as such where they are at most this many, */
export const DIA_MAX_DIAGONALS = 32;
/** and where their slots, in whole blocks, are at most this many times the entries. */
export const DIA_MAX_FILL = 1.6;
