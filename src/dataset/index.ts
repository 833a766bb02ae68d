export type { DatasetProgress, PrecomputeDatasetOptions } from './dataset-options.ts';
export type { EquationOptions } from './options.ts';
export type { SeedsWanted } from './plan.ts';
export { type DatasetReport, precomputeDataset } from './precompute-dataset.ts';
export { openRunner } from './runner.ts';
export { type StoreStatus, storeStatus } from './status.ts';
export type { ImageRecord, ImageStatus, ShardHooks, ShardJob, ShardRunner, ShardSummary } from './types.ts';
