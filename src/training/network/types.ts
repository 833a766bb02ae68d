import type { Tensor, Tensor1D, Variable } from '@tensorflow/tfjs-core';
import type { Tensors } from '../tensors/types.ts';

/** How a network is applied. */
export interface ApplyOptions {
  /** Whether dropout is at work. Default false. */
  training?: boolean;
  /** Seed of the dropout masks, an integer from 0; needed where `training` is set and the network drops out. */
  dropoutSeed?: number;
  /** Number of each sample's image, `[batch]`, where the network has an embedding of it. */
  index?: Tensor1D;
}

/** A network with parameters of its own, which lives until `dispose`. */
export interface Network {
  readonly tf: Tensors;
  /** `unet`, `mlp`: with `options` what `createNetwork` needs to make it again. */
  readonly kind: string;
  /** Plain JSON with all defaults in place. */
  readonly options: object;
  /** In a fixed order, with dotted names; the layout of the filters is tfjs's: height, width, in, out. */
  readonly parameters: ReadonlyMap<string, Variable>;
  /**
   * The network's output for a batch. Run it inside `tf.tidy` or `tf.variableGrads`: it leaves its intermediate
   * tensors to them.
   *
   * @param x samples, `[batch, ...]`
   * @param t time of each sample, `[batch]`, in [0, 1]
   * @throws SeedspanError `SHAPE_MISMATCH`, `INVALID_VALUE`, `DISPOSED`
   */
  apply(x: Tensor, t: Tensor1D, options?: ApplyOptions): Tensor;
  /** Gives the parameters back. */
  dispose(): void;
}

/** Number of trained numbers. */
export function parameterCount(network: Network): number {
  let count = 0;
  for (const { size } of network.parameters.values()) count += size;
  return count;
}

/** A line for each parameter, with its shape, and one with the sum. */
export function describeNetwork(network: Network): string {
  const lines = [...network.parameters].map(([name, { shape }]) => `${name} [${shape.join(', ')}]`);
  return [`${network.kind}: ${parameterCount(network)} parameters`, ...lines].join('\n');
}
