import { readFileSync } from 'node:fs';
import { readNpy } from '../src/formats/index.ts';
import {
  anisotropic2d,
  type CsrMatrix,
  convectionDiffusion2d,
  csr,
  fromTriplets,
  randomDiagonallyDominant,
} from '../src/sparse/index.ts';
import { standardNormal, uniform } from './random.ts';
import { SEED } from './results.ts';

/** A system to solve, from zero to a relative true residual. */
export interface Problem {
  name: string;
  A: CsrMatrix;
  b: Float64Array;
  /** Height and width, of the problems on a grid. */
  grid?: readonly [number, number];
  symmetric: boolean;
  /** Its factors fill up: no direct method. */
  fills?: boolean;
}

/** q = 1/2 g^2 dt of the two kinds of five-point systems. */
export const REGIMES = { mild: 0.6, stiff: 15 } as const;
export type Regime = keyof typeof REGIMES;

/** The field of the five-point systems, n x n: smooth noise of standard deviation 1.5 about -1. */
export function field(n: number): Float64Array {
  // The two small ones are those of the tests, so that iteration counts can be compared with theirs.
  if (n === 32 || n === 64) {
    const { data } = readNpy(readFileSync(`tests/fixtures/anchors/field_${n}.npy`));
    return Float64Array.from(data as Float64Array);
  }
  const normal = standardNormal(SEED);
  const noise = Float64Array.from({ length: n * n }, normal);
  const smooth = smoothed(smoothed(noise, n, 1, n), n, n, 1);
  const mean = smooth.reduce((sum, value) => sum + value, 0) / smooth.length;
  const variance = smooth.reduce((sum, value) => sum + (value - mean) ** 2, 0) / smooth.length;
  const factor = 1.5 / Math.sqrt(variance);
  return smooth.map((value) => value * factor - 1);
}

/** Gaussian smoothing of width 1 along one axis, cut off at four, reflected at the edges. */
function smoothed(values: Float64Array, n: number, stride: number, lines: number): Float64Array {
  const weights = Float64Array.from({ length: 9 }, (_, k) => Math.exp(-0.5 * (k - 4) ** 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const result = new Float64Array(values.length);
  for (let line = 0; line < n; line++) {
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let k = -4; k <= 4; k++) {
        const at = i + k < 0 ? -1 - i - k : i + k >= n ? 2 * n - 1 - i - k : i + k;
        sum += weights[k + 4] * values[line * lines + at * stride];
      }
      result[line * lines + i * stride] = sum / total;
    }
  }
  return result;
}

/**
 * One backward Euler step of the log-density equation on an n x n grid, linearised at the field m: diagonal 1 + 4 q,
 * neighbours -q -+ e with e = q/4 (difference of m), zero outside.
 */
export function logDensityStep(m: Float64Array, n: number, q: number): CsrMatrix {
  const at = (i: number, j: number) => (i < 0 || j < 0 || i >= n || j >= n ? 0 : m[i * n + j]);
  const indptr = new Int32Array(n * n + 1);
  const indices = new Int32Array(5 * n * n - 4 * n);
  const data = new Float64Array(indices.length);
  let k = 0;
  const add = (column: number, value: number) => {
    indices[k] = column;
    data[k++] = value;
  };
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const row = i * n + j;
      const e = (q / 4) * (at(i + 1, j) - at(i - 1, j));
      const f = (q / 4) * (at(i, j + 1) - at(i, j - 1));
      if (i > 0) add(row - n, -q + e);
      if (j > 0) add(row - 1, -q + f);
      add(row, 1 + 4 * q);
      if (j + 1 < n) add(row + 1, -q - f);
      if (i + 1 < n) add(row + n, -q - e);
      indptr[row + 1] = k;
    }
  }
  return csr({ shape: [n * n, n * n], indptr, indices, data });
}

/** Such a step with the field as its right-hand side. */
export function fivePoint(n: number, regime: Regime): Problem {
  const m = field(n);
  const A = logDensityStep(m, n, REGIMES[regime]);
  return { name: `${regime}-${n}`, A, b: m, grid: [n, n], symmetric: false };
}

function withRandomB(name: string, A: CsrMatrix, symmetric: boolean, grid?: [number, number]): Problem {
  const normal = standardNormal(SEED + 1);
  return { name, A, b: Float64Array.from({ length: A.shape[0] }, normal), symmetric, grid };
}

/**
 * Nodes of a circuit: conductances over four decades along a grid whose nodes are numbered at random, some long
 * wires, a small leak to ground at each node, and current sources that another node's voltage controls.
 */
export function circuit(n: number): CsrMatrix {
  const random = uniform(SEED + 2);
  const side = Math.floor(Math.sqrt(n));
  const count = side * side;
  const number = shuffled(count, random);
  const triplets: [number, number, number][] = [];
  const wire = (a: number, b: number) => {
    const g = 10 ** (4 * random() - 4);
    const [p, q] = [number[a], number[b]];
    triplets.push([p, p, g], [q, q, g], [p, q, -g], [q, p, -g]);
  };
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++) {
      const k = i * side + j;
      if (i > 0) wire(k, k - side);
      if (j > 0) wire(k, k - 1);
      if (random() < 0.05) {
        const other = Math.floor(random() * count);
        if (other !== k) wire(k, other);
      }
      triplets.push([number[k], number[k], 1e-3 + 1e-2 * random()]);
      if (k > 0 && random() < 0.1) triplets.push([number[k], number[k - 1], -1e-3 * random()]);
    }
  }
  return fromTriplets({ shape: [count, count], triplets });
}

/** Laplacian of a random graph of six neighbours a node, most of them near, plus a potential. */
export function graph(n: number): CsrMatrix {
  const random = uniform(SEED + 3);
  const number = shuffled(n, random);
  const triplets: [number, number, number][] = [];
  const edge = (a: number, b: number) => {
    if (a === b) return;
    const [p, q] = [number[a], number[b]];
    triplets.push([p, p, 1], [q, q, 1], [p, q, -1], [q, p, -1]);
  };
  for (let k = 0; k < n; k++) {
    edge(k, (k + 1) % n);
    edge(k, (k + 2 + Math.floor(30 * random())) % n);
    if (random() < 0.2) edge(k, Math.floor(random() * n));
    triplets.push([number[k], number[k], 0.02 * random()]);
  }
  return fromTriplets({ shape: [n, n], triplets });
}

function shuffled(n: number, random: () => number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, k) => k);
  for (let k = n - 1; k > 0; k--) {
    const other = Math.floor(random() * (k + 1));
    [order[k], order[other]] = [order[other], order[k]];
  }
  return order;
}

/** Problems that are not the diffusion's. */
export const GENERAL: Readonly<Record<string, () => Problem>> = {
  wind: () =>
    withRandomB(
      'wind',
      convectionDiffusion2d({ nx: 120, ny: 120, wind: [2000, 1000], advection: 'upwind' }),
      false,
      [120, 120],
    ),
  anisotropic: () =>
    withRandomB('anisotropic', anisotropic2d({ nx: 100, ny: 100, epsilon: 0.01 }), true, [100, 100]),
  random: () => ({
    ...withRandomB('random', randomDiagonallyDominant({ n: 20_000, perRow: 8, seed: SEED }), false),
    fills: true,
  }),
  circuit: () => withRandomB('circuit', circuit(10_000), false),
  graph: () => ({ ...withRandomB('graph', graph(10_000), true), fills: true }),
};

/** ||b - A x|| / ||b||, computed here for everybody. */
export function relativeResidual({ A, b }: Pick<Problem, 'A' | 'b'>, x: ArrayLike<number>): number {
  let square = 0;
  let all = 0;
  for (let i = 0; i < b.length; i++) {
    let sum = b[i];
    for (let k = A.indptr[i]; k < A.indptr[i + 1]; k++) sum -= A.data[k] * x[A.indices[k]];
    square += sum * sum;
    all += b[i] * b[i];
  }
  return Math.sqrt(square / all);
}

/**
 * For the native programs: n and nnz (i32), indptr (n + 1, i32), indices (nnz, i32), values (nnz, f64), b (n, f64),
 * one after the other without gaps, in the machine's byte order.
 */
export function problemBytes({ A, b }: Problem): Uint8Array {
  const head = Int32Array.of(A.shape[0], A.nnz);
  return Buffer.concat(
    [head, A.indptr, A.indices, A.data, b].map(
      (part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength),
    ),
  );
}
