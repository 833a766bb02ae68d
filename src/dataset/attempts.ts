import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { ioError, systemCode } from '../node/files.ts';

/** Deaths at one image after which it is set aside; the worker's first death, which nobody kept book of, not counted. */
const MOST_DEATHS = 2;

interface Book {
  /** Of workers, by the position of the image that was at work. */
  deaths: Record<string, number>;
  at: number | null;
}

/**
 * Which image of a shard is at work, in a file, so that an image that ends its worker, again and again, is found by
 * those that come after.
 */
export class Attempts {
  readonly #path: string;
  readonly #book: Book;

  private constructor(path: string, book: Book) {
    this.#path = path;
    this.#book = book;
  }

  /** Begins an attempt; an earlier one that ended without a word is booked as a death. */
  static async open(path: string): Promise<Attempts> {
    const book = await readBook(path);
    if (book.at !== null) book.deaths[book.at] = (book.deaths[book.at] ?? 0) + 1;
    const attempts = new Attempts(path, { ...book, at: null });
    await attempts.at(null);
    return attempts;
  }

  /** How often a worker ended with this image, where that is too often; else undefined. */
  deadly(position: number): number | undefined {
    const deaths = this.#book.deaths[position] ?? 0;
    return deaths >= MOST_DEATHS ? deaths : undefined;
  }

  /** The image that is at work from now on; null: none. */
  async at(position: number | null): Promise<void> {
    this.#book.at = position;
    const temporary = `${this.#path}.${process.pid}.new`;
    try {
      await writeFile(temporary, JSON.stringify(this.#book));
      await rename(temporary, this.#path);
    } catch (error) {
      throw ioError('write', this.#path, error);
    }
  }

  /** The shard is done. */
  async close(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}

async function readBook(path: string): Promise<Book> {
  try {
    const { deaths, at } = JSON.parse(await readFile(path, 'utf8')) as Partial<Book>;
    const counts = Object.entries(deaths ?? {}).filter(([, count]) => Number.isInteger(count));
    return { deaths: Object.fromEntries(counts), at: Number.isInteger(at) ? (at as number) : null };
  } catch (error) {
    // A book that cannot be read is begun anew: it costs an attempt more.
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return { deaths: {}, at: null };
    throw ioError('read', path, error);
  }
}
