/** Runs the cases of one target in this thread. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { SeedspanError } from '../../src/errors.ts';
import { damaged } from './damage.ts';
import { startMeter, stopMeter } from './meter.ts';
import type { FuzzTarget } from './target.ts';

/** From the top of the project. */
export const CORPUS = 'tests/fuzz/corpus';
const MOST_MESSAGE = 600;
const LONGEST_SEED = 4096;

export interface Failure {
  reason: string;
  /** Where the case is kept. */
  file: string;
}

export interface Report {
  target: string;
  cases: number;
  accepted: number;
  refused: number;
  /** Cases that were kept, or written by hand: run before the others. */
  known: number;
  codes: Record<string, number>;
  seconds: number;
  /** Of the slowest case. */
  slowest: number;
  /** Of the arrays of one case, the most. */
  bytes: number;
  failures: Failure[];
}

/** What went wrong in a case. */
class Wrong extends Error {}

/** Keeps a case that failed, to be run always. */
export function keepCase(target: string, input: Uint8Array): string {
  const folder = join(CORPUS, target);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `found-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`);
  writeFileSync(file, input);
  return file;
}

export function keptCases(target: string): { file: string; input: Uint8Array }[] {
  const folder = join(CORPUS, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => ({ file: join(folder, name), input: new Uint8Array(readFileSync(join(folder, name))) }));
}

export class Runner {
  readonly report: Report;
  readonly #target: FuzzTarget;
  readonly #onCase: (input: Uint8Array) => void;

  /** @param onCase called before each case, so that whoever watches knows the one that hangs */
  constructor(target: FuzzTarget, onCase: (input: Uint8Array) => void) {
    this.#target = target;
    this.#onCase = onCase;
    this.report = {
      target: target.name,
      cases: 0,
      accepted: 0,
      refused: 0,
      known: 0,
      codes: {},
      seconds: 0,
      slowest: 0,
      bytes: 0,
      failures: [],
    };
  }

  async run(cases: number, seed: number): Promise<Report> {
    const { name, seeds, nasty, generate, damage = true, prepare } = this.#target;
    await prepare?.();
    const started = performance.now();
    const kept = keptCases(name);
    for (const { file, input } of kept) await this.#known(file, input);
    const byHand = Object.entries(nasty?.() ?? {});
    for (const [what, input] of byHand) {
      const { accepted } = this.report;
      await this.#known(what, input);
      if (this.report.accepted > accepted)
        this.report.failures.push({ reason: 'it is accepted', file: what });
    }
    this.report.known = kept.length + byHand.length;
    // Those that are long are so to be slow, and damage to them says little.
    const known = [...kept.map(({ input }) => input), ...byHand.map(([, input]) => input)];
    const files = [...seeds(), ...known.filter(({ length }) => length <= LONGEST_SEED)];
    const made = damage ? damaged(files, generate) : generate!;
    const checked = await fc.check(
      fc.asyncProperty(made, (input) => this.#one(input)),
      { numRuns: cases, seed, ignoreEqualValues: false },
    );
    if (checked.failed) {
      const file = keepCase(name, checked.counterexample![0]);
      this.report.failures.push({ reason: reasonOf(checked.errorInstance), file });
    }
    this.#target.cleanUp?.();
    this.report.seconds = (performance.now() - started) / 1000;
    return this.report;
  }

  async #known(file: string, input: Uint8Array): Promise<void> {
    try {
      await this.#one(input);
    } catch (error) {
      this.report.failures.push({ reason: reasonOf(error), file });
    }
  }

  /** Throws `Wrong` for a case that fails. */
  async #one(input: Uint8Array): Promise<void> {
    const { memory = (bytes) => 2 ** 20 + 64 * bytes, seconds = 1, asksForMemory = false } = this.#target;
    const { report } = this;
    this.#onCase(input);
    startMeter(memory(input.length));
    const { error, took } = await this.#timed(input);
    const { bytes, overran } = stopMeter();
    report.bytes = Math.max(report.bytes, bytes);
    report.cases++;
    report.slowest = Math.max(report.slowest, took);
    if (error === undefined) {
      report.accepted++;
    } else {
      checkError(error);
      report.refused++;
      report.codes[error.code] = (report.codes[error.code] ?? 0) + 1;
    }
    if (overran && !asksForMemory) throw new Wrong('it asks for more memory than its limit');
    // A machine that had others to serve is no fault: the fastest of four counts.
    let fastest = took;
    for (let k = 0; k < 3 && fastest > seconds; k++) {
      fastest = Math.min(fastest, (await this.#timed(input)).took);
    }
    if (fastest > seconds) throw new Wrong(`it takes ${fastest.toFixed(1)} s`);
  }

  /** `took` in seconds. */
  async #timed(input: Uint8Array): Promise<{ error: unknown; took: number }> {
    // A copy, so that what is written into the input is not carried on.
    const copy = input.slice();
    const started = performance.now();
    let error: unknown;
    try {
      await this.#target.run(copy);
    } catch (thrown) {
      error = thrown ?? new Wrong('undefined was thrown');
    }
    return { error, took: (performance.now() - started) / 1000 };
  }
}

function checkError(error: unknown): asserts error is SeedspanError {
  if (!(error instanceof SeedspanError)) throw new Wrong(describe(error), { cause: error });
  if (error.message.length > MOST_MESSAGE) {
    throw new Wrong(`a message of ${error.message.length} characters: ${error.message.slice(0, 200)}`);
  }
  if (error.message.length < 10) throw new Wrong(`the message says nothing: ${error.message}`);
}

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 5).join('\n') : String(error);

const reasonOf = (error: unknown): string => (error instanceof Wrong ? error.message : describe(error));
