import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SeedspanError } from '../errors.ts';
import { exists, ioError } from '../node/files.ts';
import { temporaryPath } from '../node/output.ts';
import { checkPictureOptions, type Wanted } from '../node/picture.ts';
import type { PrecomputeDatasetOptions } from './dataset-options.ts';
import { storeEquation } from './options.ts';
import {
  type DatasetPlan,
  PLAN_VERSION,
  planDifferences,
  type SeedsWanted,
  shardImagesFor,
  writePlan,
} from './plan.ts';
import { fieldChannels, imageLengths, openRun, type Run } from './run.ts';
import { seedCandidates } from './seeds.ts';
import { type CatalogueSummary, catalogue, writeCatalogue } from './sources/index.ts';
import { createStore, lockStore, PRIVATE, type StoreLayout, type StoreLock } from './store/index.ts';

/** Of pictures, where nothing else is said. */
const DEFAULT_SIZE = 64;

/** Where compressed inputs are unpacked, in the private folder. */
export const STAGING = 'staging';

/** A run, and the right to be its only driver. */
export interface Prepared {
  run: Run;
  lock: StoreLock;
}

/** A new run, or the one that is there where its plan is the same. */
export async function prepareRun(options: PrecomputeDatasetOptions): Promise<Prepared> {
  const target = resolve(options.out);
  const known = await openExisting(target, options);
  if (known === undefined) return await createRun(target, options);
  const lock = await lockStore(known.store, { signal: options.signal });
  try {
    await checkSame(known, options);
    return { run: known, lock };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function createRun(target: string, options: PrecomputeDatasetOptions): Promise<Prepared> {
  // What comes first is how many images there are, and that is in the store, too.
  const place = temporaryPath(target, 'new');
  try {
    await mkdir(place).catch((error: unknown) => {
      throw ioError('write to the folder', dirname(target), error);
    });
    const plan = await planInto(place, place, options);
    await createStore(target, layoutOf(plan), {
      attributes: attributesOf(plan),
      files: { 'plan.json': writePlan(plan) },
      fill: async (folder) => {
        for (const name of await readdir(place)) await rename(join(place, name), join(folder, name));
      },
    });
  } catch (error) {
    const isThere = error instanceof SeedspanError && error.code === 'EXISTS';
    if (!isThere || options.resume === false) throw error;
    // Another one has made it since; its lock says who, if it is still at work.
    return await prepareRun(options);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
  const run = await openRun(target);
  return { run, lock: await lockStore(run.store, { signal: options.signal }) };
}

/** Lists the inputs once more, and compares. */
async function checkSame({ store, plan: former }: Run, options: PrecomputeDatasetOptions): Promise<void> {
  const inside = join(store.path, PRIVATE);
  const place = await store.temporaryFolder();
  const unpacked = await exists(join(inside, STAGING));
  try {
    const plan = await planInto(place, inside, options);
    const differences = planDifferences(plan, former);
    if (differences.length > 0) {
      throw new SeedspanError(
        'EXISTS',
        `${store.path} was begun with other options or inputs (${differences.join('; ')}); take the same to go on, or another name`,
        { path: store.path, differences },
      );
    }
    await takePaths(place, inside);
  } catch (error) {
    // What was unpacked for the comparison alone.
    if (!unpacked) await rm(join(inside, STAGING), { recursive: true, force: true });
    throw error;
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** Writes the catalogue into `folder`, unpacks what is compressed in `home`, and makes the plan. */
async function planInto(
  folder: string,
  home: string,
  options: PrecomputeDatasetOptions,
): Promise<DatasetPlan> {
  const wanted = await wantedOf(options, join(home, STAGING));
  return makePlan(options, wanted, await listInputs(folder, home, wanted, options));
}

/** The run that is there; undefined where nothing is. */
async function openExisting(
  target: string,
  { resume = true }: PrecomputeDatasetOptions,
): Promise<Run | undefined> {
  if (!(await exists(target))) return undefined;
  if (resume) return await openRun(target);
  throw new SeedspanError(
    'EXISTS',
    `${target} exists already; choose another name, or go on with it (resume)`,
    {
      path: target,
    },
  );
}

/** The picture options, with a size where the inputs begin with a picture, which has none of its own. */
async function wantedOf(
  { inputs, pictures = {}, signal }: PrecomputeDatasetOptions,
  staging: string,
): Promise<Wanted> {
  const wanted = checkPictureOptions('precomputeDataset: pictures', pictures);
  if (wanted.size !== undefined) return wanted;
  for await (const { kind } of catalogue(inputs, { wanted, staging, signal })) {
    if (kind === 'picture') return { ...wanted, size: [DEFAULT_SIZE, DEFAULT_SIZE] };
    break;
  }
  return wanted;
}

async function listInputs(
  folder: string,
  home: string,
  wanted: Wanted,
  { inputs, signal, onProgress }: PrecomputeDatasetOptions,
): Promise<CatalogueSummary> {
  const entries = catalogue(inputs, { wanted, staging: join(home, STAGING), signal });
  let done = 0;
  async function* counted() {
    for await (const entry of entries) {
      done += entry.count;
      onProgress?.({ stage: 'inputs', done, total: done });
      yield entry;
    }
  }
  return await writeCatalogue(folder, counted(), wanted, home);
}

function makePlan(
  { equation = {}, dtype = 'float32', compression = 'lz4', shardImages, seeds }: PrecomputeDatasetOptions,
  { size, channels, normalise, maxPixels }: Wanted,
  { count, shape, hash }: CatalogueSummary,
): DatasetPlan {
  const { stored, times } = storeEquation(equation, shape);
  const { scores, logDensity } = imageLengths({ shape, times, equation: stored });
  const bytes = (dtype === 'float32' ? 4 : 8) * (scores + logDensity);
  return {
    ...PLAN_VERSION,
    equation: stored,
    times,
    pictures: { size: size ?? null, channels, normalise, maxPixels },
    images: count,
    shape,
    catalogue: hash,
    store: { shardImages: shardImages ?? shardImagesFor(count, bytes), dtype, compression },
    seeds: seedsFor(stored.sharing, seeds, count, seedCandidates(shape)),
  };
}

function seedsFor(
  sharing: DatasetPlan['equation']['sharing'],
  seeds: SeedsWanted | undefined,
  images: number,
  candidates: number,
): SeedsWanted | null {
  if (sharing === 'none') {
    if (seeds === undefined) return null;
    throw new SeedspanError(
      'INVALID_VALUE',
      'precomputeDataset: seeds are for images that share, and with this scheme and preconditioner they do not',
      { option: 'seeds' },
    );
  }
  const wanted = seeds ?? { method: 'k-medoids', count: sharing === 'projection' ? 'auto' : 1 };
  const [first, ...more] = 'images' in wanted ? wanted.images : [0];
  const one = 'images' in wanted ? more.length === 0 : wanted.count === 1;
  if (sharing === 'seed-operator' && !one) {
    throw new SeedspanError(
      'INVALID_VALUE',
      'precomputeDataset: sharing "seed-operator" has the multigrid of one seed, and seeds asks for several; sharing "projection" takes several',
      { option: 'seeds' },
    );
  }
  const among = Math.min(images, candidates);
  if ('count' in wanted && wanted.count !== 'auto' && wanted.count > among) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `precomputeDataset: seeds.count is ${wanted.count}, and seeds are chosen among ${among} of the images`,
      { option: 'seeds' },
    );
  }
  const beyond = [first, ...more].find((image) => image >= images);
  if (beyond === undefined) return wanted;
  throw new SeedspanError(
    'INVALID_VALUE',
    `precomputeDataset: seeds.images has ${beyond}, but there are ${images} images (counted from 0)`,
    { option: 'seeds' },
  );
}

const CATALOGUE = ['catalogue.offsets', 'catalogue.ndjson'];

/** The inputs are the same, and may lie elsewhere now. */
async function takePaths(place: string, inside: string): Promise<void> {
  // Each by itself: whoever was killed between the two left one of them.
  for (const name of CATALOGUE) {
    const [now, then] = await Promise.all([place, inside].map((folder) => digest(join(folder, name))));
    if (now !== then) await rename(join(place, name), join(inside, name));
  }
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    throw ioError('read', path, error);
  }
  return hash.digest('hex');
}

function layoutOf(plan: DatasetPlan): StoreLayout {
  const { images, times, store } = plan;
  const [pictureChannels, height, width] = plan.shape;
  const channels = fieldChannels(plan);
  const components = plan.equation.scheme === 'na2024' ? null : 2;
  return {
    images,
    channels,
    pictureChannels,
    height,
    width,
    levels: times.length,
    components,
    times,
    ...store,
  };
}

/** What readers of the store may want to know. */
function attributesOf({ equation, pictures, seedspan }: DatasetPlan): Record<string, unknown> {
  return { version: seedspan, equation, pictures };
}
