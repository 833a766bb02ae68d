import { type FileHandle, open } from 'node:fs/promises';
import type { Encoder } from './encode.ts';
import { ShardIndex } from './shard-index.ts';

/** Bytes that are written at once, where one image has fewer: calls cost more than small images. */
const WRITE = 2 ** 19;

/** One array's file in the making: images are encoded into one buffer, while another one is written. */
export class ShardFile {
  readonly #path: string;
  readonly #encoder: Encoder;
  readonly #index: ShardIndex;
  #file: FileHandle | undefined;
  #filling = new Uint8Array(0);
  #writing = new Uint8Array(0);
  /** Bytes of the buffer that is being filled. */
  #filled = 0;
  /** Bytes handed to the system. */
  #written = 0;
  #pending: Promise<unknown> = Promise.resolve();

  constructor(path: string, encoder: Encoder, images: number) {
    this.#path = path;
    this.#encoder = encoder;
    this.#index = new ShardIndex(images);
  }

  async open(): Promise<void> {
    this.#file = await open(this.#path, 'wx');
  }

  /** Takes one image; its values are not needed any more when this has ended. */
  async append(position: number, values: Float64Array | Float32Array): Promise<void> {
    const { most } = this.#encoder;
    if (this.#filled + most > this.#filling.length) await this.#flush();
    if (this.#filling.length === 0) this.#filling = new Uint8Array(Math.max(WRITE, most));
    const count = await this.#encoder.encode(values, this.#filling.subarray(this.#filled));
    this.#index.set(position, this.#written + this.#filled, count);
    this.#filled += count;
  }

  /** Ends the file with its index, on the disk, and says how long it is. */
  async finish(): Promise<number> {
    await this.#flush();
    await this.#pending;
    const index = this.#index.encode();
    await this.#file!.writeFile(index);
    await this.#file!.sync();
    await this.close();
    return this.#written + index.length;
  }

  async close(): Promise<void> {
    await this.#pending.catch(() => undefined);
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /** Has the filled buffer written, and goes on with the other one, once that is. */
  async #flush(): Promise<void> {
    await this.#pending;
    if (this.#filled === 0) return;
    this.#pending = this.#file!.writeFile(this.#filling.subarray(0, this.#filled));
    this.#pending.catch(() => undefined); // told by the next one who awaits it
    [this.#filling, this.#writing] = [this.#writing, this.#filling];
    this.#written += this.#filled;
    this.#filled = 0;
  }
}
