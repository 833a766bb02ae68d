import { appendFileSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ShardHooks, ShardJob, ShardRunner, ShardSummary } from '../../src/dataset/types.ts';
import { SeedspanError } from '../../src/errors.ts';

/** How a shard behaves, up to an attempt. */
export interface Misbehaviour {
  /** `passing`: another attempt may do. `lasting`: none will. `kill`: the process is gone. */
  how: 'passing' | 'lasting' | 'kill';
  /** Default: always. */
  upTo?: number;
}

export interface FakeSettings {
  /** Where done shards are, and the log. */
  folder: string;
  size?: number;
  images?: number;
  /** Of an image. */
  milliseconds?: number;
  misbehaviour?: Record<number, Misbehaviour>;
}

export interface Begun {
  shard: number;
  attempt: number;
  pid: number;
}

/** Every attempt that was begun, by whomever. */
export function attemptsBegun(folder: string): Begun[] {
  try {
    return readFileSync(join(folder, 'log'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Begun);
  } catch {
    return [];
  }
}

const place = (folder: string, shard: number) => join(folder, `${shard}.json`);

/** What the store has of a shard. */
export async function finished(folder: string, shard: number): Promise<ShardSummary | undefined> {
  try {
    return JSON.parse(readFileSync(place(folder, shard), 'utf8')) as ShardSummary;
  } catch {
    return undefined;
  }
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** Leaves a file for each shard, by a link that only the first of several gets; takes a while, fails or dies as told. */
export function fakeRunner(settings: FakeSettings): ShardRunner {
  const { folder, size = 1, images = 2, milliseconds = 5, misbehaviour = {} } = settings;
  let tries = 0;
  return {
    threads: size,
    size,
    async run({ shard, attempt, plan }: ShardJob, { signal, onProgress }: ShardHooks = {}) {
      appendFileSync(join(folder, 'log'), `${JSON.stringify({ shard, attempt, pid: process.pid })}\n`);
      const before = await finished(folder, shard);
      if (before !== undefined) return { ...before, already: true };
      if (plan !== 'p'.repeat(64)) throw new SeedspanError('INVALID_VALUE', 'another plan');
      const { how, upTo = Number.POSITIVE_INFINITY } = misbehaviour[shard] ?? { upTo: 0 };
      if (attempt <= upTo) {
        if (how === 'kill') process.kill(process.pid, 'SIGKILL');
        if (how === 'passing') throw new SeedspanError('IO', `no space for shard ${shard}`);
        throw new SeedspanError('INVALID_VALUE', `shard ${shard} is poisoned`);
      }
      for (let k = 1; k <= images; k++) {
        await pause(milliseconds, signal);
        onProgress?.(k);
      }
      const summary = { shard, images, failed: 0, unconverged: 0, iterations: 1, bytes: 1 };
      const temporary = `${place(folder, shard)}.${process.pid}.${tries++}`;
      writeFileSync(temporary, JSON.stringify(summary));
      try {
        linkSync(temporary, place(folder, shard));
      } catch {
        return { ...summary, already: true };
      } finally {
        rmSync(temporary);
      }
      return summary;
    },
    close: async () => undefined,
  };
}
