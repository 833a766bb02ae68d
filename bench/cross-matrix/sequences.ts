import { createEngine } from '../../src/solver/create-engine.ts';
import { CsrMatrix, convectionDiffusion2d } from '../../src/sparse/index.ts';
import { circuit, graph, logDensityStep } from '../problems.ts';
import { standardNormal, uniform } from '../random.ts';
import { SEED } from '../results.ts';
import { fields, PICTURE_SETS } from './pictures.ts';

export interface System {
  A: CsrMatrix;
  b: Float64Array;
}

/** Systems of one pattern, in the order in which they come up. */
export interface Sequence {
  name: string;
  /** What it is, in words. */
  words: string;
  systems: System[];
  symmetric: boolean;
}

/** A matrix with the pattern of A, its arrays shared as in a program that calls `setData`, and other values. */
function withValues({ shape, indptr, indices }: CsrMatrix, data: Float64Array): CsrMatrix {
  const matrix = new CsrMatrix(shape, indptr, indices);
  matrix.data.set(data);
  return matrix;
}

function diagonalPlaces({ shape, indptr, indices }: CsrMatrix): Int32Array {
  return Int32Array.from({ length: shape[0] }, (_, i) => indices.indexOf(i, indptr[i]));
}

/** A + diag(d) */
function plusDiagonal(A: CsrMatrix, places: Int32Array, d: (i: number) => number): CsrMatrix {
  const data = A.data.slice();
  places.forEach((place, i) => {
    data[place] += d(i);
  });
  return withValues(A, data);
}

function normalVector(n: number, seed: number): Float64Array {
  const normal = standardNormal(seed);
  return Float64Array.from({ length: n }, normal);
}

/** One time step of each picture of a set: the matrix is linearised at its log density, which is the right-hand side. */
export async function pictureSteps(set: string, size: number, q: number, count: number): Promise<Sequence> {
  const all = await fields(set, size, count);
  const first = logDensityStep(all[0], size, q);
  const systems = all.map((m) => ({ A: withValues(first, logDensityStep(m, size, q).data), b: m }));
  return {
    name: `${set}-${size}-q${q}`,
    words: `${PICTURE_SETS[set].words}, ${size}x${size}, q = ${q}`,
    systems,
    symmetric: false,
  };
}

/** A graph's Laplacian with a potential that grows from one system to the next by a tenth, the same source in all. */
function sweep(count: number): Sequence {
  const L = graph(10_000);
  const places = diagonalPlaces(L);
  const random = uniform(SEED + 20);
  const potential = Float64Array.from({ length: L.shape[0] }, random);
  const b = normalVector(L.shape[0], SEED + 21);
  const systems = Array.from({ length: count }, (_, k) => ({
    A: plusDiagonal(L, places, (i) => 0.02 * 1.1 ** k * potential[i]),
    b,
  }));
  return {
    name: 'sweep',
    words: 'a parameter sweep: graph with a growing potential',
    systems,
    symmetric: true,
  };
}

/** Newton steps for -Laplace(u) + wind . grad u = lambda exp(u) on 100 x 100 points, lambda going up. */
async function newton(count: number): Promise<Sequence> {
  const side = 100;
  const A = convectionDiffusion2d({ nx: side, ny: side, wind: [20, 10], advection: 'upwind' });
  const n = A.shape[0];
  const area = 1 / (side + 1) ** 2;
  const places = diagonalPlaces(A);
  const systems: System[] = [];
  const u = new Float64Array(n);
  const engine = await createEngine();
  for (let lambda = 1; systems.length < count; lambda += 1) {
    for (let step = 0; step < 8 && systems.length < count; step++) {
      const F = A.multiply(u).map((value, i) => value - lambda * area * Math.exp(u[i]));
      const size = Math.sqrt(F.reduce((sum, value) => sum + value * value, 0));
      if (step > 0 && size < 1e-9) break;
      const J = plusDiagonal(A, places, (i) => -lambda * area * Math.exp(u[i]));
      const b = F.map((value) => -value);
      systems.push({ A: J, b });
      const { x } = engine.solve(J, b, { method: 'auto', rtol: 1e-10 });
      for (let i = 0; i < n; i++) u[i] += x[i];
    }
  }
  engine.dispose();
  return {
    name: 'newton',
    words: 'Newton steps of a combustion problem, load by load',
    systems,
    symmetric: false,
  };
}

/** Backward Euler for a heat source in a wind that turns by half a degree a step, 120 x 120 points. */
async function turningWind(count: number): Promise<Sequence> {
  const side = 120;
  const h = 1 / (side + 1);
  const dt = 2e-3;
  const source = Float64Array.from({ length: side * side }, (_, p) => {
    const [y, x] = [Math.floor(p / side) * h - 0.3, (p % side) * h - 0.4];
    return Math.exp(-(x * x + y * y) / 0.005);
  });
  const A = (k: number) => {
    const angle = (k * Math.PI) / 360;
    const wind = [200 * Math.cos(angle), 200 * Math.sin(angle)] as const;
    const flow = convectionDiffusion2d({ nx: side, ny: side, wind, advection: 'upwind' });
    return plusDiagonal(flow, diagonalPlaces(flow), () => (h * h) / dt);
  };
  return march('turning wind', 'time steps of convection and diffusion in a turning wind', count, A, (u) =>
    u.map((value, i) => h * h * (value / dt + source[i])),
  );
}

/** Backward Euler for a circuit of 10,000 nodes whose loads change with time, driven by sources of one frequency. */
async function transient(count: number): Promise<Sequence> {
  const G = circuit(10_000);
  const places = diagonalPlaces(G);
  const n = G.shape[0];
  const random = uniform(SEED + 22);
  const capacity = Float64Array.from({ length: n }, () => 1e-3 * (0.5 + random()));
  const load = Float64Array.from({ length: n }, () => (random() < 0.05 ? 1e-2 * random() : 0));
  const drive = Float64Array.from({ length: n }, () => (random() < 0.01 ? random() : 0));
  const A = (k: number) => plusDiagonal(G, places, (i) => capacity[i] + load[i] * (1 + Math.sin(0.2 * k)));
  return march('transient', 'time steps of a circuit with changing loads', count, A, (u, k) =>
    u.map((value, i) => capacity[i] * value + drive[i] * Math.cos(0.3 * k)),
  );
}

async function march(
  name: string,
  words: string,
  count: number,
  matrix: (k: number) => CsrMatrix,
  rightHandSide: (u: Float64Array, k: number) => Float64Array,
): Promise<Sequence> {
  const engine = await createEngine();
  const systems: System[] = [];
  let u: Float64Array | undefined;
  for (let k = 0; k < count; k++) {
    const values = matrix(k);
    const A = systems.length === 0 ? values : withValues(systems[0].A, values.data);
    const b = rightHandSide(u ?? new Float64Array(A.shape[0]), k);
    systems.push({ A, b });
    u = engine.solve(A, b, { method: 'auto', rtol: 1e-12, x0: u }).x.slice();
  }
  engine.dispose();
  return { name, words, systems, symmetric: false };
}

/** Sequences that are no pictures. */
export const SEQUENCES: Readonly<Record<string, (count: number) => Sequence | Promise<Sequence>>> = {
  sweep,
  newton,
  'turning wind': turningWind,
  transient,
};
