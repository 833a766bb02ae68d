import { CsrMatrix } from '../sparse/index.ts';
import { type Opened, type PostedError, postError } from '../threads/messages.ts';
import { transferable } from '../threads/shared.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { Batch } from './batch.ts';
import type { BatchOptions, BatchProgress, BatchResult, BatchSystem } from './batch-options.ts';

/** What all parts of a batch have in common. */
export interface BatchSession {
  indptr: Int32Array;
  indices: Int32Array;
  options: Omit<BatchOptions, 'workers' | 'signal' | 'onProgress'>;
}

/** Some systems of a batch, the values of one after the other. */
export interface BatchPart {
  /** Number of the first. */
  first: number;
  count: number;
  data: Float64Array;
  b: Float64Array;
  /** Starts, of those that have one. */
  x0: (Float64Array | undefined)[];
}

export interface BatchPartResult {
  results: BatchResult[];
  /** What ended the part before its end. */
  failure: PostedError | undefined;
}

/** Solves parts of a batch, in this thread or in a worker. */
export function openBatch(kernel: Kernel, session: unknown): Opened {
  const { indptr, indices, options } = session as BatchSession;
  const n = indptr.length - 1;
  const A = new CsrMatrix([n, n], indptr, indices);
  return async (input, { signal, onEvent }) => {
    const part = input as BatchPart;
    const onProgress = (progress: BatchProgress) => onEvent(progress);
    const results: BatchResult[] = [];
    let failure: PostedError | undefined;
    try {
      const batch = new Batch(
        kernel,
        systemsOf(part, A),
        part.count,
        { ...options, signal, onProgress },
        part.first,
      );
      for await (const result of batch.run()) results.push(result);
    } catch (error) {
      signal.throwIfAborted();
      failure = postError(error);
    }
    const result: BatchPartResult = { results, failure };
    return { result, transfer: transferable(results.map(({ x }) => x)) };
  };
}

/** All in one matrix: a system's values are copied when it is taken. */
function* systemsOf(
  { count, data, b, x0 }: BatchPart,
  A: CsrMatrix,
): Generator<BatchSystem, void, undefined> {
  const n = A.shape[0];
  for (let k = 0; k < count; k++) {
    A.data.set(data.subarray(k * A.nnz, (k + 1) * A.nnz));
    yield { A, b: b.subarray(k * n, (k + 1) * n), x0: x0[k] };
  }
}
