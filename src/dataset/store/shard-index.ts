import { crc32c } from './crc32c.ts';

/** Offset and length of an inner chunk that is not there (`sharding_indexed`, section "Binary shard format"). */
const ABSENT = 2n ** 64n - 1n;

/** Where the inner chunks of a shard's file lie; at its end, followed by its checksum. */
export class ShardIndex {
  readonly #entries: DataView;

  constructor(chunks: number) {
    this.#entries = new DataView(new ArrayBuffer(16 * chunks + 4));
    for (let k = 0; k < 2 * chunks; k++) this.#entries.setBigUint64(8 * k, ABSENT, true);
  }

  set(chunk: number, offset: number, length: number): void {
    this.#entries.setBigUint64(16 * chunk, BigInt(offset), true);
    this.#entries.setBigUint64(16 * chunk + 8, BigInt(length), true);
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(this.#entries.buffer);
    const end = bytes.length - 4;
    this.#entries.setUint32(end, crc32c(bytes.subarray(0, end)), true);
    return bytes;
  }
}
