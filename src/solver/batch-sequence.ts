import { SeedspanError } from '../errors.ts';
import { KernelObject } from '../memory/kernel-object.ts';
import type { CsrMatrix } from '../sparse/index.ts';
import type { Kernel } from '../wasm/kernel.ts';
import type { LaneSolver } from './batch-lanes.ts';
import type { BatchOptions, BatchResult, BatchSystem } from './batch-options.ts';
import { DIRECT_MOST, HISTORY_MOST, SOLVE_DEFAULTS } from './defaults.ts';
import { gridWidth } from './five-point.ts';
import { samePattern } from './operator.ts';
import { isKept, sequenceChoices } from './sequence-choices.ts';
import { SequenceWay } from './sequence-way.ts';
import { StartPolicy } from './sharing-policy.ts';
import { SolutionHistory } from './solution-history.ts';

/** `auto` tries one more way for each so many systems: a trial costs what some systems cost. */
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

/** What a try has come to. */
type Outcome = Omit<BatchResult, 'index' | 'shared'> & { shared: NonNullable<BatchResult['shared']> };

/**
 * One system after the other, each with what those before it left: the start is made of the last solutions, the
 * preconditioner is kept as long as that is cheaper than a new one, and with `auto` the first systems are solved in
 * different ways, so that the rest can be solved in the cheapest.
 */
export class SequenceLane extends KernelObject implements LaneSolver {
  readonly lanes = 1;
  readonly #options: BatchOptions;
  readonly #history: SolutionHistory | undefined;
  readonly #starts = new StartPolicy(HISTORY_MOST);
  readonly #ways: readonly SequenceWay[];
  /** Factors are no risk, should all else fail. */
  readonly #mayFactor: boolean;
  /** The first matrix, for its pattern. */
  readonly #first: CsrMatrix;
  /** The system at hand. It is read again where it is solved again. */
  #system: BatchSystem;
  /** How it is solved now, and how it could not be, with a preconditioner of its own. */
  #way: SequenceWay;
  readonly #failed = new Set<SequenceWay>();
  #running = false;
  /** Iterations at which this try is given up for another. */
  #limit = Infinity;
  /** Spent in tries before this one; of those that ended by themselves, the one that came nearest. */
  #spent = { iterations: 0, matvecs: 0 };
  #nearest: Outcome | undefined;
  /** No way is left, and the last one could not even begin. */
  #givenUp = false;
  /** Decimal digits from the start's residual to the target. */
  #digits = 0;
  /** How many systems there are in all, where that is known; solved so far; what one costs, in nanoseconds a row. */
  readonly #expected: number | undefined;
  #solved = 0;
  #recent = 0;

  constructor(kernel: Kernel, A: CsrMatrix, expected: number | undefined, options: BatchOptions) {
    super(kernel);
    const { sharing } = options;
    const n = A.shape[0];
    const keeps = sharing !== 'solutions';
    const width = gridWidth(kernel, A);
    this.#expected = expected;
    this.#options = options;
    this.#first = A;
    this.#system = { A, b: [] };
    const [first, ...others] = sequenceChoices(kernel, A, options).map(
      (choice) => new SequenceWay(kernel, A, width, choice, options, keeps && isKept(choice.preconditioner)),
    );
    this.#ways = [first, ...others];
    this.#way = first;
    this.#mayFactor = n <= (width > 0 ? DIRECT_MOST.grid : DIRECT_MOST.other);
    this.#history = this.hold((scope) =>
      sharing === 'seed-operator' ? undefined : new SolutionHistory(scope, n, HISTORY_MOST),
    );
  }

  start(_lane: number, system: BatchSystem, where: string): void {
    this.#system = system;
    this.#failed.clear();
    this.#spent = { iterations: 0, matvecs: 0 };
    this.#nearest = undefined;
    this.#givenUp = false;
    this.#way = this.#ways.find((way) => !way.tried && this.#worthTrying(way)) ?? cheapest(this.#ways);
    this.#begin(where);
    this.#tryOthers(where);
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
    try {
      way.prepare();
    } catch (error) {
      if (!this.#leavesOthers(error)) throw error;
      way.refuse();
      return false;
    }
    const { iteration, setup } = way.costs;
    if (FACTOR_ITERATIONS * iteration + setup / left < this.#recent) return true;
    way.refuse();
    return false;
  }

  /** Another way for the system at hand. */
  #other(): SequenceWay | undefined {
    const others = this.#ways.filter((way) => !this.#failed.has(way) && (this.#mayFactor || !way.direct));
    return others.length > 0 ? cheapest(others) : undefined;
  }

  /** Begins a try. A preconditioner that cannot be made, or does not fit in, leaves the other ways. */
  #begin(where: string): void {
    let refusal: unknown;
    for (let way: SequenceWay | undefined = this.#way; way !== undefined; way = this.#other()) {
      this.#way = way;
      try {
        this.#try(way, where);
        return;
      } catch (error) {
        if (!this.#leavesOthers(error)) throw error;
        refusal ??= error;
        this.#failed.add(way);
      }
    }
    if (this.#nearest === undefined) throw refusal;
    this.#running = false;
    this.#givenUp = true;
  }

  /** Once a way has ended, what is wrong with the matrix is no longer the caller's to be told by an error. */
  #leavesOthers(error: unknown): boolean {
    if (!(error instanceof SeedspanError)) return false;
    const { code } = error;
    return (
      code === 'ZERO_PIVOT' ||
      code === 'OUT_OF_MEMORY' ||
      (code === 'INVALID_VALUE' && this.#nearest !== undefined)
    );
  }

  #try(way: SequenceWay, where: string): void {
    const { rtol = SOLVE_DEFAULTS.rtol, atol, maxiter } = this.#options;
    const { A, b, x0 } = this.#system;
    const history = this.#history;
    if (history !== undefined) history.left.length = 0;
    const start = history && ((operator: number, b: number, x: number) => history.start(operator, b, x));
    this.#running = way.begin(A, b, { x0, rtol, atol, maxiter }, start, where);
    this.#digits = way.digitsToGo;
    const others = this.#ways.filter((other) => !this.#failed.has(other));
    const trial = way.tried
      ? Infinity
      : Math.ceil(TRIAL * way.iterationsFor(cheapest(others).cost, this.#digits)) + 4;
    this.#limit = Math.min(trial, way.limit(this.#digits));
  }

  step(count: number): number {
    const way = this.#way;
    const before = way.iterations;
    this.#running = way.step(Math.min(count, this.#limit - before));
    const made = way.iterations - before;
    this.#tryOthers('solveBatch');
    return made;
  }

  /**
   * Where a try has failed, solves the system anew: with a preconditioner of its own, or in another way, each once. The
   * last one has no limit but `maxiter`.
   */
  #tryOthers(where: string): void {
    while (!this.#givenUp && (this.#running ? this.#way.iterations >= this.#limit : !this.#way.succeeded)) {
      const way = this.#way;
      if (way.age === 0) this.#failed.add(way);
      const other = way.age > 0 ? way : this.#other();
      if (other === undefined) {
        this.#limit = Infinity;
        return;
      }
      if (!this.#running) this.#nearest = this.#nearer(this.#outcome());
      this.#spent.iterations += way.iterations;
      this.#spent.matvecs += way.matvecs;
      if (way.age > 0) way.failKept();
      this.#way = other;
      this.#begin(where);
    }
  }

  running(): boolean {
    return this.#running;
  }

  take(_lane: number, index: number): BatchResult {
    const outcome = this.#givenUp ? undefined : this.#outcome();
    const { iterations, matvecs } = this.#spent;
    const result = {
      ...(outcome === undefined ? this.#nearest! : this.#nearer(outcome)),
      index,
      iterations: iterations + (outcome?.iterations ?? 0),
      matvecs: matvecs + (outcome?.matvecs ?? 0),
    };
    // Of what did not converge, or took nothing, nothing can be learnt.
    if (outcome?.converged && outcome.rightHandSideNorm > 0) this.#learn(outcome);
    this.#nearest = undefined;
    return result;
  }

  /** What the present try has ended with. */
  #outcome(): Outcome {
    const way = this.#way;
    const { x, status, converged, iterations, matvecs, storage, ...result } = way.finish();
    const { residualNorm, rightHandSideNorm, method, preconditioner, precision } = result;
    return {
      x: x.slice(),
      status,
      converged,
      iterations,
      matvecs,
      residualNorm,
      rightHandSideNorm,
      method,
      preconditioner,
      storage: storage === 'dia' ? 'dia' : 'csr',
      lanes: 1,
      precision,
      shared: { solutions: this.#history?.left.length ?? 0, operatorAge: way.age },
    };
  }

  /** This one, or the nearest of those before. */
  #nearer(outcome: Outcome): Outcome {
    const before = this.#nearest;
    return before === undefined || distance(outcome) < distance(before) ? outcome : before;
  }

  #learn({ iterations, rightHandSideNorm }: Outcome): void {
    const way = this.#way;
    this.#failed.delete(way);
    for (const other of this.#failed) other.fail();
    const solved = { iterations, digits: this.#digits };
    way.observe(solved);
    const spent = iterations * way.costs.iteration + (way.age === 0 ? way.costs.setup : 0);
    this.#solved++;
    this.#recent += (spent - this.#recent) / Math.min(this.#solved, RECENT);
    const history = this.#history;
    if (history === undefined) return;
    const target = way.tolerance / rightHandSideNorm;
    if (this.#system.x0 === undefined) this.#starts.observe(solved, history.left, target, way.costs);
    history.push(way.solution, this.#starts.columns);
  }

  hasPatternOf(A: CsrMatrix): boolean {
    return samePattern(A, this.#first.indptr, this.#first.indices);
  }

  protected override onDispose(): void {
    for (const way of this.#ways) way.dispose();
    super.onDispose();
  }
}

/** Of those that were tried; the first where none was. */
function cheapest(ways: readonly SequenceWay[]): SequenceWay {
  return ways.reduce((best, way) => (way.cost < best.cost ? way : best));
}

/** Of the residual; not a number is farther than anything. */
function distance({ residualNorm }: Outcome): number {
  return Number.isNaN(residualNorm) ? Infinity : residualNorm;
}
