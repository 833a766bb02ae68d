import { join } from 'node:path';
import { computeFields, type Plan } from '../diffusion/fields.ts';
import { chooseSeeds } from '../diffusion/index.ts';
import { SeedspanError } from '../errors.ts';
import { readNpy, writeNpy } from '../formats/index.ts';
import { exists, readParsed } from '../node/files.ts';
import { writeFileWhole } from '../node/output.ts';
import { createEngine } from '../solver/create-engine.ts';
import { isGone, isOfImage } from './image-faults.ts';
import { loadEquation } from './options.ts';
import type { SeedsWanted } from './plan.ts';
import { fieldChannels, type Run, wantedPictures } from './run.ts';
import { type CatalogueItem, openImageReader } from './sources/index.ts';
import { PRIVATE } from './store/index.ts';

/** What seeds leave for all others. */
export interface Seeds {
  /** To be computed with every group of images, which are projected on their bases. */
  pictures?: readonly { index: number; data: Float32Array }[];
  /** The first channel's log densities, `[levels, H, W]`, of which the shared multigrid is made. */
  fields?: Float64Array;
}

const CHOICE = 'seeds.json';
const PICTURES = 'seed-pictures.npy';
const FIELDS = 'seed-fields.npy';

/** Most images that seeds are chosen from, spread evenly over the data set, and most bytes of them all. */
const SAMPLE = { images: 256, bytes: 2 ** 28 };

/** How many images of this shape seeds are chosen from, where the data set has as many. */
export function seedCandidates([channels, height, width]: readonly number[]): number {
  const bytes = Float32Array.BYTES_PER_ELEMENT * channels * height * width;
  return Math.max(1, Math.min(SAMPLE.images, Math.floor(SAMPLE.bytes / bytes)));
}

interface Choice {
  images: number[];
  /** How they were chosen, for people. */
  reason: string;
}

/** What was stored of the run's seeds; undefined where its images share nothing. */
export async function loadSeeds({ store, plan }: Run): Promise<Seeds | undefined> {
  if (plan.seeds === null) return undefined;
  const path = (name: string) => join(store.path, PRIVATE, name);
  const { images } = await readParsed(path(CHOICE), parseChoice);
  if (plan.equation.sharing === 'seed-operator') {
    const fields = await readParsed(path(FIELDS), (bytes) => readNpy(bytes));
    const [, height, width] = plan.shape;
    checkLength(path(FIELDS), fields.data, plan.times.length * height * width);
    return { fields: fields.data as Float64Array };
  }
  const { data } = await readParsed(path(PICTURES), (bytes) => readNpy(bytes));
  const size = plan.shape[0] * plan.shape[1] * plan.shape[2];
  checkLength(path(PICTURES), data, images.length * size);
  const all = data as Float32Array;
  return { pictures: images.map((index, k) => ({ index, data: all.subarray(k * size, (k + 1) * size) })) };
}

function parseChoice(bytes: Uint8Array): Choice {
  let choice: Partial<Choice> | null;
  try {
    choice = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Choice> | null;
  } catch (cause) {
    throw new SeedspanError('BAD_FORMAT', 'it is not JSON', {}, { cause });
  }
  const { images, reason = '' } = choice ?? {};
  if (!Array.isArray(images) || !images.every(Number.isInteger)) {
    throw new SeedspanError('BAD_FORMAT', 'it names no seeds');
  }
  return { images, reason };
}

function checkLength(path: string, { length }: ArrayLike<unknown>, expected: number): void {
  if (length === expected) return;
  throw new SeedspanError('BAD_FORMAT', `${path}: it has ${length} numbers, and the plan needs ${expected}`);
}

/**
 * Chooses the seeds of a run and stores what they leave, before any shard is handed out; does nothing where that is done.
 * The result depends on the plan alone.
 */
export async function prepareSeeds(run: Run, signal: AbortSignal | undefined): Promise<void> {
  const { store, plan } = run;
  if (plan.seeds === null) return;
  const path = (name: string) => join(store.path, PRIVATE, name);
  if (await exists(path(CHOICE))) return;
  const { choice, pictures } = await choose(run, plan.seeds, signal);
  const write = (name: string, bytes: Uint8Array | string) =>
    writeFileWhole(path(name), bytes, { force: true });
  if (plan.equation.sharing === 'seed-operator') {
    await write(FIELDS, writeNpy(await seedFields(run, choice.images[0], pictures, signal)));
  } else {
    await write(PICTURES, writeNpy({ data: pictures, shape: [choice.images.length, ...plan.shape] }));
  }
  // Last: where it is, the others are.
  await write(CHOICE, `${JSON.stringify(choice, undefined, 2)}\n`);
}

async function choose(
  run: Run,
  wanted: SeedsWanted,
  signal: AbortSignal | undefined,
): Promise<{ choice: Choice; pictures: Float32Array }> {
  const { plan, catalogue } = run;
  const reader = openImageReader(wantedPictures(plan), plan.shape);
  const itemOf = async (index: number) => (await catalogue.items(index, index + 1))[0];
  const read = async (item: CatalogueItem) => {
    signal?.throwIfAborted();
    return (await reader.read(item)).data;
  };
  try {
    if ('images' in wanted) {
      const parts: Float32Array[] = [];
      for (const index of wanted.images) parts.push(await read(await itemOf(index)));
      return { choice: { images: [...wanted.images], reason: 'given' }, pictures: joined(parts) };
    }
    const sample: { index: number; data: Float32Array }[] = [];
    const count = Math.min(seedCandidates(plan.shape), plan.images);
    for (let k = 0; k < count; k++) {
      const index = Math.floor(((k + 0.5) * plan.images) / count);
      const item = await itemOf(index);
      // What is set aside when its turn comes is no candidate. A disk that is away changes no choice.
      const data = await read(item).catch(async (error: unknown) => {
        signal?.throwIfAborted();
        if (isOfImage(error) || (await isGone(error, item))) return undefined;
        throw error;
      });
      if (data !== undefined) sample.push({ index, data });
    }
    if (sample.length === 0) {
      throw new SeedspanError('IO', `none of ${count} images, taken evenly from the inputs, can be read`);
    }
    const chosen = chooseSeeds({
      images: { data: joined(sample.map(({ data }) => data)), shape: [sample.length, ...plan.shape] },
      method: wanted.method,
      count: wanted.count,
      scheme: plan.equation.scheme,
      density: plan.equation.density,
      seed: plan.equation.seed,
      aim: plan.equation.sharing === 'projection' ? 'iterations' : 'time',
      sample: sample.length,
    });
    const images = chosen.seeds.map((k) => sample[k].index);
    const pictures = joined(chosen.seeds.map((k) => sample[k].data));
    return { choice: { images, reason: chosen.reason }, pictures };
  } finally {
    await reader.close();
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const data = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return data;
}

/** The first channel's log densities of the seed at all levels. */
async function seedFields(
  { plan }: Run,
  index: number,
  picture: Float32Array,
  signal: AbortSignal | undefined,
): Promise<{ data: Float64Array; shape: number[] }> {
  const settings = loadEquation(plan.equation);
  const [, height, width] = plan.shape;
  const channels = fieldChannels(plan);
  const times = Float64Array.from(plan.times);
  const seedPlan: Plan = { settings, times, operators: 'seed-operator', seedImage: 0, pictures: true };
  const engine = await createEngine();
  try {
    const input = { data: picture, shape: [1, ...plan.shape], streams: [index] };
    const hooks = { signal, onProgress: undefined };
    const { logDensity } = await computeFields(engine.kernel, seedPlan, input, hooks);
    const n = height * width;
    const data = new Float64Array(times.length * n);
    for (let level = 0; level < times.length; level++) {
      data.set(logDensity.data.subarray(level * channels * n, level * channels * n + n), level * n);
    }
    return { data, shape: [times.length, height, width] };
  } finally {
    engine.dispose();
  }
}
