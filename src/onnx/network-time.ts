import type { Transition } from '../diffusion/index.ts';
import { log } from '../elementary.ts';

/** What a network is given as its time; `t` is the sampler's, from 0 (data) to 1 (noise). */
export type NetworkTime = 'time' | 'step' | 'sigma' | 'log-variance' | ((t: number) => number);

/**
 * The network's time: t, the step's number `(steps - 1) t` (as Song et al.'s networks take it), the deviation of the
 * noise, or the logarithm of its variance.
 */
export function networkTime(kind: NetworkTime, t: number, { variance }: Transition, steps: number): number {
  if (typeof kind === 'function') return kind(t);
  if (kind === 'time') return t;
  if (kind === 'step') return (steps - 1) * t;
  return kind === 'sigma' ? Math.sqrt(variance) : log(variance);
}
