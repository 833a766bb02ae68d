import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { precomputeScores } from '../../src/diffusion/precompute.ts';
import { constantDiffusion } from '../../src/diffusion/sde.ts';
import type { NdArray, PrecomputeOptions } from '../../src/diffusion/types.ts';
import { createEngine } from '../../src/solver/create-engine.ts';
import type { Engine } from '../../src/solver/engine.ts';
import { batch, bumps, part } from './fields.ts';
import { maxDifference, relativeError } from './reference.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  expect(engine.bytesInUse).toBe(0);
  engine.dispose();
});

const SIZE = 20;
const fields = (...seeds: number[]): NdArray =>
  batch(
    seeds.map((seed) => [bumps(SIZE, SIZE, seed), bumps(SIZE, SIZE, seed + 0.5, 2)]),
    SIZE,
    SIZE,
  );
const LEVELS = 5;

type Way = Pick<PrecomputeOptions, 'scheme' | 'fixedPoint' | 'method' | 'start'>;
const WAYS: [string, Way][] = (['consistent', 'lau2025'] as const).flatMap((scheme) =>
  (['accelerated', 'adaptive', 'strict'] as const).map((inner): [string, Way] => [
    `${scheme}, ${inner}`,
    { scheme, fixedPoint: { inner, rtol: 1e-9, maxiter: 60 } },
  ]),
);
WAYS.push(['gmres from zero', { method: 'gmres', start: 'zero', fixedPoint: { rtol: 1e-9 } }]);

function run(options: PrecomputeOptions) {
  return precomputeScores({
    engine,
    sde: constantDiffusion(1),
    steps: LEVELS,
    preconditioner: 'multigrid',
    ...options,
  });
}

describe.each(WAYS)('preconditioners of images, %s', (_, way) => {
  it('none: an image has the same result, bit for bit, in any batch', async () => {
    const options = { ...way, sharing: 'none' } as const;
    const all = await run({ ...options, initialLogDensity: fields(0, 2, -1) });
    expect(all.report).toMatchObject({ sharing: 'none', decisions: [], status: 'converged' });
    for (const step of all.report.steps) expect(step.operatorAge).toBe(0);
    for (const [image, seed] of [0, 2, -1].entries()) {
      const alone = await run({ ...options, initialLogDensity: fields(seed) });
      expect(maxDifference(alone.logDensity.data, part(all.logDensity, image))).toBe(0);
      expect(alone.report.images[0]).toEqual(all.report.images[image]);
    }
  });

  it('seed-operator: an image has the same result, bit for bit, wherever it is and whatever else there is', async () => {
    const options = { ...way, sharing: 'seed-operator' } as const;
    const all = await run({ ...options, initialLogDensity: fields(0, 2, -1, 1) });
    const other = await run({ ...options, initialLogDensity: fields(1, 3, 0, 2), seedImage: 2 });
    for (const [here, there] of [
      [0, 2],
      [1, 3],
      [3, 0],
    ]) {
      expect(maxDifference(part(other.logDensity, there), part(all.logDensity, here))).toBe(0);
      expect(other.report.images[there]).toEqual(all.report.images[here]);
    }
    expect(all.report.sharing).toBe('seed-operator');
    expect(all.report.decisions).toMatchObject([
      { level: 1, image: 0, operators: LEVELS, served: 4 * LEVELS, reason: expect.stringContaining('seed') },
    ]);
    for (const step of all.report.steps) expect(step.operatorAge).toBe(step.image);
    for (const step of other.report.steps) expect(step.operatorAge).toBe([1, 2, 0, 3][step.image]);
  });

  it.each(['none', 'seed-operator', 'auto'] as const)('%s: the strict answer', async (sharing) => {
    const initialLogDensity = fields(0, 2, -1);
    const { scheme } = way;
    const strict = await run({
      scheme,
      initialLogDensity,
      rtol: 1e-12,
      preconditioner: 'none',
      fixedPoint: { inner: 'strict', rtol: 1e-10, maxiter: 60 },
    });
    const { logDensity, scores, report } = await run({ ...way, initialLogDensity, sharing });
    expect(report.status).toBe('converged');
    expect(relativeError(logDensity.data, strict.logDensity.data)).toBeLessThan(1e-7);
    expect(relativeError(scores.data, strict.scores.data)).toBeLessThan(1e-7);
    const sum = (name: 'operators' | 'served') =>
      report.decisions.reduce((total, decision) => total + decision[name], 0);
    if (sharing === 'none') return;
    expect(sum('served')).toBe(report.steps.length);
    const made = report.steps.filter(({ operatorAge }) => operatorAge === 0);
    expect(sum('operators')).toBe(made.length);
  });

  it('auto: the same again, and fewer preconditioners than images and levels', async () => {
    const options = { ...way, sharing: 'auto', initialLogDensity: fields(0, 0.1, 0.2) } as const;
    const [first, second] = [await run(options), await run(options)];
    expect(maxDifference(first.logDensity.data, second.logDensity.data)).toBe(0);
    expect(first.report.decisions).toEqual(second.report.decisions);
    expect(first.report.sharing).toBe('seed-operator');
    expect(first.report.decisions[0]).toMatchObject({ level: 1, image: 0, operators: 1 });
    const made = first.report.decisions.reduce((total, { operators }) => total + operators, 0);
    expect(made).toBeLessThan(first.report.steps.length);
  });
});

describe.each(['accelerated', 'adaptive', 'strict'] as const)('a seed that is lost, %s', (inner) => {
  const good = [bumps(SIZE, SIZE, 1), bumps(SIZE, SIZE, 2)];

  it.each([
    ['whose matrix has overflowed', (m: number, k: number) => m + (k % 3 === 0 ? 1e300 : -1e300)],
    ['whose matrix is of no use', (m: number, k: number) => m - 10 * Math.floor(k / SIZE)],
  ])('%s: the others have their own', async (_, spoil) => {
    const spoilt = good.map((field) => field.map(spoil));
    const initialLogDensity = batch([spoilt, good, good], SIZE, SIZE);
    const options = { initialLogDensity, steps: 3, fixedPoint: { inner } } as const;
    const alone = await run({ ...options, initialLogDensity: batch([good], SIZE, SIZE), sharing: 'none' });
    for (const sharing of ['seed-operator', 'auto', 'none'] as const) {
      const { report, logDensity } = await run({ ...options, sharing });
      expect(report.images.map(({ status }) => status).slice(1)).toEqual(['converged', 'converged']);
      for (const image of [1, 2]) {
        const difference = maxDifference(part(logDensity, image), part(alone.logDensity, 0));
        if (sharing === 'none') expect(difference).toBe(0);
        else expect(difference).toBeLessThan(1e-6);
      }
      if (sharing === 'seed-operator') {
        expect(maxDifference(part(logDensity, 1), part(logDensity, 2))).toBe(0);
        expect(report.decisions.some(({ reason }) => /did not lead to convergence/.test(reason))).toBe(true);
      }
    }
  });
});

describe('auto where time steps differ', () => {
  it('makes a new one where the diffusion has changed', async () => {
    const sde = { diffusion: (t: number) => (t < 0.5 ? 1 : 3) };
    const steady = await run({ initialLogDensity: fields(0, 0.1, 0.2), steps: 4 });
    const { report } = await run({ initialLogDensity: fields(0, 0.1, 0.2), steps: 4, sde });
    const changed = (all: typeof report) => all.decisions.filter(({ reason }) => /changed/.test(reason));
    expect(changed(steady.report)).toEqual([]);
    expect(changed(report)).toMatchObject([{ level: 2, image: 0, operators: 1 }]);
  });
});

describe('auto with nothing to share', () => {
  it.each([
    ['one image', { initialLogDensity: fields(1) }, /one image/],
    ['na2024', { initialLogDensity: fields(1, 2), scheme: 'na2024', preconditioner: undefined }, /na2024/],
    ['no preconditioner', { initialLogDensity: fields(1, 2), preconditioner: 'none' }, /preconditioner/],
    [
      'mild levels',
      { initialLogDensity: fields(1, 2), sde: constantDiffusion(0.01), preconditioner: 'auto' },
      /stiff/,
    ],
  ] as [string, PrecomputeOptions, RegExp][])('%s: none, and says so', async (_, options, reason) => {
    const none = await run({ ...options, sharing: 'none' });
    const { report, logDensity } = await run(options);
    expect(report.sharing).toBe('none');
    expect(report.decisions).toEqual([
      { level: 1, image: 0, operators: 0, served: 0, reason: expect.stringMatching(reason) },
    ]);
    expect(maxDifference(logDensity.data, none.logDensity.data)).toBe(0);
  });
});
