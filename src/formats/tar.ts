import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { readLimit, viewBytes } from './input.ts';
import {
  failTar,
  parsePaxRecords,
  parseTarHeader,
  TAR_BLOCK,
  type TarHeader,
  tarText,
} from './tar-header.ts';

/** What an entry of an archive is. Only a `file` has data that means something by itself. */
export type TarEntryType = 'file' | 'directory' | 'link' | 'device' | 'sparse' | 'other';

/** One entry of an archive. */
export interface TarEntry {
  /** As stored: it may lead anywhere (`../`, `/`), and must never be used as a path. See {@link tarLabel}. */
  name: string;
  type: TarEntryType;
  /** Where its data begins, in bytes from the start of the archive. */
  offset: number;
  /** Bytes of its data. */
  size: number;
}

/** Reads `length` bytes from `offset`; fewer where the archive ends. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array> | Uint8Array;

/** The limits that an archive is held to. */
export interface ReadTarOptions {
  /** The most headers to read, of all kinds. Default 100 million. */
  maxEntries?: number;
  /** The most bytes of a header's extension (pax records, a long name). Default 1 MiB. */
  maxHeaderBytes?: number;
}

const TYPES: Readonly<Record<string, TarEntryType>> = {
  0: 'file',
  7: 'file',
  1: 'link',
  2: 'link',
  3: 'device',
  4: 'device',
  6: 'device',
  5: 'directory',
  S: 'sparse',
};
/** Types whose headers no data follows, whatever their size says. */
const WITHOUT_DATA = '123456';

/** What pax records and long names say of the entry that comes next. */
interface Extension {
  pax?: Map<string, string>;
  longName?: string;
}

function sizeOf(header: TarHeader, pax: ReadonlyMap<string, string>): number {
  const text = pax.get('size');
  if (text === undefined) return header.size;
  const size = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(size)) failTar(`a pax size is ${show(text)}, no integer`);
  return size;
}

function typeOf(header: TarHeader, name: string, pax: ReadonlyMap<string, string>): TarEntryType {
  const type = TYPES[header.type] ?? 'other';
  if (type !== 'file') return type;
  for (const key of pax.keys()) if (key.startsWith('GNU.sparse.')) return 'sparse';
  // Before ustar there was no type for folders.
  return name.endsWith('/') ? 'directory' : 'file';
}

/**
 * Lists a tar archive without reading what is in it: of each entry only the headers. Knows ustar, pax (also global
 * records), GNU long names, GNU sparse files and numbers in base 256. Checksums are verified.
 *
 * Nothing is unpacked or followed: a link is an entry of type `link`, and its target is not told.
 *
 * @param read - Random access to the archive.
 * @param length - Bytes of the archive.
 * @throws SeedspanError `BAD_FORMAT`: damaged, cut off (also where the two blocks of zeros at its end are missing),
 *   or over a limit; `INVALID_VALUE`, `UNKNOWN_OPTION`; what `read` throws. Source: as {@link parseTarHeader}.
 */
export async function* readTarEntries(
  read: ReadAt,
  length: number,
  options: ReadTarOptions = {},
): AsyncGenerator<TarEntry, void, undefined> {
  checkOptionNames('readTarEntries', options, ['maxEntries', 'maxHeaderBytes']);
  const maxEntries = readLimit('readTarEntries', 'maxEntries', options.maxEntries, 1e8);
  const maxHeaderBytes = readLimit('readTarEntries', 'maxHeaderBytes', options.maxHeaderBytes, 2 ** 20);
  const take = async (offset: number, size: number, what: string) => {
    const bytes = offset + size > length ? undefined : viewBytes('readTarEntries', await read(offset, size));
    if (bytes?.length !== size) failTar(`the archive ends within ${what}, at byte ${length}`, { offset });
    return bytes;
  };

  const global = new Map<string, string>();
  let next: Extension = {};
  let at = 0;
  for (let headers = 0; ; headers++) {
    const header = parseTarHeader(await take(at, TAR_BLOCK, headers === 0 ? 'its first header' : 'a header'));
    at += TAR_BLOCK;
    if (header === undefined) {
      if (next.pax !== undefined || next.longName !== undefined) failTar('an entry is announced and missing');
      const end = parseTarHeader(await take(at, TAR_BLOCK, 'its end mark, two blocks of zeros'));
      if (end !== undefined)
        failTar(`a block of zeros at byte ${at - TAR_BLOCK} is followed by another entry`);
      return;
    }
    if (headers >= maxEntries) failTar(`over ${maxEntries} entries (maxEntries)`, { maxEntries });

    if ('xgLK'.includes(header.type)) {
      if (header.size > maxHeaderBytes) {
        failTar(`a header's extension has ${header.size} bytes, over ${maxHeaderBytes} (maxHeaderBytes)`);
      }
      const bytes = await take(at, header.size, "a header's extension");
      if (header.type === 'x') next.pax = parsePaxRecords(bytes);
      if (header.type === 'L') next.longName = tarText(bytes);
      if (header.type === 'g') for (const [key, value] of parsePaxRecords(bytes)) global.set(key, value);
      // Many global headers of many records could be a bomb.
      if (global.size > 10_000) failTar('over 10000 global pax records');
      at += padded(header.size);
      continue;
    }

    const pax = next.pax === undefined ? global : new Map([...global, ...next.pax]);
    const name = pax.get('GNU.sparse.name') ?? pax.get('path') ?? next.longName ?? header.name;
    for (let more = header.extended; more; at += TAR_BLOCK) {
      more = (await take(at, TAR_BLOCK, "a sparse file's map"))[504] !== 0;
    }
    const size = WITHOUT_DATA.includes(header.type) ? 0 : sizeOf(header, pax);
    if (size > length - at) {
      failTar(`${show(name)} has ${size} bytes by its header, and only ${length - at} follow`, {
        name,
        size,
      });
    }
    yield { name, type: typeOf(header, name, pax), offset: at, size };
    at += padded(size);
    next = {};
  }
}

function padded(size: number): number {
  return Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

/** Control characters, and those that turn the direction of text around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const MAX_LABEL = 1024;

/**
 * An entry's name made fit to be shown: without `.`, `..` and empty parts, which lead out of the archive, and without
 * control characters; of over 1024 characters the end. It is a label, and no path.
 */
export function tarLabel(name: string): string {
  if (typeof name !== 'string') {
    throw new SeedspanError('INVALID_TYPE', `tarLabel: name must be a string, not ${show(name)}`);
  }
  const parts = name.split(/[/\\]/).filter((part) => part !== '' && part !== '.' && part !== '..');
  return parts.join('/').replace(UNSEEN, '\ufffd').slice(-MAX_LABEL) || 'unnamed';
}
