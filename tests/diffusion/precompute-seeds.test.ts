import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { precomputeScores } from '../../src/diffusion/precompute.ts';
import { constantDiffusion, varianceExploding } from '../../src/diffusion/sde.ts';
import type { NdArray, PrecomputeOptions, PrecomputeResult, Scheme } from '../../src/diffusion/types.ts';
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

/** Five images of two channels, on a square: `na2024` and the published diagonal of `lau2025` want one. */
const INPUT = batch(
  [0, 3, -2, 1.5, -0.5].map((k) => [bumps(9, 9, k), bumps(9, 9, k + 0.5)]),
  9,
  9,
);
const OPTIONS: Record<Scheme, PrecomputeOptions> = {
  na2024: { preconditioner: 'none', steps: 5, sde: varianceExploding(5), rtol: 1e-12 },
  lau2025: {
    preconditioner: 'none',
    steps: 4,
    sde: constantDiffusion(0.5),
    rtol: 1e-13,
    fixedPoint: { rtol: 1e-9, maxiter: 60 },
  },
  consistent: { preconditioner: 'none', steps: 3, sde: constantDiffusion(0.8), rtol: 1e-12 },
};
const SCHEMES = Object.keys(OPTIONS) as Scheme[];

function run(
  scheme: Scheme,
  projection?: PrecomputeOptions['projection'],
  options: PrecomputeOptions = {},
): Promise<PrecomputeResult> {
  const sharing = projection === undefined ? 'none' : 'projection';
  return precomputeScores({
    initialLogDensity: INPUT,
    engine,
    scheme,
    start: 'zero',
    sharing,
    ...(projection === undefined ? {} : { projection }),
    ...OPTIONS[scheme],
    ...options,
  });
}

/** These images, in this order. */
function chosen(order: readonly number[]): NdArray {
  const data = Float64Array.from(order.flatMap((image) => [...part(INPUT, image)]));
  return { data, shape: [order.length, ...INPUT.shape.slice(1)] };
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;

/** Projected residuals of the images that are never seeds. */
function projectedResiduals({ report }: PrecomputeResult, images: readonly number[]): number[] {
  return report.steps.filter(({ image }) => images.includes(image)).map((step) => step.projectedResidual!);
}

describe.each(SCHEMES)('seeds in %s', (scheme) => {
  let alone: PrecomputeResult;
  beforeAll(async () => {
    alone = await run(scheme);
  });

  it.each(['double', 'single'] as const)(
    'several, %s precision: the same fields, and books of them',
    async (precision) => {
      const result = await run(scheme, { seeds: [3, 1], dim: 4, precision });
      expect(result.report.status).toBe('converged');
      expect(relativeError(result.logDensity.data, alone.logDensity.data)).toBeLessThan(1e-7);
      expect(relativeError(result.scores.data, alone.scores.data)).toBeLessThan(1e-7);
      expect(result.report.projection).toEqual({
        kind: 'minimal-residual',
        dim: 4,
        solutions: false,
        seeds: [3, 1],
        maxDim: 8,
        precision,
      });
      for (const step of result.report.steps) {
        if (step.image === 3) expect(step).toMatchObject({ seed: true, columns: 4 });
        else if (step.image === 1) expect(step).toMatchObject({ seed: true, columns: 8 });
        else expect(step.columns).toBe(8);
        expect('seed' in step).toBe([1, 3].includes(step.image));
        expect('projectedResidual' in step).toBe(![1, 3].includes(step.image));
      }
    },
  );

  it('more of them leave less of a residual', async () => {
    const one = await run(scheme, { seeds: 0, dim: 4 });
    const three = await run(scheme, { seeds: [0, 1, 3], dim: 4 });
    const others = [2, 4];
    expect(mean(projectedResiduals(three, others))).toBeLessThan(mean(projectedResiduals(one, others)));
  });

  it.each([0, 4])('leave their solutions, too, beside %i Krylov vectors', async (dim) => {
    const result = await run(scheme, { seeds: [0, 1, 3], dim, solutions: true });
    expect(result.report).toMatchObject({ status: 'converged', projection: { maxDim: 3 * (dim + 1) } });
    expect(relativeError(result.logDensity.data, alone.logDensity.data)).toBeLessThan(1e-7);
    for (const { image, columns } of result.report.steps) {
      const seeds = image === 0 ? 1 : image === 1 ? 2 : 3;
      expect(columns).toBeLessThanOrEqual((dim + 1) * seeds);
      // A solution that the Krylov vectors have already adds nothing.
      expect(columns).toBeGreaterThanOrEqual(dim === 0 ? seeds : dim * seeds);
    }
    // Of images that are equal the projection finds the solution itself.
    const twice = await run(
      scheme,
      { seeds: 0, dim, solutions: true },
      { initialLogDensity: chosen([0, 0]) },
    );
    const first = twice.report.steps.filter(({ image, level }) => image === 1 && level === 1);
    if (scheme === 'na2024') for (const step of first) expect(step.projectedResidual).toBeLessThan(1e-9);
    expect(twice.report.images[1].iterations).toBeLessThan(0.9 * alone.report.images[0].iterations);
  });

  it.each([false, true])(
    'bit for bit the same in any order of the images; solutions: %s',
    async (solutions) => {
      const projection = { dim: 4, solutions, seeds: [3, 1] };
      const straight = await run(scheme, projection);
      const order = [4, 1, 0, 3, 2];
      const seeds = projection.seeds.map((seed) => order.indexOf(seed));
      const other = await run(scheme, { ...projection, seeds }, { initialLogDensity: chosen(order) });
      order.forEach((image, k) => {
        expect(maxDifference(part(other.logDensity, k), part(straight.logDensity, image))).toBe(0);
        expect(maxDifference(part(other.scores, k), part(straight.scores, image))).toBe(0);
        const { images } = straight.report;
        expect(other.report.images[k]).toEqual(images[image]);
      });
      // And without the others.
      const fewer = await run(
        scheme,
        { ...projection, seeds: [0, 1] },
        { initialLogDensity: chosen([3, 1, 2]) },
      );
      expect(maxDifference(part(fewer.logDensity, 2), part(straight.logDensity, 2))).toBe(0);
    },
  );

  it('join where a target projects badly, as far as there is room', async () => {
    const fixed = await run(scheme, { seeds: 0, dim: 3 });
    const worst = projectedResiduals(fixed, [1, 2, 3, 4]);
    const threshold = worst.sort((a, b) => a - b)[Math.floor(worst.length / 2)];
    for (const maxDim of [undefined, 3, 7]) {
      const result = await run(scheme, { seeds: 0, dim: 3, threshold, maxDim });
      expect(result.report.status).toBe('converged');
      expect(relativeError(result.logDensity.data, alone.logDensity.data)).toBeLessThan(1e-7);
      const bound = maxDim ?? 12;
      expect(result.report.projection).toMatchObject({ threshold, maxDim: bound });
      const joined = result.report.steps.filter(({ image, seed }) => image !== 0 && seed);
      if (maxDim === 3) expect(joined).toEqual([]);
      else expect(joined.length).toBeGreaterThan(0);
      for (const step of result.report.steps) expect(step.columns).toBeLessThanOrEqual(bound);
      expect(result.report.steps.some(({ columns }) => columns! > 3)).toBe(maxDim !== 3);
      for (const step of joined) expect(step.projectedResidual).toBeGreaterThan(0);
    }
    // None is so bad as that.
    const never = await run(scheme, { seeds: 0, dim: 3, threshold: 1e9 });
    expect(maxDifference(never.logDensity.data, fixed.logDensity.data)).toBe(0);
  });

  it('that all images are share nothing', async () => {
    const result = await run(scheme, { seeds: [0, 1, 2, 3, 4] });
    expect(result.report).toMatchObject({ sharing: 'none', projection: undefined });
    expect(maxDifference(result.logDensity.data, alone.logDensity.data)).toBe(0);
  });

  it('that are equal add nothing to each other', async () => {
    const twice = chosen([0, 0, 1, 2, 3]);
    const result = await run(scheme, { seeds: [0, 1], dim: 4 }, { initialLogDensity: twice });
    for (const step of result.report.steps) expect(step.columns).toBe(4);
    const once = await run(scheme, { seeds: 0, dim: 4 }, { initialLogDensity: twice });
    expect(maxDifference(part(result.logDensity, 3), part(once.logDensity, 3))).toBe(0);
  });

  it('with a dim over the number of points', async () => {
    const result = await run(scheme, { seeds: [0, 1], dim: 5000, maxDim: 10_000 });
    expect(result.report.status).toBe('converged');
    expect(relativeError(result.logDensity.data, alone.logDensity.data)).toBeLessThan(1e-7);
    for (const step of result.report.steps) expect(step.columns).toBeLessThanOrEqual(81);
  });

  it('leave nothing behind when the run is aborted, or memory ends', async () => {
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error('enough'));
    await expect(run(scheme, { seeds: [0, 1] }, { signal: stop.signal, onProgress })).rejects.toThrow(
      'enough',
    );
    expect(engine.bytesInUse).toBe(0);
    using small = await createEngine({ memoryLimit: 60_000 });
    await expect(run(scheme, { seeds: [0, 1], dim: 60 }, { engine: small })).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
    });
    expect(small.bytesInUse).toBe(0);
  });
});

describe('seeds of na2024 that have converged', () => {
  it('leave their bases as they are: no more work is done for them', async () => {
    const size = 8;
    const [calm, rough] = [0.01, 3].map((scale) =>
      bumps(size, size, 1, scale).map((m, k) => m - scale * (k % 3)),
    );
    const initialLogDensity = batch([[calm], [rough], [rough.map((m) => 0.9 * m)]], size, size);
    const options: PrecomputeOptions = {
      scheme: 'na2024',
      sde: varianceExploding(3),
      steps: 6,
      rtol: 1e-12,
      engine,
      initialLogDensity,
    };
    const shared = await precomputeScores({ ...options, sharing: 'projection', projection: { seeds: 0 } });
    const alone = await precomputeScores({ ...options, start: 'zero' });
    expect(shared.report.images[0].fixedPointIterations).toBeLessThan(
      shared.report.images[1].fixedPointIterations,
    );
    expect(relativeError(shared.scores.data, alone.scores.data)).toBeLessThan(1e-8);
    for (const step of shared.report.steps) expect(step.columns).toBe(10);
  });
});
