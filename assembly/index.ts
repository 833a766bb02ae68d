// Everything that the host may call. Numbers and byte addresses only.

export * from './memory/arena';
export * from './vector/vector';
export * from './vector/block';
export * from './vector/single';
export { csrMultiply, csrMultiplyTransposed } from './operator/csr';
export { diaMultiply, diaMultiplyDot } from './operator/dia';
export { findDiagonals, markEntries, spreadEntries } from './operator/pattern';
export { slicedDiagonal, slicedMultiply, slicedPack } from './operator/sliced';
export { sliceOrder, sliceRows } from './operator/slice-order';
export { slicedMultiplyTwo } from './operator/sliced-columns';
export {
  operatorSize,
  makeCsr,
  makeSliced,
  makeDia,
  makeHostOperator,
  applyOperator,
  applyAndDot,
} from './operator/operator';
export { directInit } from './direct/analysis';
export { directFactor } from './direct/direct';
export {
  directColumn,
  directFill,
  directWork,
  directForm,
  directNonzeros,
  directOrder,
  directOrdering,
  directRelease,
  directReused,
  directSize,
} from './direct/record';
export {
  directBackwardError,
  directCondition,
  directRefine,
  directResidual,
  directSolve,
  directSolveMany,
} from './direct/solve';
export * from './preconditioner/jacobi';
export * from './preconditioner/ilu0';
export { ilu0Size, ilu0Init, ilu0Update, ilu0Apply } from './preconditioner/level-ilu0';
export { levelOrder, levelSlices } from './preconditioner/level-order';
export { multigridSize, multigridInit, multigridUpdate, multigridApply } from './preconditioner/multigrid';
export { transformSize, transformInit, transformUpdate, transformApply } from './preconditioner/transform';
export {
  preconditionerSize,
  makeJacobi,
  makeIlu0,
  makeMultigrid,
  makeTransform,
  makeDirect,
  makeHostPreconditioner,
  applyPreconditioner,
} from './preconditioner/preconditioner';
export {
  loosen,
  statusOf,
  iterationsOf,
  matvecsOf,
  residualNormOf,
  estimateOf,
  rightHandSideNormOf,
  takeHistory,
} from './method/iteration';
export { bicgstabSize, bicgstabInit, bicgstabStep } from './method/bicgstab';
export { mixedSize, mixedInit, mixedStep, mixedIsSingle } from './method/mixed';
export * from './method/anderson';
export * from './method/cg';
export {
  gmresSize,
  gmresInit,
  gmresStep,
  gmresBasis,
  gmresColumns,
  gmresHessenberg,
} from './method/gmres';
export { gcrodrSize, gcrodrInit, gcrodrStep } from './method/gcrodr';
export * from './method/refinement';
export { orthogonalize } from './subspace/arnoldi';
export { solveCholesky, solveDense } from './subspace/dense';
export { crossGram, gram } from './subspace/gram';
export { mergeBasis } from './subspace/merge';
export { schur } from './subspace/schur';
export {
  recycleSize,
  recycleInit,
  recycleClear,
  recycleColumns,
  recycleBasis,
  recycleImages,
} from './subspace/recycle';
export { pushDifference, startFromDifferences } from './subspace/history';
export { applyToBasis, orthogonality, projectGalerkin, projectMinimalResidual } from './subspace/projection';
export { flatDifference, gradient } from './fokkerplanck/difference';
export { naAssemble, naRichardson } from './fokkerplanck/na2024';
export { lauAssemble, lauResidual } from './fokkerplanck/lau2025';
export { consistentAssemble } from './fokkerplanck/consistent';
export { consistentResidual, countSteepCells } from './fokkerplanck/consistent-residual';
export * from './batch/entry';
export * from './batch/bicgstab';
export { pairDensity, transpose } from './density/pairs';
export { philox, normalPair } from './sampler/philox';
export { cellScores } from './sampler/field';
export { drawPoints, movePoints, movePointsHeun } from './sampler/points';
