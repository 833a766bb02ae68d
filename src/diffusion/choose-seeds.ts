import { square } from '../elementary.ts';
import { checkOptionNames, SeedspanError } from '../errors.ts';
import { checkChoice, checkCount } from '../solver/options.ts';
import { distanceMatrix, featureRows, gramMatrix, type SeedFeatures } from './choose-seeds-features.ts';
import { leverageRows, symmetricEigen } from './choose-seeds-leverage.ts';
import { kMedoids } from './choose-seeds-medoids.ts';
import { initialLogDensity } from './density.ts';
import { checkNdArray, checkUnitRange } from './ndarray.ts';
import { PRECOMPUTE_DEFAULTS, SCHEME_DEFAULTS } from './options.ts';
import { randomStream } from './random.ts';
import type { DensityKind, NdArray, Scheme } from './types.ts';

/** How {@link chooseSeeds} chooses. */
export type SeedMethod = 'k-medoids' | 'leverage' | 'first' | 'random';

/** What {@link chooseSeeds} chooses from, and how. */
export interface ChooseSeedsOptions {
  /** Pictures, `[images, channels, H, W]`, values in [0, 1]. Give these or `initialLogDensity`. */
  images?: NdArray<Float32Array> | NdArray<Float64Array>;
  /** Log densities at the first time level, `[images, channels, H, W]`. */
  initialLogDensity?: NdArray;
  /**
   * How many seeds. `auto`: what the measurements in `docs/seeds.md` say for the `scheme` and `aim`, with the reason;
   * it may be none. Default `auto`.
   */
  count?: number | 'auto';
  /**
   * Of `auto`. `time`: one image for `sharing: 'seed-operator'`, none in `na2024`, where no sharing pays.
   * `iterations`: images for `sharing: 'projection'`, by which the others take the fewest Krylov iterations, whatever
   * the time. Default `time`.
   */
  aim?: 'time' | 'iterations';
  /**
   * `k-medoids`: the images with the smallest sum of distances from all images to the nearest. `leverage`: those with
   * the largest leverage scores, no two for the same direction; they are the unusual ones. `first`: the first
   * images. `random`: any. Default `k-medoids`.
   */
  method?: SeedMethod;
  /**
   * By what images are compared, all without their mean. `coefficients`: the differences of the log density that the
   * `scheme` makes its matrices of; `log-density`: itself; `pixels`: the pictures' values, which do nearly as well in a
   * tenth of the time, since they need no densities. Default `coefficients`.
   */
  features?: SeedFeatures;
  /** Default `consistent`. */
  scheme?: Scheme;
  /** Of the densities that `features` of `images` are made of. Default: the scheme's. */
  density?: DensityKind;
  /** Of the draws: the sample's, those of `random`, and of the densities. Default 0. */
  seed?: number;
  /** At most so many images, drawn from all, are looked at. Default 256, which takes about a second of 32 x 32 in
   * colour; memory grows with the square. */
  sample?: number;
}

/** Which images are to be seeds. */
export interface ChosenSeeds {
  /** Indices of images, no two alike. Of `k-medoids` the one that stands for the most images comes first. */
  seeds: number[];
  method: SeedMethod;
  /** Why there are so many. */
  reason: string;
  /** How many images were looked at; 0 where there are to be no seeds. */
  sampled: number;
  /** For each seed, how many of these it is the nearest seed of. */
  members: number[];
  /**
   * Mean distance of the images looked at to the nearest seed, over the root mean square of their distances to the
   * mean image: 0 where each has its equal among the seeds, and where there are none.
   */
  distance: number;
  /** Share of the features' energy about their mean that lies in the span of the seeds' features, 0 to 1; 1 where all are alike. */
  explained: number;
}

const WHERE = 'chooseSeeds';
const SAMPLE = 256;
/** The stream of the random draws; images have streams of their own, by their index. */
const STREAM = 2 ** 52;
const KNOWN = [
  'images',
  'initialLogDensity',
  'count',
  'aim',
  'method',
  'features',
  'scheme',
  'density',
  'seed',
  'sample',
] as const;
const AXES = ['images', 'channels', 'H', 'W'];
const FEATURES: readonly SeedFeatures[] = ['coefficients', 'log-density', 'pixels'];
const METHODS: readonly SeedMethod[] = ['k-medoids', 'leverage', 'first', 'random'];
/** Projection saves iterations with so many seeds of ten vectors each, and repays their own in as many images (measured). */
const MANY_SEEDS = 16;
const IMAGES_A_SEED = 4;

/**
 * Chooses the images whose operators or Krylov bases others are to share: for `seedImage` and `projection.seeds` of
 * `precomputeScores`. Deterministic; of images that are equal the first is taken.
 *
 * k-medoids by FasterPAM on Euclidean distances (Schubert and Rousseeuw 2021, Information Systems 101); leverage
 * scores of the matrix of features (Mahoney and Drineas 2009, PNAS 106(3)), taken by QR with column pivoting on its
 * dominant left singular vectors. Fields of more than 16 x 16 points are averaged over blocks for the comparison.
 *
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`, `SHAPE_MISMATCH`
 * @example
 * ```ts
 * const { seeds } = chooseSeeds({ images, count: 1 });
 * await precomputeScores({ images, sharing: 'seed-operator', seedImage: seeds[0] });
 * ```
 */
export function chooseSeeds(options: ChooseSeedsOptions): ChosenSeeds {
  const settings = resolve(options);
  const { given, method, seed } = settings;
  const images = given.shape[0];
  const sample = drawSample(images, Math.min(images, settings.sample), method === 'first' ? undefined : seed);
  const n = sample.length;
  const { count, reason } = countOf(settings, n);
  if (count === 0) return { seeds: [], method, reason, sampled: 0, members: [], distance: 0, explained: 0 };
  const gram = gramMatrix(featuresOf(settings, sample));
  const distances = distanceMatrix(gram, n);
  const places = choosePlaces(method, { gram, distances, n, count, seed });
  const { members, total } = assign(distances, n, places);
  const order = [...places.keys()];
  if (method === 'k-medoids') order.sort((a, b) => members[b] - members[a] || places[a] - places[b]);
  let energy = 0;
  for (let i = 0; i < n; i++) energy += gram[i * n + i];
  return {
    seeds: order.map((k) => sample[places[k]]),
    method,
    reason,
    sampled: n,
    members: order.map((k) => members[k]),
    distance: energy > 0 ? total / Math.sqrt(n * energy) : 0,
    explained: energy > 0 ? explained(gram, n, places) / energy : 1,
  };
}

interface Settings extends Required<Omit<ChooseSeedsOptions, 'images' | 'initialLogDensity'>> {
  given: NdArray | NdArray<Float32Array>;
  pictures: boolean;
}

function resolve(options: ChooseSeedsOptions): Settings {
  checkOptionNames(WHERE, options ?? null, KNOWN);
  checkChoice(WHERE, 'method', options.method, METHODS);
  checkChoice(WHERE, 'features', options.features, FEATURES);
  checkChoice(WHERE, 'scheme', options.scheme, ['consistent', 'lau2025', 'na2024']);
  checkChoice(WHERE, 'density', options.density, ['pixel-positions', 'pixel-pairs']);
  checkChoice(WHERE, 'aim', options.aim, ['time', 'iterations']);
  if (options.count !== 'auto') checkCount(WHERE, 'count', options.count, 1);
  checkCount(WHERE, 'seed', options.seed, 0);
  checkCount(WHERE, 'sample', options.sample, 1);
  const { images, initialLogDensity: given } = options;
  if ((images === undefined) === (given === undefined)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: give either images or initialLogDensity, and not both`,
    );
  }
  checkNdArray(images === undefined ? 'initialLogDensity' : 'images', images ?? given!, AXES);
  if (images !== undefined) checkUnitRange('images', images.data);
  const features = options.features ?? 'coefficients';
  const densities = images !== undefined && features !== 'pixels';
  if ((features === 'pixels' && images === undefined) || (options.density !== undefined && !densities)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      images === undefined
        ? `${WHERE}: features "pixels" and density are for images; initialLogDensity is a density already`
        : `${WHERE}: density is for features "coefficients" and "log-density"; "pixels" need none`,
      { option: features === 'pixels' && images === undefined ? 'features' : 'density' },
    );
  }
  const scheme = options.scheme ?? PRECOMPUTE_DEFAULTS.scheme;
  return {
    given: images ?? given!,
    pictures: images !== undefined,
    features,
    scheme,
    density: options.density ?? SCHEME_DEFAULTS[scheme].density,
    count: options.count ?? 'auto',
    aim: options.aim ?? 'time',
    method: options.method ?? 'k-medoids',
    seed: options.seed ?? 0,
    sample: options.sample ?? SAMPLE,
  };
}

/** How many seeds, and why. */
function countOf(
  { count, aim, scheme, given }: Settings,
  sampled: number,
): { count: number; reason: string } {
  if (count !== 'auto') {
    if (count <= sampled) return { count, reason: 'as asked for' };
    const images = given.shape[0];
    throw new SeedspanError(
      'INVALID_VALUE',
      count > images
        ? `${WHERE}: count is ${count}, but there are ${images} images`
        : `${WHERE}: count is ${count}, but a sample of ${sampled} images is looked at; raise sample`,
      { option: 'count', value: count },
    );
  }
  if (scheme === 'na2024') {
    return {
      count: 0,
      reason: 'na2024 has no multigrid to share, and projection saves nothing worth having',
    };
  }
  if (aim === 'time')
    return { count: 1, reason: 'one multigrid serves all images, and projection costs time' };
  if (sampled < MANY_SEEDS * IMAGES_A_SEED) {
    const least = MANY_SEEDS * IMAGES_A_SEED;
    return { count: 0, reason: `fewer than ${least} images do not repay the seeds' own iterations` };
  }
  return { count: MANY_SEEDS, reason: `${MANY_SEEDS} Krylov bases save iterations, and fewer cost some` };
}

/** Indices of so many images, rising: the first where there is no seed to draw by. */
function drawSample(images: number, size: number, seed: number | undefined): number[] {
  if (seed === undefined || size === images) return Array.from({ length: size }, (_, i) => i);
  return drawSome(images, size, seed).sort((a, b) => a - b);
}

/** So many of the numbers below n, in the order drawn (Floyd's algorithm). */
function drawSome(n: number, size: number, seed: number): number[] {
  const random = randomStream(seed, STREAM);
  const drawn = new Set<number>();
  for (let top = n - size; top < n; top++) {
    const at = Math.floor(random.uniform() * (top + 1));
    drawn.add(drawn.has(at) ? top : at);
  }
  return [...drawn];
}

function featuresOf(
  { given, pictures, features, scheme, density, seed }: Settings,
  sample: readonly number[],
) {
  const [, ...rest] = given.shape;
  const size = given.data.length / given.shape[0];
  const parts = sample.map((image) => {
    const one = {
      data: given.data.subarray(image * size, (image + 1) * size),
      shape: [1, ...rest],
    } as NdArray;
    const densities = pictures && features !== 'pixels';
    return densities ? initialLogDensity(one, density, { seed, firstStream: image }) : one;
  });
  const length = parts[0].data.length;
  const data = new Float64Array(sample.length * length);
  for (const [k, part] of parts.entries()) data.set(part.data, k * length);
  const shape = [sample.length, ...parts[0].shape.slice(1)];
  return featureRows({ data, shape }, scheme, features === 'coefficients');
}

interface Compared {
  gram: Float64Array;
  distances: Float64Array;
  n: number;
  count: number;
  seed: number;
}

/** Places in the sample. */
function choosePlaces(method: SeedMethod, { gram, distances, n, count, seed }: Compared): number[] {
  if (method === 'random') return drawSome(n, count, seed + 1);
  const places: number[] = [];
  if (method === 'k-medoids') places.push(...kMedoids(distances, n, count).medoids);
  if (method === 'leverage') places.push(...leverageRows(gram, n, count));
  // Where images are alike there is not rank enough: the first of the others are as good as any.
  for (let i = 0; places.length < count; i++) if (!places.includes(i)) places.push(i);
  return places;
}

/** How many rows each place is the nearest of, and the sum of the distances to the nearest. */
function assign(
  distances: Float64Array,
  n: number,
  places: readonly number[],
): { members: number[]; total: number } {
  const members = places.map(() => 0);
  let total = 0;
  for (let i = 0; i < n && places.length > 0; i++) {
    // A seed is its own, also where another equals it.
    let nearest = Math.max(0, places.indexOf(i));
    for (const [k, place] of places.entries()) {
      if (distances[place * n + i] < distances[places[nearest] * n + i]) nearest = k;
    }
    members[nearest]++;
    total += distances[places[nearest] * n + i];
  }
  return { members, total };
}

/** The energy of the projections of all rows on the span of some. */
function explained(gram: Float64Array, n: number, places: readonly number[]): number {
  const k = places.length;
  const small = new Float64Array(k * k);
  for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) small[i * k + j] = gram[places[i] * n + places[j]];
  const { values, vectors } = symmetricEigen(small, k);
  let energy = 0;
  for (let e = 0; e < k; e++) {
    if (!(values[e] > 1e-12 * values[0])) continue;
    for (let i = 0; i < n; i++) {
      let product = 0;
      for (let j = 0; j < k; j++) product += vectors[e * k + j] * gram[places[j] * n + i];
      energy += square(product) / values[e];
    }
  }
  return energy;
}
