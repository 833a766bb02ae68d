import { checkOptionNames, SeedspanError, show } from '../../errors.ts';
import { loadPeer } from '../../peers.ts';
import { registerGradients } from './gradients/register.ts';
import { registerKernels } from './kernels/register.ts';
import type { Tensors } from './types.ts';

export type { Tensors } from './types.ts';

/** Which back end of tfjs is used. */
export interface TensorOptions {
  /**
   * Back end of tfjs: `wasm` (default) is loaded here; any other, such as `webgpu`, works where its package was
   * imported before.
   */
  backend?: string;
}

/**
 * Loads tfjs, which is not loaded with this module since it is an optional peer, chooses its back end, and gives
 * tfjs-core the gradients, and the `wasm` back end the kernels, that training needs.
 *
 * @throws SeedspanError `UNSUPPORTED` where a package is missing or the back end does not start here;
 *   `INVALID_TYPE`, `UNKNOWN_OPTION`
 */
export async function loadTensors(options: TensorOptions = {}): Promise<Tensors> {
  checkOptionNames('loadTensors', options, ['backend']);
  const { backend = 'wasm' } = options;
  if (typeof backend !== 'string') {
    throw new SeedspanError('INVALID_TYPE', `loadTensors: backend must be a text, not ${show(backend)}`);
  }
  const purpose = 'for training and for trained networks';
  const tf = await loadPeer('@tensorflow/tfjs-core', purpose, () => import('@tensorflow/tfjs-core'));
  if (backend === 'wasm') {
    await loadPeer('@tensorflow/tfjs-backend-wasm', purpose, () => import('@tensorflow/tfjs-backend-wasm'));
    registerKernels(tf);
  }
  registerGradients(tf);
  const known = tf.engine().registryFactory;
  if (!(backend in known) || !(await tf.setBackend(backend))) {
    const names = Object.keys(known).join(', ');
    throw new SeedspanError(
      'UNSUPPORTED',
      `loadTensors: the back end ${show(backend)} is not there or does not start; imported are: ${names}`,
      { backend, known: Object.keys(known) },
    );
  }
  await tf.ready();
  return tf;
}
