import { inOrder } from '../threads/in-order.ts';
import { leasePool, paysForWorkers } from '../threads/lease.ts';
import { sessionLike } from '../threads/messages.ts';
import type { Workers } from '../threads/options.ts';
import type { Kernel } from '../wasm/kernel.ts';
import {
  computeFields,
  type FieldHooks,
  type Fields,
  type Input,
  type Plan,
  type Room,
  unitSpacing,
} from './fields.ts';
import { MergedFields, PartsProgress } from './merged-fields.ts';
import { posted } from './scores-session.ts';
import { tabulate } from './sde-table.ts';

/** Most images in a part, and bytes of its results: enough work for the messages not to matter. */
const PART = { images: 8, bytes: 2 ** 22 };
/** Parts on their way for each worker, and all parts, at least, so that the last ones end together. */
const AHEAD = 2;
const PARTS = 4;

/** What a call is about. */
interface Job {
  kernel: Kernel;
  plan: Plan;
  input: Input;
  hooks: FieldHooks;
  workers: Workers;
  merged: MergedFields;
  progress: PartsProgress;
}

/** The fields of `computeFields`, computed in parts, in workers as far as `workers` asks for them. */
export async function computeInWorkers(
  kernel: Kernel,
  plan: Plan,
  input: Input,
  hooks: FieldHooks,
  workers: Workers,
): Promise<Fields & { workers: number }> {
  const merged = new MergedFields(plan, input);
  const progress = new PartsProgress(merged.shape, hooks.onProgress);
  const job: Job = { kernel, plan, input, hooks, workers, merged, progress };
  const left = Array.from({ length: merged.shape.images }, (_, image) => image);
  let used = 0;
  if (workers === 'auto') {
    await computeHere(job, left);
    if (left.length > 0) used = await computeThere(job, left);
  } else {
    used = await computeThere(job, left);
  }
  progress.complete();
  return { ...merged.fields, workers: used };
}

/** In this thread, one image after the other, until nothing is left or enough for workers. The seed is the first. */
async function computeHere(
  { kernel, plan, input, hooks, merged, progress }: Job,
  left: number[],
): Promise<void> {
  let [first, rest] = [seedPlan(plan), plan];
  let least = Infinity;
  const seeded = first !== undefined;
  for (let done = 0; left.length > 0; done++) {
    const [image] = left.splice(done === 0 && seeded ? plan.seedImage : 0, 1);
    const began = performance.now();
    const onProgress = progress.of([image]);
    const fields = await computeFields(kernel, first ?? rest, partOf(input, [image]), {
      ...hooks,
      onProgress,
    });
    merged.take([image], fields);
    if (first !== undefined) rest = merged.withSeed(plan);
    first = undefined;
    least = Math.min(least, performance.now() - began);
    // The very first runs code that is not compiled yet.
    if (done > 0 && (await paysForWorkers(least * left.length))) return;
  }
}

/** In workers; returns how many. */
async function computeThere(job: Job, left: number[]): Promise<number> {
  const { kernel, plan, input, hooks, workers, merged, progress } = job;
  const { signal } = hooks;
  const { height, width } = merged.shape;
  const { pool, end } = await leasePool('precomputeScores', workers, left.length);
  const sessions: ReturnType<typeof sessionLike>[] = [];
  const length = partLength(merged.bytesAnImage, left.length, pool.size);
  /** Of parts that are done: fresh memory costs more than what is written into it. */
  const rooms: Room[] = [];
  try {
    const table = await tabulate(
      plan,
      merged.shape,
      plan.settings.spacing ?? unitSpacing(height, width),
      signal,
    );
    const solver = (common: Plan) => {
      const session = sessionLike(kernel, 'scores', posted(common, table));
      sessions.push(session);
      return async (images: number[], stop: AbortSignal) => {
        const onEvent = progress.of(images) as (event: unknown) => void;
        const room = rooms.pop() ?? merged.makeRoom(Math.max(length, images.length));
        const fields = await pool.run(session, { ...partOf(input, images), room }, { signal: stop, onEvent });
        return { images, fields: fields as Fields, room };
      };
    };
    const go = async (parts: number[][], solve: ReturnType<typeof solver>) => {
      for await (const { images, fields, room } of inOrder(
        partsOf(parts),
        AHEAD * pool.size,
        solve,
        signal,
      )) {
        merged.take(images, fields);
        if (room !== undefined) rooms.push(room);
      }
    };
    const first = seedPlan(plan);
    let rest = plan;
    if (first !== undefined) {
      if (!merged.has(plan.seedImage))
        await go([left.splice(left.indexOf(plan.seedImage), 1)], solver(first));
      rest = merged.withSeed(plan);
    }
    await go(cut(left, length), solver(rest));
    return pool.size;
  } finally {
    await Promise.all(sessions.map((session) => pool.close(session)));
    await end();
  }
}

/** With a seed, how it is computed itself, before all others; else undefined. */
function seedPlan(plan: Plan): Plan | undefined {
  return plan.operators === 'seed-operator' ? { ...plan, seedImage: 0 } : undefined;
}

function partLength(bytes: number, images: number, workers: number): number {
  const fitting = Math.min(
    PART.images,
    Math.floor(PART.bytes / bytes),
    Math.ceil(images / (PARTS * workers)),
  );
  return Math.max(1, fitting);
}

function cut(images: number[], length: number): number[][] {
  return Array.from({ length: Math.ceil(images.length / length) }, (_, k) =>
    images.slice(k * length, (k + 1) * length),
  );
}

async function* partsOf(parts: number[][]): AsyncGenerator<number[], void, undefined> {
  yield* parts;
}

/** Copies, since a view would be posted with all that it is a view of. */
function partOf({ data, shape, streams }: Input, images: number[]): Input {
  const size = data.length / shape[0];
  const part =
    data.constructor === Float32Array
      ? new Float32Array(size * images.length)
      : new Float64Array(size * images.length);
  for (const [k, image] of images.entries())
    part.set(data.subarray(image * size, (image + 1) * size), k * size);
  return {
    data: part,
    shape: [images.length, ...shape.slice(1)],
    streams: images.map((image) => streams[image]),
  };
}
