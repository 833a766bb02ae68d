import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { pause } from '../waiting.ts';
import type { QueueConnection } from './connection.ts';
import type { QueueTiming } from './jobs.ts';

/** A shard that a worker is at. */
export interface ShardAtWork {
  store: string;
  shard: number;
  attempt: number;
  /** Images done of it. */
  images: number;
  /** Since it was begun. */
  seconds: number;
}

/** A worker, as it last said. */
export interface WorkerStatus {
  id: string;
  machine: string;
  pid: number;
  /** How many shards at a time. */
  threads: number;
  /** Since it began to serve. */
  seconds: number;
  /** Done since then. */
  shards: number;
  /** Done since then. */
  images: number;
  /** Images a second over the last minute. */
  rate: number;
  working: ShardAtWork[];
}

/** Over how many milliseconds a rate is taken. */
const RATE_SPAN = 60_000;

/** Counts images by a clock that nobody can set, and knows their rate. */
export class RateMeter {
  readonly #began = performance.now();
  /** Times and how many were done by then; the first is the last one before the span, or the beginning. */
  readonly #samples: { time: number; done: number }[] = [{ time: this.#began, done: 0 }];
  #done = 0;

  get done(): number {
    return this.#done;
  }

  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  add(count: number): void {
    this.#done += count;
  }

  /** Images a second since about a minute ago. */
  rate(): number {
    const now = performance.now();
    while (this.#samples.length > 1 && this.#samples[1].time <= now - RATE_SPAN) this.#samples.shift();
    const [{ time, done }] = this.#samples;
    this.#samples.push({ time: now, done: this.#done });
    return now > time ? ((this.#done - done) * 1000) / (now - time) : 0;
  }
}

const listKey = ({ prefix, name }: QueueConnection) => `${prefix}:${name}-workers`;
const workerKey = (connection: QueueConnection, id: string) => `${listKey(connection)}:${id}`;

export const MACHINE = hostname();

/**
 * Says again and again that a worker is there and what it does, until the signal aborts; then takes it off the list.
 * Where it cannot, since the worker was killed, the entry ends by itself.
 */
export async function announce(
  connection: QueueConnection,
  status: () => Omit<WorkerStatus, 'id' | 'machine' | 'pid'>,
  timing: QueueTiming,
  signal: AbortSignal,
): Promise<void> {
  const id = randomUUID();
  const { client } = connection;
  while (!signal.aborted) {
    if (client.status === 'ready') {
      const text = JSON.stringify({ id, machine: MACHINE, pid: process.pid, ...status() });
      // A queue that goes away meanwhile is told of elsewhere.
      await client
        .multi()
        .sadd(listKey(connection), id)
        .set(workerKey(connection, id), text, 'PX', timing.presence * 4)
        .exec()
        .catch(() => undefined);
    }
    await pause(timing.presence, signal);
  }
  if (client.status !== 'ready') return;
  await client
    .multi()
    .srem(listKey(connection), id)
    .del(workerKey(connection, id))
    .exec()
    .catch(() => undefined);
}

/** The workers that are there, by machine and process. */
export async function listWorkers(connection: QueueConnection): Promise<WorkerStatus[]> {
  const { client } = connection;
  const ids = await client.smembers(listKey(connection));
  if (ids.length === 0) return [];
  const texts = await client.mget(ids.map((id) => workerKey(connection, id)));
  const gone = ids.filter((_, k) => texts[k] === null);
  if (gone.length > 0) await client.srem(listKey(connection), ...gone);
  return texts
    .filter((text) => text !== null)
    .map((text) => JSON.parse(text) as WorkerStatus)
    .sort((a, b) => a.machine.localeCompare(b.machine) || a.pid - b.pid);
}
