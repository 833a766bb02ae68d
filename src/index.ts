export { type ErrorCode, SeedspanError } from './errors.ts';
export type {
  BatchOptions,
  BatchProgress,
  BatchResult,
  BatchSharing,
  BatchSystem,
  Lanes,
} from './solver/batch-options.ts';
export { createEngine, type EngineOptions } from './solver/create-engine.ts';
export type { Engine } from './solver/engine.ts';
export type {
  Factorization,
  FactorizationResult,
  FactorizationSolveOptions,
  FactorizeOptions,
} from './solver/factorization.ts';
export type { FactoredKind, Preconditioner, TransformKind } from './solver/preconditioner.ts';
export type { BasisPrecision } from './solver/projector.ts';
export type { RecycleSpace, RecycleSpaceOptions } from './solver/recycle-space.ts';
export type { ExpandOptions, SeedSubspaceOptions, SeedSystem } from './solver/seed-options.ts';
export type { SeedSubspace } from './solver/seed-subspace.ts';
export { type OneSolveOptions, solve } from './solver/solve.ts';
export type { SolveAsyncOptions, SolveOptions } from './solver/solve-options.ts';
export type {
  MatrixFree,
  Method,
  Precision,
  PreconditionerKind,
  ProjectionKind,
  SolveProgress,
  SolveResult,
  SolveStatus,
  Storage,
  SystemMatrix,
} from './solver/types.ts';
export type { Workspace } from './solver/workspace.ts';
export type { RunOptions, WorkspaceOptions } from './solver/workspace-options.ts';
export * from './sparse/index.ts';
export { createWorkerPool, type WorkerPoolOptions } from './threads/create.ts';
export type { Workers } from './threads/options.ts';
export type { WorkerPool } from './threads/pool.ts';
export type { Build } from './wasm/builds.ts';
export { supportsBuild } from './wasm/features.ts';
