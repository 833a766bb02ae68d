import fc from 'fast-check';
import { SeedspanError } from '../../../src/errors.ts';
import type { CsrMatrix } from '../../../src/index.ts';
import type { Engine } from '../../../src/solver/engine.ts';
import { METHODS, PRECONDITIONERS } from '../../../src/solver/options.ts';
import type { SolveOptions } from '../../../src/solver/solve-options.ts';
import { fuzzEngines, spoil } from '../kernel/engines.ts';
import { matrixOf, NUMBERS, numbers, PATTERNS, type SystemCase } from '../kernel/systems.ts';
import type { Watched } from '../kernel/watched.ts';
import { ensure, type FuzzTarget, latin1, utf8 } from '../target.ts';

const WAYS = [
  'solve',
  'workspace',
  'preconditioner',
  'factorize',
  'batch',
  'seed',
  'recycle',
  'multiply',
] as const;

interface SolveCase {
  system: SystemCase;
  way: (typeof WAYS)[number];
  options: Record<string, unknown>;
  /** How the start is made; null: none is given. */
  x0: SystemCase['b'] | null;
  /** So many allocations succeed; null: all. */
  failAfter: number | null;
}

const sometimes = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });

/** Null but for one in twelve. */
const rarely = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: fc.constant(null), weight: 11 }, { arbitrary: value, weight: 1 });

/** Mostly small; where both are not, the direct solver cuts the graph. */
const side = (most: number) =>
  fc.oneof(
    { arbitrary: fc.integer({ min: 1, max: most }), weight: 7 },
    { arbitrary: fc.integer({ min: 8, max: 22 }), weight: 1 },
  );

const made = fc
  .record({
    system: fc.record({
      height: side(6),
      width: side(7),
      pattern: fc.constantFrom(...PATTERNS),
      numbers: fc.constantFrom('mild', 'dominant', 'dominant', ...NUMBERS),
      b: fc.constantFrom('mild', ...NUMBERS),
      seed: fc.nat(1000),
    }),
    way: fc.constantFrom('solve', 'solve', ...WAYS),
    options: fc.record({
      method: sometimes(fc.constantFrom(...METHODS, 'auto')),
      preconditioner: sometimes(fc.constantFrom(...PRECONDITIONERS)),
      restart: sometimes(fc.constantFrom(1, 2, 3, 5, 1000)),
      rtol: sometimes(fc.constantFrom(0, 1e-300, 1e-10, 0.5, 1e300)),
      atol: sometimes(fc.constantFrom(0, 5e-324, 1e-3, 1e308)),
      maxiter: fc.constantFrom(0, 1, 2, 3, 7, 60),
      storage: sometimes(fc.constantFrom('auto', 'csr', 'dia')),
      side: fc.constantFrom(undefined, undefined, undefined, 'right', 'left'),
      precision: fc.constantFrom(undefined, undefined, 'auto', 'double', 'double', 'mixed'),
      history: sometimes(fc.boolean()),
      // Of a batch, a factorisation, a seed.
      lanes: sometimes(fc.constantFrom(1, 2, 4, 8, 'auto')),
      sharing: sometimes(fc.constantFrom('none', 'solutions', 'seed-operator', 'auto')),
      ordering: sometimes(fc.constantFrom('auto', 'amd', 'nested-dissection', 'natural')),
      kind: sometimes(fc.constantFrom('auto', 'lu', 'ldl')),
      pivotThreshold: sometimes(fc.constantFrom(1e-300, 0.1, 1)),
      dim: fc.constantFrom(1, 2, 3, 10, 50),
      projection: sometimes(fc.constantFrom('galerkin', 'minimal-residual')),
      seedPrecision: sometimes(fc.constantFrom('double', 'single')),
      transpose: sometimes(fc.boolean()),
    }),
    x0: fc.option(fc.constantFrom(...NUMBERS), { freq: 2 }),
    failAfter: rarely(fc.nat(20)),
  })
  .map((one) => utf8(JSON.stringify(one)));

/** Only those of `names`. */
function pick(options: Record<string, unknown>, ...names: string[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => names.includes(name) && value !== undefined),
  );
}

interface Outcome {
  status: string;
  /** All numbers that came out. */
  x: number[];
}

const SOLVE = [
  'method',
  'preconditioner',
  'restart',
  'rtol',
  'atol',
  'maxiter',
  'storage',
  'side',
  'precision',
  'history',
];
const STATUSES = ['converged', 'max-iterations', 'breakdown', 'stagnated', 'non-finite'];

/** The systems of a case: one, or some of one pattern. */
async function solveCase(engine: Engine, { system, way, options, x0 }: SolveCase): Promise<Outcome[]> {
  const A = matrixOf(system);
  const n = A.shape[0];
  const b = numbers(system.b, n, system.seed, 2);
  const start = x0 === null ? {} : { x0: numbers(x0, n, system.seed, 3) };
  const chosen = pick(options, ...SOLVE) as SolveOptions;
  const done = (result: ReturnType<Engine['solve']>, of = A, right = b): Outcome => {
    checkResult(of, right, result, chosen);
    return {
      status: result.status,
      x: [...result.x, result.iterations, result.matvecs, ...(result.history ?? [])],
    };
  };
  switch (way) {
    case 'solve':
      return [done(engine.solve(A, b, { ...chosen, ...start }))];
    case 'workspace': {
      using workspace = engine.workspace(
        A,
        pick(options, 'method', 'preconditioner', 'restart', 'storage', 'side'),
      );
      const rest = pick(options, 'rtol', 'atol', 'maxiter', 'history');
      const first = done(engine.solve(A, b, { workspace, ...rest, ...start }));
      const other = matrixOf(system, 4);
      return [first, done(engine.solve(other, b, { workspace, ...rest }), other)];
    }
    case 'preconditioner': {
      const kind = options.preconditioner === 'none' ? 'ilu0' : (options.preconditioner ?? 'ilu0');
      using preconditioner = engine.preconditioner(A, kind as 'ilu0');
      const first = done(engine.solve(A, b, { ...chosen, preconditioner, ...start }));
      const other = matrixOf(system, 4);
      preconditioner.update(other);
      return [first, done(engine.solve(other, b, { ...chosen, preconditioner }), other)];
    }
    case 'factorize': {
      using factors = engine.factorize(A, pick(options, 'ordering', 'kind', 'pivotThreshold'));
      const { status, x } = factors.solve(b, pick(options, 'transpose', 'rtol', 'atol'));
      return [{ status, x: [...x, factors.conditionEstimate()] }];
    }
    case 'batch': {
      const systems = [1, 4, 5, 6, 7].map((stream) => ({ A: matrixOf(system, stream), b, ...start }));
      const outcomes: Outcome[] = [];
      const given = pick(options, ...SOLVE.filter((name) => name !== 'history'), 'lanes', 'sharing');
      for await (const result of engine.solveBatch(systems, given)) {
        outcomes.push({ status: result.status, x: [...result.x] });
        ensure(STATUSES.includes(result.status), `the status ${result.status}`);
      }
      return outcomes;
    }
    case 'seed': {
      const { dim, seedPrecision: precision } = options as { dim: number; seedPrecision?: 'single' };
      const others = [4, 5].map((stream) => ({ A: matrixOf(system, stream), b }));
      using seed = engine.seedSubspace(others, { dim, precision, maxDim: 2 * dim });
      const first = engine.solve(A, b, { ...chosen, ...pick(options, 'projection'), seed, ...start });
      const outcome = done(first);
      if (first.x.every(Number.isFinite)) seed.expandWith([first.x]);
      return [outcome, done(engine.solve(A, b, { ...chosen, seed }))];
    }
    case 'recycle': {
      using recycle = engine.recycleSpace({ size: n, dim: options.dim as number });
      const given = { ...chosen, method: 'gcro-dr' as const, recycle };
      const other = matrixOf(system, 4);
      const first = done(engine.solve(A, b, { ...given, ...start }));
      return [first, done(engine.solve(other, b, given), other), done(engine.solve(A, b, given))];
    }
    default:
      return [{ status: 'converged', x: [...engine.multiply(A, b, pick(options, 'transpose'))] }];
  }
}

/** What a result says of itself is so: the status is known, and `converged` is by the true residual. */
function checkResult(
  A: CsrMatrix,
  b: Float64Array,
  result: ReturnType<Engine['solve']>,
  options: SolveOptions,
): void {
  const { x, status, converged, residualNorm } = result;
  ensure(STATUSES.includes(status), `the status ${status}`);
  ensure(converged === (status === 'converged'), 'converged and status differ');
  if (!converged) return;
  ensure(x.every(Number.isFinite), 'a solution that is not finite converged');
  const product = A.multiply(x);
  // Of sizes that can be squared; the others are the kernel's to scale.
  const residual = Math.hypot(...b.map((value, i) => value - product[i]));
  const norm = Math.hypot(...b);
  // What rounding may have in it, of all that is summed.
  const size = Math.max(...A.data.map(Math.abs), 0) * Math.max(...x.map(Math.abs), 0) * b.length + norm;
  const allowed = Math.max((options.rtol ?? 1e-8) * norm, options.atol ?? 0);
  if (!Number.isFinite(size)) return;
  ensure(
    residual <= allowed * (1 + 1e-6) + 1e-12 * size,
    `it converged with a residual of ${residual}, said ${residualNorm}, allowed ${allowed}`,
  );
}

type Outcomes = Outcome[] | SeedspanError;

async function runOn(engine: Engine, one: SolveCase): Promise<Outcomes> {
  const outcomes = await solveCase(engine, one).catch((error: unknown) => {
    if (error instanceof SeedspanError) return error;
    throw error;
  });
  ensure(engine.bytesInUse === 0, `${engine.bytesInUse} bytes of the kernel are left in use`);
  return outcomes;
}

async function watched({ engine, watch }: Watched, one: SolveCase): Promise<Outcomes> {
  watch.failAfter = one.failAfter ?? Number.POSITIVE_INFINITY;
  const outcomes = await runOn(engine, one);
  watch.failAfter = Number.POSITIVE_INFINITY;
  return outcomes;
}

/** Bit for bit. */
function ensureSame(first: Outcomes, second: Outcomes): void {
  if (first instanceof SeedspanError || second instanceof SeedspanError) {
    const [one, other] = [first, second].map((end) =>
      end instanceof SeedspanError ? end.message : 'a result',
    );
    ensure(one === other, `watched: ${one}; published: ${other}`);
    return;
  }
  ensure(first.length === second.length, 'different numbers of results');
  first.forEach(({ status, x }, k) => {
    ensure(status === second[k].status, `watched ${status}, published ${second[k].status}`);
    const at = x.findIndex((value, i) => !Object.is(value, second[k].x[i]));
    ensure(at < 0, `result ${k}, number ${at}: watched ${x[at]}, published ${second[k].x[at]}`);
  });
}

/**
 * Solves of all kinds, on both watched builds: no access out of bounds, an end that is known and true, nothing left
 * behind. And the SIMD build's digits are those of the published one, whose blocks lie elsewhere and are used again.
 */
export const kernelSolve: FuzzTarget = {
  name: 'kernel-solve',
  share: 0.1,
  seeds: () => [],
  generate: made,
  damage: false,
  memory: () => 2 ** 26,
  seconds: 4,
  async prepare() {
    await fuzzEngines();
  },
  async run(input) {
    const one = JSON.parse(latin1(input)) as SolveCase;
    const { scalar, simd, published } = await fuzzEngines();
    try {
      const first = await watched(scalar, one);
      const second = await watched(simd, one);
      if (one.failAfter === null) ensureSame(second, await runOn(published, one));
      if (first instanceof SeedspanError) throw first;
    } catch (error) {
      if (!(error instanceof SeedspanError)) spoil();
      throw error;
    }
  },
};
