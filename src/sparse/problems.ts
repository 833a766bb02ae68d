import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { fromTriplets } from './construct.ts';
import type { CsrMatrix } from './csr.ts';

// Test problems. Entries are made with + - * / only, so every JavaScript engine makes the same digits.
// Grids are those of the unit square's interior, (i + 1) / (nx + 1) by (j + 1) / (ny + 1), with zero boundary
// values; point (i, j) is unknown i * ny + j. Equations are multiplied by the cell's area hx hy.

/** A five-point stencil: coefficients of a point and its neighbours. */
interface Stencil {
  centre: number;
  /** Neighbours i - 1 and i + 1. */
  x: readonly [number, number];
  /** Neighbours j - 1 and j + 1. */
  y: readonly [number, number];
}

function fivePoint(nx: number, ny: number, { centre, x, y }: Stencil): CsrMatrix {
  const row: number[] = [];
  const col: number[] = [];
  const data: number[] = [];
  const add = (i: number, j: number, value: number) => {
    row.push(i);
    col.push(j);
    data.push(value);
  };
  for (let i = 0; i < nx; i++) {
    for (let j = 0; j < ny; j++) {
      const k = i * ny + j;
      if (i > 0) add(k, k - ny, x[0]);
      if (j > 0) add(k, k - 1, y[0]);
      add(k, k, centre);
      if (j < ny - 1) add(k, k + 1, y[1]);
      if (i < nx - 1) add(k, k + ny, x[1]);
    }
  }
  return fromTriplets({ shape: [nx * ny, nx * ny], row, col, data });
}

function checkCount(where: string, name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: ${name} must be an integer of at least ${least}, not ${show(value)}`,
    {
      name,
      value,
    },
  );
}

function checkPositive(where: string, name: string, value: number): void {
  if (Number.isFinite(value) && value > 0) return;
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: ${name} must be a finite number over 0, not ${show(value)}`,
    {
      name,
      value,
    },
  );
}

/**
 * `-Laplace(u)` on an `nx` by `ny` grid with equal spacing: 4 on the diagonal, -1 beside it. Symmetric, positive
 * definite.
 */
export function poisson2d(nx: number, ny: number): CsrMatrix {
  checkCount('poisson2d', 'nx', nx, 1);
  checkCount('poisson2d', 'ny', ny, 1);
  return fivePoint(nx, ny, { centre: 4, x: [-1, -1], y: [-1, -1] });
}

/** The couplings of {@link anisotropic2d}. */
export interface AnisotropicOptions {
  nx: number;
  ny: number;
  /** Coefficient of the second derivative along j; that along i has 1. Default 0.01. */
  epsilon?: number;
}

/** `-u_xx - epsilon u_yy` with equal spacing. Symmetric, positive definite; hard for small `epsilon`. */
export function anisotropic2d(options: AnisotropicOptions): CsrMatrix {
  checkOptionNames('anisotropic2d', options ?? null, ['nx', 'ny', 'epsilon']);
  const { nx, ny, epsilon = 0.01 } = options;
  checkCount('anisotropic2d', 'nx', nx, 1);
  checkCount('anisotropic2d', 'ny', ny, 1);
  checkPositive('anisotropic2d', 'epsilon', epsilon);
  return fivePoint(nx, ny, { centre: 2 + 2 * epsilon, x: [-1, -1], y: [-epsilon, -epsilon] });
}

/** The flow of {@link convectionDiffusion2d}. */
export interface ConvectionDiffusionOptions {
  nx: number;
  ny: number;
  /** Constant wind, along i and along j. Default `[1, 0]`. */
  wind?: readonly [number, number];
  /** Diffusion coefficient. Default 1. */
  diffusion?: number;
  /** Differences of the wind's term: second order, or first order and stable in strong wind. Default `centred`. */
  advection?: 'centred' | 'upwind';
}

/** `-diffusion Laplace(u) + wind . grad u` on the unit square. Not symmetric. */
export function convectionDiffusion2d(options: ConvectionDiffusionOptions): CsrMatrix {
  const where = 'convectionDiffusion2d';
  checkOptionNames(where, options ?? null, ['nx', 'ny', 'wind', 'diffusion', 'advection']);
  const { nx, ny, wind = [1, 0], diffusion = 1, advection = 'centred' } = options;
  checkCount(where, 'nx', nx, 1);
  checkCount(where, 'ny', ny, 1);
  checkPositive(where, 'diffusion', diffusion);
  if (!Array.isArray(wind) || wind.length !== 2 || !wind.every(Number.isFinite)) {
    throw new SeedspanError('INVALID_VALUE', `${where}: wind must be two finite numbers, not ${show(wind)}`, {
      wind,
    });
  }
  if (advection !== 'centred' && advection !== 'upwind') {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: advection must be 'centred' or 'upwind', not ${show(advection)}`,
      { advection },
    );
  }
  const [hx, hy] = [1 / (nx + 1), 1 / (ny + 1)];
  const along = (speed: number, h: number, width: number): readonly [number, number] => {
    const diffused = (diffusion * width) / h;
    const blown = speed * width;
    if (advection === 'centred') return [-diffused - blown / 2, -diffused + blown / 2];
    return [-diffused - Math.max(blown, 0), -diffused + Math.min(blown, 0)];
  };
  const x = along(wind[0], hx, hy);
  const y = along(wind[1], hy, hx);
  // A constant has no gradient and no Laplacian, so the coefficients sum to zero, in both kinds of difference.
  return fivePoint(nx, ny, { centre: -(x[0] + x[1] + y[0] + y[1]), x, y });
}

/** Size and pattern of {@link randomDiagonallyDominant}. */
export interface RandomOptions {
  /** Rows and columns. */
  n: number;
  /** Entries beside the diagonal, at most, in each row. Default 5. */
  perRow?: number;
  /** Default 0. */
  seed?: number;
}

/**
 * A random sparse matrix, not symmetric: `perRow` draws of a column and a value in [-1, 1) in each row, and a
 * diagonal of 1 plus the row's absolute sum. Strictly diagonally dominant, so it is regular and Jacobi converges.
 */
export function randomDiagonallyDominant(options: RandomOptions): CsrMatrix {
  const where = 'randomDiagonallyDominant';
  checkOptionNames(where, options ?? null, ['n', 'perRow', 'seed']);
  const { n, perRow = 5, seed = 0 } = options;
  checkCount(where, 'n', n, 0);
  checkCount(where, 'perRow', perRow, 0);
  checkCount(where, 'seed', seed, 0);
  const random = generator(seed);
  const triplets: [number, number, number][] = [];
  for (let i = 0; i < n; i++) {
    let sum = 1;
    for (let k = 0; k < perRow; k++) {
      const j = Math.floor(random() * n);
      const value = 2 * random() - 1;
      if (j === i) continue;
      triplets.push([i, j, value]);
      sum += Math.abs(value);
    }
    triplets.push([i, i, sum]);
  }
  return fromTriplets({ shape: [n, n], triplets });
}

/** Uniform numbers in [0, 1) with 32 bits: a Weyl sequence through the finaliser of MurmurHash3 (Appleby, 2008). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let x = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
  };
}
