import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { LENGTHS } from '../kernel/harness.ts';
import { random } from '../twins/random.ts';
import { blosc } from '../twins/zarr.ts';

interface Exports {
  memory: WebAssembly.Memory;
  allocate(bytes: number): number;
  release(address: number): void;
  narrow(from: number, count: number, to: number): void;
  frameRoom(bytes: number, size: number): number;
  frameWork(): number;
  encodeFrame(from: number, bytes: number, size: number, to: number, work: number): number;
}

const GUARD = 64;
const UNTOUCHED = 0xa5;

/** Blocks of memory between guards, which nobody may write to. */
class Room {
  readonly exports: Exports;
  #blocks: { block: number; start: number; end: number; stop: number }[] = [];

  constructor(exports: Exports) {
    this.exports = exports;
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.exports.memory.buffer);
  }

  /** `shift` bytes off the alignment of 64. */
  take(length: number, shift = 0): number {
    const size = 2 * GUARD + shift + length;
    const block = this.exports.allocate(size);
    const start = block + GUARD + shift;
    this.bytes.fill(UNTOUCHED, block, block + size);
    this.#blocks.push({ block, start, end: start + length, stop: block + size });
    return start;
  }

  /** Gives all back; the guards must be as they were. */
  clear(): void {
    const { bytes } = this;
    for (const { block, start, end, stop } of this.#blocks.splice(0)) {
      expect(bytes.subarray(block, start).every((byte) => byte === UNTOUCHED)).toBe(true);
      expect(bytes.subarray(end, stop).every((byte) => byte === UNTOUCHED)).toBe(true);
      this.exports.release(block);
    }
  }

  frame(plain: Uint8Array, size: number, shift: number): Uint8Array {
    const { exports } = this;
    const room = exports.frameRoom(plain.length, size);
    const [from, to] = [this.take(plain.length, shift), this.take(room, shift)];
    const work = this.take(exports.frameWork());
    this.bytes.set(plain, from);
    const length = exports.encodeFrame(from, plain.length, size, to, work);
    const frame = this.bytes.slice(to, to + length);
    expect(Buffer.compare(this.bytes.subarray(from, from + plain.length), plain)).toBe(0);
    this.clear();
    return frame;
  }
}

/**
 * The streams of a frame keep the rules of the end (lz4_Block_format): at least five literals last, no match starts in
 * the last twelve bytes, and a stream ends with its literals. Returns how many matches there are.
 */
function checkStreams(frame: Uint8Array): number {
  const view = new DataView(frame.buffer);
  const [nbytes, blocksize] = [view.getUint32(4, true), view.getUint32(8, true)];
  let matches = 0;
  if (frame[2] & 2) return 0;
  for (let block = 0; block * blocksize < nbytes; block++) {
    const start = view.getUint32(16 + 4 * block, true);
    const plain = Math.min(blocksize, nbytes - block * blocksize);
    const length = view.getUint32(start, true);
    if (length === plain) continue;
    expect(length).toBeLessThan(plain);
    let [at, done] = [start + 4, 0];
    const end = at + length;
    const extended = (nibble: number) => {
      let sum = nibble;
      if (nibble === 15) for (let byte = 255; byte === 255; sum += byte) byte = frame[at++];
      return sum;
    };
    while (true) {
      const token = frame[at++];
      const literals = extended(token >> 4);
      at += literals;
      done += literals;
      if (at === end) {
        expect(token & 15).toBe(0);
        expect(literals).toBeGreaterThanOrEqual(5);
        expect(done).toBe(plain);
        break;
      }
      expect(at).toBeLessThan(end);
      expect(done).toBeLessThanOrEqual(plain - 12);
      expect(view.getUint16(at, true)).toBeGreaterThan(0);
      expect(view.getUint16(at, true)).toBeLessThanOrEqual(done);
      at += 2;
      done += extended(token & 15) + 4;
      matches++;
    }
  }
  return matches;
}

describe.each(['codec-scalar', 'codec'])('%s.wasm', (name) => {
  let room: Room;
  beforeAll(async () => {
    const file = new URL(`../../build/kernel/${name}.wasm`, import.meta.url);
    const { instance } = await WebAssembly.instantiate(readFileSync(file));
    room = new Room(instance.exports as unknown as Exports);
  });

  it('imports nothing, and exports what its host knows', async () => {
    expect(Object.keys(room.exports).sort()).toEqual(
      ['allocate', 'encodeFrame', 'frameRoom', 'frameWork', 'memory', 'narrow', 'release'].sort(),
    );
  });

  it('narrows as Math.fround, at any alignment and in place', () => {
    const special = [
      0,
      -0,
      1e-46,
      7e-46,
      1e-40,
      3.4028235677973366e38,
      1e39,
      Infinity,
      -Infinity,
      Number.NaN,
    ];
    for (const length of LENGTHS) {
      const next = random(length);
      const values = Float64Array.from({ length }, (_, k) =>
        k % 3 === 2 ? special[k % special.length] : (next() - 0.5) * 10 ** (80 * (next() - 0.5)),
      );
      for (const shift of [0, 4, 8]) {
        const from = room.take(8 * length, 2 * shift);
        const to = room.take(4 * length, shift);
        new Float64Array(room.exports.memory.buffer, from, length).set(values);
        room.exports.narrow(from, length, to);
        const wanted = Float32Array.from(values, Math.fround);
        expect(new Float32Array(room.exports.memory.buffer, to, length)).toEqual(wanted);
        room.exports.narrow(from, length, from);
        expect(new Float32Array(room.exports.memory.buffer, from, length)).toEqual(wanted);
        room.clear();
      }
    }
  });

  it.each([4, 8])('writes frames of elements of %i bytes, of any length, where it may', (size) => {
    for (const length of LENGTHS) {
      const next = random(length);
      const noise = Uint8Array.from({ length: size * length }, () => 256 * next());
      const slow = noise.map((byte, k) => (k % size === 0 ? byte : 7));
      for (const plain of [noise, slow])
        for (const shift of [0, 1, 8]) {
          const frame = room.frame(plain, size, shift);
          expect([...blosc(frame)]).toEqual([...plain]);
          expect(frame.length).toBeLessThanOrEqual(plain.length + 16);
          checkStreams(frame);
        }
    }
  });

  it.each([4, 8])('has room for the blocks of a large frame, elements of %i bytes', (size) => {
    const { exports } = room;
    // What is left over of 2000 blocks is more than a block.
    const bytes = 2000 * 61_440 - size;
    const [from, work] = [exports.allocate(bytes), exports.allocate(exports.frameWork())];
    const to = exports.allocate(exports.frameRoom(bytes, size));
    exports.encodeFrame(from, bytes, size, to, work);
    const block = new DataView(exports.memory.buffer).getUint32(to + 8, true);
    const blocks = Math.ceil(bytes / block);
    expect(blocks).toBeGreaterThan(2001);
    expect(block % (8 * size)).toBe(0);
    expect(exports.frameRoom(bytes, size)).toBe(16 + bytes + 8 * blocks + 16);
    for (const address of [from, work, to]) exports.release(address);
  });

  it.each([4, 8])('keeps the rules of LZ4, elements of %i bytes', (size) => {
    const next = random(size);
    let matches = 0;
    for (let run = 0; run < 300; run++) {
      // Literals and matches of any length, at any distance: bytes of few values, and parts that come again.
      const length = size * Math.ceil((run < 200 ? 400 : 30_000) * next());
      const values = 2 ** Math.ceil(8 * next());
      const plain = Uint8Array.from({ length }, () => values * next());
      for (let part = 20 * next(); part >= 0; part--) {
        const [from, to] = [length * next(), length * next()];
        plain.copyWithin(to, from, from + length * next() ** 3);
      }
      const frame = room.frame(plain, size, run % 2);
      expect(Buffer.compare(blosc(frame), plain)).toBe(0);
      matches += checkStreams(frame);
    }
    expect(matches).toBeGreaterThan(1000);
  });
});
