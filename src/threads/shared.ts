/** A page may share memory only where its headers isolate it; Node and others always do. */
const shares = typeof SharedArrayBuffer === 'function' && (globalThis.crossOriginIsolated ?? true);

/** Zeros that another thread reads and writes in place; undefined where threads share no memory. */
export function sharedNumbers(length: number): Float64Array | undefined {
  return shares ? new Float64Array(new SharedArrayBuffer(8 * length)) : undefined;
}

/** Those of the arrays' buffers that can be handed over; what is shared need not be. */
export function transferable(arrays: readonly Float64Array[]): ArrayBuffer[] {
  return arrays.map(({ buffer }) => buffer).filter((buffer) => buffer instanceof ArrayBuffer);
}
