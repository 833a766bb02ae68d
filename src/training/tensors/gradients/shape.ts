import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tensors } from '../types.ts';
import type { GradientRules } from './rule.ts';

/** Rules for kernels that move values and do not change them. */
export function shapeGradients(tf: Tensors): GradientRules {
  const reshaped = {
    inputs: ['x'],
    gradient: (dy: Tensor, [x]: Tensor[]) => ({ x: () => tf.reshape(dy, x.shape) }),
  };
  return {
    ExpandDims: {
      ...reshaped,
      inputs: ['input'],
      gradient: (dy, [x]) => ({ input: () => tf.reshape(dy, x.shape) }),
    },
    Reshape: reshaped,
    Concat: {
      allInputs: true,
      gradient: (dy, saved, attrs) => {
        const axis = tf.util.parseAxisParam(attrs.axis as number, dy.shape)[0];
        let begin = 0;
        return saved.map(({ shape }) => {
          const from = dy.shape.map((_, i) => (i === axis ? begin : 0));
          begin += shape[axis];
          return () => tf.slice(dy, from, shape);
        });
      },
    },
    GatherV2: {
      inputs: ['x', 'indices'],
      gradient: (dy, [x, indices], attrs) => ({
        x: () => {
          if (attrs.batchDims !== 0) throw new Error('the gradient of gather is there for batchDims 0 alone');
          const axis = tf.util.parseAxisParam(attrs.axis as number, x.shape)[0];
          const count = indices.shape.length;
          const dims = dy.shape.map((_, i) => i);
          const front = [
            ...dims.slice(axis, axis + count),
            ...dims.slice(0, axis),
            ...dims.slice(axis + count),
          ];
          const values = axis === 0 ? dy : tf.transpose(dy, front);
          const flat = tf.reshape(values, [indices.size, ...values.shape.slice(count)]);
          const ids = tf.reshape(indices, [indices.size]) as ReturnType<typeof tf.tensor1d>;
          const sums = tf.unsortedSegmentSum(flat, ids, x.shape[axis]);
          if (axis === 0) return sums;
          const back = x.shape.map((_, i) => (i < axis ? i + 1 : i === axis ? 0 : i));
          return tf.transpose(sums, back);
        },
        indices: () => tf.zerosLike(indices),
      }),
    },
    Pack: {
      gradient: (dy, _saved, { axis }) => tf.unstack(dy, axis as number).map((part) => () => part),
    },
    PadV2: {
      inputs: ['x'],
      gradient: (dy, [x], { paddings }) => {
        const begin = (paddings as number[][]).map(([before]) => before);
        return { x: () => tf.slice(dy, begin, x.shape) };
      },
    },
    Slice: {
      inputs: ['x'],
      gradient: (dy, [x], { begin, size }) => {
        const [from, lengths] = tf.slice_util.parseSliceParams(x, begin as number[], size as number[]);
        const paddings = from.map((start, i): [number, number] => [start, x.shape[i] - start - lengths[i]]);
        return { x: () => tf.pad(dy, paddings) };
      },
    },
    SplitV: {
      gradient: (dy, _saved, { axis }) => ({
        x: () => tf.concat(dy as unknown as Tensor[], axis as number),
      }),
    },
    Tile: {
      inputs: ['x'],
      gradient: (dy, [x], { reps }) => {
        const repeats = reps as number[];
        const shape = x.shape.flatMap((length, i) => [repeats[i], length]);
        const axes = x.shape.map((_, i) => 2 * i);
        return { x: () => tf.reshape(tf.sum(tf.reshape(dy, shape), axes), x.shape) };
      },
    },
    Transpose: {
      gradient: (dy, _saved, { perm }) => {
        const order = perm as number[];
        const back = order.map((_, i) => order.indexOf(i));
        return { x: () => tf.transpose(dy, back) };
      },
    },
    Unpack: {
      gradient: (dy, _saved, { axis }) => ({
        value: () => tf.stack(dy as unknown as Tensor[], axis as number),
      }),
    },
  };
}
