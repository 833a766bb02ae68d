export { type ChooseSeedsOptions, type ChosenSeeds, chooseSeeds, type SeedMethod } from './choose-seeds.ts';
export type { SeedFeatures } from './choose-seeds-features.ts';
export { type InitialDensityOptions, initialLogDensity } from './density.ts';
export { pixelPairsLogDensity } from './density-pairs.ts';
export { type DrawOptions, drawPixelPositions, logDensityFromSamples } from './density-positions.ts';
export { type Embedding, type EmbeddingOptions, type EmbeddingVariant, embedPictures } from './embedding.ts';
export { type GaussianStart, gaussianLogDensity, gaussianScore } from './exact.ts';
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
  ProjectionOptions,
  ProjectionSettings,
  Scheme,
  Sde,
  Sharing,
  SharingDecision,
  StageTimes,
  StepReport,
} from './types.ts';
