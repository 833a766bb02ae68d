export { type ErrorCode, SeedspanError } from './errors.ts';
export type { BatchOptions, BatchProgress, BatchResult, BatchSystem, Lanes } from './solver/batch-options.ts';
export { createEngine, type Engine, type EngineOptions } from './solver/engine.ts';
export type {
  Factorization,
  FactorizationResult,
  FactorizationSolveOptions,
  FactorizeOptions,
} from './solver/factorization.ts';
export type { Preconditioner } from './solver/preconditioner.ts';
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
export type { WorkspaceOptions } from './solver/workspace-options.ts';
export * from './sparse/index.ts';
export { createWorkerPool, type WorkerPoolOptions } from './threads/create.ts';
export type { Workers } from './threads/options.ts';
export type { WorkerPool } from './threads/pool.ts';
export type { Build } from './wasm/binaries.ts';
export { supportsBuild } from './wasm/features.ts';
