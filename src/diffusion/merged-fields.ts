import { sharedNumbers } from '../threads/shared.ts';
import { type Fields, type Input, makeFields, type Plan, type Room } from './fields.ts';
import type { Shape } from './run.ts';
import { REASONS } from './shared-operator.ts';
import type { NdArray, Progress, SharingDecision } from './types.ts';

/** Fields of all images, put together of those of some at a time. */
export class MergedFields {
  readonly fields: Fields;
  readonly #done = new Set<number>();

  constructor({ settings, times, pictures }: Plan, { shape: [images, channels, height, width] }: Input) {
    const single = pictures && settings.density === 'pixel-positions';
    const shape: Shape = { images, channels: single ? 1 : channels, height, width, levels: times.length };
    this.fields = {
      shape,
      ...makeFields(shape, settings),
      steps: [],
      images: [],
      matvecs: 0,
      peclet: undefined,
      time: { density: 0, assembly: 0, projection: 0, solve: 0, score: 0 },
      decisions: [],
    };
  }

  get shape(): Shape {
    return this.fields.shape;
  }

  get bytesAnImage(): number {
    const { shape, logDensity, scores } = this.fields;
    return (8 * (logDensity.data.length + scores.data.length)) / shape.images;
  }

  /** Where a worker puts the fields of so many images; undefined where threads share no memory. */
  makeRoom(images: number): Room | undefined {
    const { shape, logDensity, scores } = this.fields;
    const make = ({ data }: NdArray) => sharedNumbers((data.length / shape.images) * images);
    const [first, second] = [make(logDensity), make(scores)];
    return first && second && { logDensity: first, scores: second };
  }

  has(image: number): boolean {
    return this.#done.has(image);
  }

  /** Puts the fields of these images into their places. */
  take(images: readonly number[], part: Fields): void {
    const { fields } = this;
    const { levels } = this.shape;
    for (const name of ['logDensity', 'scores'] as const) {
      const { data } = part[name];
      const size = data.length / images.length;
      for (const [k, image] of images.entries()) {
        fields[name].data.set(data.subarray(k * size, (k + 1) * size), image * size);
      }
    }
    for (const [k, image] of images.entries()) {
      this.#done.add(image);
      fields.images[image] = part.images[k];
      for (let level = 1; level < levels; level++) {
        const step = part.steps[(level - 1) * images.length + k];
        fields.steps[(level - 1) * this.shape.images + image] = { ...step, image };
      }
    }
    fields.matvecs += part.matvecs;
    for (const stage of Object.keys(fields.time) as (keyof Fields['time'])[]) {
      fields.time[stage] += part.time[stage];
    }
    if (part.peclet !== undefined) {
      const { cells, of, max } = fields.peclet ?? { cells: 0, of: 0, max: 0 };
      const { peclet } = part;
      fields.peclet = { cells: cells + peclet.cells, of: of + peclet.of, max: Math.max(max, peclet.max) };
    }
    for (const decision of part.decisions) this.#decide({ ...decision, image: images[decision.image] });
  }

  /** Workers have copies of the seed's preconditioners, each the same: they are not counted again. */
  #decide(decision: SharingDecision): void {
    const { decisions } = this.fields;
    const same = decisions.find(({ reason }) => reason === decision.reason);
    if (same === undefined) {
      decisions.push(decision);
      return;
    }
    same.served += decision.served;
    if (decision.reason === REASONS.seed) same.operators = Math.max(same.operators, decision.operators);
    else same.operators += decision.operators;
  }

  /** The plan for images that the seed, which is done, is not among. */
  withSeed(plan: Plan): Plan {
    const { channels, height, width, levels } = this.shape;
    const n = height * width;
    const seedFields = new Float64Array(levels * n);
    for (let level = 0; level < levels; level++) {
      const start = (plan.seedImage * levels + level) * channels * n;
      seedFields.set(this.fields.logDensity.data.subarray(start, start + n), level * n);
    }
    return { ...plan, seedImage: -1, seedFields };
  }
}

/** Adds up what parts tell of their progress. */
export class PartsProgress {
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  readonly #images: number;
  /** Loops of one image: how many systems there will be at least. */
  readonly #loops: number;
  readonly #density = new Map<readonly number[], number>();
  readonly #solve = new Map<readonly number[], { done: number; total: number }>();
  /** A worker that takes the place of a dead one begins anew; what is told does not go back. */
  #most = { density: 0, solve: 0 };

  constructor({ images, channels, levels }: Shape, onProgress: ((progress: Progress) => void) | undefined) {
    this.#onProgress = onProgress;
    this.#images = images;
    this.#loops = channels * (levels - 1);
  }

  /** What takes the reports of a part. */
  of(images: readonly number[]): (progress: Progress) => void {
    return ({ stage, done, total }) => {
      if (stage === 'density') this.#density.set(images, done);
      else this.#solve.set(images, { done, total });
      this.#tell(stage);
    };
  }

  /** The last report. */
  complete(): void {
    const { solve } = this.#most;
    this.#onProgress?.({ stage: 'solve', done: solve, total: solve });
  }

  #tell(stage: Progress['stage']): void {
    let done = 0;
    if (stage === 'density') {
      for (const count of this.#density.values()) done += count;
      this.#most.density = Math.max(this.#most.density, done);
      this.#onProgress?.({ stage, done: this.#most.density, total: this.#images });
      return;
    }
    let [total, seen] = [0, 0];
    for (const [images, part] of this.#solve) {
      done += part.done;
      total += part.total;
      seen += images.length;
    }
    this.#most.solve = Math.max(this.#most.solve, done);
    // Those that nobody has seen yet are expected to take as long as those at work.
    total = Math.max(Math.round((total / seen) * this.#images), this.#images * this.#loops, this.#most.solve);
    this.#onProgress?.({ stage, done: this.#most.solve, total });
  }
}
