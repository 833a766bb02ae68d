import { SeedspanError } from '../errors.ts';
import { KernelObject } from '../memory/kernel-object.ts';
import { CsrMatrix } from '../sparse/index.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { autoChoices, type Choice, rankedForSequence } from './auto.ts';
import type { LaneSolver } from './batch-lanes.ts';
import type { BatchOptions, BatchResult, BatchSystem } from './batch-options.ts';
import { BATCH_DEFAULTS, HISTORY_MOST, SOLVE_DEFAULTS } from './defaults.ts';
import { samePattern } from './operator.ts';
import { isKept, SequenceWay } from './sequence-way.ts';
import { StartPolicy } from './sharing-policy.ts';
import { SolutionHistory } from './solution-history.ts';
import type { SolveResult } from './types.ts';

/** Ways that `auto` tries, one for so many systems at most: a trial costs what some systems cost. */
const MOST_WAYS = 3;
const SYSTEMS_A_TRIAL = 15;
/** Nanoseconds a row of an analysis of the pattern, about; of a solve, below which factors are out of the question. */
const ANALYSIS = 5000;
const LEAST_FOR_FACTORS = 150;
/** Iterations with a neighbour's factors, as far as can be known beforehand. */
const FACTOR_ITERATIONS = 4;
/** Systems over which the cost of the last ones is averaged. */
const RECENT = 4;
/** A way on trial may cost this many times what the best did. */
const TRIAL = 1.5;

/**
 * One system after the other, each with what those before it left: the start is made of the last solutions, the
 * preconditioner is kept as long as that is cheaper than a new one, and with `auto` the first systems are solved in
 * different ways, so that the rest can be solved in the cheapest.
 */
export class SequenceLane extends KernelObject implements LaneSolver {
  readonly lanes = 1;
  readonly #options: BatchOptions;
  readonly #history: SolutionHistory | undefined;
  readonly #starts: StartPolicy;
  readonly #ways: readonly SequenceWay[];
  #way: SequenceWay;
  /** The system at hand: the caller's arrays may have changed when it is solved again. */
  readonly #A: CsrMatrix;
  readonly #b: Float64Array;
  #x0: ArrayLike<number> | undefined;
  #running = false;
  /** Iterations at which this try is given up for another. */
  #limit = Infinity;
  /** Spent in tries that were given up. */
  #wasted = { iterations: 0, matvecs: 0 };
  /** How many systems there are in all, where that is known; solved so far; what one costs, in nanoseconds a row. */
  readonly #expected: number | undefined;
  #solved = 0;
  #recent = 0;
  /** Decimal digits from the start's residual to the target. */
  #digits = 0;

  constructor(
    kernel: Kernel,
    A: CsrMatrix,
    expected: number | undefined,
    options: BatchOptions,
    where: string,
  ) {
    super(kernel);
    this.#expected = expected;
    const { sharing } = options;
    const n = A.shape[0];
    const keeps = sharing !== 'solutions';
    this.#options = options;
    this.#A = new CsrMatrix(A.shape, A.indptr, A.indices);
    this.#b = new Float64Array(n);
    this.#ways = sequenceChoices(kernel, A, options, where).map(
      (choice) => new SequenceWay(kernel, A, choice, options, keeps && isKept(choice.preconditioner)),
    );
    this.#way = this.#ways[0];
    this.#starts = new StartPolicy(HISTORY_MOST);
    this.#history = this.hold((scope) =>
      sharing === 'seed-operator' ? undefined : new SolutionHistory(scope, n, HISTORY_MOST),
    );
  }

  start(_lane: number, { A, b, x0 }: BatchSystem, where: string): void {
    this.#A.data.set(A.data);
    this.#b.set(b);
    this.#x0 = x0;
    this.#wasted = { iterations: 0, matvecs: 0 };
    this.#way = this.#ways.find((way) => !way.tried && this.#worthTrying(way)) ?? this.#cheapest(this.#ways);
    this.#tryOrThrow(where);
  }

  /** Whether so many systems are to come that they pay for a trial. Nobody knows: as many as there were. */
  #worthTrying(way: SequenceWay): boolean {
    const trials = this.#ways.filter(({ tried }) => tried).length;
    if (trials === 0) return true;
    if ((this.#expected ?? this.#solved) < trials * SYSTEMS_A_TRIAL) return false;
    return !way.direct || this.#worthFactors(way);
  }

  /**
   * Factors are dear: the pattern is analysed where half of what the systems cost at present, over those to come, would
   * pay for it, and they are tried if what the analysis shows promises as much.
   */
  #worthFactors(way: SequenceWay): boolean {
    const left = this.#expected === undefined ? this.#solved : this.#expected - this.#solved;
    if (this.#solved < RECENT || this.#recent < LEAST_FOR_FACTORS || this.#recent * left < 2 * ANALYSIS) {
      return false;
    }
    way.prepare();
    const { iteration, setup } = way.costs;
    if (FACTOR_ITERATIONS * iteration + setup / left < this.#recent) return true;
    way.refuse();
    return false;
  }

  /** Of those that were tried; the first where none was. */
  #cheapest(ways: readonly SequenceWay[]): SequenceWay {
    return ways.reduce((best, way) => (way.cost < best.cost ? way : best));
  }

  /** Another way for the system at hand, after `way` has failed. */
  #other(): SequenceWay | undefined {
    const others = this.#ways.filter((way) => way !== this.#way && (way.cost < Infinity || !way.tried));
    return others.length > 0 ? this.#cheapest(others) : undefined;
  }

  /** A preconditioner that cannot be made leaves the other ways. */
  #tryOrThrow(where: string): void {
    for (let refusal = this.#try(where); refusal !== undefined; refusal = this.#try(where)) {
      const other = this.#other();
      if (other === undefined) throw refusal;
      this.#way = other;
    }
  }

  #try(where: string): SeedspanError | undefined {
    const { rtol = SOLVE_DEFAULTS.rtol, atol, maxiter } = this.#options;
    const way = this.#way;
    const history = this.#x0 === undefined ? this.#history : undefined;
    if (history !== undefined) history.left.length = 0;
    const start = history && ((operator: number, b: number, x: number) => history.start(operator, b, x));
    try {
      this.#running = way.begin(this.#A, this.#b, { x0: this.#x0, rtol, atol, maxiter }, start, where);
    } catch (error) {
      if (!(error instanceof SeedspanError) || error.code !== 'ZERO_PIVOT') throw error;
      way.fail();
      return error;
    }
    this.#digits = way.digitsToGo;
    const trial = way.tried
      ? Infinity
      : Math.ceil(TRIAL * way.iterationsFor(this.#cheapest(this.#ways).cost, this.#digits)) + 4;
    this.#limit = Math.min(trial, way.limit(this.#digits));
    return undefined;
  }

  step(count: number): number {
    const where = 'solveBatch';
    const way = this.#way;
    const before = way.iterations;
    this.#running = way.step(Math.min(count, this.#limit - before));
    const { iterations } = way;
    const stuck = this.#running ? iterations >= this.#limit : !way.succeeded;
    if (stuck) this.#tryAgain(where);
    return iterations - before;
  }

  /** Solves the system at hand anew, with a preconditioner of its own or in another way, if there is one. */
  #tryAgain(where: string): void {
    const way = this.#way;
    const other = way.age > 0 ? way : this.#other();
    if (other === undefined) {
      this.#limit = Infinity;
      return;
    }
    this.#wasted.iterations += way.iterations;
    this.#wasted.matvecs += way.matvecs;
    way.fail();
    this.#way = other;
    this.#tryOrThrow(where);
  }

  running(): boolean {
    return this.#running;
  }

  take(_lane: number, index: number): BatchResult {
    const way = this.#way;
    const result = way.finish();
    const { x, status, converged, residualNorm, rightHandSideNorm, method, preconditioner } = result;
    const solutions = this.#x0 === undefined ? (this.#history?.left.length ?? 0) : 0;
    const { age } = way;
    this.#learn(result);
    return {
      index,
      x: x.slice(),
      status,
      converged,
      iterations: result.iterations + this.#wasted.iterations,
      matvecs: result.matvecs + this.#wasted.matvecs,
      residualNorm,
      rightHandSideNorm,
      method,
      preconditioner,
      storage: result.storage === 'dia' ? 'dia' : 'csr',
      lanes: 1,
      precision: result.precision,
      shared: { solutions, operatorAge: age },
    };
  }

  #learn({ iterations, converged, rightHandSideNorm }: SolveResult): void {
    const history = this.#history;
    if (!converged || !(rightHandSideNorm > 0)) {
      // Nothing to be learnt from, and nothing to start from.
      if (history !== undefined) history.count = 0;
      return;
    }
    const way = this.#way;
    const solved = { iterations, digits: this.#digits };
    way.observe(solved);
    const spent = iterations * way.costs.iteration + (way.age === 0 ? way.costs.setup : 0);
    this.#solved++;
    this.#recent += (spent - this.#recent) / Math.min(this.#solved, RECENT);
    if (history === undefined) return;
    const target = way.tolerance / rightHandSideNorm;
    if (this.#x0 === undefined) this.#starts.observe(solved, history.left, target, way.costs);
    history.push(way.solution, this.#starts.columns);
  }

  hasPatternOf(A: CsrMatrix): boolean {
    return samePattern(A, this.#A.indptr, this.#A.indices);
  }

  protected override onDispose(): void {
    for (const way of this.#ways) way.dispose();
    super.onDispose();
  }
}

/** The ways in which the systems may be solved, the most promising first; `A` is the first matrix. */
function sequenceChoices(kernel: Kernel, A: CsrMatrix, options: BatchOptions, where: string): Choice[] {
  const { sharing, method = sharing === 'auto' ? 'auto' : BATCH_DEFAULTS.method, preconditioner } = options;
  const { rtol = SOLVE_DEFAULTS.rtol } = options;
  if (preconditioner !== undefined) {
    if (typeof preconditioner !== 'string' || (sharing === 'seed-operator' && !isKept(preconditioner))) {
      throw new SeedspanError(
        'INVALID_VALUE',
        `${where}: sharing "${sharing}" keeps a preconditioner of its own making; ask for "ilu0", "multigrid" or ` +
          '"sine-transform", or leave preconditioner away',
        { option: 'preconditioner' },
      );
    }
    return [
      {
        method: method === 'auto' ? autoChoices(kernel, A, rtol, options)[0].method : method,
        preconditioner,
      },
    ];
  }
  if (sharing === 'solutions' && method !== 'auto') {
    return [{ method, preconditioner: SOLVE_DEFAULTS.preconditioner }];
  }
  const ranked = rankedForSequence(kernel, A, rtol, options.precision !== 'double').filter(
    (choice) =>
      (method === 'auto' || choice.method === method) &&
      (sharing !== 'seed-operator' || isKept(choice.preconditioner)),
  );
  if (sharing === 'auto' && method === 'auto') {
    return [...ranked.slice(0, MOST_WAYS), { method: 'gmres', preconditioner: 'lu' }];
  }
  if (ranked.length > 0) return ranked.slice(0, 1);
  const fallback = sharing === 'seed-operator' ? 'ilu0' : SOLVE_DEFAULTS.preconditioner;
  return [{ method: method === 'auto' ? 'gmres' : method, preconditioner: fallback }];
}
