import fc from 'fast-check';
import {
  embedPictures,
  gaussianScore,
  initialLogDensity,
  parseSde,
  pointsDensity,
  precomputeField,
  precomputeScores,
  sample,
  sampleField,
  samplingTimes,
  totalVariation,
  varianceExploding,
} from '../../../src/diffusion/index.ts';
import { SeedspanError } from '../../../src/errors.ts';
import {
  readMatrixMarket,
  readNpy,
  readPointsCsv,
  readSafetensors,
  writeMatrixMarket,
  writeNpy,
  writeSafetensors,
} from '../../../src/formats/index.ts';
import {
  convectionDiffusion2d,
  createEngine,
  createWorkerPool,
  csc,
  csr,
  fromDense,
  fromMathjs,
  fromTriplets,
  poisson2d,
  randomDiagonallyDominant,
  solve,
} from '../../../src/index.ts';
import { fuzzEngines, spoil } from '../kernel/engines.ts';
import { ensure, type FuzzTarget, latin1, utf8 } from '../target.ts';
import { NASTY, VALUES } from '../values.ts';

/** With the arguments of a list. */
const spread =
  (call: (...args: never[]) => unknown) =>
  (args: never[]): unknown =>
    call(...args);

interface Call {
  /** Arguments that are accepted. */
  good(): unknown[];
  /** Where a value may be put: `2.rtol` is the option rtol of the third argument. */
  places: string[];
  run(args: never[]): unknown;
}

const under = (argument: number, ...names: string[]) => [
  String(argument),
  ...[...names, 'unknown', '__proto__', 'constructor', 'toString'].map((name) => `${argument}.${name}`),
];

const A = poisson2d(2, 2);
const b = [1, 2, 3, 4];
const picture = () => ({ data: Float64Array.of(0, 0.2, 0.9, 0.5), shape: [1, 1, 2, 2] });
const grid = () => ({ data: Float64Array.of(1, 2, 3, 4), shape: [2, 2] });
const pair = () => ({ data: Float64Array.of(0.5, 1, -0.5, 0), shape: [2, 2] });
const npyBytes = writeNpy({ data: Float64Array.of(1, 2), shape: [2] });
const engine = async () => (await fuzzEngines()).scalar.engine;
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
  'x0',
  'out',
  'workspace',
  'seed',
  'projection',
  'recycle',
  'signal',
  'onProgress',
];
const MATRIX = ['shape', 'indptr', 'indices', 'data', 'row', 'col', 'triplets'];

/** Options whose values, where they are good ones, are the work itself: they stay small. */
const CALLS: Record<string, Call> = {
  createEngine: {
    good: () => [{}],
    places: under(0, 'build', 'memoryLimit'),
    run: async (args) => (await createEngine(...(args as []))).dispose(),
  },
  // Never with good options: it would start threads.
  createWorkerPool: {
    good: () => [{ workers: 0 }],
    places: under(0, 'url'),
    run: async (args) => {
      if ((args[0] as { workers?: unknown } | undefined)?.workers === 0)
        await createWorkerPool(...(args as []));
    },
  },
  csr: {
    good: () => [{ shape: [2, 2], indptr: [0, 1, 2], indices: [0, 1], data: [1, 2] }],
    places: under(0, ...MATRIX),
    run: spread(csr),
  },
  csc: {
    good: () => [{ shape: [2, 2], indptr: [0, 1, 2], indices: [0, 1], data: [1, 2] }],
    places: under(0, ...MATRIX),
    run: spread(csc),
  },
  fromTriplets: {
    good: () => [{ shape: [2, 2], row: [0, 1], col: [0, 1], data: [1, 2] }],
    places: under(0, ...MATRIX),
    run: spread(fromTriplets),
  },
  'fromTriplets of triplets': {
    good: () => [{ shape: [2, 2], triplets: [[0, 0, 1]] }],
    places: [...under(0, ...MATRIX), '0.triplets.0'],
    run: spread(fromTriplets),
  },
  fromDense: {
    good: () => [{ shape: [2, 2], data: [1, 0, 0, 2] }],
    places: under(0, ...MATRIX),
    run: spread(fromDense),
  },
  fromMathjs: {
    good: () => [{}],
    places: under(0, 'type', '_size', '_ptr', '_index', '_values', 'isSparseMatrix', 'toJSON'),
    run: spread(fromMathjs),
  },
  poisson2d: {
    good: () => [2, 2],
    places: ['0', '1'],
    run: (args) =>
      (args as unknown[]).every((n) => !(typeof n === 'number' && n > 1e4)) &&
      poisson2d(...(args as unknown as [number, number])),
  },
  convectionDiffusion2d: {
    good: () => [{ nx: 2, ny: 2 }],
    places: under(0, 'wind', 'diffusion', 'advection'),
    run: spread(convectionDiffusion2d),
  },
  randomDiagonallyDominant: {
    good: () => [{ n: 4, perRow: 2, seed: 1 }],
    places: under(0, 'seed'),
    run: spread(randomDiagonallyDominant),
  },
  setData: {
    good: () => [[1, 2, 3, 4]],
    places: ['0'],
    run: (args) => fromDense({ shape: [2, 2], data: [1, 1, 1, 1] }).setData(...(args as unknown as [never])),
  },
  solve: {
    good: () => [A, b, {}],
    places: ['0', '1', ...under(2, ...SOLVE, 'build', 'engine')],
    run: spread(solve),
  },
  'engine.solve': {
    good: () => [A, b, { maxiter: 20 }],
    places: ['0', '1', ...under(2, ...SOLVE)],
    run: async (args) => (await engine()).solve(...(args as unknown as [never, never, never])),
  },
  'engine.solveAsync': {
    good: () => [A, b, { maxiter: 20 }],
    places: ['0', '1', ...under(2, ...SOLVE)],
    run: async (args) => (await engine()).solveAsync(...(args as unknown as [never, never, never])),
  },
  'engine.workspace': {
    good: () => [A, {}],
    places: ['0', ...under(1, ...SOLVE, 'size')],
    run: async (args) => (await engine()).workspace(...(args as unknown as [never, never])).dispose(),
  },
  'engine.preconditioner': {
    good: () => [A, 'jacobi'],
    places: ['0', '1'],
    run: async (args) => (await engine()).preconditioner(...(args as unknown as [never, never])).dispose(),
  },
  'engine.factorize': {
    good: () => [A, {}],
    places: ['0', ...under(1, 'ordering', 'kind', 'pivotThreshold')],
    run: async (args) => (await engine()).factorize(...(args as unknown as [never, never])).dispose(),
  },
  'factorization.solve': {
    good: () => [b, {}],
    places: ['0', ...under(1, 'transpose', 'out', 'refine', 'rtol', 'atol')],
    run: async (args) => {
      using factors = (await engine()).factorize(A);
      factors.solve(...(args as unknown as [never, never]));
    },
  },
  'engine.recycleSpace': {
    good: () => [{ size: 4 }],
    places: under(0, 'dim'),
    run: async (args) => (await engine()).recycleSpace(...(args as unknown as [never])).dispose(),
  },
  'engine.seedSubspace': {
    good: () => [A, b, { dim: 2 }],
    places: ['0', '1', ...under(2, 'dim', 'rtol', 'precision', 'storage', 'size')],
    run: async (args) =>
      (await engine()).seedSubspace(...(args as unknown as [never, never, never])).dispose(),
  },
  'engine.seedSubspace of several': {
    good: () => [[{ A, b }], { dim: 2 }],
    places: ['0', '0.0', '0.0.A', '0.0.b', '0.0.x', '0.0.unknown', '1'],
    run: async (args) => (await engine()).seedSubspace(...(args as unknown as [never, never])).dispose(),
  },
  'engine.multiply': {
    good: () => [A, b, {}],
    places: ['0', '1', ...under(2, 'transpose', 'out')],
    run: async (args) => (await engine()).multiply(...(args as unknown as [never, never, never])),
  },
  'engine.solveBatch': {
    good: () => [[{ A, b }], { maxiter: 20 }],
    places: [
      '0',
      '0.0',
      '0.0.A',
      '0.0.b',
      '0.0.x0',
      '0.0.unknown',
      ...under(1, ...SOLVE, 'lanes', 'sharing'),
    ],
    run: async (args) => {
      for await (const _ of (await engine()).solveBatch(...(args as unknown as [never, never])));
    },
  },
  precomputeScores: {
    good: () => [{ images: picture(), steps: 2, engine: undefined }],
    places: [
      ...under(
        0,
        'images',
        'initialLogDensity',
        'density',
        'seed',
        'scheme',
        'sde',
        'T',
        'spacing',
        'rtol',
        'fixedPoint',
        'times',
        'linearization',
        'timeStepping',
        'boundary',
        'advection',
        'method',
        'preconditioner',
        'start',
        'sharing',
        'seedImage',
        'projection',
        'signal',
        'onProgress',
      ),
      '0.images.data',
      '0.images.shape',
      '0.fixedPoint.rtol',
      '0.fixedPoint.inner',
      '0.sde.diffusion',
      '0.sde.drift',
      '0.sde.name',
      '0.projection.dim',
      '0.projection.seeds',
      '0.boundary.values',
      '0.steps',
    ],
    run: async ([options]) => precomputeScores(await withEngine(options)),
  },
  initialLogDensity: {
    good: () => [picture(), 'pixel-positions', {}],
    places: ['0', '0.data', '0.shape', '1', ...under(2, 'seed', 'firstStream', 'signal')],
    run: spread(initialLogDensity),
  },
  embedPictures: {
    good: () => [picture(), { data: new Float64Array(8), shape: [1, 1, 2, 2, 2] }, {}],
    places: ['0', '0.data', '0.shape', '1', '1.data', '1.shape', ...under(2, 'variant', 'gamma', 'clip')],
    run: spread(embedPictures),
  },
  sample: {
    good: () => [
      'heun',
      (x: Float64Array) => x.map((v) => -v),
      pair(),
      [1, 0.5, 0.1],
      { sde: varianceExploding(5) },
    ],
    places: [
      '0',
      '1',
      '2',
      '2.data',
      '2.shape',
      '3',
      '3.1',
      ...under(
        4,
        'sde',
        'seed',
        'firstSample',
        'callback',
        'signal',
        'eta',
        'snr',
        'rtol',
        'atol',
        'correctorSteps',
      ),
      '4.sde.transition',
    ],
    run: spread(sample),
  },
  samplingTimes: {
    good: () => [{ steps: 3, from: 1, to: 0.1 }],
    places: under(0, 'from', 'to', 'spacing'),
    run: spread(samplingTimes),
  },
  parseSde: { good: () => ['ve:5'], places: ['0'], run: spread(parseSde) },
  gaussianScore: {
    good: () => [0.5, 0.5, 0.5, { mean: [0, 0], variance: 1, sde: varianceExploding(5) }],
    places: ['0', '1', '2', ...under(3, 'mean', 'variance', 'sde')],
    run: spread(gaussianScore),
  },
  pointsDensity: {
    good: () => [pair(), { size: [2, 2] }],
    places: ['0', '0.data', '0.shape', ...under(1, 'bandwidth', 'margin')],
    run: spread(pointsDensity),
  },
  totalVariation: {
    good: () => [pair(), pair(), { height: 2, width: 2, spacing: [1, 1], origin: [0, 0] }],
    places: ['0', '1', '0.data', '1.shape', ...under(2, 'spacing', 'origin')],
    run: spread(totalVariation),
  },
  precomputeField: {
    good: () => [grid(), { levels: 2 }],
    places: [
      '0',
      '0.data',
      '0.shape',
      ...under(1, 'variance', 'firstVariance', 'spacing', 'origin', 'signal', 'engine'),
    ],
    run: async ([density, settings]) => precomputeField(density, await withEngine(settings)),
  },
  sampleField: {
    good: () => [undefined, { count: 3, steps: 2 }],
    places: under(1, 'sampler', 'seed', 'firstPoint', 'from', 'to', 'eta', 'snr', 'callback', 'signal'),
    run: async ([, settings]) =>
      sampleField(
        await precomputeField(grid(), { levels: 2, engine: await engine() }),
        await withEngine(settings),
      ),
  },
  readNpy: {
    good: () => [npyBytes, {}],
    places: ['0', ...under(1, 'maxElements')],
    run: spread(readNpy),
  },
  readMatrixMarket: {
    good: () => ['%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 1\n', {}],
    places: ['0', ...under(1, 'maxEntries', 'maxSize')],
    run: spread(readMatrixMarket),
  },
  readSafetensors: {
    good: () => [writeSafetensors(new Map()), {}],
    places: ['0', ...under(1, 'maxHeaderBytes', 'maxTensors')],
    run: spread(readSafetensors),
  },
  readPointsCsv: {
    good: () => [utf8('1,2\n'), {}],
    places: ['0', ...under(1, 'maxPoints')],
    run: spread(readPointsCsv),
  },
  writeNpy: {
    good: () => [pair()],
    places: under(0, 'data', 'shape', 'dtype'),
    run: spread(writeNpy),
  },
  writeMatrixMarket: {
    good: () => [pair(), {}],
    places: [...under(0, 'data', 'shape'), ...under(1, 'comment', 'symmetry', 'field')],
    run: spread(writeMatrixMarket),
  },
  writeSafetensors: {
    good: () => [new Map([['a', pair()]]), { note: 'x' }],
    places: ['0', ...under(1, 'note')],
    run: spread(writeSafetensors),
  },
  'writeSafetensors of a tensor': {
    good: () => [pair(), 'a'],
    places: [...under(0, 'data', 'shape'), '1'],
    run: (args) => writeSafetensors(new Map([[args[1], args[0]]])),
  },
};

async function withEngine(options: unknown): Promise<never> {
  if (options !== null && typeof options === 'object')
    (options as { engine?: unknown }).engine = await engine();
  return options as never;
}

/** Puts a value at a place, as an own property, whatever its name. */
function put(args: unknown[], place: string, value: unknown): void {
  const names = place.split('.');
  const last = names.pop()!;
  let at: unknown = args;
  for (const name of names) {
    // Elements of typed arrays are numbers.
    if (at === null || typeof at !== 'object' || ArrayBuffer.isView(at)) return;
    if ((at as Record<string, unknown>)[name] == null) putOwn(at, name, {});
    at = (at as Record<string, unknown>)[name];
  }
  if (at === null || typeof at !== 'object' || at === A || ArrayBuffer.isView(at)) return;
  putOwn(at, last, value);
}

function putOwn(at: object, name: string, value: unknown): void {
  Object.defineProperty(at, name, { value, writable: true, enumerable: true, configurable: true });
}

interface OptionsCase {
  call: string;
  /** A place, and a name of {@link VALUES}. */
  edits: [place: string, value: string][];
}

const edited = (call: string, ...edits: OptionsCase['edits']) => utf8(JSON.stringify({ call, edits }));

/** Found here, or nearly. */
const nasty = () => ({
  'a shape of length 2^40': edited('csr', ['0.shape', 'length 2^40']),
  'symbols for rows': edited('fromTriplets', ['0.row', 'symbols']),
  'bigints for columns': edited('fromTriplets', ['0.col', 'bigints']),
  'a shape of 2^62 entries': edited('fromTriplets', ['0.shape', 'shape of 2^62']),
  'no options of a random matrix': edited('randomDiagonallyDominant', ['0', 'undefined']),
  'no options of an embedding': edited('embedPictures', ['2', 'undefined']),
  'no sampler': edited('sample', ['0', 'undefined']),
  'times of objects': edited('sample', ['3', 'nulls']),
  'a long shape': edited('sample', ['2.shape', 'a long list']),
  'times 0': edited('precomputeScores', ['0.times', 'zero']),
  'a seed that is a long function': edited('precomputeScores', ['0.seed', 'a long function']),
  'a density with a symbol for the name of its class': edited('precomputeScores', [
    '0.images',
    'constructor with a symbol for name',
  ]),
  'a long bigint': edited('engine.solve', ['2.rtol', 'a long bigint']),
  'a signal that is none': edited('initialLogDensity', ['2.signal', 'object']),
  'a stream that is a symbol': edited('initialLogDensity', ['2.firstStream', 'symbol']),
  'a variance of objects': edited('precomputeField', ['1.variance', 'nulls']),
  'an infinite variance': edited('precomputeField', ['1.variance', 'Infinity']),
  'a time that is a bigint': edited('gaussianScore', ['2', 'bigint']),
  'no Gaussian': edited('gaussianScore', ['3', 'undefined']),
  'no grid': edited('totalVariation', ['2', 'null']),
  'a spacing of objects': edited('totalVariation', ['2.spacing', 'nulls']),
});

const made = fc
  .constantFrom(...Object.keys(CALLS))
  .chain((call) =>
    fc.record({
      call: fc.constant(call),
      edits: fc.array(fc.tuple(fc.constantFrom(...CALLS[call].places), fc.constantFrom(...NASTY)), {
        maxLength: 3,
      }),
    }),
  )
  .map((one) => utf8(JSON.stringify(one)));

/** Arguments of all kinds in the place of good ones. */
export const options: FuzzTarget = {
  name: 'options',
  seeds: () => [],
  nasty,
  generate: made,
  damage: false,
  memory: () => 2 ** 27,
  asksForMemory: true,
  seconds: 4,
  async prepare() {
    await fuzzEngines();
  },
  async run(input) {
    const { call, edits } = JSON.parse(latin1(input)) as OptionsCase;
    const { good, run } = CALLS[call];
    const args = good();
    // Their `values` is a function, and what functions that are given throw comes through.
    const isFunction = ([place, value]: [string, string]) =>
      place === '0.boundary' && /^(map|set)$/.test(value);
    for (const [place, value] of edits.filter((edit) => !isFunction(edit))) put(args, place, VALUES[value]());
    const { bytesInUse } = await engine();
    let thrown: unknown;
    try {
      await run(args as never[]);
    } catch (error) {
      thrown = error;
    }
    const left = (await engine()).bytesInUse;
    if (left !== bytesInUse || (thrown !== undefined && !(thrown instanceof SeedspanError))) spoil();
    // A signal that is aborted throws its own reason.
    if (thrown instanceof DOMException && thrown.name === 'AbortError') return;
    if (thrown !== undefined) throw thrown;
    ensure(left === bytesInUse, `${left - bytesInUse} bytes of the kernel are left in use`);
    ensure(({} as { polluted?: unknown }).polluted === undefined, 'the prototype of all objects was changed');
  },
};
