import type { Engine } from '../../src/solver/engine.ts';
import type { Preconditioner } from '../../src/solver/preconditioner.ts';
import type { ProjectionKind, SolveResult } from '../../src/solver/types.ts';
import type { Workspace } from '../../src/solver/workspace.ts';
import type { RunOptions } from '../../src/solver/workspace-options.ts';
import type { System } from './sequences.ts';

/** Everybody solves to this relative residual. */
export const RTOL = 1e-8;
const MAXITER = 5000;

/** What became of one system. */
export interface Outcome {
  iterations: number;
  converged: boolean;
}

/**
 * - `direct`: factors of each matrix.
 * - `cold`: each system by itself, from zero.
 * - `sharing`: something of earlier systems is used.
 */
export type Family = 'direct' | 'cold' | 'sharing';

/** Called with each solution, which is valid until the next. */
export type Take = (k: number, x: Float64Array) => void;

/** One way of solving a sequence, from making what it needs to giving everything back. */
export interface Way {
  name: string;
  family: Family;
  run: (engine: Engine, systems: readonly System[], take: Take) => Outcome[] | Promise<Outcome[]>;
}

/** A method and preconditioner. */
export interface Base {
  method: NonNullable<RunOptions['method']>;
  preconditioner: 'none' | 'jacobi' | 'ilu0' | 'multigrid';
}

export function baseName({ method, preconditioner }: Base): string {
  return preconditioner === 'none' ? method : `${method}, ${preconditioner}`;
}

/** Solves one after the other in one workspace; `options` may differ from system to system. */
function inWorkspace(
  engine: Engine,
  systems: readonly System[],
  made: { method: Base['method']; preconditioner: Base['preconditioner'] | Preconditioner },
  options: (k: number, workspace: Workspace) => RunOptions,
  take: (k: number, result: SolveResult) => void,
): Outcome[] {
  const workspace = engine.workspace(systems[0].A, made);
  try {
    return systems.map(({ A, b }, k) => {
      const result = engine.solve(A, b, {
        workspace,
        rtol: RTOL,
        maxiter: MAXITER,
        ...options(k, workspace),
      });
      take(k, result);
      return { iterations: result.iterations, converged: result.converged };
    });
  } finally {
    workspace.dispose();
  }
}

export function cold(base: Base): Way {
  return {
    name: baseName(base),
    family: 'cold',
    run: (engine, systems, take) =>
      inWorkspace(
        engine,
        systems,
        base,
        () => ({}),
        (k, { x }) => take(k, x),
      ),
  };
}

/** Each system starts from the last solution, or from the line through the last two. */
export function lastIterate(base: Base, extrapolated: boolean): Way {
  return {
    name: `${extrapolated ? 'extrapolated' : 'last'} iterate, ${baseName(base)}`,
    family: 'sharing',
    run: (engine, systems, take) => {
      const start = new Float64Array(systems[0].b.length);
      const last = new Float64Array(start.length);
      return inWorkspace(
        engine,
        systems,
        base,
        (k) => (k === 0 ? {} : { x0: start }),
        (k, { x }) => {
          take(k, x);
          for (let i = 0; i < x.length; i++) {
            start[i] = extrapolated && k > 0 ? 2 * x[i] - last[i] : x[i];
            last[i] = x[i];
          }
        },
      );
    },
  };
}

/** The papers' way: Krylov subspaces of the first systems; the others are projected on them, then refined. */
export function projection(base: Base, kind: ProjectionKind, dim: number, seeds: number): Way {
  const subspace = seeds === 1 ? `dim ${dim}` : `${seeds} seeds of ${dim}`;
  return {
    name: `projection ${kind}, ${subspace}, ${baseName(base)}`,
    family: 'sharing',
    run: (engine, systems, take) => {
      const seed = engine.seedSubspace(systems.slice(0, seeds), { dim, maxDim: dim * seeds });
      try {
        return inWorkspace(
          engine,
          systems,
          base,
          () => ({ seed, projection: kind }),
          (k, { x }) => take(k, x),
        );
      } finally {
        seed.dispose();
      }
    },
  };
}

/** The factors of the first matrix precondition all others. */
export function seedOperator(method: Base['method'], kind: 'lu' | 'ilu0' | 'multigrid'): Way {
  return {
    name: `seed's ${kind}, ${method}`,
    family: 'sharing',
    run: (engine, systems, take) => {
      const preconditioner = engine.preconditioner(systems[0].A, kind);
      try {
        return inWorkspace(
          engine,
          systems,
          { method, preconditioner },
          () => ({}),
          (k, { x }) => take(k, x),
        );
      } finally {
        preconditioner.dispose();
      }
    },
  };
}

export function recycled(preconditioner: Base['preconditioner'], dim: number): Way {
  const base: Base = { method: 'gcro-dr', preconditioner };
  return {
    name: `recycled, ${baseName(base)}`,
    family: 'sharing',
    run: (engine, systems, take) => {
      const recycle = engine.recycleSpace({ size: systems[0].b.length, dim });
      try {
        return inWorkspace(
          engine,
          systems,
          base,
          () => ({ recycle }),
          (k, { x }) => take(k, x),
        );
      } finally {
        recycle.dispose();
      }
    },
  };
}

/** Factors of each matrix; with the pattern's analysis kept, or made anew each time. */
export function direct(kept: boolean): Way {
  return {
    name: kept ? 'LU, analysis kept' : 'LU each time',
    family: 'direct',
    run: (engine, systems, take) => {
      let factors = engine.factorize(systems[0].A);
      try {
        return systems.map(({ A, b }, k) => {
          if (k > 0 && kept) factors.update(A);
          if (k > 0 && !kept) {
            factors.dispose();
            factors = engine.factorize(A);
          }
          const { x, residualNorm, rightHandSideNorm } = factors.solve(b);
          take(k, x);
          return { iterations: 0, converged: residualNorm <= RTOL * rightHandSideNorm };
        });
      } finally {
        factors.dispose();
      }
    },
  };
}

/** The package's own ways through a sequence; `auto` decides from system to system. */
export function shared(sharing: 'solutions' | 'seed-operator' | 'auto', base?: Base): Way {
  return {
    name: base === undefined ? sharing : `${sharing}, ${baseName(base)}`,
    family: 'sharing',
    run: async (engine, systems, take) => {
      const outcomes: Outcome[] = [];
      const options = { ...base, sharing, rtol: RTOL, maxiter: MAXITER };
      for await (const { index, x, iterations, converged } of engine.solveBatch(systems, options)) {
        take(index, x);
        outcomes.push({ iterations, converged });
      }
      return outcomes;
    },
  };
}

/** What `auto` did with a sequence, in the words of a table. */
export async function decisionsOfAuto(engine: Engine, systems: readonly System[]): Promise<string[]> {
  const ways = new Map<string, number>();
  let solutions = 0;
  let most = 0;
  let made = 0;
  let preconditioned = 0;
  let iterations = 0;
  for await (const result of engine.solveBatch(systems, { sharing: 'auto', rtol: RTOL, maxiter: MAXITER })) {
    const { method, preconditioner, shared } = result;
    const way =
      baseName({ method, preconditioner } as Base) + (result.precision === 'mixed' ? ', mixed' : '');
    ways.set(way, (ways.get(way) ?? 0) + 1);
    solutions += shared!.solutions;
    most = Math.max(most, shared!.solutions);
    iterations += result.iterations;
    if (preconditioner === 'none' || preconditioner === 'jacobi') continue;
    preconditioned++;
    if (shared!.operatorAge === 0) made++;
  }
  const mean = (sum: number) => (sum / systems.length).toFixed(1);
  return [
    String(systems.length),
    [...ways].map(([way, count]) => `${way}: ${count}`).join('; '),
    `${mean(solutions)}, at most ${most}`,
    preconditioned === 0 ? '-' : `${made} of ${preconditioned}`,
    mean(iterations),
  ];
}
