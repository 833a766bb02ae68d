import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { computeFields, type Fields, type Plan, type Room } from '../diffusion/fields.ts';
import { bookSteps } from '../diffusion/image-reports.ts';
import { SeedspanError } from '../errors.ts';
import type { Opened } from '../threads/messages.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { Attempts } from './attempts.ts';
import { isGone, isOfImage } from './image-faults.ts';
import { loadEquation } from './options.ts';
import { doneRecord, imageLengths, openRun, type Run, wantedPictures } from './run.ts';
import { loadSeeds, type Seeds } from './seeds.ts';
import { type CatalogueItem, type ImageReader, openImageReader, type SourceImage } from './sources/index.ts';
import { type ShardWriter, shardRange, summaryOf } from './store/index.ts';
import type { ImageRecord, ShardSummary } from './types.ts';

/** Most images that are computed together, and bytes of their fields: enough for what a call costs not to matter. */
const GROUP = { images: 8, bytes: 2 ** 24 };
/** Images for each seed that is computed with them. */
const SEEDED_GROUP = 16;

/** From this attempt on an image that cannot be read is set aside whatever the reason: others have tried. */
const LAST_READING = 3;

interface Place {
  /** In the data set, and in the shard. */
  index: number;
  position: number;
  item: CatalogueItem;
}

interface Group {
  loaded: (Place & { image: SourceImage })[];
  failed: { place: Place; reason: SeedspanError }[];
}

/** Opens a run for a thread. */
export async function openShards(kernel: Kernel, data: unknown): Promise<Opened> {
  const { store, plan } = data as { store: string; plan: string };
  const run = await openRun(store, plan);
  const session = new ShardSession(kernel, run, await loadSeeds(run));
  const opened: Opened = async (input, hooks) => {
    const { shard, attempt } = input as { shard: number; attempt: number };
    return { result: await session.run(shard, attempt, hooks), transfer: [] };
  };
  return Object.assign(opened, { close: () => session.close() });
}

interface Hooks {
  signal: AbortSignal;
  onEvent: (event: unknown) => void;
}

class ShardSession {
  readonly #kernel: Kernel;
  readonly #run: Run;
  readonly #seeds: Seeds | undefined;
  readonly #plan: Plan;
  readonly #reader: ImageReader;
  readonly #group: number;
  /** Ends when the shard that is being computed is; the next one waits for it. */
  #turn: Promise<void> = Promise.resolve();
  /** Of the last group: fresh memory costs more than what is written into it. */
  #room: Room | undefined;

  constructor(kernel: Kernel, run: Run, seeds: Seeds | undefined) {
    const { plan } = run;
    const settings = loadEquation(plan.equation, seeds?.pictures?.length);
    this.#kernel = kernel;
    this.#run = run;
    this.#seeds = seeds;
    this.#plan = {
      settings,
      times: Float64Array.from(plan.times),
      operators: settings.sharing === 'projection' ? 'none' : settings.sharing,
      seedImage: -1,
      seedFields: seeds?.fields,
      pictures: true,
    };
    this.#reader = openImageReader(wantedPictures(plan), plan.shape);
    const { scores, logDensity } = imageLengths(plan);
    const fitting = Math.floor(GROUP.bytes / (8 * (scores + logDensity)));
    // Seeds are computed with every group: the larger it is, the less they cost.
    const most = Math.max(GROUP.images, SEEDED_GROUP * (seeds?.pictures?.length ?? 0));
    this.#group = Math.max(1, Math.min(most, fitting));
  }

  async run(shard: number, attempt: number, hooks: Hooks): Promise<ShardSummary> {
    const { store } = this.#run;
    const done = await doneRecord(store, shard);
    if (done !== undefined) return { ...summaryOf(done), already: true };
    const book = await Attempts.open(store.path, shard);
    const writer = store.writeShard(shard);
    try {
      const images = await this.#inTurn(() => this.#images(shard, attempt, book, writer, hooks));
      const worker = `${hostname()}/${process.pid}/${threadId}`;
      const finished = new Date().toISOString();
      const { outcome, record } = await writer.finish({ images, worker, attempt, finished });
      await book.close();
      return { ...summaryOf(record), ...(outcome === 'already' ? { already: true } : {}) };
    } catch (error) {
      await writer.discard();
      await book.giveUp().catch(() => {});
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }

  /** One shard is computed at a time, in the room that all use. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    let end = () => {};
    this.#turn = new Promise((resolve) => {
      end = resolve;
    });
    try {
      await before;
      return await work();
    } finally {
      end();
    }
  }

  async #images(
    shard: number,
    attempt: number,
    book: Attempts,
    writer: ShardWriter,
    hooks: Hooks,
  ): Promise<ImageRecord[]> {
    const images: ImageRecord[] = [];
    for await (const { loaded, failed } of this.#groups(shard, attempt, book, hooks)) {
      hooks.signal.throwIfAborted();
      for (const { place, reason } of failed) images.push(setAside(place, reason, writer));
      images.push(...(await this.#compute(loaded, writer, hooks)));
      hooks.onEvent(images.length);
    }
    return images.sort((a, b) => a.index - b.index);
  }

  /**
   * The images of a shard: while some are computed the next are read. From the second attempt on one after the other,
   * so that the book says which is at work.
   */
  async *#groups(shard: number, attempt: number, book: Attempts, hooks: Hooks): AsyncGenerator<Group> {
    const { catalogue, store } = this.#run;
    const [from, to] = shardRange(store.layout, shard);
    const items = await catalogue.items(from, to);
    const places = items.map((item, position) => ({ index: from + position, position, item }));
    if (book.again || attempt > 1) {
      for (const position of book.suspects()) await this.#probe(places[position], attempt, book, hooks);
      for (const place of places) {
        await book.at(book.deadly(place.position) === undefined ? place.position : null);
        yield await this.#load([place], attempt, book);
      }
      await book.at(null);
      return;
    }
    const length = this.#group;
    let next = this.#load(places.slice(0, length), attempt);
    for (let start = length; ; start += length) {
      const group = await next;
      if (start < places.length) {
        next = this.#load(places.slice(start, start + length), attempt);
        // Told when it is waited for.
        next.catch(() => {});
      }
      yield group;
      if (start >= places.length) return;
    }
  }

  /** Computes an image for nothing but to see whether this ends the worker. */
  async #probe(place: Place, attempt: number, book: Attempts, { signal }: Hooks): Promise<void> {
    await book.at(place.position);
    const { loaded } = await this.#load([place], attempt);
    try {
      if (loaded.length > 0) await this.#fields(loaded, signal);
    } catch (error) {
      if (!isOfImage(error)) throw error; // told when its turn comes
    }
    await book.at(null);
  }

  async #load(places: Place[], attempt: number, book?: Attempts): Promise<Group> {
    const results = await Promise.allSettled(
      places.map(async ({ position, item }) => {
        const deaths = book?.deadly(position);
        if (deaths === undefined) return await this.#reader.read(item);
        const message = `${item.name}: it was at work when ${deaths} workers ended, one after the other`;
        throw new SeedspanError('WORKER_FAILED', message);
      }),
    );
    const group: Group = { loaded: [], failed: [] };
    for (const [k, result] of results.entries()) {
      const place = places[k];
      if (result.status === 'fulfilled') {
        group.loaded.push({ ...place, image: result.value });
        continue;
      }
      const reason: unknown = result.reason;
      const isLast = attempt >= LAST_READING;
      if (!isOfImage(reason) && !(isLast && (await isGone(reason, place.item)))) throw reason;
      group.failed.push({ place, reason: reason as SeedspanError });
    }
    return group;
  }

  /** Computes images together and encodes their fields. */
  async #compute(loaded: Group['loaded'], writer: ShardWriter, hooks: Hooks): Promise<ImageRecord[]> {
    if (loaded.length === 0) return [];
    const began = performance.now();
    let fields: Fields;
    try {
      fields = await this.#fields(loaded, hooks.signal);
    } catch (error) {
      if (!isOfImage(error)) throw error;
      const [place] = loaded;
      if (loaded.length === 1) return [setAside(place, error, writer)];
      // It is one of them; the others are not to suffer for it.
      const apart: ImageRecord[] = [];
      for (const one of loaded) apart.push(...(await this.#compute([one], writer, hooks)));
      return apart;
    }
    const seeds = this.#seeds?.pictures?.length ?? 0;
    const seconds = (performance.now() - began) / 1000 / loaded.length;
    const all = seeds + loaded.length;
    const part = ({ data }: { data: Float64Array }, k: number) => {
      const size = data.length / all;
      return data.subarray((seeds + k) * size, (seeds + k + 1) * size);
    };
    const records: ImageRecord[] = [];
    for (const [k, { index, position, item, image }] of loaded.entries()) {
      const { scores, logDensity } = fields;
      await writer.add(position, {
        scores: part(scores, k),
        logDensity: part(logDensity, k),
        initial: image.data,
      });
      const { status, iterations } = fields.images[seeds + k];
      records.push({ index, source: item.name, hash: image.hash, status, iterations, seconds });
    }
    return records;
  }

  /** Those of the seeds come first, where images are projected on what seeds leave. */
  async #fields(loaded: Group['loaded'], signal: AbortSignal): Promise<Fields> {
    const { shape } = this.#run.plan;
    const pictures = this.#seeds?.pictures ?? [];
    const all = [...pictures, ...loaded.map(({ index, image }) => ({ index, data: image.data }))];
    const length = shape[0] * shape[1] * shape[2];
    const data = new Float32Array(all.length * length);
    for (const [k, picture] of all.entries()) data.set(picture.data, k * length);
    const input = {
      data,
      shape: [all.length, ...shape],
      streams: all.map(({ index }) => index),
      room: this.#roomFor(all.length),
    };
    const fields = await computeFields(this.#kernel, this.#plan, input, { signal, onProgress: undefined });
    bookSteps(fields, this.#plan.settings);
    return fields;
  }

  /** Used again for every group: fresh memory costs more than what is written into it. */
  #roomFor(images: number): Room {
    const { logDensity, scores } = imageLengths(this.#run.plan);
    if (this.#room === undefined || this.#room.logDensity.length < images * logDensity) {
      this.#room = {
        logDensity: new Float64Array(images * logDensity),
        scores: new Float64Array(images * scores),
      };
    }
    return this.#room;
  }
}

function setAside(
  { index, position, item }: Place,
  { message }: SeedspanError,
  writer: ShardWriter,
): ImageRecord {
  writer.skip(position);
  return { index, source: item.name, status: 'failed', iterations: 0, seconds: 0, error: message };
}
