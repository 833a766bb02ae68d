import { type ShardCommit, type Store, type StoreLayout, shardRange } from '../../src/dataset/store/index.ts';
import type { ImageRecord, ImageStatus } from '../../src/dataset/types.ts';

/** Short last shard, odd sizes. */
export const small: StoreLayout = {
  images: 5,
  channels: 3,
  pictureChannels: 1,
  height: 4,
  width: 5,
  levels: 2,
  components: 2,
  shardImages: 2,
  dtype: 'float32',
  compression: 'none',
  times: [0, 0.25],
};

/** Fields that change slowly, with digits in every byte: no two images alike. */
function wave(length: number, image: number, phase: number): Float64Array {
  return Float64Array.from(
    { length },
    (_, k) => Math.sin((k + 17 * image) / 19 + phase) * (1 + image) + 1 / (k + 3),
  );
}

export function imageValues(layout: StoreLayout, image: number) {
  const { channels, pictureChannels, height, width, levels, components } = layout;
  const pixels = channels * height * width;
  return {
    scores: wave(levels * pixels * (components ?? 1), image, 0),
    logDensity: wave(levels * pixels, image, 1),
    initial: Float32Array.from(wave(pictureChannels * height * width, image, 2)),
  };
}

export type States = (image: number) => ImageStatus;

export function imageRecord(index: number, status: ImageStatus): ImageRecord {
  return {
    index,
    source: `bilder/größe-${index}.png`,
    ...(status === 'failed'
      ? { error: `no picture: ${index}` }
      : { hash: (index + 1).toString(16).padStart(64, '0') }),
    status,
    iterations: 10 * index,
    seconds: index / 8,
  };
}

export const report = (images: ImageRecord[], worker = 'made-up') => ({
  images,
  worker,
  attempt: 1,
  finished: '2026-01-01T00:00:00.000Z',
});

/** Writes a shard of made-up images. */
export async function writeShard(
  store: Store,
  shard: number,
  statusOf: States = () => 'converged',
  worker?: string,
): Promise<ShardCommit> {
  const writer = store.writeShard(shard);
  const [from, to] = shardRange(store.layout, shard);
  const images: ImageRecord[] = [];
  for (let image = from; image < to; image++) {
    const status = statusOf(image);
    if (status === 'failed') writer.skip(image - from);
    else await writer.add(image - from, imageValues(store.layout, image));
    images.push(imageRecord(image, status));
  }
  return writer.finish(report(images, worker));
}

/** What the arrays of a store must hold; NaN where nothing was written. */
export function expectedArrays(layout: StoreLayout, has: (image: number) => boolean) {
  const Values = layout.dtype === 'float32' ? Float32Array : Float64Array;
  const images = Array.from({ length: layout.images }, (_, image) => {
    const { scores, logDensity, initial } = imageValues(layout, image);
    if (has(image)) return { scores, logDensity, initial };
    return { scores: scores.fill(NaN), logDensity: logDensity.fill(NaN), initial: initial.fill(NaN) };
  });
  return {
    scores: Values.from(images.flatMap(({ scores }) => [...scores])),
    log_density: Values.from(images.flatMap(({ logDensity }) => [...logDensity])),
    initial: Float32Array.from(images.flatMap(({ initial }) => [...initial])),
  };
}
