// Points drawn from pre-computed fields: time, distance to the density beside its floor; and the samplers' orders.

import {
  constantDiffusion,
  drawFromField,
  energyDistance,
  FIELD_SAMPLERS,
  type FieldSampler,
  gaussianScore,
  type NdArray,
  type PointField,
  precomputeField,
  type SamplerName,
  type ScoreFunction,
  sample,
  sampleField,
  samplingTimes,
  slicedWasserstein,
  totalVariation,
  variancePreserving,
} from '../src/diffusion/index.ts';
import { readPictures } from '../src/node/pictures.ts';
import { createEngine } from '../src/solver/create-engine.ts';
import { compare, type Effort, localAsync } from './harness.ts';
import { PHOTOGRAPHS, photographPath } from './photographs.ts';
import { type Case, digits, machine, publish, readArguments, wanted } from './results.ts';

const SIZE = 64;
const STEPS = 50;

const args = readArguments();
const COUNT = args.quick ? 20_000 : 200_000;
/** Sets of points of each kind: the distances of single sets swing by half their size. */
const SETS = args.quick ? 3 : 5;
const effort: Effort = { sample: 1, rounds: args.quick ? 3 : 5, warmUp: 200, most: 6000 };

const engine = await createEngine();
const cases: Case[] = [];
const quality: string[][] = [];
const ways: string[][] = [];
const orders: string[][] = [];
const masses: number[] = [];

try {
  for (const name of PHOTOGRAPHS.slice(0, 3)) {
    if (wanted(name, args.only)) await ofPhotograph(name);
  }
  if (args.only.length === 0) await ordersOf();
} finally {
  engine.dispose();
}

await publish(
  args,
  {
    name: 'sampling',
    command: 'npm run bench:sampling',
    machine: machine(),
    notes: [
      `${COUNT} points, ${STEPS} steps, ${SIZE} x ${SIZE} cells (darkness + 0.02), 60 levels. CPU time, medians, one thread, plain SIMD build; the field is made before.`,
      `Distances are root mean squares (total variation, energy: means) over ${SETS} sets of points, each against a set of direct draws; the floor is the same of two sets of direct draws.`,
      `Mass of the fields, over all levels: off by ${Math.max(...masses).toExponential(1)} at most.`,
    ],
    cases,
  },
  [
    {
      title: 'Points by Heun steps',
      head: [
        'photograph',
        'field ms',
        'points ms',
        'sliced W2',
        'floor',
        'ratio',
        'even points',
        'TV',
        'floor',
        'energy',
        'floor',
      ],
      rows: quality,
      note: 'even points: sliced W2 of evenly spread points, where sampling starts, over the floor.',
    },
    {
      title: 'All samplers of the field',
      head: [
        'photograph, sampler',
        'ms',
        'looks at the field',
        'sliced W2 : floor',
        'TV : floor',
        'energy : floor',
      ],
      rows: ways,
    },
    {
      title: 'Orders of the samplers for any score, on Gaussian data (exact flow), vp:0.5,4 and constant:0.8',
      head: ['sampler, equation', 'steps', 'error', 'order'],
      rows: orders,
    },
  ].filter(({ rows }) => rows.length > 0),
);

interface Distances {
  sliced: number;
  variation: number;
  energy: number;
}

function distances(a: readonly NdArray[], b: readonly NdArray[], field: PointField): Distances {
  const mean = (of: (p: NdArray, q: NdArray) => number) =>
    a.reduce((sum, p, k) => sum + of(p, b[k]), 0) / a.length;
  return {
    sliced: Math.sqrt(mean((p, q) => slicedWasserstein(p, q, { directions: 8 }) ** 2)),
    variation: mean((p, q) => totalVariation(p, q, field)),
    energy: mean((p, q) => energyDistance(p, q, { directions: 8 })),
  };
}

async function sets(make: (seed: number) => Promise<NdArray>): Promise<NdArray[]> {
  const all: NdArray[] = [];
  for (let k = 0; k < SETS; k++) all.push(await make(k));
  return all;
}

async function ofPhotograph(name: string): Promise<void> {
  const path = photographPath(name);
  const picture = await readPictures([path], { size: SIZE, channels: 1 });
  const density = { data: Float64Array.from(picture.data, (value) => 1.02 - value), shape: [SIZE, SIZE] };
  const field = await precomputeField(density, { engine });
  masses.push(massError(field));
  const count = COUNT;
  const direct = (offset: number, variance = 0) =>
    sets((seed) => drawFromField(field, { count, seed: 1000 * offset + seed, variance, engine }));
  const [references, others] = [await direct(1), await direct(2)];
  const floor = distances(others, references, field);
  const even = distances(await direct(3, field.variances[field.variances.length - 1]), references, field);
  const timings = await compare(
    [
      localAsync(async () => void (await precomputeField(density, { engine }))),
      ...FIELD_SAMPLERS.map((sampler) =>
        localAsync(async () => void (await sampleField(field, { count, sampler, steps: STEPS, engine }))),
      ),
    ],
    effort,
  );
  for (const [k, sampler] of FIELD_SAMPLERS.entries()) {
    const { distance, evaluations } = await distanceOf(field, sampler, references);
    const { cpu } = timings[k + 1];
    const ratio = {
      sliced: distance.sliced / floor.sliced,
      variation: distance.variation / floor.variation,
      energy: distance.energy / floor.energy,
    };
    cases.push({
      key: `${name}/${sampler}`,
      timing: timings[k + 1],
      evaluations,
      distance,
      floor,
      over: ratio,
    });
    ways.push([`${name}, ${sampler}`, digits(cpu), String(evaluations), ...Object.values(ratio).map(digits)]);
    if (sampler !== 'heun') continue;
    quality.push([
      name,
      digits(timings[0].cpu),
      digits(cpu),
      distance.sliced.toExponential(2),
      floor.sliced.toExponential(2),
      digits(ratio.sliced),
      digits(even.sliced / floor.sliced),
      digits(distance.variation),
      digits(floor.variation),
      distance.energy.toExponential(2),
      floor.energy.toExponential(2),
    ]);
  }
}

async function distanceOf(field: PointField, sampler: FieldSampler, references: readonly NdArray[]) {
  let evaluations = 0;
  const points = await sets(async (seed) => {
    const drawn = await sampleField(field, { count: COUNT, sampler, steps: STEPS, seed, engine });
    evaluations = drawn.evaluations;
    return drawn.points;
  });
  return { distance: distances(points, references, field), evaluations };
}

function massError({ density, spacing, height, width, variances }: PointField): number {
  const n = height * width;
  return Math.max(
    ...Array.from(variances, (_, level) => {
      const p = density.data.subarray(level * n, (level + 1) * n);
      return Math.abs(p.reduce((sum, value) => sum + value, 0) * spacing[0] * spacing[1] - 1);
    }),
  );
}

/** Errors of the deterministic samplers against the closed form of the flow, at doubled numbers of steps. */
async function ordersOf(): Promise<void> {
  const [from, to] = [1, 0.05];
  for (const sde of [variancePreserving({ betaMin: 0.5, betaMax: 4 }), constantDiffusion(0.8)]) {
    const data = { mean: [0.7, -0.3] as const, variance: 0.09, sde };
    const score: ScoreFunction = (x, t) => Float64Array.from(gaussianScore(x[0], x[1], t, data));
    const at = (t: number) => {
      const { scale, variance } = sde.transition(t);
      return { scale, deviation: Math.sqrt(scale * scale * data.variance + variance) };
    };
    const start = { data: Float64Array.of(-1.3, 2.1), shape: [1, 2] };
    const [a, b] = [at(from), at(to)];
    const exact = start.data.map(
      (value, k) => b.scale * data.mean[k] + ((value - a.scale * data.mean[k]) * b.deviation) / a.deviation,
    );
    for (const name of ['euler', 'ddim', 'heun', 'rk45'] as const satisfies SamplerName[]) {
      let last: number | undefined;
      for (const steps of name === 'rk45' ? [16, 32, 64] : [80, 160, 320]) {
        const times = samplingTimes({ steps, from, to });
        const fixed = name === 'rk45' ? { rtol: Infinity, atol: Infinity } : {};
        const { x } = await sample(name, score, start, times, { sde, ...fixed });
        const error = Math.max(...x.data.map((value, k) => Math.abs(value - exact[k])));
        const order = last === undefined ? undefined : Math.log2(last / error);
        orders.push([`${name}, ${sde.name}`, String(steps), error.toExponential(2), digits(order)]);
        cases.push({ key: `order/${name}/${sde.name}/${steps}`, error, order });
        last = error;
      }
    }
  }
}
