import { ASSEMBLY } from './kernel-cases/assembly.ts';
import type { Cases } from './kernel-cases/case.ts';
import { LANE_CASES } from './kernel-cases/lanes.ts';
import { METHODS } from './kernel-cases/methods.ts';
import { PRECONDITIONERS } from './kernel-cases/preconditioners.ts';
import { PRODUCTS } from './kernel-cases/products.ts';
import { SUBSPACES } from './kernel-cases/subspaces.ts';
import { VECTORS } from './kernel-cases/vectors.ts';

export { type KernelCase, makeInput, type Work } from './kernel-cases/case.ts';

export const CASES: Cases = {
  ...VECTORS,
  ...SUBSPACES,
  ...PRODUCTS,
  ...PRECONDITIONERS,
  ...LANE_CASES,
  ...METHODS,
  ...ASSEMBLY,
};

/** Exports that have no case of their own, and why. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  applyOperator: 'one of the products',
  applyAndDot: 'diaMultiplyDot, or a product and dotAndSquare',
  csrMultiplyDotsLanes: 'csrMultiplyLanes, with sums',
  multigridApply: 'in bench:solve, as a preconditioner',
  multigridUpdate: 'in bench:solve, as a preconditioner',
  transformApply: 'in bench:solve, as a preconditioner',
  transformUpdate: 'in bench:solve, as a preconditioner',
  mixedStep: 'in bench:solve, as a method',
  batchStep: 'in bench:solve, batches',
  directFactor: 'in bench:solve, seedspan lu',
  directInit: 'in bench:solve, seedspan lu, cold',
  directSolve: 'in bench:solve, seedspan lu',
  directSolveMany: 'directSolve, four at a time',
  directRefine: 'directSolve and products',
  directCondition: 'directSolve, some times',
  directFill: 'a sum of the columns that the analysis counts',
  directNonzeros: 'a sum over the fronts',
  refinementInit: 'in bench:solve, seedspan lu',
  refinementStep: 'in bench:solve, seedspan lu',
  pairDensity: 'in bench:precompute, the density of na2024',
  applyToBasis: 'slicedMultiplyTwo, or products, a column after the other',
  orthogonality: 'blockDot, a column after the other',
  crossGram: 'projectGalerkin',
  gram: 'projectMinimalResidual',
  solveCholesky: 'solveDense',
  mergeBasis: 'orthogonalize, a column after the other',
  blockUpdateSingle: 'blockUpdate, of half the bytes',
  narrow: 'copy, of fewer bytes',
  widen: 'copy, of fewer bytes',
  applyPreconditioner: 'multiply or ilu0Apply',
  slicedDiagonal: 'once a solve, with Jacobi',
  bicgstabInit: 'timed with bicgstabStep',
  cgInit: 'timed with cgStep',
  gmresInit: 'timed with gmresStep',
  gcrodrInit: 'timed with gcrodrStep',
  gcrodrStep: 'in bench:solve, gcro-dr',
  schur: 'within gcrodrStep, once a cycle',
};

/** Exports that keep books, and take no time that depends on n. */
export const BOOKS =
  /^(memory|loosen|(un)?packLane|multigridInit|transformInit|ilu0Init|mixed(Init|IsSingle)|direct(Release|Form|Ordering|Order|Column|Reused|Residual|BackwardError)|batch(Init|Lane|Start|Precondition|Drop|Take)|allocate|release|bytesInUse|setMemoryLimit|vectorStride|takeHistory|make[A-Z]\w*|recycle[A-Z]\w*|\w+Size|\w+Of|gmres(Basis|Columns|Hessenberg))$/;
