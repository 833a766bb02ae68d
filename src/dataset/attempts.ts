import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists, ioError } from '../node/files.ts';
import { readText } from './store/files.ts';
import { PRIVATE } from './store/index.ts';

/** A book longer than this is not read: one has a number or two an image. */
const MOST_BYTES = 2 ** 24;

/** Workers that end, one after the other, at one image before it is set aside. */
const MOST_DEATHS = 2;

interface Book {
  /** Workers that ended, by the position of the image that was at work; of images that nobody has got past since. */
  deaths: Record<string, number>;
  at: number | null;
}

/** The books of a store's shards; nothing is lost with them but what is known of images that end their worker. */
export const booksFolder = (store: string) => join(store, PRIVATE, 'attempts');

const bookPath = (store: string, shard: number) => join(booksFolder(store), `${shard}.json`);
const wordPath = (store: string, shard: number) => join(booksFolder(store), `${shard}.returned`);

/**
 * Which image of a shard is at work, in a file, so that an image that ends its worker, again and again, is found by
 * those that come after. The file is there as long as the shard is at work: who finds it knows that somebody was.
 */
export class Attempts {
  /** Whether the shard was begun before. */
  readonly again: boolean;
  readonly #store: string;
  readonly #shard: number;
  readonly #book: Book;

  private constructor(store: string, shard: number, found: Book | undefined) {
    this.#store = store;
    this.#shard = shard;
    this.again = found !== undefined;
    this.#book = { deaths: found?.deaths ?? {}, at: null };
  }

  /** Begins an attempt; an earlier one that ended without a word is booked as a death. */
  static async open(store: string, shard: number): Promise<Attempts> {
    const found = await readBook(bookPath(store, shard));
    const { at } = found ?? { at: null };
    if (found !== undefined && at !== null && !(await exists(wordPath(store, shard)))) {
      found.deaths[at] = (found.deaths[at] ?? 0) + 1;
    }
    const attempts = new Attempts(store, shard, found);
    await attempts.at(null);
    await rm(wordPath(store, shard), { force: true });
    return attempts;
  }

  /** How often a worker ended with this image, where that is too often; else undefined. */
  deadly(position: number): number | undefined {
    const deaths = this.#book.deaths[position] ?? 0;
    return deaths >= MOST_DEATHS ? deaths : undefined;
  }

  /**
   * Images with which a worker ended, and which may be to blame. They are tried first, by themselves: those that come
   * through it are not, and where workers end for other reasons, at times of their own, they do come through.
   */
  suspects(): number[] {
    return Object.keys(this.#book.deaths)
      .map(Number)
      .filter((position) => this.deadly(position) === undefined);
  }

  /** The image that is at work from now on; null: none. The one before it has come through. */
  async at(position: number | null): Promise<void> {
    const { at } = this.#book;
    if (at !== null && this.deadly(at) === undefined) delete this.#book.deaths[at];
    this.#book.at = position;
    await this.#write();
  }

  /** The attempt ends with a word: that is no death. */
  async giveUp(): Promise<void> {
    this.#book.at = null;
    await this.#write();
  }

  /** The shard is done. */
  async close(): Promise<void> {
    await rm(bookPath(this.#store, this.#shard), { force: true });
  }

  async #write(): Promise<void> {
    const path = bookPath(this.#store, this.#shard);
    // Two machines may have the shard at once, and in containers all processes have one number.
    const temporary = `${path}.${randomBytes(4).toString('hex')}.new`;
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(temporary, JSON.stringify(this.#book));
      await rename(temporary, path);
    } catch (error) {
      throw ioError('write', path, error);
    }
  }
}

/** Notes that a shard at work was called off: its thread may be ended in the middle of an image, which is no death. */
export async function noteCalledOff(store: string, shard: number): Promise<void> {
  if (await exists(bookPath(store, shard))) await writeFile(wordPath(store, shard), '');
}

async function readBook(path: string): Promise<Book | undefined> {
  const text = await readText(path, MOST_BYTES);
  if (text === undefined) return undefined;
  try {
    const { deaths, at } = JSON.parse(text) as Partial<Book>;
    const counts = Object.entries(deaths ?? {}).filter(([, count]) => Number.isInteger(count));
    return { deaths: Object.fromEntries(counts), at: Number.isInteger(at) ? (at as number) : null };
  } catch {
    return { deaths: {}, at: null }; // a disk that lost it: what it costs is an attempt more
  }
}
