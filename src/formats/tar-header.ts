import { SeedspanError, show } from '../errors.ts';
import { viewBytes } from './input.ts';

/** Everything in an archive lies in blocks of this many bytes. */
export const TAR_BLOCK = 512;

/** What a header block says. */
export interface TarHeader {
  /** As stored, with the prefix of ustar. */
  name: string;
  /** Bytes that follow the header, before padding to a block. */
  size: number;
  /** One character: '0' a file, '5' a folder, 'x' and 'g' pax records, 'L' a GNU long name, ... */
  type: string;
  /** Another block of a sparse file's map follows (old GNU form). */
  extended: boolean;
}

export function failTar(message: string, details: Record<string, unknown> = {}): never {
  throw new SeedspanError('BAD_FORMAT', `tar: ${message}`, details);
}

/** Labels only: a name that is no UTF-8 must not stop the reading of its archive. */
const decoder = new TextDecoder('utf-8', { fatal: false });

/** A field of characters, which ends at its first zero byte or at its end. */
export function tarText(field: Uint8Array): string {
  const end = field.indexOf(0);
  return decoder.decode(end < 0 ? field : field.subarray(0, end));
}

/** A number: octal digits between spaces and zero bytes, or with the first bit set base 256 (GNU, star). */
function number(field: Uint8Array, what: string): number {
  if (field[0] & 0x80) {
    // 0x80, then big-endian; 0xff begins a negative number.
    let value = field[0] & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    if (field[0] === 0xff || !Number.isSafeInteger(value)) failTar(`the ${what} of a header is out of range`);
    return value;
  }
  const text = String.fromCharCode(...field)
    .replace(/\0.*$/s, '')
    .trim();
  if (!/^[0-7]*$/.test(text)) failTar(`the ${what} of a header is ${show(text)}, no octal number`);
  return text === '' ? 0 : Number.parseInt(text, 8);
}

/**
 * Reads one header block: ustar, pax, GNU, and what was before them.
 *
 * @param input - 512 bytes.
 * @returns `undefined` for a block of zeros, two of which end an archive.
 * @throws SeedspanError `BAD_FORMAT`: checksum, numbers; `INVALID_TYPE`. Source: POSIX.1-2017, pax, "ustar
 *   Interchange Format"; GNU tar manual, "Basic Tar Format".
 */
export function parseTarHeader(input: Uint8Array | ArrayBuffer): TarHeader | undefined {
  const block = viewBytes('parseTarHeader', input);
  if (block.length !== TAR_BLOCK) failTar(`a header has ${TAR_BLOCK} bytes, not ${block.length}`);
  if (block.every((byte) => byte === 0)) return undefined;
  // The sum is made with the checksum's own field as spaces. Some old programs summed signed bytes.
  let unsigned = 0;
  let signed = 0;
  block.forEach((byte, at) => {
    const value = at >= 148 && at < 156 ? 32 : byte;
    unsigned += value;
    signed += value < 128 ? value : value - 256;
  });
  const sum = number(block.subarray(148, 156), 'checksum');
  if (sum !== unsigned && sum !== signed) {
    failTar(
      `a header's checksum is ${sum}, and its bytes sum to ${unsigned}: damaged, or not a tar archive`,
      {
        stored: sum,
        computed: unsigned,
      },
    );
  }
  const name = tarText(block.subarray(0, 100));
  // GNU's magic goes on with spaces, and uses the prefix for other things.
  const isUstar = String.fromCharCode(...block.subarray(257, 263)) === 'ustar\0';
  const prefix = isUstar ? tarText(block.subarray(345, 500)) : '';
  const type = block[156] === 0 ? '0' : String.fromCharCode(block[156]);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: number(block.subarray(124, 136), 'size'),
    type,
    extended: type === 'S' && block[482] !== 0,
  };
}

/**
 * Reads pax records: `LENGTH KEY=VALUE\n`, LENGTH in decimal and of the whole record. Of a key that comes twice the
 * last counts.
 *
 * @throws SeedspanError `BAD_FORMAT`, `INVALID_TYPE`. Source: POSIX.1-2017, pax, "pax Extended Header".
 */
export function parsePaxRecords(input: Uint8Array | ArrayBuffer): Map<string, string> {
  const bytes = viewBytes('parsePaxRecords', input);
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    // 20 digits are more than any length needs; without a bound a block of digits would be searched again and again.
    if (space < 0 || space - at > 20) failTar('a pax record does not begin with its length');
    const digits = String.fromCharCode(...bytes.subarray(at, space));
    const length = /^[1-9]\d*$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    if (length < space - at + 3 || end > bytes.length || bytes[end - 1] !== 10) {
      failTar(`a pax record of length ${show(digits)} does not end where it should`);
    }
    const equals = bytes.indexOf(61, space);
    if (equals < 0 || equals >= end) failTar('a pax record has no "="');
    records.set(
      decoder.decode(bytes.subarray(space + 1, equals)),
      decoder.decode(bytes.subarray(equals + 1, end - 1)),
    );
    at = end;
  }
  return records;
}
