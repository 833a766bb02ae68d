export type { Adam, AdamOptions, AdamState, AdamStep, ParameterValues } from './adam-options.ts';
export {
  type Checkpoint,
  type CheckpointContent,
  type Json,
  readCheckpoint,
  restoreCheckpoint,
  writeCheckpoint,
  writeCheckpointAsync,
} from './checkpoint.ts';
export { createNetwork } from './network/create.ts';
export { createMlp, type MlpOptions } from './network/mlp.ts';
export {
  type ApplyOptions,
  describeNetwork,
  type Network,
  parameterCount,
} from './network/types.ts';
export { createUnet } from './network/unet.ts';
export { UNET_PRESETS, type UnetOptions } from './network/unet-options.ts';
export { createAdam, warmUp } from './optimizer.ts';
export type { Rectangle } from './plane.ts';
export * from './supervision/index.ts';
export { loadTensors, type TensorOptions, type Tensors } from './tensors/backend.ts';
