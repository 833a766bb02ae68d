import type { Fields } from './fields.ts';
import { worse } from './fixed-point.ts';
import type { ResolvedOptions } from './options.ts';

/** Adds up in each image's report what its steps took. Once. */
export function bookSteps({ steps, images }: Fields, { scheme, fixedPoint }: ResolvedOptions): void {
  // The paper's sweeps book their measure themselves, one a sweep.
  const sweeps = scheme === 'na2024' && fixedPoint.inner === 'strict';
  for (const step of steps) {
    const image = images[step.image];
    image.status = worse(image.status, step.status);
    image.fixedPointIterations = Math.max(image.fixedPointIterations, step.fixedPointIterations);
    image.solves += step.solves;
    image.iterations += step.iterations;
    if (!sweeps) image.changes.push(step.change);
  }
}
