import { readFileSync } from 'node:fs';
import { all, create, type MathType } from 'mathjs';
import numeric from 'numeric';
import type { Engine } from '../src/solver/engine.ts';
import { METHODS, PRECONDITIONERS } from '../src/solver/options.ts';
import type { Workspace } from '../src/solver/workspace.ts';
import { local, type Side } from './harness.ts';
import type { Peer } from './native.ts';
import { bicgstabCsr, bicgstabDia, csrProduct, gmres, type Solver as PlainSolver } from './plain/krylov.ts';
import { type Csr, diagonals } from './plain/sparse.ts';
import type { Problem } from './problems.ts';

/** Everybody solves to this relative residual, from zero. */
export const RTOL = 1e-8;
const MAXITER = 5000;
/** mathjs and numeric take minutes beyond. */
const SLOW_LIMIT = 4096;

/** One way of solving one problem. */
export interface Solver {
  name: string;
  side: Side;
  /** The last solution. */
  solution: () => ArrayLike<number> | Promise<ArrayLike<number>>;
  iterations?: () => number | undefined | Promise<number | undefined>;
  /** A workspace of ours. */
  workspace?: Workspace;
}

/** A solver that is there, or why it is not. */
export type Offer = Solver | { name: string; refused: string };

/** Every method with every preconditioner, as far as they go together, in double precision; and those in mixed. */
export function ownSolvers(engine: Engine, problem: Problem): Offer[] {
  const { A, b, symmetric } = problem;
  const ways = METHODS.filter((method) => method !== 'lu').flatMap((method) =>
    PRECONDITIONERS.filter((kind) => kind !== 'lu').map((preconditioner) => ({
      method,
      preconditioner,
      precision: 'double' as const,
    })),
  );
  const alone = [
    { method: 'bicgstab' as const, preconditioner: 'none' as const, precision: 'mixed' as const },
    ...(['lu', 'auto'] as const).map((method) => ({
      method,
      preconditioner: undefined,
      precision: 'auto' as const,
    })),
  ];
  const offers = [...ways, ...alone].map(({ method, preconditioner, precision }): Offer => {
    const kinds = [
      preconditioner === 'none' ? undefined : preconditioner,
      precision === 'mixed' && precision,
    ];
    const name = [`seedspan ${method}`, ...kinds.filter(Boolean)].join(', ');
    if (method === 'cg' && !symmetric) return { name, refused: 'not symmetric' };
    try {
      const workspace = engine.workspace(A, { method, preconditioner, precision });
      const out = new Float64Array(b.length);
      let iterations = 0;
      const solve = () => {
        iterations = engine.solve(A, b, { workspace, out, rtol: RTOL, maxiter: MAXITER }).iterations;
      };
      return { name, side: local(solve), solution: () => out, iterations: () => iterations, workspace };
    } catch (error) {
      return { name, refused: (error as Error).message };
    }
  });
  return [...offers, coldFactors(engine, problem)];
}

/** The direct solver with ordering, analysis and factors anew in each solve. */
function coldFactors(engine: Engine, { A, b }: Problem): Solver {
  const out = new Float64Array(b.length);
  const solve = () => {
    using factors = engine.factorize(A);
    factors.solve(b, { out });
  };
  return { name: 'seedspan lu, cold', side: local(solve), solution: () => out };
}

/** Plain TypeScript. The first is what ratios are taken against. */
export function plainSolvers({ A, b, grid }: Problem): Solver[] {
  const csr: Csr = { n: b.length, indptr: A.indptr, indices: A.indices, data: A.data };
  const make = (name: string, solve: PlainSolver): Solver => {
    const x = new Float64Array(b.length);
    let iterations = 0;
    const work = () => {
      iterations = solve(b, x, RTOL, MAXITER);
    };
    return { name: `plain ${name}`, side: local(work), solution: () => x, iterations: () => iterations };
  };
  return [
    make('bicgstab, CSR', bicgstabCsr(csr)),
    ...(grid === undefined ? [] : [make('bicgstab, diagonals', bicgstabDia(diagonals(csr, grid[1])))]),
    make('gmres(30), CSR', gmres(csrProduct(csr), 30)),
  ];
}

/** Other packages for JavaScript. None of them has an iterative method for such systems. */
export function packageSolvers(problem: Problem): Offer[] {
  if (problem.b.length > SLOW_LIMIT) {
    return ['mathjs lusolve', 'numeric ccsLUP'].map((name) => ({ name, refused: 'too slow' }));
  }
  const { pointers, rows, values } = byColumns(problem);
  const b = Array.from(problem.b);
  const math = create(all);
  const size = [b.length, b.length];
  // The class takes its arrays by name; the types do not have it.
  const { SparseMatrix: Sparse } = math as unknown as { SparseMatrix: new (parts: object) => MathType };
  const A = new Sparse({ values, index: rows, ptr: pointers, size });
  let x: number[] = [];
  const solveMath = () => {
    // Order 1 (of A + A') is its fastest here.
    const result = math.lusolve(A as never, b as never, 1, 1e-3) as unknown as { toArray(): number[][] };
    x = result.toArray().flat();
  };
  const solveNumeric = () => {
    x = numeric.ccsLUPSolve(numeric.ccsLUP([pointers, rows, values]), b);
  };
  return [
    { name: 'mathjs lusolve', side: local(solveMath), solution: () => x },
    { name: 'numeric ccsLUP', side: local(solveNumeric), solution: () => x },
  ];
}

function byColumns({ A }: Problem): { pointers: number[]; rows: number[]; values: number[] } {
  const columns: [number, number][][] = Array.from({ length: A.shape[1] }, () => []);
  for (let i = 0; i < A.shape[0]; i++) {
    for (let k = A.indptr[i]; k < A.indptr[i + 1]; k++) columns[A.indices[k]].push([i, A.data[k]]);
  }
  const pointers = [0];
  for (const column of columns) pointers.push(pointers[pointers.length - 1] + column.length);
  const entries = columns.flat();
  return { pointers, rows: entries.map(([row]) => row), values: entries.map(([, value]) => value) };
}

/** The programs of `bench/native`, and what each can do. The C program knows five diagonals only. */
const NATIVE: Readonly<Record<string, readonly string[]>> = {
  'C, 128 bit': ['bicgstab'],
  'C, native': ['bicgstab'],
  SciPy: ['spsolve', 'bicgstab', 'gmres', 'gcrotmk'],
  Eigen: ['lu', 'lu-reused', 'bicgstab', 'bicgstab-ilut'],
  PETSc: ['bcgs', 'bcgs-ilu', 'gmres-ilu', 'lu'],
};

/** Hands a problem to a running program; `scratch` is a file for its solutions. */
export async function nativeSolvers(
  label: string,
  peer: Peer,
  problemFile: string,
  scratch: string,
): Promise<Offer[]> {
  const methods = NATIVE[label];
  try {
    await peer.ask(`problem ${problemFile}`);
  } catch (error) {
    return methods.map((method) => ({ name: `${label} ${method}`, refused: (error as Error).message }));
  }
  return methods.map((method): Solver => {
    let iterations: number | undefined;
    const counts = label === 'SciPy' && method !== 'spsolve';
    return {
      name: `${label} ${method}`,
      side: async (calls) => {
        const answer = await peer.ask(`solve ${method} ${RTOL} ${calls}`);
        if (Number(answer.iterations) > 0) iterations = Number(answer.iterations);
        return { cpu: Number(answer.cpu), wall: Number(answer.wall) };
      },
      async solution() {
        await peer.ask(`write ${scratch}`);
        const bytes = readFileSync(scratch);
        return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      },
      async iterations() {
        if (!counts) return iterations;
        const { matvecs } = await peer.ask(`count ${method} ${RTOL}`);
        return Math.round(Number(matvecs) / (method === 'bicgstab' ? 2 : 1));
      },
    };
  });
}
