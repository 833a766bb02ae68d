export { type ErrorCode, SeedspanError } from './errors.ts';
export { createEngine, type Engine, type EngineOptions } from './solver/engine.ts';
export type { Preconditioner } from './solver/preconditioner.ts';
export type { SeedSubspace, SeedSubspaceOptions } from './solver/seed-subspace.ts';
export type {
  MatrixFree,
  Method,
  PreconditionerKind,
  ProjectionKind,
  SolveAsyncOptions,
  SolveOptions,
  SolveProgress,
  SolveResult,
  SolveStatus,
  Storage,
  SystemMatrix,
} from './solver/types.ts';
export type { Workspace, WorkspaceOptions } from './solver/workspace.ts';
export * from './sparse/index.ts';
export type { Build } from './wasm/binaries.ts';
export { supportsBuild } from './wasm/features.ts';
