import type { SolveStatus } from '../solver/types.ts';

/** A loop that wins less than a tenth in this many iterations is going nowhere. */
const PATIENCE = 5;
const PROGRESS = 0.9;

/** From best to worst. */
const SEVERITY: readonly SolveStatus[] = [
  'converged',
  'max-iterations',
  'stagnated',
  'breakdown',
  'non-finite',
];

/** The worse of two ends. */
export function worse(a: SolveStatus, b: SolveStatus): SolveStatus {
  return SEVERITY.indexOf(a) >= SEVERITY.indexOf(b) ? a : b;
}

/** Decides when a fixed-point loop ends, so that none runs for ever. */
export class FixedPointMonitor {
  readonly #rtol: number;
  readonly #maxiter: number;
  /** The best measure, and the best as it was when it last fell by a tenth. */
  #best = Infinity;
  #mark = Infinity;
  #since = 0;

  constructor(settings: { rtol: number; maxiter: number }) {
    this.#rtol = settings.rtol;
    this.#maxiter = settings.maxiter;
  }

  /** Takes the measure after `iterations` solves; undefined while the loop is to go on. */
  update(measure: number, iterations: number): SolveStatus | undefined {
    if (!Number.isFinite(measure)) return 'non-finite';
    if (measure <= this.#rtol) return 'converged';
    this.#best = Math.min(this.#best, measure);
    if (this.#best <= PROGRESS * this.#mark) {
      this.#mark = this.#best;
      this.#since = 0;
    } else {
      this.#since++;
    }
    if (this.#since >= PATIENCE) return 'stagnated';
    return iterations >= this.#maxiter ? 'max-iterations' : undefined;
  }
}
