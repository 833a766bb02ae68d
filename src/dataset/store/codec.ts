import simd from '../../../build/kernel/codec.wasm';
import { SeedspanError } from '../../errors.ts';
import { supportsBuild } from '../../wasm/features.ts';
import { ITEM_SIZE, type StoreDtype } from './layout.ts';

/** One source, two builds: what they make is the same, byte for byte. */
export type CodecBuild = 'scalar' | 'simd';

interface CodecExports {
  readonly memory: WebAssembly.Memory;
  /** Address of so many bytes; 0 where there are none. */
  allocate(bytes: number): number;
  release(address: number): void;
  /** `count` numbers to single precision. */
  narrow(from: number, count: number, to: number): void;
  /** Bytes that a frame of `bytes` of elements of `size` may write to. */
  frameRoom(bytes: number, size: number): number;
  /** Bytes that `encodeFrame` needs to work. */
  frameWork(): number;
  /** `bytes` of elements of `size` as a Blosc frame; returns its length. */
  encodeFrame(from: number, bytes: number, size: number, to: number, work: number): number;
}

/** Numbers that are brought to single precision at once: few enough to stay in the cache. */
const PIECE = 16_384;

/** Bytes that Blosc adds at most. */
export const FRAME_OVERHEAD = 16;

/**
 * Encodes numbers as frames of Blosc 1: bits shuffled, LZ4. Any reader of Blosc reads them; their bytes are others than
 * those of the C library, which chooses other blocks.
 */
export class Codec {
  readonly #exports: CodecExports;
  readonly #piece: number;
  readonly #work: number;
  /** Bytes of a source, whatever its elements. */
  #capacity = 0;
  #source = 0;
  #frame = 0;

  private constructor(exports: CodecExports) {
    this.#exports = exports;
    this.#work = this.#take(exports.frameWork());
    this.#piece = this.#take(8 * PIECE);
  }

  static async load(build: CodecBuild = supportsBuild('simd') ? 'simd' : 'scalar'): Promise<Codec> {
    const bytes = build === 'simd' ? simd : (await import('./codec-scalar.ts')).scalar;
    const { instance } = await WebAssembly.instantiate(bytes);
    return new Codec(instance.exports as unknown as CodecExports);
  }

  /**
   * Puts `values`, as numbers of `dtype`, into `to` as a frame, and returns its length: at most
   * {@link FRAME_OVERHEAD} bytes more than the numbers have.
   *
   * @throws SeedspanError `OUT_OF_MEMORY`.
   */
  encode(values: Float64Array | Float32Array, dtype: StoreDtype, to: Uint8Array): number {
    const size = ITEM_SIZE[dtype];
    const bytes = size * values.length;
    this.#reserve(bytes);
    this.#load(values, dtype);
    const length = this.#exports.encodeFrame(this.#source, bytes, size, this.#frame, this.#work);
    to.set(new Uint8Array(this.#exports.memory.buffer, this.#frame, length));
    return length;
  }

  /** Puts values where they are encoded from. */
  #load(values: Float64Array | Float32Array, dtype: StoreDtype): void {
    const { memory, narrow } = this.#exports;
    if (dtype === 'float64') {
      new Float64Array(memory.buffer, this.#source, values.length).set(values);
    } else if (values instanceof Float32Array) {
      new Float32Array(memory.buffer, this.#source, values.length).set(values);
    } else {
      const piece = new Float64Array(memory.buffer, this.#piece, PIECE);
      for (let from = 0; from < values.length; from += PIECE) {
        const part = values.subarray(from, from + PIECE);
        piece.set(part);
        narrow(this.#piece, part.length, this.#source + 4 * from);
      }
    }
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#capacity) return;
    const { release, frameRoom } = this.#exports;
    release(this.#frame);
    release(this.#source);
    this.#capacity = this.#source = this.#frame = 0;
    this.#source = this.#take(bytes);
    this.#frame = this.#take(Math.max(frameRoom(bytes, 4), frameRoom(bytes, 8)));
    this.#capacity = bytes;
  }

  #take(bytes: number): number {
    const address = this.#exports.allocate(bytes);
    if (address === 0)
      throw new SeedspanError('OUT_OF_MEMORY', `no memory for ${bytes} bytes of an image to be encoded`, {
        bytes,
      });
    return address >>> 0;
  }
}
