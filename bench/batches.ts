import type { BatchOptions } from '../src/index.ts';
import type { Engine } from '../src/solver/engine.ts';
import { randomDiagonallyDominant } from '../src/sparse/index.ts';
import { compare, type Effort, local, localAsync } from './harness.ts';
import { bicgstabCsr } from './plain/krylov.ts';
import { type Csr, ilu0Factor, ilu0Room, ilu0Solve } from './plain/sparse.ts';
import { multiply } from './plain/vector.ts';
import { fivePoint, GENERAL, type Problem } from './problems.ts';
import { standardNormal, uniform } from './random.ts';
import { type Case, digits, SEED, type Table } from './results.ts';
import { RTOL } from './solvers.ts';

/** Systems in a batch, with right-hand sides of their own. */
const COUNT = 16;
const KINDS = ['none', 'jacobi', 'ilu0'] as const;
type Kind = (typeof KINDS)[number];

const PLANS: readonly [name: string, options: BatchOptions][] = [
  ['double, 2', { lanes: 2, precision: 'double' }],
  ['double, 4', { lanes: 4, precision: 'double' }],
  ['mixed, 4', { lanes: 4, precision: 'mixed' }],
  ['mixed, 8', { lanes: 8, precision: 'mixed' }],
  ['auto', {}],
];

function random(n: number): Problem {
  const b = Float64Array.from({ length: n }, standardNormal(SEED + 1));
  return {
    name: `random-${n}`,
    A: randomDiagonallyDominant({ n, perRow: 8, seed: SEED }),
    b,
    symmetric: false,
  };
}

const PROBLEMS: readonly (() => Problem)[] = [
  () => random(256),
  () => random(4096),
  () => random(65_536),
  GENERAL.circuit,
  GENERAL.graph,
  () => fivePoint(32, 'stiff'),
  () => fivePoint(64, 'stiff'),
  () => fivePoint(128, 'stiff'),
  () => fivePoint(256, 'stiff'),
];

/** Batches of systems of one pattern, in lanes, against one after the other in a workspace and in plain TypeScript. */
export async function batchTable(engine: Engine, effort: Effort, cases: Case[]): Promise<Table> {
  const rows: string[][] = [];
  for (const make of PROBLEMS) {
    const { name, A, b } = make();
    const next = uniform(SEED);
    const systems = Array.from({ length: COUNT }, () => ({
      A,
      b: b.map((value) => value * (0.7 + 0.6 * next())),
    }));
    for (const preconditioner of KINDS) {
      const options = { method: 'bicgstab', preconditioner, rtol: RTOL } as const;
      const workspace = engine.workspace(A, { method: 'bicgstab', preconditioner });
      const out = new Float64Array(b.length);
      const solvePlain = plainSolver(
        { n: b.length, indptr: A.indptr, indices: A.indices, data: A.data },
        preconditioner,
      );
      const plain = local(() => {
        for (const system of systems) solvePlain(system.b, out);
      });
      const alone = local(() => {
        for (const system of systems) engine.solve(system.A, system.b, { workspace, out, rtol: RTOL });
      });
      const batches = PLANS.map(([, plan]) =>
        localAsync(async () => {
          for await (const { index, status } of engine.solveBatch(systems, { ...options, ...plan })) {
            if (status !== 'converged') throw new Error(`${name}, system ${index}: ${status}`);
          }
        }),
      );
      const [slow, single, ...timings] = await compare([plain, alone, ...batches], effort);
      workspace.dispose();
      const auto = timings[timings.length - 1];
      rows.push([
        `${name}, ${preconditioner}`,
        ...[slow, single, ...timings].map(({ cpu }) => digits(cpu / COUNT)),
        digits(single.cpu / auto.cpu),
      ]);
      const lanes = Object.fromEntries(PLANS.map(([plan], k) => [plan, timings[k]]));
      cases.push({
        key: `batch/${name}/${preconditioner}`,
        ratio: auto.cpu / slow.cpu,
        plain: slow,
        single,
        lanes,
      });
    }
  }
  return {
    title: `Batches of ${COUNT} systems of one pattern, bicgstab, ms a system`,
    head: ['problem', 'plain, CSR', 'workspace', ...PLANS.map(([plan]) => plan), 'workspace : auto'],
    rows,
    note: 'Numbers after the precision are lanes. All results meet the same tolerance by their residual in f64.',
  };
}

/** Factors anew in each solve, as the others do. */
function plainSolver(A: Csr, kind: Kind): (b: Float64Array, x: Float64Array) => void {
  const maxiter = 5000;
  if (kind === 'ilu0') {
    const M = ilu0Room(A);
    const solve = bicgstabCsr(A, (r, z) => ilu0Solve(A, M, r, z));
    return (b, x) => {
      M.data.set(A.data);
      ilu0Factor(A, M);
      solve(b, x, RTOL, maxiter);
    };
  }
  const inverse = new Float64Array(A.n);
  const solve = bicgstabCsr(A, kind === 'none' ? undefined : (r, z) => multiply(inverse, r, z));
  return (b, x) => {
    for (let i = 0; i < A.n; i++) {
      for (let k = A.indptr[i]; k < A.indptr[i + 1]; k++) if (A.indices[k] === i) inverse[i] = 1 / A.data[k];
    }
    solve(b, x, RTOL, maxiter);
  };
}
