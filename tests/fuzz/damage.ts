/** Ways to damage a file. */

import fc from 'fast-check';
import { fromLatin1, latin1 } from './target.ts';

/** What is done, where (a share of 2^20), and with what. */
export type Damage = readonly [kind: number, at: number, value: number];

/** As decimal text: sizes that are just right, too large, wrong. */
// biome-ignore format: a table
export const EXTREME_NUMBERS = ['0', '1', '-1', '2', '3', '7', '255', '256', '65535', '65536', '33554432', '33554433', '2147483647', '2147483648', '4294967295', '4294967296', '1099511627776', '9007199254740991', '9007199254740992', '4611686018427387904', '9223372036854775807', '18446744073709551615', '1e18', '1e308', '1e309', '-1e309', '5e-324', '1e-400', '0.1', '-0', '+1', '00', '1.', '.5', 'NaN', 'nan', 'Infinity', '-inf', '0x10', '1_000', '1L', '1n', '1e', 'null', 'true', '""', '[]', '{}', '"1"', '١', '9'.repeat(40), '9'.repeat(400), `0.${'0'.repeat(400)}1`];
// biome-ignore format: a table
const WORDS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', '__metadata__', '../', '..\\', '/', '\0', '\n', '\r\n', '\r', '\t', ' ', ',', ';', ':', '%', '%%', '"', "'", '\\', '\\u0000', '\\ud800', '{', '}', '[', ']', '(', ')', '\xff\xfe', '\xef\xbb\xbf', '\xc0\x80', '\xed\xa0\x80', 'True', 'False', 'None', 'symmetric', 'pattern', 'array', 'F64', 'BOOL', '<f8', '>f4', '|u1'];
/** Little- and big-endian fields of 2, 4 and 8 bytes are set to these. */
// biome-ignore format: a table
const FIELDS = [0n, 1n, 2n, 7n, 8n, 127n, 128n, 255n, 256n, 511n, 512n, 32767n, 65535n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 1n << 40n, (1n << 53n) - 1n, 1n << 53n, 1n << 62n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n];

/** A piece is repeated until it has about so many bytes. */
const STRETCHES = [16, 100, 600, 4096, 70_000];

type Edit = (bytes: Uint8Array, place: number, value: number, others: readonly Uint8Array[]) => Uint8Array;

const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** Replaces the bytes from `from` to `to`. */
const put = (bytes: Uint8Array, from: number, to: number, piece: Uint8Array) =>
  join(bytes.subarray(0, from), piece, bytes.subarray(to));

function field(size: 2 | 4 | 8, little: boolean): Edit {
  return (bytes, place, value) => {
    if (bytes.length < size) return bytes;
    const copy = bytes.slice();
    const at = Math.min(place, bytes.length - size);
    const view = new DataView(copy.buffer);
    const number = FIELDS[value % FIELDS.length];
    if (size === 2) view.setUint16(at, Number(number & 0xffffn), little);
    else if (size === 4) view.setUint32(at, Number(number & 0xffffffffn), little);
    else view.setBigUint64(at, number, little);
    return copy;
  };
}

/** The text of the first kilobytes, where the header is, in pieces: texts in quotes, words, numbers, marks. */
function pieces(bytes: Uint8Array): { parts: string[]; rest: Uint8Array } {
  const head = latin1(bytes.subarray(0, 4096));
  return {
    parts: head.match(/"[^"]*"|'[^']*'|[A-Za-z_]+|[-+]?[\d.]+|[\s\S]/g) ?? [],
    rest: bytes.subarray(4096),
  };
}

function onPieces(edit: (parts: string[], at: number, value: number) => void): Edit {
  return (bytes, place, value) => {
    const { parts, rest } = pieces(bytes);
    if (parts.length === 0) return bytes;
    edit(parts, Math.floor((place / Math.max(1, bytes.length)) * parts.length), value);
    return join(fromLatin1(parts.join('')), rest);
  };
}

const EDITS: readonly Edit[] = [
  // A bit.
  (bytes, place, value) => {
    const copy = bytes.slice();
    if (copy.length > 0) copy[place] ^= 1 << (value % 8);
    return copy;
  },
  // A byte.
  (bytes, place, value) => {
    const copy = bytes.slice();
    if (copy.length > 0) copy[place] = value;
    return copy;
  },
  (bytes, place) => bytes.slice(0, place),
  (bytes, place) => bytes.slice(place),
  // A run goes, is there twice, is moved to the end.
  (bytes, place, value) => put(bytes, place, Math.min(bytes.length, place + (value % 64)), new Uint8Array(0)),
  (bytes, place, value) => put(bytes, place, place, bytes.slice(place, place + (value % 1024))),
  (bytes, place, value) =>
    join(
      bytes.subarray(0, place),
      bytes.subarray(place + (value % 64)),
      bytes.subarray(place, place + (value % 64)),
    ),
  // A piece, again and again.
  (bytes, place, value) => {
    const piece = bytes.slice(place, place + 1 + (value % 5));
    const wanted = STRETCHES[(value >> 4) % STRETCHES.length];
    const times = piece.length === 0 ? 0 : Math.ceil(wanted / piece.length);
    return put(bytes, place, place, join(...Array<Uint8Array>(times).fill(piece)));
  },
  // The beginning of this one and the end of another.
  (bytes, place, value, others) => {
    const other = others[value % others.length];
    return join(
      bytes.subarray(0, place),
      other.subarray(Math.floor((other.length * ((value >> 8) % 256)) / 256)),
    );
  },
  (bytes, place, value) => put(bytes, place, place, fromLatin1(WORDS[value % WORDS.length])),
  field(2, true),
  field(4, true),
  field(8, true),
  field(2, false),
  field(4, false),
  // A number of the text.
  onPieces((parts, at, value) => {
    const number = (part: string) => /\d/.test(part);
    let place = parts.findIndex((part, k) => k >= at && number(part));
    if (place < 0) place = parts.findIndex(number);
    if (place >= 0)
      parts[place] = Buffer.from(EXTREME_NUMBERS[value % EXTREME_NUMBERS.length]).toString('latin1');
  }),
  onPieces((parts, at, value) => parts.splice(at, 1 + (value % 6))),
  onPieces((parts, at, value) => parts.splice(at, 0, ...parts.slice(at, at + 1 + (value % 12)))),
  onPieces((parts, at, value) => {
    const other = value % parts.length;
    [parts[at], parts[other]] = [parts[other], parts[at]];
  }),
];

/** Longer ones say nothing new. */
const MOST_BYTES = 1 << 18;

/** Does all of the damage, one after the other. */
export function damage(file: Uint8Array, list: readonly Damage[], others: readonly Uint8Array[]): Uint8Array {
  return list.reduce<Uint8Array>((bytes, [kind, at, value]) => {
    // Half of the places are near the beginning, where headers are.
    const place = at % 2 === 0 ? (at >> 1) % 128 : Math.floor((at / 2 ** 20) * bytes.length);
    const edited = EDITS[kind](bytes, Math.min(place, Math.max(0, bytes.length - 1)), value, others);
    return edited.slice(0, MOST_BYTES);
  }, file);
}

/** Files of `files`, or made ones, with up to four damages. */
export function damaged(
  files: readonly Uint8Array[],
  made?: fc.Arbitrary<Uint8Array>,
): fc.Arbitrary<Uint8Array> {
  const known = fc.nat(files.length - 1).map((k) => files[k]);
  const file =
    made === undefined ? known : fc.oneof({ arbitrary: known, weight: 2 }, { arbitrary: made, weight: 1 });
  const one = fc.tuple(
    fc.nat(EDITS.length - 1),
    fc.noBias(fc.nat(2 ** 20 - 1)),
    fc.noBias(fc.nat(2 ** 30 - 1)),
  );
  return fc
    .tuple(file, fc.array(one, { maxLength: 4, minLength: made === undefined ? 1 : 0 }))
    .map(([bytes, list]) => damage(bytes, list, files));
}
