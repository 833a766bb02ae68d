export { type CreateStoreOptions, createStore, openStore } from './create.ts';
export { type FinishSummary, finishMetadata } from './finish.ts';
export {
  type LargeArray,
  type StoreCompression,
  type StoreDtype,
  type StoreLayout,
  shardCount,
  shardRange,
} from './layout.ts';
export { type LockOptions, lockStore, type StoreLock } from './lock.ts';
export { METADATA_FILES, parseStoreMetadata, STATUS_NAMES, type StoreShape } from './metadata.ts';
export { PRIVATE } from './paths.ts';
export { openScores, type ScoresPart, type ScoresReader } from './read.ts';
export { parseRecord, summaryOf } from './records.ts';
export type { ImageValues, ShardCommit, ShardReport, ShardWriter } from './shard-writer.ts';
export type { Store } from './store.ts';
