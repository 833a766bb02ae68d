import { log, log10 } from '../elementary.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { DIRECT_MOST, MIXED_LEAST } from './defaults.ts';
import { gridWidth } from './five-point.ts';
import type { WayCosts } from './sharing-policy.ts';
import type { Method, Precision, PreconditionerKind, Storage, SystemMatrix } from './types.ts';

/** A way to solve a system. */
export interface Choice {
  method: Method;
  preconditioner: PreconditionerKind;
}

/** What the choice is made from: read off a sample of the rows, so that it costs next to nothing. */
export interface MatrixTraits {
  n: number;
  /** Entries a row. */
  density: number;
  /** sum over j != i of |a_ij| / |a_ii|, the largest but for a tenth of the rows; Infinity with a zero diagonal. */
  dominance: number;
  /** Mean of |a_ij - a_ji| / (|a_ij| + |a_ji|): 0 for a symmetric matrix, 1 where nothing flows back. */
  asymmetry: number;
  /** Largest diagonal entry over the smallest. */
  scale: number;
  /** Some diagonal entry is not positive. */
  indefinite: boolean;
  /** Columns of the grid whose five-point pattern this is; 0: it is none. */
  grid: number;
  /** All full rows of the grid have the same entries, but for a hundredth. */
  uniform: boolean;
  /** Of a uniform grid: rows at its border have mirrors where they have no neighbour, rather than zeros. */
  reflecting: boolean;
}

/** Rows that are looked at, about. */
const SAMPLE = 128;

export function matrixTraits(kernel: Kernel, A: CsrMatrix): MatrixTraits {
  const [n] = A.shape;
  const { indptr, indices, data } = A;
  // Odd, so that it does not fall on the same column of a grid again and again.
  const stride = Math.floor(n / SAMPLE) | 1;
  const ratios: number[] = [];
  let differences = 0;
  let pairs = 0;
  let least = Infinity;
  let most = 0;
  let indefinite = false;
  let full = -1;
  let uniform = true;
  for (let i = stride >> 1; i < n; i += stride) {
    let diagonal = 0;
    let others = 0;
    for (let k = indptr[i]; k < indptr[i + 1]; k++) {
      const j = indices[k];
      if (j === i) {
        diagonal = data[k];
        continue;
      }
      others += Math.abs(data[k]);
      const back = entry(A, j, i);
      const size = Math.abs(data[k]) + Math.abs(back);
      if (size > 0) differences += Math.abs(data[k] - back) / size;
      pairs++;
    }
    indefinite ||= !(diagonal > 0);
    least = Math.min(least, Math.abs(diagonal));
    most = Math.max(most, Math.abs(diagonal));
    ratios.push(diagonal === 0 ? Infinity : others / Math.abs(diagonal));
    if (indptr[i + 1] - indptr[i] !== 5) continue;
    if (full < 0) full = indptr[i];
    for (let d = 0; d < 5; d++) {
      const wanted = data[full + d];
      uniform &&= Math.abs(data[indptr[i] + d] - wanted) <= 0.01 * Math.abs(wanted);
    }
  }
  ratios.sort((a, b) => a - b);
  const grid = gridWidth(kernel, A);
  return {
    n,
    density: A.nnz / Math.max(n, 1),
    dominance: ratios[Math.floor(0.9 * (ratios.length - 1))] ?? 0,
    asymmetry: pairs === 0 ? 0 : differences / pairs,
    scale: least > 0 ? most / least : Infinity,
    indefinite,
    grid,
    uniform: uniform && full >= 0,
    reflecting: grid > 2 && uniform && full >= 0 && reflects(A, grid, data.subarray(full, full + 5)),
  };
}

/** Looks at a row of the grid's left border, beside a full one. */
function reflects(A: CsrMatrix, width: number, [, left, centre, right]: Float64Array): boolean {
  const k = width * Math.floor(A.shape[0] / width / 2);
  const near = (value: number, wanted: number) => Math.abs(value - wanted) <= 0.1 * Math.abs(left);
  return near(entry(A, k, k + 1), left + right) || (left !== 0 && near(entry(A, k, k), centre + left));
}

/** a_ij by bisection; 0 where nothing is stored. */
function entry({ indptr, indices, data }: CsrMatrix, i: number, j: number): number {
  let low = indptr[i];
  let high = indptr[i + 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (indices[middle] < j) low = middle + 1;
    else high = middle;
  }
  return low < indptr[i + 1] && indices[low] === j ? data[low] : 0;
}

/**
 * Nanoseconds a row, measured (`npm run bench:solve`); the machine matters little, since only ratios count.
 * `product` is of five entries.
 */
const COST = {
  gridProduct: 0.7,
  product: 1.7,
  triangular: 2.1,
  /** With a share of the pattern's analysis, which a workspace does once. */
  factorization: 36,
  /** Vector operations of one iteration. */
  bicgstab: 2,
  cg: 1.2,
  /** With half a cycle's vectors. */
  gmres: 8,
  jacobi: 0.5,
  /** An entry of the direct solver's L, in a solve; a multiplication of its factorisation. */
  directEntry: 1.8,
  directWork: 0.4,
  /** One application, and the set-up, for a five-point matrix. */
  multigrid: 2.6,
  multigridSetup: 8,
  /** In mixed precision: an iteration in f32, products included, and for each row of the grid; a round in f64 about it;
   * the set-up. */
  single: 1.05,
  singleLine: 12,
  singleRound: 1.5,
  singleSetup: 3.5,
  /** One application of a transform, a column of the grid, and what else it takes. */
  transformColumn: 0.1,
  transform: 5,
  transformSetup: 10,
} as const;

/** Eliminating one colour leaves this share of the iterations. */
const REDUCED_SHARE = 0.5;
/** Digits that a round brings at most, as `digits` below. */
const ROUND_DIGITS = 11.5;

/**
 * Nanoseconds a row that BiCGSTAB takes on a five-point matrix: alone, in mixed precision, and with multigrid, the
 * set-up included.
 *
 * @param gap - (1 - rho) / (1 + rho), rho the dominance.
 * @param digits - natural logarithm of what the residual is to be divided by.
 * @param width - columns of the grid.
 */
export function gridCosts(
  gap: number,
  digits: number,
  width: number,
): { plain: number; mixed: number; multigrid: number } {
  const { gridProduct, bicgstab, multigrid, multigridSetup } = COST;
  const single = COST.single + COST.singleLine / width;
  const iterations = guessIterations(gap, digits);
  const rounds = Math.ceil(digits / ROUND_DIGITS);
  // Two iterations for a mild problem, a few more for a stiff one, and no more on a finer grid.
  const cycles = (digits / 19) * (1 + 2 * log10(1 / gap));
  return {
    plain: iterations * (2 * gridProduct + bicgstab),
    mixed: COST.singleSetup + rounds * COST.singleRound + REDUCED_SHARE * iterations * single,
    multigrid: multigridSetup + cycles * (2 * (gridProduct + multigrid) + bicgstab),
  };
}

/** An evaluation of a five-point residual without a matrix, and the vector operations of a step. */
const STEP = 2.5;
/** Assembly of a five-point matrix. */
const ASSEMBLY = 2;

/**
 * Costs of multigrid for a five-point matrix: of BiCGSTAB's iterations, or of the steps of an accelerated loop, in
 * which the matrix itself is for the preconditioner alone.
 */
export function multigridCosts(accelerated: boolean): WayCosts {
  const { gridProduct: product, bicgstab, multigrid, multigridSetup } = COST;
  return accelerated
    ? { product, iteration: multigrid + STEP, setup: multigridSetup + ASSEMBLY }
    : { product, iteration: 2 * (product + multigrid) + bicgstab, setup: multigridSetup };
}

function guessIterations(gap: number, digits: number): number {
  // The first digits come slower than the others.
  return 0.27 * Math.sqrt(1 / gap) * (digits + 3);
}

/** ILU(0) makes do with this share of the iterations: on a grid, and elsewhere. */
const ILU0_SHARE = { grid: 0.27, other: 0.34 } as const;
/** CG takes this many times the iterations of BiCGSTAB, each with one product instead of two. */
const CG_ITERATIONS = 1.5;
/** Beyond, the diagonal's own scale is worth dividing by. */
const JACOBI_SCALE = 4;
/** Beyond, information flows one way, and ILU(0) follows it. */
const ONE_WAY = 0.6;
/** Off a grid the spectrum is better than the dominance says: gaps below this have not been seen to matter. */
const OTHER_GAP = 3e-3;

/**
 * Ways to solve a system, the one that promises to be fastest first and the most robust last. Iterations are guessed from the dominance of the diagonal: with rho the Jacobi bound, kappa = (1 + rho) / (1 - rho), and a
 * Krylov method takes about sqrt(kappa) log(2 / rtol) of them (Saad 2003, section 6.11), up to a factor.
 *
 * @param mixed - mixed precision is allowed.
 * @param kept - a preconditioner is made once for many systems, so that its making counts for nothing.
 */
export function rankedChoices(traits: MatrixTraits, rtol: number, mixed = false, kept = false): Choice[] {
  return pricedChoices(traits, rtol, mixed, kept).map(({ choice }) => choice);
}

/** A way, and nanoseconds a row; Infinity where nothing can be promised. */
interface Priced {
  choice: Choice;
  cost: number;
}

function pricedChoices(traits: MatrixTraits, rtol: number, mixed: boolean, kept: boolean): Priced[] {
  const { n, density, dominance, asymmetry, scale, indefinite, grid, uniform, reflecting } = traits;
  const robust = (
    [
      { method: 'bicgstab', preconditioner: 'ilu0' },
      { method: 'gmres', preconditioner: 'ilu0' },
      { method: 'gmres', preconditioner: 'none' },
    ] as const
  ).map((choice): Priced => ({ choice, cost: Infinity }));
  const bound = (1 - dominance) / (1 + dominance);
  // Without a dominant diagonal nothing can be promised: strong preconditioning first.
  if (!(dominance <= 1 + 1e-9) || (bound < 0.05 && asymmetry > ONE_WAY)) return robust;
  const gap = Math.max(bound, 8 / Math.max(n, 16), grid > 0 ? 0 : OTHER_GAP);
  const digits = log(2 / Math.min(Math.max(rtol, 1e-16), 0.1));
  const iterations = guessIterations(gap, digits);
  const fill = density / 5;
  const making = kept ? 0 : 1;
  const product = grid > 0 ? COST.gridProduct : COST.product * fill;
  const solve = COST.triangular * fill;
  const share = grid > 0 ? ILU0_SHARE.grid : ILU0_SHARE.other;
  const cheap = scale > JACOBI_SCALE ? 'jacobi' : 'none';
  const ranked: Priced[] = [
    {
      choice: { method: 'bicgstab', preconditioner: cheap },
      cost:
        mixed && grid > 0 && n >= MIXED_LEAST
          ? gridCosts(gap, digits, grid).mixed
          : iterations * (2 * product + COST.bicgstab),
    },
    {
      choice: { method: 'bicgstab', preconditioner: 'ilu0' },
      cost:
        making * COST.factorization * fill +
        Math.max(2, share * iterations) * (2 * (product + solve) + COST.bicgstab),
    },
  ];
  if (asymmetry <= 1e-12 && !indefinite) {
    ranked.push(
      {
        choice: { method: 'cg', preconditioner: cheap },
        cost: CG_ITERATIONS * iterations * (product + COST.cg),
      },
      {
        choice: { method: 'cg', preconditioner: 'ilu0' },
        cost:
          COST.factorization * fill +
          CG_ITERATIONS * Math.max(2, share * iterations) * (product + solve + COST.cg),
      },
    );
  }
  if (grid > 0) {
    ranked.push({
      choice: { method: 'bicgstab', preconditioner: 'multigrid' },
      cost: gridCosts(gap, digits, grid).multigrid - (1 - making) * COST.multigridSetup,
    });
  }
  if (grid > 0 && uniform) {
    // One iteration, of two applications.
    ranked.push({
      choice: {
        method: 'bicgstab',
        preconditioner: reflecting ? 'cosine-transform' : 'sine-transform',
      },
      cost: making * COST.transformSetup + 2 * (COST.transform + COST.transformColumn * grid),
    });
  }
  ranked.sort((a, b) => a.cost - b.cost);
  const others = robust.filter(({ choice }) => !ranked.some((other) => sameChoice(choice, other.choice)));
  return [...ranked, ...others];
}

function sameChoice(a: Choice, b: Choice): boolean {
  return a.method === b.method && a.preconditioner === b.preconditioner;
}

/** What the caller has settled; with a preconditioner, only the method is chosen. */
interface GivenOptions {
  preconditioner?: unknown;
  precision?: Precision | 'auto';
  storage?: Storage;
}

/**
 * The ways that `method: 'auto'` tries, in order, each only if the one before has failed.
 */
export function autoChoices(kernel: Kernel, A: SystemMatrix, rtol: number, given: GivenOptions): Choice[] {
  const { preconditioner, precision, storage } = given;
  // The one way that mixed precision has.
  if (precision === 'mixed') return [{ method: 'bicgstab', preconditioner: 'none' }];
  if (typeof A === 'function' || preconditioner !== undefined) {
    return [
      { method: 'bicgstab', preconditioner: 'none' },
      { method: 'gmres', preconditioner: 'none' },
    ];
  }
  const mixed = precision !== 'double' && storage !== 'csr';
  const traits = matrixTraits(kernel, A);
  const ranked = rankedChoices(traits, rtol, mixed);
  // The best, and two that do not fail for the same reason; then, where factors are no risk, the direct solver.
  const next = ranked.slice(1).filter(({ preconditioner }) => preconditioner === 'ilu0');
  const direct = traits.n <= (traits.grid > 0 ? DIRECT_MOST.grid : DIRECT_MOST.other);
  return [
    ranked[0],
    ...next.slice(0, 1),
    { method: 'gmres', preconditioner: 'none' },
    ...(direct ? [{ method: 'lu', preconditioner: 'lu' } as const] : []),
  ];
}

/** A way that promises to be this many times as dear as the best is not tried. */
const WORTH_A_TRIAL = 1.6;

/**
 * The ways to solve a sequence of systems like A x = b that deserve a trial, the best first, with a preconditioner
 * made once.
 */
export function rankedForSequence(kernel: Kernel, A: CsrMatrix, rtol: number, mixed: boolean): Choice[] {
  const traits = matrixTraits(kernel, A);
  const ranked = pricedChoices(traits, rtol, mixed, true);
  const [{ cost: least }] = ranked;
  const choices = ranked.filter(({ cost }) => !(cost > WORTH_A_TRIAL * least)).map(({ choice }) => choice);
  // Without a dominant diagonal it promises nothing, and yet is often the best.
  const grid: Choice = { method: 'bicgstab', preconditioner: 'multigrid' };
  return traits.grid > 0 && least === Infinity ? [grid, ...choices] : choices;
}

/** What the direct solver found out about a pattern. */
export interface DirectTraits {
  /** Entries of L. */
  fill: number;
  /** Multiplications of a factorisation, twice. */
  work: number;
}

/** What the parts of a solve cost; see {@link COST}. `width`: columns of A's grid; 0: it is none. */
export function wayCosts(
  A: CsrMatrix,
  width: number,
  { method, preconditioner }: Choice,
  { mixed = false, direct = { fill: 0, work: 0 } }: { mixed?: boolean; direct?: DirectTraits } = {},
): WayCosts {
  const [n] = A.shape;
  const fill = A.nnz / Math.max(5 * n, 1);
  const product = width > 0 ? COST.gridProduct : COST.product * fill;
  const transform = [COST.transform + COST.transformColumn * width, COST.transformSetup] as const;
  const [apply, setup] = {
    none: [0, 0] as const,
    jacobi: [COST.jacobi, COST.jacobi] as const,
    ilu0: [COST.triangular * fill, COST.factorization * fill] as const,
    multigrid: [COST.multigrid, COST.multigridSetup] as const,
    'sine-transform': transform,
    'cosine-transform': transform,
    lu: [
      (COST.directEntry * direct.fill) / Math.max(n, 1),
      (COST.directWork * direct.work) / Math.max(n, 1),
    ] as const,
  }[preconditioner];
  const once = product + apply;
  const iteration = {
    bicgstab: mixed ? COST.single + COST.singleLine / width : 2 * once + COST.bicgstab,
    cg: once + COST.cg,
    gmres: once + COST.gmres,
    'gcro-dr': once + 2 * COST.gmres,
    lu: once,
  }[method];
  return { product, iteration, setup };
}
