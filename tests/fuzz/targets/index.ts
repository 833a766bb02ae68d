import type { FuzzTarget } from '../target.ts';
import { kernelExports } from './kernel-exports.ts';
import { kernelSolve } from './kernel-solve.ts';
import { matrixMarket } from './matrix-market.ts';
import { npy } from './npy.ts';
import { options } from './options.ts';
import { pointsCsv } from './points-csv.ts';
import { safetensors } from './safetensors.ts';

/** All that takes what comes from outside. */
export const TARGETS: readonly FuzzTarget[] = [
  npy,
  matrixMarket,
  safetensors,
  pointsCsv,
  options,
  kernelExports,
  kernelSolve,
];

export function findTarget(name: string): FuzzTarget {
  const target = TARGETS.find((one) => one.name === name);
  if (target !== undefined) return target;
  throw new Error(`there is no target ${name}, only ${TARGETS.map((one) => one.name).join(', ')}`);
}
