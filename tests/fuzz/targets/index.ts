import type { FuzzTarget } from '../target.ts';
import { checkpointFile } from './checkpoint.ts';
import { cifar } from './cifar.ts';
import { commandLine } from './command-line.ts';
import { idx } from './idx.ts';
import { kernelExports } from './kernel-exports.ts';
import { kernelSolve } from './kernel-solve.ts';
import { matrixMarket } from './matrix-market.ts';
import { npy } from './npy.ts';
import { options } from './options.ts';
import { pictures } from './pictures.ts';
import { pointsCsv } from './points-csv.ts';
import { safetensors } from './safetensors.ts';
import { catalogueIndex, catalogueLine, queueAddress, queueJob, shardRecord, zarrMetadata } from './store.ts';
import { tar } from './tar.ts';

/** All that takes what comes from outside. */
export const TARGETS: readonly FuzzTarget[] = [
  npy,
  matrixMarket,
  safetensors,
  pointsCsv,
  idx,
  cifar,
  tar,
  zarrMetadata,
  shardRecord,
  catalogueLine,
  catalogueIndex,
  queueJob,
  queueAddress,
  checkpointFile,
  pictures,
  commandLine,
  options,
  kernelExports,
  kernelSolve,
];

export function findTarget(name: string): FuzzTarget {
  const target = TARGETS.find((one) => one.name === name);
  if (target !== undefined) return target;
  throw new Error(`there is no target ${name}, only ${TARGETS.map((one) => one.name).join(', ')}`);
}
