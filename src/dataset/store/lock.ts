import { readFileSync } from 'node:fs';
import { open, rename, rm, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SeedspanError } from '../../errors.ts';
import { ioError, systemCode } from '../../node/files.ts';
import { isAlive, writeNew } from '../../node/output.ts';
import { makeTemporary, namesIn, newToken, PROCESS_NAMESPACE, readText } from './files.ts';
import type { Store } from './store.ts';

/**
 * One driver a store. The lock is a folder with one file, named by its holder's token. A folder of one's own is renamed
 * to it, which fails where the other has a file in it; a dead holder's lock is taken over by removing that file, by its
 * name, so that nobody ever removes a living one's, and by renaming again. So of several takers one wins.
 *
 * A holder of this machine is dead when its process is. Of any other it shows in its counter, which it raises as long
 * as it lives, and which the taker watches by its own monotonic clock.
 */

export interface LockOptions {
  /** How often the holder raises its counter, ms. Default 4000. */
  beat?: number;
  /** How long the counter of a holder on another machine must stand still, ms. Default 30000. */
  patience?: number;
  signal?: AbortSignal;
}

export interface StoreLock {
  /** Aborted when another one has taken the lock, which only happens to a process that stood still for long. */
  readonly lost: AbortSignal;
  /** Gives the lock back. */
  release(): Promise<void>;
}

interface Holder {
  host: string;
  /** Numbering of processes: of the machine since it was started, and of the container. */
  machine: string;
  pid: number;
  /** When the process was started, by the machine's own count; '' where it is not told. */
  start: string;
}

/** The counter's digits stand at the start of the file, so that raising it is one small write. */
const COUNTER_DIGITS = 12;
const MAX_LOCK_BYTES = 4096;
/** How often a lock may be found without a holder, and still not be had. */
const MOST_EMPTY = 100;
const NAME = /^([0-9a-f]{16})\.lock$/;

function systemText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return ''; // not Linux, or no such process
  }
}

/** The 22nd field of /proc/PID/stat; the second one, a name in brackets, may have blanks. */
function startOf(pid: number): string {
  const text = systemText(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

const thisMachine = () => `${systemText('/proc/sys/kernel/random/boot_id')}/${PROCESS_NAMESPACE}`;

const thisHolder = (): Holder => ({
  host: hostname(),
  machine: thisMachine(),
  pid: process.pid,
  start: startOf(process.pid),
});

const formatLock = (counter: number, holder: Holder) =>
  `${String(counter).padStart(COUNTER_DIGITS, '0')}\n${JSON.stringify(holder)}\n`;

function parseLock(text: string): { counter: string; holder: Partial<Holder> } {
  const counter = text.slice(0, COUNTER_DIGITS);
  try {
    const holder: unknown = JSON.parse(text.slice(COUNTER_DIGITS));
    return { counter, holder: typeof holder === 'object' && holder !== null ? holder : {} };
  } catch {
    return { counter, holder: {} }; // of unknown origin: watched like one of another machine
  }
}

function isHere(holder: Partial<Holder>): boolean {
  return holder.host === hostname() && holder.machine === thisMachine();
}

function isRunning({ pid, start }: Partial<Holder>): boolean {
  if (pid === undefined || !isAlive(pid)) return false;
  return start === '' || startOf(pid) === start; // else the number was given to another process
}

function refuse(store: Store, { host, pid }: Partial<Holder>): SeedspanError {
  return new SeedspanError(
    'BUSY',
    `another run is at work on ${store.path}: process ${pid ?? '?'} on ${host ?? 'an unknown machine'}; ` +
      'wait for it, or end it',
    { path: store.path, host, pid },
  );
}

/** Ends when the lock's holder is known to be dead, or gone; throws `BUSY` when it lives. */
async function awaitDeath(
  store: Store,
  path: string,
  { patience = 30_000, signal }: LockOptions,
): Promise<void> {
  let first: string | undefined;
  const from = performance.now();
  for (;;) {
    const text = await readText(path, MAX_LOCK_BYTES);
    if (text === undefined) return;
    const { counter, holder } = parseLock(text);
    if (isHere(holder)) {
      if (isRunning(holder)) throw refuse(store, holder);
      return;
    }
    first ??= counter;
    if (counter !== first) throw refuse(store, holder);
    if (performance.now() - from >= patience) return;
    await sleep(Math.min(1000, patience / 10), undefined, { signal });
  }
}

class HeldLock implements StoreLock {
  readonly #path: string;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #counter = 0;
  #beating: Promise<void> = Promise.resolve();

  constructor(path: string, beat: number) {
    this.#path = path;
    this.#timer = setInterval(() => {
      this.#beating = this.#beating.then(() => this.#raise());
    }, beat);
    this.#timer.unref();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async #raise(): Promise<void> {
    try {
      // By name, each time: a file that was removed must not be written on.
      const file = await open(this.#path, 'r+');
      try {
        await file.write(String(++this.#counter).padStart(COUNTER_DIGITS, '0'), 0);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') return; // the disk may be full, or away for a while: the next beat tries again
      clearInterval(this.#timer);
      this.#lost.abort(
        new SeedspanError('BUSY', 'another run has taken the store over', { path: this.#path }),
      );
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
    await unlink(this.#path).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw ioError('unlock', this.#path, error);
    });
  }
}

/**
 * Makes this process the one driver of a store.
 *
 * @throws SeedspanError `BUSY`, saying who is; `IO`; the signal's reason.
 */
export async function lockStore(store: Store, options: LockOptions = {}): Promise<StoreLock> {
  const { lock, temporary } = store.paths;
  const token = newToken();
  let folder: string | undefined;
  try {
    folder = await makeTemporary(temporary, token);
    await writeNew(join(folder, `${token}.lock`), formatLock(0, thisHolder()));
    for (let found = 0; ; ) {
      try {
        await rename(folder, lock);
        return new HeldLock(join(lock, `${token}.lock`), options.beat ?? 4000);
      } catch (error) {
        const names = (await namesIn(lock)).filter((name) => NAME.test(name));
        if (names.includes(`${token}.lock`))
          return new HeldLock(join(lock, `${token}.lock`), options.beat ?? 4000);
        // Without a holder it was given back a moment ago, but not again and again.
        if (names.length === 0 && ++found === MOST_EMPTY) throw error;
        for (const name of names) {
          await awaitDeath(store, join(lock, name), options);
          await rm(join(lock, name), { force: true });
        }
      }
    }
  } catch (error) {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    if (options.signal?.aborted) throw options.signal.reason;
    throw ioError('lock the store', store.path, error);
  }
}
