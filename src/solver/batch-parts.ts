import type { CsrMatrix } from '../sparse/index.ts';
import { sharedNumbers } from '../threads/shared.ts';
import { checkBatchSystem, named, otherPattern, type Source } from './batch.ts';
import type { BatchProgress, BatchSystem } from './batch-options.ts';
import type { BatchPart } from './batch-session.ts';
import { samePattern } from './operator.ts';

/** Systems that go to one worker together. */
export interface Part {
  input: BatchPart;
  /** What is wrong with the system after them. */
  failure: { error: unknown } | undefined;
}

/** Takes systems from where they come from, and puts copies of them together. */
export class Systems {
  readonly #source: Source;
  #exhausted = false;
  #pattern: CsrMatrix | undefined;
  /** Taken, and in no part yet. */
  #first: BatchSystem | undefined;
  #taken = 0;
  /** Arrays of parts that are done: fresh memory costs more than what is written into it. */
  readonly #spare: Pick<BatchPart, 'data' | 'b'>[] = [];

  constructor(source: Source) {
    this.#source = source;
  }

  /** How many are in parts. */
  get taken(): number {
    return this.#taken;
  }

  /** The first system, whose pattern is that of all; undefined where there is none. It is in the first part, too. */
  async first(): Promise<BatchSystem | undefined> {
    this.#first = await this.#take();
    this.#pattern = this.#first?.A;
    return this.#first;
  }

  /** Parts of at most so many systems, until there are no more or one cannot be used. */
  async *parts(lengthOf: () => number): AsyncGenerator<Part, void, undefined> {
    for (;;) {
      const length = lengthOf();
      const part = await this.#part(length);
      if (part.input.count > 0 || part.failure !== undefined) yield part;
      if (part.input.count < length) return;
    }
  }

  /** To be called when no more are wanted. */
  async close(): Promise<void> {
    if (!this.#exhausted) await this.#source.return?.();
  }

  /** A part is done, and its systems are not needed any more. */
  giveBack({ input: { data, b } }: Part): void {
    this.#spare.push({ data, b });
  }

  #room(values: number, rows: number): Pick<BatchPart, 'data' | 'b'> {
    const spare = this.#spare.pop();
    if (spare !== undefined && spare.data.length >= values && spare.b.length >= rows) return spare;
    const make = (length: number) => sharedNumbers(length) ?? new Float64Array(length);
    return { data: make(values), b: make(rows) };
  }

  async #part(length: number): Promise<Part> {
    const { shape, nnz } = this.#pattern!;
    const n = shape[0];
    const { data, b: right } = this.#room(length * nnz, length * n);
    const starts: (Float64Array | undefined)[] = [];
    const first = this.#taken;
    let failure: Part['failure'];
    try {
      for (let k = 0; k < length; k++) {
        const system = this.#first ?? (await this.#take());
        if (system === undefined) break;
        this.#first = undefined;
        const { A, b, x0 } = system;
        data.set(A.data, k * nnz);
        right.set(b, k * n);
        starts.push(x0 && Float64Array.from(x0));
        this.#taken++;
      }
    } catch (error) {
      failure = { error };
    }
    return { input: { first, count: this.#taken - first, data, b: right, x0: starts }, failure };
  }

  async #take(): Promise<BatchSystem | undefined> {
    if (this.#exhausted) return undefined;
    // A source that throws or ends has closed itself.
    this.#exhausted = true;
    const { value, done } = await this.#source.next();
    if (done) return undefined;
    this.#exhausted = false;
    const where = `solveBatch, system ${this.#taken}`;
    try {
      const system = checkBatchSystem(value, where);
      const pattern = this.#pattern;
      if (pattern !== undefined && !samePattern(system.A, pattern.indptr, pattern.indices)) {
        throw otherPattern(system.A, where);
      }
      return system;
    } catch (error) {
      throw named(error, this.#taken);
    }
  }
}

/** Adds up what parts tell of their progress. */
export class PartsProgress {
  readonly #systems: Systems;
  readonly #onProgress: ((progress: BatchProgress) => void) | undefined;
  readonly #finished = new WeakMap<Part, number>();
  #sum = 0;
  /** A worker that takes the place of a dead one begins anew; what is told does not go back. */
  #most = 0;

  constructor(systems: Systems, onProgress: ((progress: BatchProgress) => void) | undefined) {
    this.#systems = systems;
    this.#onProgress = onProgress;
  }

  /** What takes the events of a part. */
  of(part: Part): (event: unknown) => void {
    return (event) => this.#tell(part, (event as BatchProgress).finished);
  }

  #tell(part: Part, count: number): void {
    this.#sum += count - (this.#finished.get(part) ?? 0);
    this.#finished.set(part, count);
    this.#most = Math.max(this.#most, this.#sum);
    this.#onProgress?.({ finished: this.#most, running: this.#systems.taken - this.#most });
  }
}
