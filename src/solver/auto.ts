import type { CsrMatrix } from '../sparse/index.ts';
import { gridOf } from './five-point.ts';
import type { Method, PreconditionerKind, SystemMatrix } from './types.ts';

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
  /** Every sampled entry has an equal one across the diagonal, and every sampled diagonal entry is positive. */
  symmetric: boolean;
  /** Five diagonals of a grid. */
  grid: boolean;
}

/** Rows that are looked at. */
const SAMPLE = 256;

export function matrixTraits(A: CsrMatrix): MatrixTraits {
  const [n] = A.shape;
  const { indptr, indices, data } = A;
  const stride = Math.max(1, Math.floor(n / SAMPLE));
  const ratios: number[] = [];
  let symmetric = true;
  for (let i = stride >> 1; i < n; i += stride) {
    let diagonal = 0;
    let others = 0;
    for (let k = indptr[i]; k < indptr[i + 1]; k++) {
      const j = indices[k];
      if (j === i) diagonal = data[k];
      else {
        others += Math.abs(data[k]);
        symmetric &&= Math.abs(entry(A, j, i) - data[k]) <= 1e-12 * Math.abs(data[k]);
      }
    }
    symmetric &&= diagonal > 0;
    ratios.push(diagonal === 0 ? Infinity : others / Math.abs(diagonal));
  }
  ratios.sort((a, b) => a - b);
  return {
    n,
    density: A.nnz / Math.max(n, 1),
    dominance: ratios[Math.floor(0.9 * (ratios.length - 1))] ?? 0,
    symmetric,
    grid: isGrid(A),
  };
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
  product: 2.4,
  triangular: 7.6,
  factorization: 14,
  /** Vector operations of one iteration. */
  bicgstab: 2,
  cg: 1.2,
  /** One application, and the set-up, for a five-point matrix. */
  multigrid: 2.6,
  multigridSetup: 18,
} as const;

/**
 * Nanoseconds a row that BiCGSTAB takes on a five-point matrix, alone and with multigrid, the set-up included.
 *
 * @param gap - (1 - rho) / (1 + rho), rho the dominance.
 * @param digits - natural logarithm of what the residual is to be divided by.
 */
export function gridCosts(gap: number, digits: number): { plain: number; multigrid: number } {
  const { gridProduct, bicgstab, multigrid, multigridSetup } = COST;
  // Two iterations for a mild problem, a few more for a stiff one, and no more on a finer grid.
  const cycles = (digits / 19) * (1 + 2 * Math.log10(1 / gap));
  return {
    plain: guessIterations(gap, digits) * (2 * gridProduct + bicgstab),
    multigrid: multigridSetup + cycles * (2 * (gridProduct + multigrid) + bicgstab),
  };
}

function guessIterations(gap: number, digits: number): number {
  return 1 + 0.3 * Math.sqrt(1 / gap) * digits;
}

/** ILU(0) makes do with this share of the iterations. */
const ILU0_SHARE = 0.27;

/**
 * Ways to solve a system, the one that promises to be fastest first and the most robust last. Iterations are
 * guessed from the dominance of the diagonal: with rho the Jacobi bound, kappa = (1 + rho) / (1 - rho), and a
 * Krylov method takes about sqrt(kappa) log(2 / rtol) of them (Saad 2003, section 6.11), up to a factor.
 */
export function rankedChoices(traits: MatrixTraits, rtol: number): Choice[] {
  const { n, density, dominance, symmetric, grid } = traits;
  const robust: Choice[] = [
    { method: 'bicgstab', preconditioner: 'ilu0' },
    { method: 'gmres', preconditioner: 'ilu0' },
    { method: 'gmres', preconditioner: 'none' },
  ];
  // Without a dominant diagonal nothing can be promised: strong preconditioning first.
  if (!(dominance <= 1 + 1e-9)) return robust;
  const gap = Math.max((1 - dominance) / (1 + dominance), 8 / Math.max(n, 16));
  const digits = Math.log(2 / Math.min(Math.max(rtol, 1e-16), 0.1));
  const iterations = guessIterations(gap, digits);
  const fill = density / 5;
  const product = grid ? COST.gridProduct : COST.product * fill;
  const solve = COST.triangular * fill;
  const ranked: { choice: Choice; cost: number }[] = [
    {
      choice: { method: 'bicgstab', preconditioner: 'none' },
      cost: iterations * (2 * product + COST.bicgstab),
    },
    {
      choice: { method: 'bicgstab', preconditioner: 'ilu0' },
      cost:
        COST.factorization * fill +
        Math.max(2, ILU0_SHARE * iterations) * (2 * (product + solve) + COST.bicgstab),
    },
  ];
  if (symmetric) {
    ranked.push({
      choice: { method: 'cg', preconditioner: 'none' },
      cost: 2 * iterations * (product + COST.cg),
    });
  }
  if (grid) {
    ranked.push({
      choice: { method: 'bicgstab', preconditioner: 'multigrid' },
      cost: gridCosts(gap, digits).multigrid,
    });
  }
  ranked.sort((a, b) => a.cost - b.cost);
  const first = ranked.map(({ choice }) => choice);
  return [...first, ...robust.filter((choice) => !first.some((other) => sameChoice(choice, other)))];
}

function sameChoice(a: Choice, b: Choice): boolean {
  return a.method === b.method && a.preconditioner === b.preconditioner;
}

/**
 * The ways that `method: 'auto'` tries, in order, each only if the one before has failed.
 *
 * @param preconditioner - true when the caller has given one: then only the method is chosen.
 */
export function autoChoices(A: SystemMatrix, rtol: number, preconditioner: boolean): Choice[] {
  if (typeof A === 'function' || preconditioner) {
    return [
      { method: 'bicgstab', preconditioner: 'none' },
      { method: 'gmres', preconditioner: 'none' },
    ];
  }
  // No more than three: a system that defeats them defeats the fourth.
  return rankedChoices(matrixTraits(A), rtol).slice(0, 3);
}

function isGrid(A: CsrMatrix): boolean {
  try {
    return gridOf(A).height > 1;
  } catch {
    return false;
  }
}
