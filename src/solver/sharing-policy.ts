import { log10 } from '../elementary.ts';
/** Nanoseconds a row, as `auto` reckons with. Only their ratios matter. */
export interface WayCosts {
  /** One product with A. */
  product: number;
  /** One iteration, preconditioner included. */
  iteration: number;
  /** Making the preconditioner. */
  setup: number;
}

/** One pass over two vectors for a dot product, and over one that is changed. */
const DOT = 0.25;
const UPDATE = 0.5;
/** What a column of the history costs beside its product: it is stored, and the start made of it. */
const COLUMN = 2 * UPDATE;
/** Systems that go by without a try, at first and at most. */
const FIRST_PAUSE = 8;
const MOST_PAUSE = 64;

/** Where the last solve came from, and how far it had to go. */
export interface Solved {
  iterations: number;
  /** Decimal digits between the residual at the start and at the end. */
  digits: number;
}

/**
 * How many of the last solutions the next start is made of. Each costs a product and some sums, and saves the
 * iterations that its share of the residual would have taken. What every number of them would have left is known
 * after each start, so the best number is known for the last system, and one more is tried in the next.
 */
export class StartPolicy {
  /** Columns for the next start; with none, the solution at hand need not be kept. */
  columns = 0;
  readonly #capacity: number;
  /** Systems until the next try; while it is positive, nothing is kept. */
  #pause = 0;
  #nextPause = FIRST_PAUSE;
  /** Iterations a digit, of the last solve that had a digit to go. */
  #rate = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * @param left - what 1, 2, ... columns left of ||b||, for as many as the start had.
   * @param target - the share of ||b|| at which the solve stopped.
   * @param costs - of the way that the system was solved in.
   */
  observe({ iterations, digits }: Solved, left: ArrayLike<number>, target: number, costs: WayCosts): void {
    if (digits > 0.5) this.#rate = iterations / digits;
    if (this.#pause > 0) {
      this.#pause--;
      this.columns = this.#pause === 0 ? 1 : 0;
      return;
    }
    const tried = left.length;
    let best = 0;
    const solveCost = (start: number) => costs.iteration * this.#rate * Math.max(0, log10(start / target));
    let least = solveCost(1);
    let spent = 0;
    for (let j = 1; j <= tried; j++) {
      spent += costs.product + COLUMN + (j + 1) * DOT;
      const cost = spent + solveCost(left[j - 1]);
      if (cost < least) {
        least = cost;
        best = j;
      }
    }
    // One column may seem useless where two would not be: a system's change shows in the second.
    if (best === 0 && tried >= 2) {
      this.#pause = this.#nextPause;
      this.#nextPause = Math.min(2 * this.#nextPause, MOST_PAUSE);
      this.columns = 0;
    } else {
      if (best > 0) this.#nextPause = FIRST_PAUSE;
      this.columns = Math.min(Math.max(best, Math.min(tried, 1)) + 1, this.#capacity);
    }
  }
}

/**
 * Whether the preconditioner of an earlier matrix is to be kept. A kept one saves its making and costs iterations;
 * it is replaced when the next solve with it would cost more than all since it was made did on average (the rule
 * for the replacement of equipment whose upkeep grows).
 */
export class OperatorPolicy {
  /** The next system is to get a preconditioner of its own. */
  renew = true;
  readonly #costs: WayCosts;
  /** Iterations a digit with a fresh one. */
  #rate = 0;
  /** Systems solved with the present one, and what keeping it has cost. */
  #age = 0;
  #excess = 0;
  /** Systems for which nothing is kept, after keeping did not pay even once. */
  #pause = 0;
  #nextPause = FIRST_PAUSE;

  constructor(costs: WayCosts) {
    this.#costs = costs;
  }

  /** Nothing is kept for a while, since keeping did not pay. */
  get pausing(): boolean {
    return this.#pause > 0;
  }

  /** Most iterations with a kept one before it is given up in the middle of a solve. */
  limit(digits: number): number {
    const extra = this.#costs.setup / this.#costs.iteration;
    return Math.ceil(3 * this.#rate * digits + 3 * extra + 20);
  }

  /** After a solve with the preconditioner that `renew` had asked for. */
  observe({ iterations, digits }: Solved): void {
    if (this.renew) {
      if (digits > 0.5) this.#rate = iterations / digits;
      this.#age = 1;
      this.#excess = 0;
      if (this.#pause > 0) this.#pause--;
      else this.renew = false;
      return;
    }
    const excess = Math.max(0, iterations - this.#rate * digits) * this.#costs.iteration;
    this.#excess += excess;
    this.#age++;
    const average = (this.#costs.setup + this.#excess) / this.#age;
    this.renew = excess > average;
    if (!this.renew) {
      this.#nextPause = FIRST_PAUSE;
    } else if (this.#age === 2) {
      this.#pause = this.#nextPause;
      this.#nextPause = Math.min(2 * this.#nextPause, MOST_PAUSE);
    }
  }

  /** The matrices have changed too much for the one at hand, which is nobody's fault. */
  outdate(): void {
    this.renew = true;
  }

  /** The kept one failed: the next is fresh, and it is some time before another is kept. */
  failed(): void {
    this.renew = true;
    this.#pause = this.#nextPause;
    this.#nextPause = Math.min(2 * this.#nextPause, MOST_PAUSE);
  }
}
