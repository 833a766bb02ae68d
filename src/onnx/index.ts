export type { Parametrisation } from '../diffusion/index.ts';
export { loadOnnxScore, type OnnxScoreOptions } from './load.ts';
export type { OnnxConstant, OnnxValue } from './network.ts';
export type { NetworkTime } from './network-time.ts';
export type { OnnxScore } from './score.ts';
