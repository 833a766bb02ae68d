import { describe, expect, it } from 'vitest';
import { initialLogDensity } from '../../src/diffusion/density.ts';
import { precomputeScores } from '../../src/diffusion/precompute.ts';
import { varianceExploding } from '../../src/diffusion/sde.ts';
import type { NdArray, PrecomputeOptions, Progress, Scheme } from '../../src/diffusion/types.ts';
import { createEngine } from '../../src/solver/create-engine.ts';
import { poisson2d } from '../../src/sparse/index.ts';
import { batch, bumps, part } from './fields.ts';
import { reference, relativeError } from './reference.ts';

const SCHEMES: Scheme[] = ['na2024', 'lau2025', 'consistent'];
const fields = (size: number) =>
  batch(
    [0, 1, 2].map((seed) => [bumps(size, size, seed), bumps(size, size, seed + 0.5)]),
    size,
    size,
  );
const pictures: NdArray = { data: reference('na2024_images').data, shape: [2, 3, 16, 16] };

/** A run that takes long enough to be interrupted. */
const long: PrecomputeOptions = { initialLogDensity: fields(48), steps: 80 };
const longOf = (scheme: Scheme): PrecomputeOptions =>
  scheme === 'na2024' ? { ...long, scheme, sde: varianceExploding(5), steps: 8 } : { ...long, scheme };

async function followed(options: PrecomputeOptions): Promise<{ reports: Progress[]; solves: number }> {
  const reports: Progress[] = [];
  const { report } = await precomputeScores({ ...options, onProgress: (progress) => reports.push(progress) });
  return { reports, solves: report.solves };
}

describe.each(SCHEMES)('progress of %s', (scheme) => {
  it('rises, and ends with all done', async () => {
    const { reports, solves } = await followed(longOf(scheme));
    expect(reports.length).toBeGreaterThan(1);
    for (const [k, { stage, done, total }] of reports.entries()) {
      expect(stage).toBe('solve');
      expect(Number.isInteger(done) && Number.isInteger(total)).toBe(true);
      expect(done).toBeLessThanOrEqual(total);
      expect(done).toBeGreaterThanOrEqual(reports[k - 1]?.done ?? 0);
    }
    expect(reports.at(-1)).toEqual({ stage: 'solve', done: solves, total: solves });
  });

  it('is also reported with sharing', async () => {
    const { reports, solves } = await followed({ ...longOf(scheme), sharing: 'projection', steps: 6 });
    expect(reports.at(-1)).toEqual({ stage: 'solve', done: solves, total: solves });
  });
});

describe('progress', () => {
  it('of densities comes first, one image after the other', async () => {
    const { reports } = await followed({ images: pictures, steps: 2 });
    expect(reports.slice(0, 2)).toEqual([
      { stage: 'density', done: 1, total: 2 },
      { stage: 'density', done: 2, total: 2 },
    ]);
    expect(reports.slice(2).every(({ stage }) => stage === 'solve')).toBe(true);
  });

  it('does not stand at the end while there is work left', async () => {
    const { reports } = await followed(longOf('lau2025'));
    // The last two: before the scores are differenced, and after.
    for (const { done, total } of reports.slice(0, -2)) expect(done).toBeLessThan(total);
  });
});

describe('pictures', () => {
  it.each(['pixel-positions', 'pixel-pairs'] as const)(
    'become the densities that %s makes of them',
    async (density) => {
      const expected = initialLogDensity(pictures, density, { seed: 7 });
      for (const images of [pictures, { data: Float32Array.from(pictures.data), shape: pictures.shape }]) {
        const { logDensity, report } = await precomputeScores({ images, density, seed: 7, steps: 2 });
        expect(report.density).toBe(density);
        expect(logDensity.shape).toEqual([2, 3, ...expected.shape.slice(1)]);
        // The kernel adds up the pairs in another order.
        for (const image of [0, 1]) {
          expect(relativeError(part(logDensity, image, 0), part(expected, image))).toBeLessThan(1e-12);
        }
      }
    },
  );

  it('another seed draws other positions, and pairs draw nothing', async () => {
    const run = (density: PrecomputeOptions['density'], seed: number) =>
      precomputeScores({ images: pictures, density, seed, steps: 1 });
    expect((await run('pixel-positions', 1)).logDensity.data).not.toEqual(
      (await run('pixel-positions', 2)).logDensity.data,
    );
    expect((await run('pixel-pairs', 1)).logDensity.data).toEqual(
      (await run('pixel-pairs', 2)).logDensity.data,
    );
  });
});

describe('a run that is aborted', () => {
  const reason = new Error('enough');

  it('before it begins: nothing is done', async () => {
    const signal = AbortSignal.abort(reason);
    const { reports, outcome } = await aborted({ images: pictures, signal });
    expect(outcome).toBe(reason);
    expect(reports).toEqual([]);
  });

  it('before it begins, with options that are wrong: these are told', async () => {
    const signal = AbortSignal.abort(reason);
    await expect(precomputeScores({ images: pictures, signal, steps: 0 })).rejects.toThrow(/steps/);
  });

  it('in the stage of the densities', async () => {
    const controller = new AbortController();
    const { reports, outcome } = await aborted({ images: pictures, signal: controller.signal }, () =>
      controller.abort(reason),
    );
    expect(outcome).toBe(reason);
    expect(reports).toEqual([{ stage: 'density', done: 1, total: 2 }]);
  });

  it.each(SCHEMES)('in the middle of %s', async (scheme) => {
    using engine = await createEngine();
    const A = poisson2d(7, 7);
    using _held = engine.workspace(A);
    const before = engine.bytesInUse;
    const controller = new AbortController();
    const options = { ...longOf(scheme), signal: controller.signal, engine, sharing: 'projection' } as const;
    const { reports, outcome } = await aborted(options, () => controller.abort(reason));
    expect(outcome).toBe(reason);
    expect(reports).toHaveLength(1);
    expect(reports[0].done).toBeLessThan(reports[0].total);
    expect(engine.bytesInUse).toBe(before);
  });

  it('by a timer, while it works', async () => {
    await expect(precomputeScores({ ...long, signal: AbortSignal.timeout(5) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });

  it('by a report of progress that throws', async () => {
    using engine = await createEngine();
    const onProgress = () => {
      throw reason;
    };
    await expect(precomputeScores({ ...long, engine, onProgress })).rejects.toBe(reason);
    expect(engine.bytesInUse).toBe(0);
  });

  async function aborted(options: PrecomputeOptions, then: () => void = () => {}) {
    const reports: Progress[] = [];
    const onProgress = (progress: Progress) => {
      reports.push(progress);
      then();
    };
    const outcome: unknown = await precomputeScores({ ...options, onProgress }).catch(
      (error: unknown) => error,
    );
    return { reports, outcome };
  }
});

describe('the engine that is given', () => {
  it('is used, and left open', async () => {
    using engine = await createEngine({ build: 'scalar' });
    const { report } = await precomputeScores({ initialLogDensity: fields(8), steps: 2, engine });
    expect(report.build).toBe('scalar');
    expect(engine.disposed).toBe(false);
    expect(engine.bytesInUse).toBe(0);
  });

  it('serves two runs at a time', async () => {
    using engine = await createEngine();
    const runs = SCHEMES.map((scheme) => ({
      ...longOf(scheme),
      initialLogDensity: fields(20),
      steps: 12,
      engine,
    }));
    const inTurn = [];
    for (const options of runs) inTurn.push(await precomputeScores(options));
    const together = await Promise.all(runs.map((options) => precomputeScores(options)));
    for (const [k, { scores }] of together.entries()) expect(scores).toEqual(inTurn[k].scores);
    expect(engine.bytesInUse).toBe(0);
  });

  it('disposed of: refused before anything is done', async () => {
    const engine = await createEngine();
    engine.dispose();
    const reports: Progress[] = [];
    const onProgress = (progress: Progress) => reports.push(progress);
    const run = precomputeScores({ images: pictures, engine, onProgress });
    await expect(run).rejects.toMatchObject({ code: 'DISPOSED' });
    expect(reports).toEqual([]);
  });

  it.each(['density', 'solve'] as const)('disposed of in the stage %s: the run ends so', async (stage) => {
    const engine = await createEngine();
    const onProgress = (progress: Progress) => {
      if (progress.stage === stage) engine.dispose();
    };
    const run = precomputeScores({ images: pictures, steps: 4, engine, onProgress });
    await expect(run).rejects.toMatchObject({
      code: 'DISPOSED',
      message: expect.stringContaining('the engine was disposed of'),
    });
    expect(engine.bytesInUse).toBe(0);
  });

  it.each(SCHEMES)(
    'with too little memory: %s fails wherever the limit is met, and leaves nothing',
    async (scheme) => {
      const drift: PrecomputeOptions['sde'] = { diffusion: () => 1, drift: (x, y) => [-x, -y] };
      const run = async (memoryLimit?: number) => {
        using engine = await createEngine({ memoryLimit });
        const outcome: unknown = await precomputeScores({
          initialLogDensity: fields(12),
          scheme,
          sde: scheme === 'na2024' ? undefined : drift,
          steps: 3,
          sharing: 'projection',
          projection: { dim: 3 },
          engine,
        }).catch((error: unknown) => error);
        expect(engine.bytesInUse).toBe(0);
        return outcome;
      };
      const whole = await run();
      let fitted = 0;
      // Smaller steps than the smallest array: every allocation is the one that fails, once.
      for (let limit = 1000; fitted < 2; limit += 1000) {
        const outcome = await run(limit);
        if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'OUT_OF_MEMORY' });
        else fitted++;
        if (fitted > 0) expect(outcome).toMatchObject({ scores: (whole as { scores: NdArray }).scores });
      }
    },
  );

  it('may be used by the drift itself, though its memory grows meanwhile', async () => {
    using engine = await createEngine();
    const sde = {
      diffusion: () => 1,
      drift: (x: number, y: number) => [-x, 0.5 * x - y] as [number, number],
    };
    const plain = await precomputeScores({ initialLogDensity: fields(8), sde, steps: 2 });
    const A = poisson2d(60, 60);
    let calls = 0;
    const growing = {
      ...sde,
      drift: (x: number, y: number) => {
        if (++calls % 50 === 7) engine.workspace(A);
        return sde.drift(x, y);
      },
    };
    const { scores } = await precomputeScores({
      initialLogDensity: fields(8),
      sde: growing,
      steps: 2,
      engine,
    });
    expect(scores).toEqual(plain.scores);
  });
});
