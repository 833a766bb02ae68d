import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { precomputeScores } from '../../src/diffusion/precompute.ts';
import { constantDiffusion, varianceExploding } from '../../src/diffusion/sde.ts';
import type { NdArray, PrecomputeOptions, PrecomputeResult, Scheme } from '../../src/diffusion/types.ts';
import { createEngine } from '../../src/solver/create-engine.ts';
import type { Engine } from '../../src/solver/engine.ts';
import { batch, bumps, part } from './fields.ts';
import { maxDifference, reference, relativeError } from './reference.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine();
});
afterAll(() => {
  expect(engine.bytesInUse).toBe(0);
  engine.dispose();
});

/** Three images, two of them photographs where the scheme is one for photographs' densities. */
const INPUT: Record<Scheme, NdArray> = {
  na2024: threeImages(),
  // Square: the published diagonal takes dx for both spacings.
  lau2025: batch([[bumps(10, 10, 0)], [bumps(10, 10, 3)], [bumps(10, 10, -2)]], 10, 10),
  consistent: batch(
    [0, 3, -2].map((seed) => [bumps(9, 12, seed), bumps(9, 12, seed + 0.5)]),
    9,
    12,
  ),
};

const OPTIONS: Record<Scheme, PrecomputeOptions> = {
  na2024: { scheme: 'na2024', steps: 8, sde: varianceExploding(5), rtol: 1e-12 },
  lau2025: {
    scheme: 'lau2025',
    steps: 6,
    sde: constantDiffusion(0.5),
    rtol: 1e-13,
    fixedPoint: { rtol: 1e-9, maxiter: 60 },
  },
  consistent: { scheme: 'consistent', steps: 4, sde: constantDiffusion(0.8), rtol: 1e-12 },
};

const SCHEMES = Object.keys(OPTIONS) as Scheme[];

function threeImages(): NdArray {
  const { data } = reference('na2024_initial_log_density');
  const images = [data.slice(0, 768), data.slice(768), data.slice(384, 1152).map((m) => 0.5 * m)];
  return { data: Float64Array.from(images.flatMap((image) => [...image])), shape: [3, 3, 16, 16] };
}

function run(scheme: Scheme, options: PrecomputeOptions = {}): Promise<PrecomputeResult> {
  return precomputeScores({ initialLogDensity: INPUT[scheme], engine, ...OPTIONS[scheme], ...options });
}

/** Sums of the report's parts are its totals, and no entry is left out or impossible. */
function expectBalanced({ report, logDensity }: PrecomputeResult): void {
  const { images, levels } = report.shape;
  expect(logDensity.shape.slice(0, 2)).toEqual([images, levels]);
  expect(report.times).toHaveLength(levels);
  expect(report.steps.map(({ image, level }) => [level, image])).toEqual(
    Array.from({ length: (levels - 1) * images }, (_, k) => [1 + Math.floor(k / images), k % images]),
  );
  for (const field of ['solves', 'iterations'] as const) {
    const sum = (all: { [name in typeof field]: number }[]) =>
      all.reduce((total, one) => total + one[field], 0);
    for (let image = 0; image < images; image++) {
      expect(sum(report.steps.filter((step) => step.image === image))).toBe(report.images[image][field]);
    }
    expect(sum(report.images)).toBe(report[field]);
  }
  expect(report.solves).toBeGreaterThanOrEqual((levels - 1) * images);
  expect(report.matvecs).toBeGreaterThanOrEqual(report.iterations);
  for (const step of report.steps) {
    expect(step.t).toBe(report.times[step.level]);
    expect(step.solves).toBeGreaterThanOrEqual(step.fixedPointIterations);
    expect(step.residual).toBeGreaterThanOrEqual(0);
    expect(step.residual).toBeLessThan(1e-9);
    expect(step.status).toBe('converged');
  }
  for (const image of report.images) {
    const { scheme } = report;
    expect(image.changes).toHaveLength(scheme === 'na2024' ? image.fixedPointIterations : levels - 1);
    expect(image.status).toBe('converged');
  }
  expect(report.status).toBe('converged');
  const { total, ...stages } = report.time;
  for (const stage of Object.values(stages)) expect(stage).toBeGreaterThanOrEqual(0);
  expect(Object.values(stages).reduce((a, b) => a + b)).toBeLessThanOrEqual(total);
  expect(JSON.parse(JSON.stringify(report))).toEqual(structuredClone(report));
}

describe.each(SCHEMES)('sharing in %s', (scheme) => {
  let alone: PrecomputeResult;
  beforeAll(async () => {
    alone = await run(scheme, { sharing: 'none' });
  });

  it('keeps books that balance, without sharing', () => {
    expectBalanced(alone);
    expect(alone.report.sharing).toBe('none');
    for (const step of alone.report.steps) expect(step).not.toHaveProperty('projectedResidual');
  });

  it.each(
    (['galerkin', 'minimal-residual'] as const).flatMap((kind) =>
      (['zero', 'last-iterate'] as const).flatMap((start) =>
        [0, 1, 2].map((seed) => ({
          kind,
          start,
          seed,
          method: seed === 1 ? ('gmres' as const) : ('bicgstab' as const),
        })),
      ),
    ),
  )('finds the same: $kind, start $start, seed $seed, $method', async ({ kind, start, seed, method }) => {
    const shared = await run(scheme, {
      sharing: 'projection',
      projection: { kind, seeds: seed },
      start,
      method,
    });
    expectBalanced(shared);
    expect(relativeError(shared.logDensity.data, alone.logDensity.data)).toBeLessThan(1e-7);
    expect(relativeError(shared.scores.data, alone.scores.data)).toBeLessThan(1e-7);
    expect(shared.report.sharing).toBe('projection');
    for (const step of shared.report.steps) {
      if (step.image === seed) {
        expect(step).not.toHaveProperty('projectedResidual');
        continue;
      }
      expect(step.projectedResidual).toBeGreaterThan(0);
      // From zero the residual is b, and minimal residual never makes it larger.
      if (start === 'zero' && kind === 'minimal-residual')
        expect(step.projectedResidual).toBeLessThanOrEqual(1);
    }
  });

  it.each([1, 3, 1000])('with a basis of %i: as many as there are, at the most', async (dim) => {
    const shared = await run(scheme, { sharing: 'projection', projection: { dim }, start: 'zero' });
    expectBalanced(shared);
    expect(relativeError(shared.scores.data, alone.scores.data)).toBeLessThan(1e-7);
  });

  it('of equal images leaves nothing to do: the projection of the seed itself is its solution', async () => {
    const [, channels, height, width] = INPUT[scheme].shape;
    const one = part(INPUT[scheme], 0);
    const twice: NdArray = { data: Float64Array.from([...one, ...one]), shape: [2, channels, height, width] };
    const options = { initialLogDensity: twice, start: 'zero', sharing: 'projection' } as const;
    const { report, logDensity } = await run(scheme, { ...options, projection: { dim: 60 } });
    expect(relativeError(part(logDensity, 1), part(logDensity, 0))).toBeLessThan(1e-7);
    // From the second fixed-point iteration on the systems of `lau2025` and `consistent` are others than the seed's.
    if (scheme === 'na2024')
      expect(report.images[1].iterations).toBeLessThan(0.1 * report.images[0].iterations);
    else expect(report.images[1].iterations).toBeLessThan(report.images[0].iterations);
  });

  it('of one image alone is none', async () => {
    const initialLogDensity = { data: part(INPUT[scheme], 0), shape: [1, ...INPUT[scheme].shape.slice(1)] };
    // Beside a projection nothing is chosen: so ask for what is chosen without one.
    const preconditioner = scheme === 'na2024' ? 'none' : 'auto';
    const single = await run(scheme, { initialLogDensity, sharing: 'projection', preconditioner });
    expect(single.report.sharing).toBe('none');
    expect(maxDifference(part(single.logDensity, 0), part(alone.logDensity, 0))).toBe(0);
  });

  it('does not depend on the Krylov method', async () => {
    const gmres = await run(scheme, { method: 'gmres', start: 'zero' });
    expectBalanced(gmres);
    expect(gmres.report.method).toBe('gmres');
    expect(relativeError(gmres.logDensity.data, alone.logDensity.data)).toBeLessThan(1e-8);
    expect(relativeError(gmres.scores.data, alone.scores.data)).toBeLessThan(1e-8);
  });

  it('none: an image has the same result, bit for bit, in any batch', async () => {
    for (const image of [0, 1, 2]) {
      const data = part(INPUT[scheme], image);
      const single = await run(scheme, {
        initialLogDensity: { data, shape: [1, ...INPUT[scheme].shape.slice(1)] },
      });
      expect(maxDifference(single.logDensity.data, part(alone.logDensity, image))).toBe(0);
      expect(maxDifference(single.scores.data, part(alone.scores, image))).toBe(0);
      expect(single.report.images[0]).toEqual(alone.report.images[image]);
    }
  });
});

describe('sharing in na2024', () => {
  const size = 8;
  const [calm, rough] = [0.01, 3].map((scale) =>
    bumps(size, size, 1, scale).map((m, k) => m - scale * (k % 3)),
  );
  const options: PrecomputeOptions = {
    scheme: 'na2024',
    sde: varianceExploding(3),
    steps: 6,
    rtol: 1e-12,
    engine,
  };

  it.each([0, 1])('goes on where an image converges earlier than the others, seed %i', async (seed) => {
    const initialLogDensity = batch([[calm], [rough]], size, size);
    const common = { ...options, engine, initialLogDensity };
    const alone = await precomputeScores(common);
    const [first, second] = alone.report.images.map((image) => image.fixedPointIterations);
    expect(first).toBeLessThan(second);
    const shared = await precomputeScores({ ...common, sharing: 'projection', projection: { seeds: seed } });
    expectBalanced(shared);
    expect(shared.report.images.map((image) => image.fixedPointIterations)).toEqual([first, second]);
    expect(relativeError(shared.scores.data, alone.scores.data)).toBeLessThan(1e-8);
  });
});

describe('a seed that is lost', () => {
  it.each(SCHEMES)('leaves the others as they are without it: %s', async (scheme) => {
    const [, ...rest] = INPUT[scheme].shape;
    const good = part(INPUT[scheme], 1);
    const bad = good.map((m, k) => (k % 3 === 0 ? 1e300 : -1e300) + m);
    const initialLogDensity = { data: Float64Array.from([...bad, ...good]), shape: [2, ...rest] };
    const alone = await run(scheme, { initialLogDensity: { data: good, shape: [1, ...rest] } });
    const shared = await run(scheme, { initialLogDensity, sharing: 'projection' });
    expect(shared.report.images.map((image) => image.status)).toEqual(['non-finite', 'converged']);
    expect(relativeError(part(shared.logDensity, 1), part(alone.logDensity, 0))).toBeLessThan(1e-7);
  });
});
