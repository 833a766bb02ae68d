import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { precomputeScores } from '../../src/diffusion/precompute.ts';
import { variancePreserving } from '../../src/diffusion/sde.ts';
import type { NdArray, PrecomputeOptions } from '../../src/diffusion/types.ts';
import { type ErrorCode, SeedspanError } from '../../src/errors.ts';
import { createEngine } from '../../src/solver/create-engine.ts';
import type { Engine } from '../../src/solver/engine.ts';
import { batch, bumps } from './fields.ts';

const given = batch([[bumps(4, 4, 0)], [bumps(4, 4, 1)]], 4, 4);
const oblong = batch([[bumps(4, 5, 0)]], 4, 5);
const picture: NdArray = { data: new Float64Array(32).fill(0.5), shape: [2, 1, 4, 4] };
const spoilt = (data: Float64Array, at: number, value: number) => data.map((x, k) => (k === at ? value : x));

/** What is wrong, the options (with a valid input where they name none), the code, and what the message says. */
type Case = [what: string, options: object, code: ErrorCode, message: RegExp];

const COUNTS = [0, -1, 1.5, Number.NaN, Infinity, 2 ** 31];
const TOLERANCES = [-1e-9, Number.NaN, Infinity];

const CASES: Case[] = [
  ['an unknown option', { tolerance: 1 }, 'UNKNOWN_OPTION', /"tolerance".*known: images/],
  ['an unknown option, given as undefined', { step: undefined }, 'UNKNOWN_OPTION', /"step"/],
  ['an unknown option of fixedPoint', { fixedPoint: { tol: 1 } }, 'UNKNOWN_OPTION', /fixedPoint.*"tol"/],
  ['an unknown option of projection', { projection: { size: 1 } }, 'UNKNOWN_OPTION', /projection.*"size"/],
  ['an unknown option of boundary', { boundary: { value: 1 } }, 'UNKNOWN_OPTION', /boundary.*"value"/],
  ['fixedPoint null', { fixedPoint: null }, 'INVALID_TYPE', /fixedPoint.*null/],
  ['fixedPoint a number', { fixedPoint: 1e-8 }, 'INVALID_TYPE', /fixedPoint/],
  ['projection text', { projection: 'galerkin' }, 'INVALID_TYPE', /projection/],

  [
    'both inputs',
    { images: picture, initialLogDensity: given },
    'INVALID_VALUE',
    /either images or initialLogDensity/,
  ],
  ['neither input', { initialLogDensity: undefined }, 'INVALID_VALUE', /either images or initialLogDensity/],
  ['density of a density', { density: 'pixel-pairs' }, 'INVALID_VALUE', /density is for images/],
  ['input null', { initialLogDensity: null }, 'INVALID_TYPE', /must be .*shape/],
  ['input an array', { initialLogDensity: [1, 2] }, 'INVALID_TYPE', /initialLogDensity must be/],
  [
    'input without shape',
    { initialLogDensity: { data: given.data } },
    'INVALID_TYPE',
    /initialLogDensity must be/,
  ],
  [
    'data a plain array',
    { initialLogDensity: { data: [1, 2, 3, 4], shape: [1, 1, 2, 2] } },
    'INVALID_TYPE',
    /data must be/,
  ],
  [
    'log density in float32',
    { initialLogDensity: { data: Float32Array.from(given.data), shape: given.shape } },
    'INVALID_TYPE',
    /initialLogDensity.data must be a Float64Array/,
  ],
  [
    'three axes',
    { initialLogDensity: { data: given.data, shape: [2, 4, 4] } },
    'SHAPE_MISMATCH',
    /\[images, channels, H, W\]/,
  ],
  [
    'an axis of 0',
    { initialLogDensity: { data: new Float64Array(0), shape: [0, 1, 4, 4] } },
    'SHAPE_MISMATCH',
    /0, 1, 4, 4/,
  ],
  [
    'an axis of 1.5',
    { initialLogDensity: { data: given.data, shape: [2, 1, 1.5, 4] } },
    'SHAPE_MISMATCH',
    /1\.5/,
  ],
  [
    'a shape that does not fit',
    { initialLogDensity: { data: given.data, shape: [2, 1, 4, 5] } },
    'SHAPE_MISMATCH',
    /40.*32/,
  ],
  [
    'grids of 1 x 16',
    { initialLogDensity: { data: given.data, shape: [2, 1, 1, 16] } },
    'INVALID_VALUE',
    /1 x 16.*2 x 2/,
  ],
  [
    'grids of 16 x 1',
    { initialLogDensity: { data: given.data, shape: [2, 1, 16, 1] } },
    'INVALID_VALUE',
    /16 x 1/,
  ],
  [
    'NaN',
    { initialLogDensity: { data: spoilt(given.data, 5, Number.NaN), shape: given.shape } },
    'INVALID_VALUE',
    /data\[5\] is NaN/,
  ],
  [
    'infinity',
    { initialLogDensity: { data: spoilt(given.data, 31, -Infinity), shape: given.shape } },
    'INVALID_VALUE',
    /data\[31\] is -Inf/,
  ],
  [
    'NaN in a picture',
    { images: { data: spoilt(picture.data, 20, Number.NaN), shape: picture.shape } },
    'INVALID_VALUE',
    /images.data\[20\]/,
  ],
  [
    'a picture over 1',
    { images: { data: spoilt(picture.data, 20, 255), shape: picture.shape } },
    'INVALID_VALUE',
    /images.*20 is 255/,
  ],
  [
    'a picture under 0',
    { images: { data: spoilt(picture.data, 0, -0.1), shape: picture.shape } },
    'INVALID_VALUE',
    /images.*0 is -0.1/,
  ],
  ['na2024 on an oblong', { scheme: 'na2024', initialLogDensity: oblong }, 'INVALID_VALUE', /square.*4 x 5/],
  [
    'pairs of an oblong',
    { images: { data: new Float64Array(20), shape: [1, 1, 4, 5] }, density: 'pixel-pairs' },
    'SHAPE_MISMATCH',
    /square.*4 x 5/,
  ],

  ...(
    [
      'scheme',
      'density',
      'method',
      'start',
      'sharing',
      'linearization',
      'timeStepping',
      'advection',
      'boundary',
    ] as const
  ).flatMap((name): Case[] => [
    [
      `${name}: an unknown choice`,
      { [name]: 'best' },
      'INVALID_VALUE',
      new RegExp(`${name} is "best", must be "`),
    ],
    [`${name}: null`, { [name]: null }, 'INVALID_VALUE', new RegExp(`${name} is null`)],
  ]),
  ['projection without sharing', { projection: { dim: 3 } }, 'INVALID_VALUE', /projection is for sharing/],
  [
    'seedImage without its sharing',
    { seedImage: 0 },
    'INVALID_VALUE',
    /seedImage is for sharing "seed-operator", and sharing is "auto"/,
  ],
  [
    'seedImage: a fraction',
    { sharing: 'seed-operator', seedImage: 0.5 },
    'INVALID_VALUE',
    /seedImage is 0.5/,
  ],
  [
    'seedImage beyond',
    { sharing: 'seed-operator', seedImage: 7 },
    'INVALID_VALUE',
    /seedImage is 7, but there/,
  ],
  [
    'a shared operator of na2024',
    { sharing: 'seed-operator', scheme: 'na2024' },
    'INVALID_VALUE',
    /"seed-operator" shares multigrid, and scheme "na2024" has none/,
  ],
  [
    'a shared operator without one',
    { sharing: 'seed-operator', preconditioner: 'none' },
    'INVALID_VALUE',
    /preconditioner is "none"/,
  ],
  [
    'a projection beside a shared operator',
    { sharing: 'seed-operator', projection: {} },
    'INVALID_VALUE',
    /projection is for sharing "projection"/,
  ],
  ['projection.kind', { projection: { kind: 'oblique' } }, 'INVALID_VALUE', /projection.kind is "oblique"/],
  ['boundary.values missing', { boundary: {} }, 'INVALID_TYPE', /boundary.values must be a function/],
  [
    'boundary.values a number',
    { boundary: { values: 0 } },
    'INVALID_TYPE',
    /boundary.values must be a function, not 0/,
  ],

  ...COUNTS.map((steps): Case => [`steps ${steps}`, { steps }, 'INVALID_VALUE', /steps is .*1 or larger/]),
  ['steps text', { steps: '20' }, 'INVALID_TYPE', /steps is "20"/],
  ['one level of na2024', { scheme: 'na2024', steps: 1 }, 'INVALID_VALUE', /steps is 1, .*2 or larger/],
  ['absurd steps', { steps: 2 ** 31 - 1 }, 'OUT_OF_MEMORY', /2 images at 2147483648.*fewer images or steps/],
  ['more steps than a report holds', { steps: 2 ** 21 }, 'OUT_OF_MEMORY', /fewer images or steps/],
  ...COUNTS.map(
    (maxiter): Case => [
      `maxiter ${maxiter}`,
      { fixedPoint: { maxiter } },
      'INVALID_VALUE',
      /fixedPoint.maxiter/,
    ],
  ),
  ...COUNTS.map(
    (dim): Case => [`projection.dim ${dim}`, { projection: { dim } }, 'INVALID_VALUE', /projection.dim/],
  ),
  ...COUNTS.slice(1).map(
    (seed): Case => [`seed ${seed}`, { seed }, 'INVALID_VALUE', /seed is .*0 or larger/],
  ),
  ...COUNTS.slice(1).map(
    (seeds): Case => [`seeds ${seeds}`, { projection: { seeds } }, 'INVALID_VALUE', /projection.seeds/],
  ),
  ...COUNTS.map(
    (maxDim): Case => [`maxDim ${maxDim}`, { projection: { maxDim } }, 'INVALID_VALUE', /projection.maxDim/],
  ),
  ...TOLERANCES.map(
    (threshold): Case => [
      `threshold ${threshold}`,
      { projection: { threshold } },
      'INVALID_VALUE',
      /projection.threshold/,
    ],
  ),
  [
    'no seeds',
    { projection: { seeds: [] } },
    'INVALID_VALUE',
    /projection.seeds is \[\], must name at least/,
  ],
  [
    'a seed twice',
    { projection: { seeds: [1, 0, 1] } },
    'INVALID_VALUE',
    /projection.seeds is \[1, 0, 1\].*none twice/,
  ],
  ['a seed that is none', { projection: { seeds: [0, -1] } }, 'INVALID_VALUE', /projection.seeds\[1\] is -1/],
  ['seeds as text', { projection: { seeds: '0' } }, 'INVALID_TYPE', /projection.seeds is "0"/],
  ['projection.precision', { projection: { precision: 'half' } }, 'INVALID_VALUE', /precision is "half"/],
  ['the old name of seeds', { projection: { seed: 0 } }, 'UNKNOWN_OPTION', /projection.*"seed"/],
  [
    'solutions that are no flag',
    { sharing: 'projection', projection: { solutions: 1 } },
    'INVALID_TYPE',
    /projection.solutions is 1/,
  ],
  [
    'a dim of 0 without solutions',
    { sharing: 'projection', projection: { dim: 0, solutions: false } },
    'INVALID_VALUE',
    /projection.dim is 0/,
  ],
  [
    'one of several seeds that there is not',
    { sharing: 'projection', projection: { seeds: [0, 5] } },
    'INVALID_VALUE',
    /projection.seeds has 5, but there are 2 images/,
  ],
  [
    'a seed image that there is not',
    { sharing: 'projection', projection: { seeds: 2 } },
    'INVALID_VALUE',
    /projection.seeds has 2, but there are 2 images/,
  ],
  ...TOLERANCES.map((rtol): Case => [`rtol ${rtol}`, { rtol }, 'INVALID_VALUE', /: rtol is/]),
  ...TOLERANCES.map(
    (rtol): Case => [
      `fixedPoint.rtol ${rtol}`,
      { fixedPoint: { rtol } },
      'INVALID_VALUE',
      /fixedPoint.rtol is/,
    ],
  ),
  ['rtol text', { rtol: '1e-8' }, 'INVALID_TYPE', /: rtol is "1e-8"/],
  ...[0, -1, Number.NaN, Infinity].map((T): Case => [`T ${T}`, { T }, 'INVALID_VALUE', /T is .*over 0/]),
  [
    'T before the first level of na2024',
    { scheme: 'na2024', T: 1e-3 },
    'INVALID_VALUE',
    /T is 0.001.*over 0.001/,
  ],
  ['T text', { T: '1' }, 'INVALID_TYPE', /T is "1"/],
  ...[0, -1, Number.NaN, Infinity, null, 'wide', [1], [1, 2, 3], [1, 0], [1, '2'], [1, Number.NaN]].map(
    (spacing): Case => [
      `spacing ${JSON.stringify(spacing)}`,
      { spacing },
      'INVALID_VALUE',
      /spacing must be.*\[dx, dy\]/,
    ],
  ),
  [
    'na2024 with two spacings',
    { scheme: 'na2024', spacing: [1, 2] },
    'INVALID_VALUE',
    /spacing must be a positive number, not \[1, 2\]/,
  ],

  ['sde null', { sde: null }, 'INVALID_TYPE', /sde must be an object/],
  ['sde text', { sde: 've:5' }, 'INVALID_TYPE', /sde must be an object, not "ve:5"/],
  ['sde without diffusion', { sde: {} }, 'INVALID_TYPE', /sde.diffusion must be a function/],
  [
    'a drift that is none',
    { sde: { diffusion: () => 1, drift: [0, 0] } },
    'INVALID_TYPE',
    /sde.drift must be a function/,
  ],
  ...[-1, Number.NaN, Infinity, '1', undefined, [1]].map(
    (g): Case => [
      `diffusion ${String(g)}`,
      { sde: { diffusion: () => g } },
      'INVALID_VALUE',
      /sde.diffusion\(0\) returned/,
    ],
  ),
  [
    'a diffusion negative later',
    { sde: { diffusion: (t: number) => 0.5 - t }, steps: 4 },
    'INVALID_VALUE',
    /sde.diffusion\(0.75\) returned -0.25/,
  ],
  ...[undefined, 0, [1], [1, 2, 3], [Number.NaN, 0], [0, Infinity], ['a', 'b']].flatMap((f) =>
    (['lau2025', 'consistent'] as const).map(
      (scheme): Case => [
        `${scheme}: drift ${JSON.stringify(f)}`,
        { scheme, sde: { diffusion: () => 1, drift: () => f } },
        'INVALID_VALUE',
        /sde.drift\(.*two finite numbers/,
      ],
    ),
  ),
  [
    'a drift that fails outside the grid',
    { sde: { diffusion: () => 1, drift: (x: number) => [Math.sqrt(x), 0] } },
    'INVALID_VALUE',
    /sde.drift\(-0.33/,
  ],
  ...[Number.NaN, Infinity, undefined, '0'].map(
    (value): Case => [
      `boundary values ${value}`,
      { boundary: { values: () => value } },
      'INVALID_VALUE',
      /boundary.values\(-?[\d.]+, .*finite number/,
    ],
  ),
  [
    'drift through a reflecting border without diffusion',
    { sde: { diffusion: () => 0, drift: () => [1, 0] } },
    'INVALID_VALUE',
    /"reflecting" needs diffusion/,
  ],
  [
    'na2024 with drift',
    { scheme: 'na2024', sde: variancePreserving() },
    'INVALID_VALUE',
    /"na2024" has no drift.*"vp:/,
  ],
  ...(['na2024', 'lau2025'] as const).flatMap((scheme) =>
    Object.entries({
      linearization: 'newton',
      timeStepping: 'crank-nicolson',
      boundary: 'zero',
      advection: 'upwind',
    }).map(
      ([name, value]): Case => [
        `${name} of ${scheme}`,
        { scheme, [name]: value },
        'INVALID_VALUE',
        new RegExp(`${name} is for scheme "consistent" only; "${scheme}"`),
      ],
    ),
  ),

  ['onProgress text', { onProgress: 'yes' }, 'INVALID_TYPE', /onProgress must be a function/],
  ['signal an object', { signal: {} }, 'INVALID_TYPE', /signal must be an AbortSignal/],
  ['engine an object', { engine: {} }, 'INVALID_TYPE', /engine must be made by createEngine/],
  ['an engine of some other make', { engine: { solve: () => {} } }, 'INVALID_TYPE', /made by createEngine/],
  ['engine null', { engine: null }, 'INVALID_TYPE', /engine must be made by createEngine, not null/],
];

describe('bad input', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine();
  });
  afterAll(() => engine.dispose());

  it.each(CASES)('%s', async (what, options, code, message) => {
    // A density's kind is refused beside a log density before it is looked at.
    const pictures = /^density: /.test(what);
    const input = pictures ? { images: picture } : { initialLogDensity: given };
    const all = { engine, ...('images' in options ? {} : input), ...options };
    const error: unknown = await precomputeScores(all as unknown as PrecomputeOptions).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(SeedspanError);
    expect((error as SeedspanError).message).toMatch(message);
    expect((error as SeedspanError).code).toBe(code);
    expect(engine.bytesInUse).toBe(0);
  });

  it.each([undefined, null, 5])('options %s', async (options) => {
    const run = precomputeScores(options as unknown as PrecomputeOptions);
    await expect(run).rejects.toMatchObject({ code: 'INVALID_TYPE' });
  });

  it('what a caller’s function throws comes through', async () => {
    const failure = new Error('mine');
    const fail = () => {
      throw failure;
    };
    const common = { initialLogDensity: given, engine };
    await expect(precomputeScores({ ...common, sde: { diffusion: fail } })).rejects.toBe(failure);
    await expect(precomputeScores({ ...common, sde: { diffusion: () => 1, drift: fail } })).rejects.toBe(
      failure,
    );
    await expect(precomputeScores({ ...common, boundary: { values: fail } })).rejects.toBe(failure);
    await expect(precomputeScores({ ...common, onProgress: fail })).rejects.toBe(failure);
    await expect(precomputeScores({ images: picture, engine, onProgress: fail })).rejects.toBe(failure);
    expect(engine.bytesInUse).toBe(0);
  });
});
