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
export {
  type BlurBaseline,
  bestBlur,
  gaussianBlur,
  type NoiseOptions,
  noisyPictures,
} from './measures/baselines.ts';
export {
  globalSimilarity,
  meanSquaredError,
  type PictureMeasures,
  type Pictures,
  peakSignalToNoise,
  pictureMeasures,
  publishedGlobalSimilarity,
  windowedSimilarity,
} from './measures/similarity.ts';
export { createModel, type ModelInfo, type ScoreModel, scoreOf } from './model.ts';
export { type ModelScoreOptions, modelScore } from './model-score.ts';
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
export {
  MODEL_SAMPLERS,
  type ModelSampler,
  type ModelSamples,
  type SampleModelOptions,
  sampleModel,
} from './sample-model.ts';
export { type ResolvedSettings, TRAINING_DEFAULTS, type TrainingSettings } from './settings.ts';
export * from './supervision/index.ts';
export { type DdpmSchedule, type DdpmScheduleOptions, ddpmSchedule } from './tasks/schedule.ts';
export type { TrainingPictures } from './tasks/types.ts';
export { loadTensors, type TensorOptions, type Tensors } from './tensors/backend.ts';
export {
  type TrainingOptions,
  type TrainingProgress,
  type TrainingRun,
  type TrainingState,
  trainScoreModel,
} from './train.ts';
export { readModel } from './training-checkpoint.ts';
