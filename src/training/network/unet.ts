import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { SeedspanError } from '../../errors.ts';
import type { Tensors } from '../tensors/types.ts';
import { createConditioning } from './conditioning.ts';
import { LayerFactory, seededDropout } from './layers.ts';
import type { ApplyOptions, Network } from './types.ts';
import { type ResolvedUnetOptions, resolveUnetOptions, type UnetOptions } from './unet-options.ts';
import { createPlain, type Pass } from './unet-plain.ts';
import { createResidual } from './unet-residual.ts';

const WHERE = 'the network';

/**
 * A U-Net with new weights: a function from pictures `[batch, height, width, channels]` and times `[batch]` to
 * pictures of `outputChannels`.
 *
 * @example
 * ```ts
 * const tf = await loadTensors();
 * const network = createUnet(tf, { preset: 'na2024', size: 32, width: 16 });
 * ```
 * @throws SeedspanError `INVALID_VALUE`, `INVALID_TYPE`, `UNKNOWN_OPTION`; a size that cannot be halved as often as
 *   there are levels is one of them
 */
export function createUnet(tf: Tensors, options: UnetOptions): Network {
  const resolved = resolveUnetOptions(options);
  const plain = resolved.blocks === 'plain';
  const layers = new LayerFactory(tf, plain ? 'fan-in' : 'fan-average', resolved.groups, resolved.seed);
  try {
    return assemble(tf, layers, resolved);
  } catch (error) {
    layers.dispose();
    throw error;
  }
}

function assemble(tf: Tensors, layers: LayerFactory, options: ResolvedUnetOptions): Network {
  const conditioning = createConditioning(tf, layers, options);
  const create = options.blocks === 'plain' ? createPlain : createResidual;
  const pass: Pass = create(tf, layers, options, conditioning);
  const { dropout, images } = options;
  let disposed = false;

  function apply(x: Tensor, t: Tensor1D, { training = false, dropoutSeed, index }: ApplyOptions = {}) {
    if (disposed) throw new SeedspanError('DISPOSED', `${WHERE} was disposed`);
    checkInput(options, x, t, index);
    if (images > 0 && index === undefined) {
      throw new SeedspanError(
        'INVALID_VALUE',
        `${WHERE} has an embedding of ${images} images: give index, the number of each sample's image`,
      );
    }
    if (training && dropout > 0 && dropoutSeed === undefined) {
      throw new SeedspanError(
        'INVALID_VALUE',
        `${WHERE} drops out ${dropout} of its activations: give dropoutSeed`,
      );
    }
    const drop =
      training && dropout > 0 && dropoutSeed !== undefined
        ? seededDropout(tf, dropout, dropoutSeed)
        : undefined;
    return pass(x as Tensor4D, conditioning?.of(t, index), drop);
  }

  return {
    tf,
    kind: 'unet',
    options,
    parameters: layers.parameters,
    apply,
    dispose() {
      disposed = true;
      layers.dispose();
    },
  };
}

function checkInput(
  { size, inputChannels }: ResolvedUnetOptions,
  x: Tensor,
  t: Tensor1D,
  index: Tensor1D | undefined,
): void {
  const expected = [...size, inputChannels];
  if (x.rank !== 4 || !expected.every((length, axis) => x.shape[axis + 1] === length)) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${WHERE} takes [batch, ${expected.join(', ')}], not [${x.shape.join(', ')}]`,
      { shape: x.shape },
    );
  }
  for (const [name, value] of Object.entries({ t, index })) {
    if (value === undefined || (value.rank === 1 && value.shape[0] === x.shape[0])) continue;
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${WHERE} takes one ${name} a sample: [${x.shape[0]}], not [${value.shape.join(', ')}]`,
      { shape: value.shape },
    );
  }
}
