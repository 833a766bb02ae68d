export { loadOnnxScore, type OnnxScoreOptions } from './load.ts';
export type { OnnxConstant, OnnxValue } from './network.ts';
export type { NetworkTime, Parametrisation } from './parametrisation.ts';
export type { OnnxScore } from './score.ts';
