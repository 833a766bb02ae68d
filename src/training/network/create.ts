import { SeedspanError, show } from '../../errors.ts';
import type { Tensors } from '../tensors/types.ts';
import { createMlp, type MlpOptions } from './mlp.ts';
import type { Network } from './types.ts';
import { createUnet } from './unet.ts';
import type { UnetOptions } from './unet-options.ts';

const KINDS: Readonly<Record<string, (tf: Tensors, options: object) => Network>> = {
  mlp: (tf, options) => createMlp(tf, options as MlpOptions),
  unet: (tf, options) => createUnet(tf, options as UnetOptions),
};

/**
 * Makes a network of the kind and with the options that another, or a checkpoint, says of itself.
 *
 * @throws SeedspanError `INVALID_VALUE` for a kind that does not exist, and what the kind's own function throws
 */
export function createNetwork(tf: Tensors, kind: string, options: object): Network {
  if (Object.hasOwn(KINDS, kind)) return KINDS[kind](tf, options);
  throw new SeedspanError(
    'INVALID_VALUE',
    `createNetwork: there is no kind ${show(kind)}; known: ${Object.keys(KINDS).join(', ')}`,
    { kind },
  );
}
