import { randomStream } from '../../diffusion/random.ts';
import type { DdpmSchedule } from './schedule.ts';
import { fillSample, newBatch, stepStream, type Task, type TrainingPictures } from './types.ts';

/**
 * DDPM (arXiv 2006.11239, algorithm 1): pictures as `2 p - 1`, a step drawn from all of the schedule's for each sample,
 * the noise to be told from `sqrt(alphaBar) x + sqrt(1 - alphaBar) z`; the mean of the squared errors. Samples take the
 * pictures in turn; an epoch has as many batches as there are pictures.
 */
export function ddpmTask(
  pictures: TrainingPictures,
  schedule: DdpmSchedule,
  { batchSize, seed }: { batchSize: number; seed: number },
): Task {
  const [images, ...shape] = pictures.shape;
  const size = pictures.data.length / images;
  return {
    stepsPerEpoch: images,
    batch(step) {
      const batch = newBatch(batchSize, size);
      const choice = randomStream(seed, stepStream(step, 'choice'));
      const { normal } = randomStream(seed, stepStream(step, 'noise'));
      for (let sample = 0; sample < batchSize; sample++) {
        const image = (step * batchSize + sample) % images;
        const t = (1 + Math.floor(choice.uniform() * schedule.steps)) / schedule.steps;
        const { scale, variance } = schedule.transition(t);
        const mean = (k: number) => scale * (2 * pictures.data[image * size + k] - 1);
        fillSample(batch, sample, shape, normal, mean, Math.sqrt(variance));
        batch.t[sample] = t;
        batch.index[sample] = image;
      }
      batch.scale.fill(-1);
      batch.weight.fill(1 / size);
      return batch;
    },
  };
}
