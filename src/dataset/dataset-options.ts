import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import type { PictureOptions } from '../node/picture.ts';
import { checkChoice, checkCount, checkFlag } from '../solver/options.ts';
import { checkWorkerCount } from '../threads/options.ts';
import { checkEquationNames, type EquationOptions } from './options.ts';
import type { SeedsWanted } from './plan.ts';
import type { QueueAddress } from './queue/index.ts';

/** What `precomputeDataset` computes, where from and where to. */
export interface PrecomputeDatasetOptions {
  /**
   * Pictures, folders, patterns, tar archives, CIFAR binaries, IDX and `.npy` files, in this order; compressed by gzip,
   * too. Workers on other machines must find them under the same names.
   */
  inputs: readonly string[];
  /** The store: a folder, by custom `*.zarr`. */
  out: string;
  /** How pictures are turned into arrays; arrays are taken as they are. Default size of pictures: 64 x 64. */
  pictures?: PictureOptions;
  equation?: EquationOptions;
  /** Of scores and log densities in the store; they are computed in float64. Default `float32`. */
  dtype?: 'float32' | 'float64';
  /** Blosc with bit shuffling, around LZ4 or Zstandard, which needs the package numcodecs. Default `lz4`. */
  compression?: 'none' | 'lz4' | 'zstd';
  /** Images in a shard, which one worker does and one file of each array has. Default: about 32 MiB of results. */
  shardImages?: number;
  /**
   * Where images share what seeds leave (`sharing` `seed-operator` or `projection`): which are seeds. Default: chosen by
   * k-medoids among images spread over the data set; one for `seed-operator`, `auto` for `projection`.
   */
  seeds?: SeedsWanted;
  /** Go on with a store that is there, if it has the same plan. Default true; else it is refused. */
  resume?: boolean;
  /** Threads of this process that do the work; not with `queue`. Default `auto`: one a processor core. */
  workers?: number | 'auto';
  /** Hand the shards to the workers of a queue. */
  queue?: QueueAddress;
  signal?: AbortSignal;
  /** Called as images are done. */
  onProgress?: (progress: DatasetProgress) => void;
  /** What people should know while it goes on: retries, a queue out of reach. */
  onNotice?: (message: string) => void;
}

/** How far a run has come. */
export interface DatasetProgress {
  stage: 'inputs' | 'seeds' | 'images' | 'metadata';
  /** Images. */
  done: number;
  total: number;
}

const WHERE = 'precomputeDataset';
const KNOWN = [
  'inputs',
  'out',
  'pictures',
  'equation',
  'dtype',
  'compression',
  'shardImages',
  'seeds',
  'resume',
  'workers',
  'queue',
  'signal',
  'onProgress',
  'onNotice',
];

/** @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`. */
export function checkDatasetOptions(options: PrecomputeDatasetOptions): void {
  checkOptionNames(WHERE, options ?? null, KNOWN);
  const { inputs, out, dtype, compression, shardImages, queue, workers, resume } = options;
  const refuse = (message: string, code: 'INVALID_TYPE' | 'INVALID_VALUE' = 'INVALID_VALUE') => {
    throw new SeedspanError(code, `${WHERE}: ${message}`);
  };
  if (!Array.isArray(inputs) || inputs.length === 0 || !inputs.every((path) => typeof path === 'string')) {
    refuse('inputs must be paths, one at least', 'INVALID_TYPE');
  }
  if (typeof out !== 'string' || out === '') refuse('out must be the path of the store', 'INVALID_TYPE');
  checkChoice(WHERE, 'dtype', dtype, ['float32', 'float64']);
  checkChoice(WHERE, 'compression', compression, ['none', 'lz4', 'zstd']);
  checkCount(WHERE, 'shardImages', shardImages, 1);
  checkFlag(WHERE, 'resume', resume);
  if (queue !== undefined && workers !== undefined) {
    refuse('workers are threads of this process; with a queue they are started on their own (serveQueue)');
  }
  if (workers !== undefined && workers !== 'auto') checkWorkerCount(WHERE, workers);
  if (options.equation !== undefined) checkEquationNames(options.equation);
  checkSeedsWanted(options);
}

function checkSeedsWanted({ seeds, equation }: PrecomputeDatasetOptions): void {
  if (seeds === undefined) return;
  const where = `${WHERE}: seeds`;
  if (typeof seeds !== 'object' || seeds === null) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${where} must be { method, count } or { images }, not ${show(seeds)}`,
    );
  }
  if ('images' in seeds) {
    checkOptionNames(where, seeds, ['images']);
    const { images } = seeds;
    const fits = Array.isArray(images) && images.length > 0 && new Set(images).size === images.length;
    if (!fits) throw new SeedspanError('INVALID_VALUE', `${where}.images must name images, none twice`);
    for (const [k, image] of images.entries()) checkCount(where, `images[${k}]`, image ?? null, 0);
  } else {
    checkOptionNames(where, seeds, ['method', 'count']);
    checkChoice(where, 'method', seeds.method, ['k-medoids', 'leverage', 'first', 'random']);
    if (seeds.count !== 'auto') checkCount(where, 'count', seeds.count, 1);
  }
  const sharing = equation?.sharing;
  if (sharing === 'none') {
    throw new SeedspanError('INVALID_VALUE', `${where} are for images that share, and sharing is "none"`);
  }
}
