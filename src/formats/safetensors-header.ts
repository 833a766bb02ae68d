import { SeedspanError, show, showList } from '../errors.ts';
import { ITEM_SIZE, isDtype, type SafetensorsDtype } from './safetensors-values.ts';

/** What the header says of one tensor. */
export interface SafetensorsEntry {
  name: string;
  dtype: SafetensorsDtype;
  shape: number[];
  /** Bytes from the header's end. */
  begin: number;
  end: number;
}

/** The header's name for texts about the file. */
export const METADATA = '__metadata__';

function fail(message: string, details: Record<string, unknown> = {}): never {
  throw new SeedspanError('BAD_FORMAT', `readSafetensors: ${message}`, details);
}

/**
 * Reads the JSON of a header; offsets are held against type and shape, not yet against each other.
 *
 * @throws SeedspanError `BAD_FORMAT`
 */
export function parseSafetensorsHeader(bytes: Uint8Array): {
  entries: SafetensorsEntry[];
  metadata: Record<string, string>;
} {
  const header = parseJson(bytes);
  const entries: SafetensorsEntry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA) metadata = readMetadata(value);
    else entries.push(readEntry(name, value));
  }
  return { entries, metadata };
}

function parseJson(bytes: Uint8Array): Record<string, unknown> {
  // Not left to JSON: space before it would let one file have several headers.
  if (bytes[0] !== 0x7b) fail('the header does not begin with {');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('the header is not UTF-8');
  }
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(text);
  } catch {
    return fail('the header is not JSON');
  }
  refuseDoubleNames(text);
  return header;
}

/** JSON.parse keeps the last of two equal names. The text is known to be JSON. */
function refuseDoubleNames(text: string): void {
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '{') open.push(new Set());
    else if (text[at] === '}') open.pop();
    if (text[at] !== '"') continue;
    const start = at++;
    while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    let next = at + 1;
    while (' \t\n\r'.includes(text[next])) next++;
    if (text[next] !== ':') continue;
    const name: string = JSON.parse(text.slice(start, at + 1));
    const names = open[open.length - 1];
    if (names.has(name)) fail(`the header has the name ${show(name)} twice`, { name });
    names.add(name);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readMetadata(value: unknown): Record<string, string> {
  if (!isObject(value) || !Object.values(value).every((text) => typeof text === 'string')) {
    fail(`${METADATA} must be an object of texts`);
  }
  return value as Record<string, string>;
}

const isSize = (size: unknown): size is number => Number.isSafeInteger(size) && (size as number) >= 0;

function readEntry(name: string, value: unknown): SafetensorsEntry {
  const what = `tensor ${show(name)}`;
  if (!isObject(value)) fail(`${what} must be an object, and is ${show(value)}`);
  for (const key of Object.keys(value)) {
    if (!['dtype', 'shape', 'data_offsets'].includes(key)) fail(`${what} has the unknown key ${show(key)}`);
  }
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) {
    fail(`${what} has type ${show(dtype)}; read are ${Object.keys(ITEM_SIZE).join(', ')}`, { dtype });
  }
  if (!Array.isArray(shape) || !shape.every(isSize))
    fail(`${what} has no shape of integers from 0`, { shape });
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize) || offsets[0] > offsets[1]) {
    fail(`${what} has no data_offsets [begin, end] with begin <= end`, { offsets });
  }
  const [begin, end] = offsets;
  const bytes = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, ITEM_SIZE[dtype]);
  // Inexact products are larger than any length of a file.
  if (bytes !== end - begin) {
    fail(
      `${what}: shape [${showList(shape)}] of ${dtype} takes ${bytes} bytes, its offsets are ${end - begin} apart`,
      {
        shape,
        dtype,
      },
    );
  }
  return { name, dtype, shape: shape as number[], begin, end };
}
