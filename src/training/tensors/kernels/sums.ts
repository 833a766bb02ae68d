import type { Tensors } from '../types.ts';
import { floats, type Kernel, size } from './heap.ts';

/**
 * Sums over the first axes, such as those of a bias's gradient, in f64: the back end's own transposes first, and
 * adds in f32. The others are the original's.
 */
export function sumOverLeadingAxes(tf: Tensors, original: Kernel): Kernel {
  return (given) => {
    const { inputs, attrs, backend } = given;
    const { x } = inputs;
    const axes = tf.util.parseAxisParam(attrs.axis as number | number[], x.shape).sort((p, q) => p - q);
    const leading = axes.every((axis, i) => axis === i) && axes.length < x.shape.length;
    if (!leading || axes.length === 0 || x.dtype !== 'float32') return original(given);
    const kept = x.shape.slice(axes.length);
    const columns = size(kept);
    const rows = size(x.shape.slice(0, axes.length));
    const out = backend.makeOutput(attrs.keepDims ? [...axes.map(() => 1), ...kept] : kept, 'float32');
    const values = floats(backend, x);
    const sums = new Float64Array(columns);
    for (let row = 0, at = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) sums[column] += values[at++];
    }
    floats(backend, out).set(sums);
    return out;
  };
}

/** Sums the rows of x that have the same number in `segmentIds`; negative numbers are left out. */
export function unsortedSegmentSum(): Kernel {
  return ({ inputs: { x, segmentIds }, attrs, backend }) => {
    const count = attrs.numSegments as number;
    const shape = x.shape.slice(segmentIds.shape.length);
    const length = size(shape);
    const out = backend.makeOutput([count, ...shape], 'float32');
    const sums = floats(backend, out).fill(0);
    const values = floats(backend, x);
    const ids = backend.typedArrayFromHeap(segmentIds);
    ids.forEach((id, row) => {
      if (id < 0 || id >= count) return;
      for (let i = 0; i < length; i++) sums[id * length + i] += values[row * length + i];
    });
    return out;
  };
}
