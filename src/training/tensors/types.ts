import type * as TensorFlow from '@tensorflow/tfjs-core';

/** The functions of `@tensorflow/tfjs-core`, with a back end chosen. */
export type Tensors = typeof TensorFlow;
