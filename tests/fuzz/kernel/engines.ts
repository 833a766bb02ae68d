import { Engine } from '../../../src/solver/engine.ts';
import { loadKernel } from '../../../src/wasm/load.ts';
import { type Watched, watchedKernel } from './watched.ts';

/** Two builds that are watched, and the SIMD build as it is published. */
export interface Engines {
  scalar: Watched;
  simd: Watched;
  published: Engine;
}

let engines: Engines | undefined;

export async function fuzzEngines(): Promise<Engines> {
  engines ??= {
    scalar: await watchedKernel('scalar'),
    simd: await watchedKernel('simd'),
    published: new Engine(await loadKernel('simd')),
  };
  return engines;
}

/** After a failure, which may leave anything behind, the next are new ones. */
export function spoil(): void {
  engines = undefined;
}
