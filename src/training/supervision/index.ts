export { checkerboardDensity } from './checkerboard.ts';
export { DATA_SETS, type DataSet, dataSetDensity } from './data-sets.ts';
export {
  type GaussianMixture,
  gaussianMixtureDensity,
  type PlaneDensity,
} from './densities.ts';
export {
  SCHEDULES,
  type Schedule,
  type SupervisionOptions,
  type SupervisionResult,
  type SupervisionStep,
} from './loop.ts';
export { type HeldOutScores, heldOutScores, networkScores, scoreError } from './score-error.ts';
export { type DenoisingOptions, type PointSource, trainDenoising } from './train-denoising.ts';
export { trainOnField } from './train-on-field.ts';
