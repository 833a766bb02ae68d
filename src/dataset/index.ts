export type { DatasetProgress, PrecomputeDatasetOptions } from './dataset-options.ts';
export type { EquationOptions } from './options.ts';
export type { SeedsWanted } from './plan.ts';
export { type DatasetReport, precomputeDataset } from './precompute-dataset.ts';
export {
  type Board,
  type BoardOptions,
  type ConnectHooks,
  connectQueue,
  type FailedShard,
  type QueueAddress,
  type QueueConnection,
  type QueueStatus,
  queueStatus,
  type Served,
  type ServeOptions,
  type ShardAtWork,
  serveBoard,
  serveQueue,
  type WorkerStatus,
} from './queue/index.ts';
export { openRunner, type RunnerOptions } from './runner.ts';
export { type StoreStatus, storeStatus, watchStore } from './status.ts';
export { openScores, type ScoresPart, type ScoresReader, type StoreDtype } from './store/index.ts';
export type { ImageRecord, ImageStatus, ShardHooks, ShardJob, ShardRunner, ShardSummary } from './types.ts';
