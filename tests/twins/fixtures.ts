/** The fixtures as the twins' types. */

import { readFileSync } from 'node:fs';
import { readMatrixMarket, readNpy } from '../../src/formats/index.ts';
import type { Csr } from './csr.ts';

const read = (path: string): Uint8Array => readFileSync(new URL(`../fixtures/${path}`, import.meta.url));

/** An array of `fixtures/anchors`, in C order: `field_32` (n x n), `solution_stiff_64` (n^2) ... */
export function loadAnchor(name: string): { data: Float64Array; n: number } {
  const { data } = readNpy(read(`anchors/${name}.npy`));
  return { data: Float64Array.from(data), n: Math.sqrt(data.length) };
}

export interface GmresRecord {
  /** ||b - A x|| <= 1e-10 ||b|| */
  reached: boolean;
  iterations: number;
  relativeResidual?: number;
  /** Why there are no factors. */
  failure?: string;
}

/** One system of `fixtures/systems/reference.json`. */
export interface SystemRecord {
  name: string;
  about: string;
  matrix: string;
  rhs: string;
  n: number;
  nnz: number;
  /** In the 2-norm; null for the singular ones. */
  condition: number | null;
  /** One of the incomplete factorisations got there. */
  solvedByScipy: boolean;
  gmres: Record<'none' | 'ilu0' | 'spilu_no_fill' | 'spilu', GmresRecord>;
  /** Absent for the singular ones. */
  direct?: { norm: number; entries: [index: number, value: number][] };
  /** Relative residual norms from zero, no preconditioner. */
  histories?: { gmres: number[]; bicgstab: number[]; cg?: number[] };
}

export const systems: SystemRecord[] = JSON.parse(
  new TextDecoder().decode(read('systems/reference.json')),
).systems;

/** A system of `fixtures/systems`, with the symmetric storage expanded. */
export function loadSystem({ matrix, rhs }: SystemRecord): { A: Csr; b: Float64Array } {
  const left = readMatrixMarket(read(`systems/${matrix}`));
  const right = readMatrixMarket(read(`systems/${rhs}`));
  if (left.kind !== 'coordinate' || right.kind !== 'array') throw new Error(`${matrix}: not a sparse system`);
  const { shape, indptr, indices, data } = left.matrix;
  return { A: { shape: [...shape], indptr, indices, data }, b: right.data };
}

export function systemNamed(name: string): SystemRecord {
  const record = systems.find((system) => system.name === name);
  if (record === undefined) throw new Error(`no system named ${name}`);
  return record;
}
