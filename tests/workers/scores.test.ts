import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  type NdArray,
  type PrecomputeOptions,
  type PrecomputeResult,
  type Progress,
  precomputeScores,
  randomStream,
  variancePreserving,
} from '../../src/diffusion/index.ts';
import { createWorkerPool, type WorkerPool } from '../../src/index.ts';
import { alive, digest, watchThreads } from './threads.ts';

function pictures(count: number, channels: number, size: number): NdArray<Float32Array> {
  const length = size * size;
  const data = new Float32Array(count * channels * length).map(
    (_, k) => 0.5 + 0.4 * Math.sin((k % length) / (5 + Math.floor(k / length))),
  );
  return { data, shape: [count, channels, size, size] };
}

function densities(count: number, height: number, width: number): NdArray {
  const random = randomStream(4, 0);
  const data = new Float64Array(count * height * width).map(
    (_, k) => Math.sin(k / 9) - 0.3 * random.uniform(),
  );
  return { data, shape: [count, 1, height, width] };
}

/** What is to be the same: all but times, and how often a copy of a preconditioner had served. */
function essence({ logDensity, scores, report }: PrecomputeResult) {
  const { time: _, workers: __, steps, ...rest } = report;
  const ages = steps.map(({ operatorAge = -1, ...step }) => ({ ...step, shared: Math.sign(operatorAge) }));
  const bits = [logDensity, scores].map(({ data, shape }) => [shape, digest(data)]);
  return { bits, report: { ...rest, steps: ages } };
}

const pools: WorkerPool[] = [];
beforeAll(async () => {
  for (const workers of [1, 2, 3]) pools.push(await createWorkerPool({ workers }));
});
afterAll(async () => {
  for (const pool of pools) await pool.terminate();
});

describe('precomputeScores with workers', () => {
  it.each<[string, PrecomputeOptions]>([
    ['na2024', { images: pictures(7, 3, 12), scheme: 'na2024', steps: 4 }],
    [
      'na2024, strict',
      { images: pictures(5, 1, 8), scheme: 'na2024', steps: 3, fixedPoint: { inner: 'strict' } },
    ],
    ['lau2025', { images: pictures(5, 3, 12), scheme: 'lau2025', steps: 4, sharing: 'none' }],
    [
      'lau2025 with a drift of the plane',
      {
        initialLogDensity: densities(5, 9, 12),
        scheme: 'lau2025',
        steps: 2,
        sharing: 'none',
        sde: { drift: (x, y, t) => [Math.sqrt(x) * t, y - x], diffusion: (t) => 0.3 + t },
      },
    ],
    ['consistent', { images: pictures(6, 3, 16), steps: 4, sharing: 'none' }],
    ['consistent, seed', { images: pictures(6, 3, 16), steps: 4, sharing: 'seed-operator', seedImage: 2 }],
    [
      'consistent, seed, adaptive',
      { initialLogDensity: densities(6, 16, 20), steps: 4, sharing: 'seed-operator', method: 'gmres' },
    ],
    [
      'consistent with a drift and border values',
      {
        initialLogDensity: densities(5, 10, 14),
        steps: 3,
        sharing: 'none',
        timeStepping: 'crank-nicolson',
        spacing: [0.11, 0.07],
        sde: {
          drift: (x, y, t) => [Math.sin(3 * x + t), x * y],
          diffusion: (t) => 0.4 + 0.1 * t,
          name: 'mine',
        },
        boundary: { values: (x, y, t) => x * x - y + t },
      },
    ],
    [
      'consistent, variance preserving',
      {
        initialLogDensity: densities(5, 10, 14),
        times: [0, 0.01, 0.05],
        sharing: 'seed-operator',
        sde: variancePreserving(),
      },
    ],
  ])('has the same results, bit for bit: %s', async (_, options) => {
    const alone = await precomputeScores(options);
    for (const workers of [...pools, 'auto'] as const) {
      const there = await precomputeScores({ ...options, workers });
      expect(essence(there)).toEqual(essence(alone));
      if (workers !== 'auto') expect(there.report.workers).toBe(workers.size);
    }
  });

  it('shares by auto what the first image has, and nothing where there is no multigrid', async () => {
    const images = pictures(5, 1, 16);
    const asked = await precomputeScores({ images, steps: 4, sharing: 'seed-operator' });
    const auto = await precomputeScores({ images, steps: 4, workers: 2 });
    expect(essence(auto)).toEqual(essence(asked));
    expect(auto.report.sharing).toBe('seed-operator');
    const plain = { images, steps: 4, preconditioner: 'none' } as const;
    const none = await precomputeScores({ ...plain, workers: 2 });
    const { scores } = await precomputeScores({ ...plain, sharing: 'none' });
    expect(none.scores).toEqual(scores);
    expect(none.report).toMatchObject({ sharing: 'none', decisions: [{ operators: 0 }] });
    const [one, two] = await Promise.all(
      [undefined, 2].map((workers) => precomputeScores({ images: pictures(1, 1, 16), steps: 4, workers })),
    );
    expect(essence(two)).toEqual(essence(one));
  });

  it('tells of progress', async () => {
    const seen: Progress[] = [];
    const onProgress = (progress: Progress) => {
      seen.push({ ...progress });
    };
    const { report } = await precomputeScores({
      images: pictures(6, 1, 16),
      steps: 4,
      workers: 2,
      onProgress,
    });
    for (const stage of ['density', 'solve']) {
      const counts = seen.filter((progress) => progress.stage === stage);
      expect(counts.every(({ done }, k) => k === 0 || done >= counts[k - 1].done)).toBe(true);
      expect(counts.every(({ done, total }) => done <= total)).toBe(true);
    }
    expect(seen.filter(({ stage }) => stage === 'density').at(-1)).toMatchObject({ done: 6, total: 6 });
    expect(seen.at(-1)).toEqual({ stage: 'solve', done: report.solves, total: report.solves });
  });

  it('does the work of a killed worker again', async () => {
    const threads = watchThreads();
    const options: PrecomputeOptions = { images: pictures(24, 3, 24), scheme: 'na2024', steps: 20 };
    const alone = await precomputeScores(options);
    let kills = 0;
    const onProgress = ({ stage, done }: Progress) => {
      if (stage !== 'solve' || kills === 2 || done < 200 * (kills + 1)) return;
      void threads[kills++].terminate();
    };
    const there = await precomputeScores({ ...options, workers: 2, onProgress });
    expect(kills).toBe(2);
    expect(threads).toHaveLength(4);
    expect(alive(threads)).toBe(0);
    expect(essence(there)).toEqual(essence(alone));
  });

  it('ends when it is aborted, and leaves the workers of a pool', async () => {
    const threads = watchThreads();
    const pool = await createWorkerPool({ workers: 2 });
    onTestFinished(() => pool.terminate());
    const options: PrecomputeOptions = { images: pictures(40, 3, 32), scheme: 'na2024' };
    for (const workers of [2, pool]) {
      const controller = new AbortController();
      const reason = new Error('stop');
      const onProgress = ({ stage }: Progress) => {
        if (stage === 'solve') controller.abort(reason);
      };
      const run = precomputeScores({ ...options, workers, signal: controller.signal, onProgress });
      await expect(run).rejects.toBe(reason);
    }
    const { report } = await precomputeScores({ ...options, images: pictures(2, 3, 12), workers: pool });
    expect(report).toMatchObject({ status: 'converged', workers: 2 });
    // The pool's were not started anew.
    expect(threads).toHaveLength(4);
    expect(alive(threads)).toBe(2);
  });

  it('throws what onProgress throws, and leaves the workers of a pool', async () => {
    const threads = watchThreads();
    const pool = await createWorkerPool({ workers: 2 });
    onTestFinished(() => pool.terminate());
    const own = new Error('of the caller');
    const onProgress = ({ stage }: Progress) => {
      if (stage === 'solve') throw own;
    };
    const options: PrecomputeOptions = { images: pictures(8, 1, 12), steps: 3 };
    for (const workers of [2, pool]) {
      await expect(precomputeScores({ ...options, workers, onProgress })).rejects.toBe(own);
    }
    expect(alive(threads)).toBe(2);
    expect((await precomputeScores({ ...options, workers: pool })).report.status).toBe('converged');
  });

  it('throws what it would throw without', async () => {
    const threads = watchThreads();
    const flat = pictures(5, 1, 12);
    flat.data.fill(0, 3 * 144, 4 * 144);
    const bad: PrecomputeOptions[] = [
      { images: { ...flat, data: flat.data.map((value) => 2 * value) } },
      { images: flat, sde: { diffusion: (t) => (t > 0.5 ? -1 : 1) } },
      { images: flat, steps: 3, sde: { drift: (x) => [x > 0.5 ? Number.NaN : x, 0], diffusion: () => 1 } },
      { images: flat, steps: 3, boundary: { values: () => Infinity } },
      { images: flat, steps: 3, boundary: 'reflecting', sde: { drift: () => [1, 1], diffusion: () => 0 } },
    ];
    for (const options of bad) {
      const failure = async (workers: PrecomputeOptions['workers']) => {
        try {
          await precomputeScores({ sharing: 'none', ...options, workers });
        } catch (error) {
          const { name, message, code, details } = error as Error & { code: string; details: unknown };
          return { name, message, code, details };
        }
        return undefined;
      };
      const expected = await failure(undefined);
      expect(expected?.name).toBe('SeedspanError');
      expect((await failure(2))?.code).toBe(expected?.code);
    }
    const own = new TypeError('of the caller');
    const sde = {
      diffusion: () => 1,
      drift: () => {
        throw own;
      },
    };
    await expect(precomputeScores({ images: flat, sde, workers: 2 })).rejects.toBe(own);
    await expect(precomputeScores({ images: flat, sharing: 'projection', workers: 2 })).rejects.toMatchObject(
      {
        code: 'INVALID_VALUE',
        details: { option: 'workers' },
      },
    );
    await expect(precomputeScores({ images: flat, workers: -1 })).rejects.toMatchObject({
      code: 'INVALID_VALUE',
    });
    // A status, not an error, as without workers.
    const short = { images: flat, steps: 2, sharing: 'none', fixedPoint: { maxiter: 1 } } as const;
    const { report } = await precomputeScores({ ...short, workers: 2 });
    expect(report.status).toBe('max-iterations');
    expect(report.images).toEqual((await precomputeScores(short)).report.images);
    expect(alive(threads)).toBe(0);
  });
});
