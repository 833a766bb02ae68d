import { Command, Option } from 'commander';
import { SeedspanError } from '../errors.ts';
import { readMatrixMarket, writeMatrixMarket } from '../formats/index.ts';
import { type CsrMatrix, createEngine, fromDense } from '../index.ts';
import { readParsed } from '../node/files.ts';
import { checkOutputFile, writeFileWhole } from '../node/index.ts';
import { SOLVE_DEFAULTS } from '../solver/defaults.ts';
import type { SolveProgress } from '../solver/types.ts';
import { integerFrom, notNegative } from './arguments.ts';
import { type Context, EXIT, paint, toJson } from './context.ts';
import { progressBar } from './progress.ts';

interface SolveCommandOptions {
  method: 'gmres' | 'bicgstab' | 'cg' | 'gcro-dr' | 'lu' | 'auto';
  preconditioner?: 'none' | 'jacobi' | 'ilu0' | 'multigrid' | 'sine-transform' | 'cosine-transform' | 'lu';
  restart?: number;
  rtol: number;
  atol: number;
  maxiter?: number;
  x0?: string;
  out?: string;
  force?: true;
  history?: true;
  json?: true;
}

async function readMatrix(path: string): Promise<CsrMatrix> {
  const file = await readParsed(path, readMatrixMarket);
  return file.kind === 'coordinate' ? file.matrix : fromDense({ data: file.data, shape: file.shape });
}

/** A vector: one column or one row. */
async function readVector(path: string, length: number): Promise<Float64Array> {
  const file = await readParsed(path, readMatrixMarket);
  const [rows, columns] = file.kind === 'coordinate' ? file.matrix.shape : file.shape;
  if (rows * columns !== length || (rows !== 1 && columns !== 1)) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${path}: expected a vector of ${length} entries, not ${rows} x ${columns}`,
      {
        path,
      },
    );
  }
  if (file.kind === 'array') return file.data;
  const vector = new Float64Array(length);
  const { indptr, indices, data } = file.matrix;
  for (let row = 0; row < rows; row++) {
    for (let k = indptr[row]; k < indptr[row + 1]; k++) vector[row * columns + indices[k]] = data[k];
  }
  return vector;
}

/** The way covered from the first residual to the tolerance, in powers of ten: 0 to 100. */
function percentOf(first: number, { residualNorm, tolerance }: SolveProgress): number {
  const percent = (100 * Math.log(first / residualNorm)) / Math.log(first / tolerance);
  return Number.isFinite(percent) ? Math.min(100, Math.max(0, percent)) : 0;
}

async function solve(
  matrixPath: string,
  rhsPath: string | undefined,
  options: SolveCommandOptions,
  context: Context,
) {
  const { force, out } = options;
  if (out !== undefined) await checkOutputFile(out, { force });
  const A = await readMatrix(matrixPath);
  const b =
    rhsPath === undefined
      ? A.multiply(new Float64Array(A.shape[1]).fill(1))
      : await readVector(rhsPath, A.shape[0]);
  const x0 = options.x0 === undefined ? undefined : await readVector(options.x0, A.shape[1]);

  const engine = await createEngine();
  const bar = progressBar(context);
  let first = Number.NaN;
  const started = performance.now();
  try {
    const result = await engine.solveAsync(A, b, {
      method: options.method,
      preconditioner: options.preconditioner,
      ...(restarts(options) ? { restart: options.restart } : {}),
      rtol: options.rtol,
      atol: options.atol,
      maxiter: options.maxiter,
      x0,
      history: options.history === true,
      signal: context.signal,
      onProgress: (progress) => {
        if (Number.isNaN(first)) first = progress.residualNorm;
        bar.update(options.method, percentOf(first, progress), 100);
      },
    });
    bar.stop();
    const time = performance.now() - started;
    const finite = result.x.every(Number.isFinite);
    const written = out !== undefined && finite ? out : undefined;
    if (written !== undefined) {
      const comment = `x of A x = b by seedspan: ${result.method}, ${result.status}, residual norm ${result.residualNorm}`;
      await writeFileWhole(written, writeMatrixMarket(result.x, { comment }), { force });
    }
    return { A, result, time, finite, written, build: engine.build };
  } finally {
    bar.stop();
    engine.dispose();
  }
}

function restarts({ method }: SolveCommandOptions): boolean {
  return method === 'gmres' || method === 'gcro-dr';
}

type Done = Awaited<ReturnType<typeof solve>>;

function asDocument(
  matrixPath: string,
  rhsPath: string | undefined,
  { rtol, atol }: SolveCommandOptions,
  { A, result, time, written, build }: Done,
) {
  const {
    status,
    converged,
    iterations,
    matvecs,
    residualNorm,
    rightHandSideNorm,
    method,
    storage,
    precision,
    history,
    preconditioner,
  } = result;
  return {
    matrix: { path: matrixPath, shape: A.shape, nnz: A.nnz },
    rightHandSide: rhsPath ?? 'A * ones',
    method,
    preconditioner,
    rtol,
    atol,
    status,
    converged,
    iterations,
    matvecs,
    residualNorm,
    rightHandSideNorm,
    storage,
    precision,
    build,
    time,
    out: written ?? null,
    history,
  };
}

function asText(
  matrixPath: string,
  rhsPath: string | undefined,
  { A, result, time, finite, written, build }: Done,
  { stdout }: Context,
): string {
  const { converged, status, residualNorm, rightHandSideNorm, iterations, matvecs } = result;
  const { method, preconditioner, storage, precision } = result;
  const relative = rightHandSideNorm === 0 ? 0 : residualNorm / rightHandSideNorm;
  const lines = [
    `matrix     ${matrixPath}: ${A.shape[0]} x ${A.shape[1]}, ${A.nnz} entries, stored as ${storage}`,
    `right side ${rhsPath ?? 'none given: b = A * ones, so x should be all ones'}`,
    `status     ${paint(stdout, converged ? 'green' : 'red', status)}`,
    `residual   ${residualNorm.toExponential(3)}, relative to b ${relative.toExponential(3)}`,
    `iterations ${iterations} of ${method}, preconditioner ${preconditioner}, ${precision} precision; ${matvecs} products with A`,
    `time       ${time.toFixed(1)} ms (kernel ${build})`,
  ];
  if (written !== undefined) lines.push(`written    ${written}`);
  if (!finite) lines.push('x is not finite and is not written');
  return `${lines.join('\n')}\n`;
}

export function solveCommand(context: Context): Command {
  return new Command('solve')
    .description('Solve A x = b for a sparse square matrix A. Exit code 1 where it does not converge.')
    .argument('<A.mtx>', 'the matrix, a MatrixMarket file')
    .argument(
      '[b.mtx]',
      'the right-hand side, one column; without it b = A * ones, so that x should be all ones',
    )
    .addOption(
      new Option('--method <name>', 'Krylov method, or lu, the direct solver; auto looks at the matrix')
        .choices(['gmres', 'bicgstab', 'cg', 'gcro-dr', 'lu', 'auto'])
        .default(SOLVE_DEFAULTS.method),
    )
    .addOption(
      new Option('--preconditioner <name>', 'preconditioner')
        .choices(['none', 'jacobi', 'ilu0', 'multigrid', 'sine-transform', 'cosine-transform', 'lu'])
        .default(undefined, `${SOLVE_DEFAULTS.preconditioner}; with auto, chosen too`),
    )
    .option(
      '--restart <n>',
      `iterations between restarts of gmres and gcro-dr (default: ${SOLVE_DEFAULTS.restart})`,
      integerFrom(1),
    )
    .option('--rtol <x>', 'stop when ||b - A x|| <= max(rtol ||b||, atol)', notNegative, 1e-10)
    .option('--atol <x>', 'see --rtol', notNegative, SOLVE_DEFAULTS.atol)
    .option(
      '--maxiter <n>',
      'most iterations (default: ten times the unknowns, from 1000 to 100000)',
      integerFrom(0),
    )
    .option('--x0 <file>', 'where to start, a MatrixMarket file (default: zero)')
    .option('--out <file>', 'write x to this MatrixMarket file')
    .option('--force', 'replace the file where it exists')
    .option('--history', 'with --json: the residual norm after each iteration')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  seedspan solve A.mtx b.mtx --method auto --out x.mtx
  seedspan solve A.mtx b.mtx --preconditioner ilu0 --out x.mtx
  seedspan solve A.mtx --method bicgstab --rtol 1e-12
  seedspan solve A.mtx b.mtx --json --history > run.json`,
    )
    .action(
      async (
        matrixPath: string,
        rhsPath: string | undefined,
        options: SolveCommandOptions,
        command: Command,
      ) => {
        if (options.restart !== undefined && !restarts(options)) {
          command.error(`error: --restart is an option of gmres and gcro-dr, not of ${options.method}`, {
            exitCode: EXIT.usage,
          });
        }
        const done = await solve(matrixPath, rhsPath, options, context);
        if (!done.result.converged) context.exitCode = EXIT.failed;
        const text = options.json
          ? toJson(asDocument(matrixPath, rhsPath, options, done))
          : asText(matrixPath, rhsPath, done, context);
        context.stdout.write(text);
      },
    );
}
