import { describe, expect, test } from 'vitest';
import {
  band,
  type Evaluation,
  firstPassage,
  lastSpread,
  passages,
  spread,
} from '../../bench/reproduce/passage.ts';
import {
  ABLATIONS,
  ARMS,
  ablationName,
  EXPERIMENTS,
  type PlannedName,
  planOf,
} from '../../bench/reproduce/plan.ts';
import { fromBytes, keyOf, toBytes } from '../../bench/reproduce/records.ts';
import { comparison, replaced } from '../../bench/reproduce/summary.ts';

/** A curve of windowed similarities, an evaluation each ten seconds. */
function curve(...values: number[]): Evaluation[] {
  return values.map((ssim, k) => ({
    cpu: 10 * (k + 1),
    wall: 20 * (k + 1),
    step: 100 * (k + 1),
    epoch: k + 1,
    measures: {
      ssim,
      globalSsim: ssim + 0.1,
      publishedGlobalSsim: ssim + 0.1,
      mse: 1 - ssim,
      psnr: 10 * ssim,
    },
  }));
}

describe('first passage', () => {
  const lucky = curve(0.2, 0.95, 0.1, 0.3);

  test('one evaluation over the threshold is enough, whatever comes after', () => {
    expect(firstPassage(lucky, 'ssim', 0.9)?.cpu).toBe(20);
    expect(firstPassage(lucky, 'ssim', 0.95)?.step).toBe(200);
    expect(firstPassage(lucky, 'ssim', 0.96)).toBeUndefined();
    expect(firstPassage([], 'ssim', 0)).toBeUndefined();
  });

  test('over the runs that got there, and how many did', () => {
    const curves = [lucky, curve(0.1, 0.1, 0.1, 0.92), curve(0.1, 0.2)];
    const threshold = { measure: 'ssim', threshold: 0.9 } as const;
    expect(passages(curves, threshold, 'wall')).toEqual({
      reached: 2,
      runs: 3,
      at: { mean: 60, low: 40, high: 80, count: 2 },
    });
    expect(passages(curves, { ...threshold, threshold: 0.99 }, 'cpu')).toEqual({ reached: 0, runs: 3 });
    expect(passages(curves, { measure: 'globalSsim', threshold: 1.05 }, 'cpu').reached).toBe(1);
  });
});

test('the last evaluations count over all runs', () => {
  expect(lastSpread([curve(0, 0.4, 0.6), curve(0, 0.2, 0.8)], 'ssim', 2)).toEqual({
    mean: 0.5,
    low: 0.2,
    high: 0.8,
    count: 4,
  });
  expect(lastSpread([], 'ssim', 2)).toBeUndefined();
  expect(spread([])).toBeUndefined();
});

test('a band ends with the shortest run', () => {
  const [first, ...rest] = band([curve(0.2, 0.4), curve(0.4, 0.6, 0.8)], 'ssim');
  expect(rest).toHaveLength(1);
  expect(first.cpu).toBe(10);
  expect(first.mean).toBeCloseTo(0.3);
  expect([first.low, first.high]).toEqual([0.2, 0.4]);
  expect(band([], 'ssim')).toEqual([]);
});

describe('plans', () => {
  const planned = EXPERIMENTS.filter((name): name is PlannedName => name !== 'supervision');
  const plans = planned.flatMap((name) =>
    (['quick', 'full'] as const).map((preset) => [name, preset, planOf(name, preset)] as const),
  );
  const tables = plans.filter(([name]) => name !== 'ablations');

  test.each(tables)('%s %s: all arms, one network, one budget', (_, __, { cases }) => {
    for (const { trainings } of cases) {
      expect(trainings.flatMap(({ arms }) => arms.map(({ name }) => name))).toEqual(Object.values(ARMS));
      expect(new Set(trainings.map(({ settings }) => JSON.stringify(settings.network))).size).toBe(1);
      const [embedding, none] = trainings.map(({ settings }) => settings);
      expect({ ...embedding, embedding: 'none' }).toEqual(none);
    }
  });

  test.each(plans)('%s %s: the last evaluations are among them', (_, preset, { cases }) => {
    for (const { evaluations, last } of cases) expect(last).toBeLessThanOrEqual(evaluations);
    if (preset === 'full') return;
    // Ten minutes, evaluations and the pre-computation's tables apart.
    const seconds = cases.reduce((sum, { trainings, budget }) => sum + 3 * trainings.length * budget, 0);
    expect(seconds).toBeLessThanOrEqual(450);
  });

  test('an arm is found by its name or its training', () => {
    const names = (only: string[]) =>
      planOf('table1', 'quick', only).cases.flatMap(({ trainings }) => trainings.map(({ name }) => name));
    expect(names(['ddpm'])).toEqual(['ddpm']);
    expect(names(['DDIM'])).toEqual(['ddpm']);
    expect(names(['embedding'])).toEqual(['embedding', 'no-embedding']);
    expect(names(['none such'])).toEqual([]);
  });

  test('each ablation changes one setting of the base', () => {
    const base = ABLATIONS.filter((ablation) => ablation.base);
    expect(base.map(({ group }) => group)).toEqual(['spacing', 'levels', 'tolerance', 'sigma']);
    for (const { settings, base: same } of ABLATIONS) {
      const changed = Object.entries(settings).filter(
        ([key, value]) => value !== base[0].settings[key as keyof typeof settings],
      );
      expect(changed).toHaveLength(same ? 0 : 1);
    }
    const [{ trainings }] = planOf('ablations', 'quick').cases;
    expect(trainings.map(({ name }) => name)).toEqual([
      ...new Set(ABLATIONS.map(ablationName)),
      'no-embedding',
    ]);
  });
});

describe('records', () => {
  test('a changed setting is another record', () => {
    expect(keyOf({ budget: 40 })).not.toBe(keyOf({ budget: 41 }));
    expect(keyOf({ budget: 40 })).toBe(keyOf({ budget: 40 }));
  });

  test('pictures are kept to eight bits, values outside brought back', () => {
    const shape = [1, 1, 2, 2];
    const kept = fromBytes(toBytes({ data: Float64Array.of(-0.5, 0.25, 0.5, 3), shape }));
    expect(kept.shape).toEqual(shape);
    expect(Array.from(kept.data)).toEqual([0, 64 / 255, 128 / 255, 1]);
  });
});

describe('conclusions', () => {
  test('arms are told apart where no seed of one reaches into the other', () => {
    expect(comparison([0.5, 0.6], [0.2, 0.4])).toBe('above');
    expect(comparison([0.1, 0.2], [0.3, 0.9])).toBe('below');
    expect(comparison([0.1, 0.5], [0.4, 0.9])).toBe('overlapping');
    expect(comparison([0.5], [0.5])).toBe('overlapping');
  });

  test('the section takes the place of the old one, and what stands around it stays', () => {
    const section = '## What does not reproduce\n\nnew\n';
    const first = replaced('# Results\n\nof benches\n', section);
    expect(first).toBe(`# Results\n\nof benches\n\n${section}`);
    expect(replaced(first, section)).toBe(first);
    const between = '# Results\n\n## What does not reproduce\n\nold\n\n### more\n\n## After\n\nstays\n';
    expect(replaced(between, section)).toBe(`# Results\n\n${section}\n## After\n\nstays\n`);
  });
});
