/** The sequences of `tests/fixtures/gcrodr`: matrices with few eigenvalues that slow GMRES down. */

import { readFileSync } from 'node:fs';
import { type Csr, fromTriplets } from '../twins/csr.ts';

export interface ReferenceCase {
  kind: 'outliers' | 'pairs';
  n: number;
  restart: number;
  dim: number;
  /** `gcrotmk`: products that SciPy's takes. */
  solves: { history: number[]; gcrotmk: number }[];
  /** By rows. */
  basis: number[][];
}

export const RTOL = 1e-9;

export const REFERENCE: readonly ReferenceCase[] = JSON.parse(
  readFileSync(new URL('../fixtures/gcrodr/reference.json', import.meta.url), 'utf8'),
);

export function rightHandSide(n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => 1 + (i % 3) / 2);
}

/** Step 0, 1, ... of a sequence. */
export function systemMatrix(kind: ReferenceCase['kind'], n: number, step: number): Csr {
  const triplets: [number, number, number][] = [];
  for (let i = 0; i < n; i++) {
    const drift = 1 + (step * ((i % 7) - 3)) / 200;
    if (kind === 'outliers') {
      triplets.push([i, i, (i < 6 ? (i + 1) / 256 : 1 + i / 16) * drift]);
      if (i + 1 < n) triplets.push([i, i + 1, 0.25]);
      continue;
    }
    const p = i >> 1;
    triplets.push([i, i, (p < 3 ? (p + 1) / 64 : 1 + p / 8) * drift]);
    const b = p < 3 ? (3 - p) / 128 : 0.5;
    if (i % 2 === 0) triplets.push([i, i + 1, b], [i + 1, i, -b]);
    else if (i + 1 < n) triplets.push([i, i + 1, 0.125]);
  }
  return fromTriplets([n, n], triplets);
}
