export type PictureKind = 'PNG' | 'JPEG' | 'WebP';

export interface PictureHeader {
  kind: PictureKind;
  /** As stored: before any turn that the file asks for. */
  width: number;
  height: number;
}

/**
 * Size of a picture from the first bytes of its file, without decoding it: so that one that is too large is refused
 * before memory is taken for it.
 *
 * PNG: ISO/IEC 15948, IHDR. JPEG: ITU-T T.81, B.2.2, the first frame header. WebP: RFC 9649, the three chunks.
 *
 * @returns undefined where this is none of the three, or the size is not within the bytes
 */
export function readPictureHeader(bytes: Uint8Array): PictureHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = starts(bytes, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
    ? png(view)
    : starts(bytes, 0xff, 0xd8, 0xff)
      ? jpeg(view)
      : text(view, 0) === 'RIFF' && text(view, 8) === 'WEBP'
        ? webp(view)
        : undefined;
  return header !== undefined && header.width > 0 && header.height > 0 ? header : undefined;
}

const starts = (bytes: Uint8Array, ...wanted: number[]) =>
  bytes.length >= wanted.length && wanted.every((value, k) => bytes[k] === value);

/** Four letters, or fewer at the end. */
function text(view: DataView, at: number): string {
  let letters = '';
  for (let k = at; k < Math.min(at + 4, view.byteLength); k++)
    letters += String.fromCharCode(view.getUint8(k));
  return letters;
}

function png(view: DataView): PictureHeader | undefined {
  if (view.byteLength < 24 || text(view, 12) !== 'IHDR') return undefined;
  return { kind: 'PNG', width: view.getUint32(16), height: view.getUint32(20) };
}

function jpeg(view: DataView): PictureHeader | undefined {
  let at = 2;
  while (at + 9 <= view.byteLength) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    // A marker may be filled up with 0xff.
    if (marker === 0xff) {
      at++;
      continue;
    }
    // Start of a frame, but for the Huffman, arithmetic and JPEG tables that lie among their numbers.
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return { kind: 'JPEG', height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}

function webp(view: DataView): PictureHeader | undefined {
  if (view.byteLength < 30) return undefined;
  const kind = 'WebP';
  switch (text(view, 12)) {
    case 'VP8 ':
      return { kind, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
    case 'VP8L': {
      const bits = view.getUint32(21, true);
      return { kind, width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
    }
    case 'VP8X': {
      const three = (at: number) => 1 + view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
      return { kind, width: three(24), height: three(27) };
    }
    default:
      return undefined;
  }
}
