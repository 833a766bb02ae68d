import { SOLVE_DEFAULTS } from '../src/solver/defaults.ts';
import type { Engine } from '../src/solver/engine.ts';
import { METHODS, PRECONDITIONERS } from '../src/solver/options.ts';
import type { Problem } from './problems.ts';
import { digits, type Table } from './results.ts';

/**
 * Vectors that the textbook's method needs, x and b included: BiCGSTAB r, shadow, p, v, t; CG r, p, A p; GMRES its
 * basis. With a preconditioner one more (BiCGSTAB two: both directions are needed again).
 */
const VECTORS: Readonly<Record<string, readonly [plain: number, preconditioned: number]>> = {
  bicgstab: [7, 9],
  cg: [5, 6],
  gmres: [2 + SOLVE_DEFAULTS.restart + 1, 2 + SOLVE_DEFAULTS.restart + 2],
};

/**
 * Bytes that a workspace holds, over those of the matrix, the factors and the vectors of the method in double
 * precision.
 */
export function memoryTable(engine: Engine, { name, A }: Problem): Table {
  const n = A.shape[0];
  const rows: string[][] = [];
  for (const method of METHODS) {
    for (const preconditioner of PRECONDITIONERS) {
      for (const storage of ['dia', 'csr'] as const) {
        const vectors = VECTORS[method]?.[preconditioner === 'none' ? 0 : 1];
        const factors = { none: 0, jacobi: 8 * n, ilu0: 8 * (A.nnz + n) }[preconditioner as 'none'];
        if (vectors === undefined || factors === undefined) continue;
        const matrix = storage === 'csr' ? 12 * A.nnz + 4 * (n + 1) : 5 * 8 * n;
        const needed = matrix + factors + 8 * n * vectors;
        const mixed = method === 'bicgstab' && storage === 'dia' && preconditioner !== 'ilu0';
        for (const precision of mixed ? (['double', 'mixed'] as const) : (['double'] as const)) {
          const workspace = engine.workspace(A, { method, preconditioner, storage, precision });
          rows.push([
            [method, preconditioner, storage, ...(precision === 'mixed' ? [precision] : [])].join(', '),
            digits(workspace.bytes / 1024),
            digits(needed / 1024),
            digits(workspace.bytes / needed),
          ]);
          workspace.dispose();
        }
      }
    }
  }
  return {
    title: `Memory of a workspace, ${name}`,
    head: ['workspace', 'KiB', 'matrix + factors + vectors', 'ratio'],
    rows,
  };
}
