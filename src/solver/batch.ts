import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { checkNumberArray } from '../sparse/checks.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Kernel } from '../wasm/kernel.ts';
import type { LaneSolver } from './batch-lanes.ts';
import { makeLanes } from './batch-mixed.ts';
import { type BatchOptions, type BatchResult, type BatchSystem, planBatch } from './batch-options.ts';
import { SequenceLane } from './batch-sequence.ts';
import { BATCH_DEFAULTS } from './defaults.ts';
import { checkMatrix, checkVector, systemSize } from './options.ts';
import { yieldToHost } from './yield.ts';

/** How long it works before it lets others run, in milliseconds. */
const SLICE = 8;
/** Most iterations a step. */
const MOST = 1 << 20;
/** How many systems for each lane may have been taken without their results handed out. */
const AHEAD = 4;

/** What is given, one system after the other. */
export type Source = Iterator<BatchSystem> | AsyncIterator<BatchSystem>;

/**
 * The systems of one call, on their way through the lanes. A lane that has ended is filled again while the others go
 * on; results wait for those before them, and no more systems are taken than `AHEAD` allows.
 */
export class Batch {
  readonly #kernel: Kernel;
  readonly #options: BatchOptions;
  readonly #source: Source;
  /** How many systems there are, where that is known beforehand. */
  readonly #expected: number | undefined;
  #solver: LaneSolver | undefined;
  /** Index of the system in each lane; -1: free. */
  #held: number[] = [];
  readonly #results = new Map<number, BatchResult>();
  /** Number of the first system. */
  readonly #first: number;
  /** Numbers of the systems that are to be taken, and whose results are to be handed out next. */
  #taken: number;
  #given: number;
  #exhausted = false;
  /** What went wrong with a system, to be thrown when the results before it have been handed out. */
  #failure: { error: unknown } | undefined;
  /** Iterations a slice, found by measuring. */
  #count = 1;
  #sliceStart = 0;

  constructor(
    kernel: Kernel,
    source: Source,
    expected: number | undefined,
    options: BatchOptions,
    first = 0,
  ) {
    this.#first = first;
    this.#taken = first;
    this.#given = first;
    this.#kernel = kernel;
    this.#source = source;
    this.#expected = expected;
    this.#options = options;
  }

  async *run(): AsyncGenerator<BatchResult, void, undefined> {
    const { signal } = this.#options;
    this.#sliceStart = performance.now();
    this.#options.seed?.keepForBatch();
    try {
      for (;;) {
        signal?.throwIfAborted();
        for (let due = this.#next(); due !== undefined; due = this.#next()) {
          yield due;
          signal?.throwIfAborted();
        }
        await this.#fill();
        const running = this.#held.filter((index) => index >= 0).length;
        if (running > 0) await this.#advance();
        else if (this.#results.size === 0) break;
      }
      if (this.#failure !== undefined) throw this.#failure.error;
    } finally {
      this.#options.seed?.letGoOfBatch();
      this.#solver?.dispose();
      if (!this.#exhausted) await this.#source.return?.();
    }
  }

  /** The result that is due, if it is there. */
  #next(): BatchResult | undefined {
    const result = this.#results.get(this.#given);
    if (result === undefined) return undefined;
    this.#results.delete(this.#given);
    this.#given++;
    return result;
  }

  /** Takes systems into the free lanes. */
  async #fill(): Promise<void> {
    for (;;) {
      const lane = this.#solver === undefined ? 0 : this.#held.indexOf(-1);
      const ahead = AHEAD * (this.#solver?.lanes ?? 1);
      if (lane < 0 || this.#exhausted || this.#failure !== undefined) return;
      if (this.#taken - this.#given >= ahead) return;
      const index = this.#taken;
      try {
        const { value, done } = await this.#take();
        if (done) return;
        this.#load(lane, index, value);
      } catch (error) {
        this.#failure = { error };
        return;
      }
      this.#taken++;
      this.#held[lane] = index;
      this.#collect();
      // Alone, each result comes before the next system is taken.
      if (this.#solver?.lanes === 1) return;
    }
  }

  async #take(): Promise<IteratorResult<BatchSystem, unknown>> {
    // A source that throws or ends has closed itself.
    this.#exhausted = true;
    const result = await this.#source.next();
    this.#exhausted = result.done === true;
    return result;
  }

  #load(lane: number, index: number, system: BatchSystem): void {
    try {
      this.#check(system, `solveBatch, system ${index}`);
      this.#solver!.start(lane, system, `solveBatch, system ${index}`);
    } catch (error) {
      throw named(error, index);
    }
  }

  /** Refuses a system that cannot be used; the first one says what is reserved. */
  #check(system: BatchSystem, where: string): void {
    const { A } = checkBatchSystem(system, where);
    this.#solver ??= this.#makeSolver(system, where);
    if (!this.#solver.hasPatternOf(A)) throw otherPattern(A, where);
  }

  #makeSolver({ A }: BatchSystem, where: string): LaneSolver {
    const { sharing = BATCH_DEFAULTS.sharing } = this.#options;
    if (sharing !== 'none') {
      this.#held = [-1];
      return new SequenceLane(this.#kernel, A, this.#expected, this.#options);
    }
    const plan = planBatch(this.#options, this.#kernel, A);
    this.#held = new Array(plan.lanes).fill(-1);
    return makeLanes(this.#kernel, A, this.#options, plan, where);
  }

  /** Works until a lane has ended or the slice is over. */
  async #advance(): Promise<void> {
    const solver = this.#solver!;
    const start = performance.now();
    const made = solver.step(this.#count);
    const now = performance.now();
    this.#collect();
    // Towards slices of the wanted length, carefully: the first iterations run in slower code.
    const fitting = Math.floor((made * SLICE) / Math.max(now - start, 0.01));
    this.#count = Math.max(1, Math.min(this.#count * 2, fitting, MOST));
    if (now - this.#sliceStart < SLICE) return;
    this.#report();
    await yieldToHost();
    this.#sliceStart = performance.now();
  }

  /** Takes the results out of the lanes that have ended, and frees them. */
  #collect(): void {
    const solver = this.#solver!;
    this.#held.forEach((index, lane) => {
      if (index < 0 || solver.running(lane)) return;
      this.#results.set(index, solver.take(lane, index));
      this.#held[lane] = -1;
      this.#report();
    });
  }

  #report(): void {
    const running = this.#held.filter((index) => index >= 0).length;
    this.#options.onProgress?.({ finished: this.#taken - this.#first - running, running });
  }
}

/** The iterator of what was given as systems. */
export function sourceOf(systems: Iterable<BatchSystem> | AsyncIterable<BatchSystem>, where: string): Source {
  if (typeof systems === 'object' && systems !== null) {
    if (Symbol.asyncIterator in systems) return systems[Symbol.asyncIterator]();
    if (Symbol.iterator in systems) return systems[Symbol.iterator]();
  }
  throw new SeedspanError(
    'INVALID_TYPE',
    `${where}: systems must be an array, a generator or another iterable of { A, b }, not ${show(systems)}`,
  );
}

/** Refuses what is no system; whether its numbers can be used shows when they are. */
export function checkBatchSystem(system: BatchSystem, where: string): BatchSystem {
  if (typeof system !== 'object' || system === null) {
    throw new SeedspanError('INVALID_TYPE', `${where}: must be { A, b, x0? }, not ${show(system)}`);
  }
  checkOptionNames(where, system, ['A', 'b', 'x0']);
  const { A, b, x0 } = system;
  checkMatrix(where, A);
  const n = systemSize(where, A, undefined);
  checkNumberArray(where, 'b', b);
  checkVector(where, 'b', b, n);
  if (x0 !== undefined) checkVector(where, 'x0', x0, n);
  return system;
}

export function otherPattern({ shape, nnz }: CsrMatrix, where: string): SeedspanError {
  return new SeedspanError(
    'SHAPE_MISMATCH',
    `${where}: has another pattern than system 0 (n = ${shape[0]}, ${nnz} entries); a batch has one pattern, ` +
      'solve the others in a batch of their own',
  );
}

/** An error of this package gets the number of the system; others are not ours to change. */
export function named(error: unknown, index: number): unknown {
  if (!(error instanceof SeedspanError)) return error;
  const { code, message, details } = error;
  const text = message.startsWith('solveBatch') ? message : `solveBatch, system ${index}: ${message}`;
  return new SeedspanError(code, text, { ...details, index }, { cause: error });
}
