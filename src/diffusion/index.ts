export { type InitialDensityOptions, initialLogDensity } from './density.ts';
export { pixelPairsLogDensity } from './density-pairs.ts';
export { drawPixelPositions, logDensityFromSamples } from './density-positions.ts';
export { embedPictures } from './embedding.ts';
export { gaussianLogDensity, gaussianScore } from './exact.ts';
export * from './field/index.ts';
export { PRECOMPUTE_DEFAULTS, SCHEME_DEFAULTS } from './options.ts';
export { precomputeScores } from './precompute.ts';
export { type RandomStream, randomStream } from './random.ts';
export * from './samplers/index.ts';
export {
  constantDiffusion,
  type PresetSde,
  parseSde,
  varianceExploding,
  variancePreserving,
} from './sde.ts';
export type {
  Boundary,
  DensityKind,
  NdArray,
  PrecomputeOptions,
  PrecomputeReport,
  PrecomputeResult,
  Progress,
  Scheme,
  Sde,
  Sharing,
  SharingDecision,
  StageTimes,
  StepReport,
} from './types.ts';
