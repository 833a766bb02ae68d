export { type Board, type BoardOptions, serveBoard } from './board.ts';
export {
  type ConnectHooks,
  connectQueue,
  DEFAULT_PREFIX,
  DEFAULT_QUEUE,
  type QueueAddress,
  type QueueConnection,
} from './connection.ts';
export { QueueDispatcher, type QueueDispatcherOptions } from './dispatcher.ts';
export type { ShardAtWork, WorkerStatus } from './presence.ts';
export { redact, withoutSecrets } from './secrets.ts';
export { type FailedShard, type QueueStatus, queueStatus, type StoreProgress, timeLeft } from './status.ts';
export { type Served, type ServeOptions, serveQueue } from './worker.ts';
