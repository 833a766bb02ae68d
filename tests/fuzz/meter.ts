/** Counts the bytes of the arrays that a case makes, and refuses those beyond its limit before they are made. */

const COUNTED = [
  'ArrayBuffer',
  'Float64Array',
  'Float32Array',
  'Int32Array',
  'Uint32Array',
  'Int16Array',
  'Uint16Array',
  'Int8Array',
  'Uint8Array',
  'BigInt64Array',
  'BigUint64Array',
] as const;

/** As the runtime's own, which the sources turn into `OUT_OF_MEMORY` where what is asked for is the caller's affair. */
export class MemoryOverrun extends RangeError {}

let bytes = 0;
let limit = Number.POSITIVE_INFINITY;
let overran = false;

/** Puts counting constructors in the place of the runtime's. */
export function installMeter(): void {
  for (const name of COUNTED) {
    const size = name === 'ArrayBuffer' ? 1 : globalThis[name].BYTES_PER_ELEMENT;
    globalThis[name] = new Proxy(globalThis[name] as unknown as ArrayBufferConstructor, {
      construct(target, args, newTarget) {
        const [first] = args as unknown[];
        const length = typeof first === 'number' ? first : 0;
        // What the runtime refuses by itself is not made.
        if (length > 0 && length <= Number.MAX_SAFE_INTEGER) {
          bytes += length * size;
          if (bytes > limit) {
            overran = true;
            bytes -= length * size;
            throw new MemoryOverrun(
              `an array of ${length * size} bytes is made, the limit of this case is ${limit}`,
            );
          }
        }
        return Reflect.construct(target, args, newTarget);
      },
    }) as never;
  }
}

/** From here on, up to `most` bytes. */
export function startMeter(most: number): void {
  bytes = 0;
  limit = most;
  overran = false;
}

/** Bytes made since the start, and whether more were asked for; counting goes on without a limit. */
export function stopMeter(): { bytes: number; overran: boolean } {
  limit = Number.POSITIVE_INFINITY;
  return { bytes, overran };
}
