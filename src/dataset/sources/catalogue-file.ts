import { createHash, randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { SeedspanError } from '../../errors.ts';
import { ioError, readParsed } from '../../node/files.ts';
import { writeFileWhole } from '../../node/output.ts';
import type { Wanted } from '../../node/picture.ts';
import { type CatalogueIndex, formatLine, LINES_PER_MARK, parseIndex, parseLine } from './catalogue-lines.ts';
import { findShape } from './find-shape.ts';
import type { CatalogueEntry, CatalogueItem } from './types.ts';

const LINES = 'catalogue.ndjson';
const INDEX = 'catalogue.offsets';
/** Lines are written in pieces of about this many characters. */
const PIECE = 2 ** 16;

/** What a catalogue comes to. */
export interface CatalogueSummary {
  /** Images. */
  count: number;
  /** Of every image, as computed with: channels, height, width. */
  shape: [number, number, number];
  /** SHA-256 of what identifies the inputs: names, kinds, bytes, numbers of images and shapes, in their order. */
  hash: string;
}

/** A catalogue on disk. */
export interface Catalogue extends CatalogueSummary {
  /**
   * The images from `from` to before `to`. Reads the lines that have them, with up to 255 before and after.
   *
   * @throws SeedspanError `INVALID_VALUE` (out of range), `BAD_FORMAT` (the catalogue is damaged), `IO`.
   */
  items(from: number, to: number): Promise<CatalogueItem[]>;
}

/**
 * Writes a catalogue into a folder: `catalogue.ndjson`, a line a picture or container, and `catalogue.offsets`, where
 * every 256th line begins; this comes last, and a catalogue without it is none. Paths in the folder (unpacked inputs)
 * are stored from there, so that it may be moved as a whole.
 *
 * The shape is the wanted size; without one that of the first container, or of the first picture that can be decoded.
 *
 * Memory: 64 KiB of lines, and 16 bytes for every 256th line: 80 KB for 1.28 million pictures.
 *
 * @throws SeedspanError `SHAPE_MISMATCH` where a container's shape is not that of the entries before it; `INVALID_VALUE`
 *   where there are no entries; `IO`; what `entries` throws. Nothing is left of it then.
 */
export async function writeCatalogue(
  folder: string,
  entries: AsyncIterable<CatalogueEntry> | Iterable<CatalogueEntry>,
  wanted: Wanted,
  home: string = folder,
): Promise<CatalogueSummary> {
  const target = resolve(folder, LINES);
  const temporary = resolve(folder, `.${LINES}.new-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    const index = await writeLines(temporary, resolve(home), entries, wanted);
    await rename(temporary, target);
    await writeFileWhole(resolve(folder, INDEX), `${JSON.stringify(index)}\n`, { force: true });
    return { count: index.count, shape: index.shape, hash: index.hash };
  } catch (error) {
    await rm(temporary, { force: true });
    throw ioError('write', target, error);
  }
}

async function writeLines(
  path: string,
  home: string,
  entries: AsyncIterable<CatalogueEntry> | Iterable<CatalogueEntry>,
  wanted: Wanted,
): Promise<CatalogueIndex> {
  const hash = createHash('sha256');
  const shape = findShape(wanted);
  const marks: [number, number][] = [];
  let [lines, count, bytes] = [0, 0, 0];
  const file = await open(path, 'wx');
  try {
    let piece = '';
    const flush = async () => {
      await file.writeFile(piece);
      piece = '';
    };
    for await (const entry of entries) {
      await shape.add(entry);
      const { name, kind, length, shape: stored, dtype } = entry;
      hash.update(`${JSON.stringify([name, kind, length, entry.count, stored ?? null, dtype ?? null])}\n`);
      if (lines % LINES_PER_MARK === 0) marks.push([count, bytes]);
      const line = formatLine({ ...entry, path: movable(home, entry.path) }, count);
      piece += line;
      bytes += Buffer.byteLength(line);
      count += entry.count;
      lines++;
      if (piece.length >= PIECE) await flush();
    }
    await flush();
    await file.sync();
  } finally {
    await file.close();
  }
  return { version: 1, count, shape: shape.result(), hash: hash.digest('hex'), bytes, marks };
}

/** A path in the catalogue's own folder from there, with slashes; any other as it is. */
function movable(home: string, path: string): string {
  return path.startsWith(home + sep) ? relative(home, path).replaceAll(sep, '/') : path;
}

/**
 * Opens a catalogue that {@link writeCatalogue} wrote. No file stays open.
 *
 * @throws SeedspanError `IO`, `BAD_FORMAT`.
 */
export async function openCatalogue(folder: string): Promise<Catalogue> {
  const index = await readParsed(join(folder, INDEX), parseIndex);
  const { count, shape, hash } = index;
  return { count, shape, hash, items: (from, to) => readItems(resolve(folder), index, from, to) };
}

async function readItems(
  folder: string,
  index: CatalogueIndex,
  from: number,
  to: number,
): Promise<CatalogueItem[]> {
  const { count, marks, bytes } = index;
  if (!(Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && to <= count)) {
    throw new SeedspanError('INVALID_VALUE', `the catalogue has images 0 to ${count}, not ${from} to ${to}`);
  }
  if (from === to) return [];
  const beyond = marks.findIndex(([first]) => first > from);
  const start = (beyond < 0 ? marks.length : beyond) - 1;
  const after = marks.findIndex(([first]) => first >= to);
  const begin = marks[start][1];
  const end = after < 0 ? bytes : marks[after][1];
  const path = join(folder, LINES);
  const text = await readPart(path, begin, end, bytes);
  const items: CatalogueItem[] = [];
  let next = from;
  for (const line of text.split('\n')) {
    if (line === '' || next >= to) continue;
    const { first, entry } = parseLine(line, path);
    if (first > next) break;
    for (; next < Math.min(to, first + entry.count); next++) items.push(itemOf(folder, entry, next - first));
  }
  if (next < to) {
    throw new SeedspanError('BAD_FORMAT', `${path} is damaged: it has no image ${next}`, {
      path,
      index: next,
    });
  }
  return items;
}

async function readPart(path: string, begin: number, end: number, bytes: number): Promise<string> {
  const file = await open(path).catch((error: unknown) => {
    throw ioError('read', path, error);
  });
  try {
    const { size } = await file.stat();
    if (size !== bytes) {
      throw new SeedspanError('BAD_FORMAT', `${path} is damaged: it has ${size} bytes, must have ${bytes}`, {
        path,
      });
    }
    const part = Buffer.alloc(end - begin);
    const { bytesRead } = await file.read(part, 0, part.length, begin);
    return part.toString('utf8', 0, bytesRead);
  } catch (error) {
    throw ioError('read', path, error);
  } finally {
    await file.close();
  }
}

/** One image of an entry. */
function itemOf(folder: string, entry: CatalogueEntry, k: number): CatalogueItem {
  const { count: _, ...item } = entry;
  const path = isAbsolute(entry.path) ? entry.path : join(folder, entry.path);
  if (entry.kind === 'picture') return { ...item, path };
  return { ...item, path, name: `${entry.name}[${k}]`, offset: entry.offset + k * entry.length };
}
