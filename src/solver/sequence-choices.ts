import type { CsrMatrix } from '../sparse/index.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { autoChoices, type Choice, rankedForSequence } from './auto.ts';
import type { BatchOptions } from './batch-options.ts';
import { BATCH_DEFAULTS, KEPT, SOLVE_DEFAULTS } from './defaults.ts';

/** Iterative ways that `auto` tries, at most. */
const MOST_WAYS = 3;

export function isKept(preconditioner: unknown): boolean {
  return (KEPT as readonly unknown[]).includes(preconditioner);
}

/**
 * The ways in which the systems of a batch that shares may be solved, the most promising first; `A` is the first
 * matrix. One, where the preconditioner is given, or with `auto` the method.
 */
export function sequenceChoices(kernel: Kernel, A: CsrMatrix, options: BatchOptions): [Choice, ...Choice[]] {
  const { sharing, method = sharing === 'auto' ? 'auto' : BATCH_DEFAULTS.method } = options;
  const { rtol = SOLVE_DEFAULTS.rtol, preconditioner } = options;
  if (method === 'lu') return [{ method, preconditioner: 'lu' }];
  // Others were refused with the options.
  if (typeof preconditioner === 'string') {
    const [first] = autoChoices(kernel, A, rtol, options);
    return [{ method: method === 'auto' ? first.method : method, preconditioner }];
  }
  // Nothing is kept: what making a preconditioner costs counts.
  if (sharing === 'solutions') {
    if (method !== 'auto') return [{ method, preconditioner: SOLVE_DEFAULTS.preconditioner }];
    return [autoChoices(kernel, A, rtol, options)[0]];
  }
  const mixed = options.precision !== 'double' && options.storage !== 'csr';
  const ranked = rankedForSequence(kernel, A, rtol, mixed).filter(
    (choice) => method === 'auto' || choice.method === method,
  );
  const whole = method === 'auto' ? 'gmres' : method;
  if (sharing === 'seed-operator') {
    const best = ranked.find((choice) => isKept(choice.preconditioner));
    const plain: Choice = { method: best?.method ?? whole, preconditioner: 'ilu0' };
    // The means that transforms are made of may be singular.
    return best === undefined || best.preconditioner === 'ilu0' ? [plain] : [best, plain];
  }
  const [first, ...others] = ranked;
  if (first === undefined) return [{ method: whole, preconditioner: SOLVE_DEFAULTS.preconditioner }];
  if (method !== 'auto') return [first];
  return [first, ...others.slice(0, MOST_WAYS - 1), { method: 'gmres', preconditioner: 'lu' }];
}
