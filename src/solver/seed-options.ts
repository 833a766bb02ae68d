import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { checkVector, systemSize } from './options.ts';
import type { BasisPrecision } from './projector.ts';
import type { Storage, SystemMatrix } from './types.ts';

/** A system whose Krylov subspace is to be used for others. */
export interface SeedSystem {
  A: SystemMatrix;
  /** Length n. */
  b: ArrayLike<number>;
  /** Its solution, or another vector that is known of it: a direction beside those of the Krylov basis. */
  x?: ArrayLike<number>;
}

/** Size, precision and accuracy of a seed subspace. */
export interface SeedSubspaceOptions {
  /** Most Krylov vectors of each seed; never more than n are made. Default 20. */
  dim?: number;
  /** Most basis vectors in all, for which memory is reserved. Default: `dim` for each of the seeds given; at most n. */
  maxDim?: number;
  /** Stop earlier, when the residual of the seed's own system is down to this share of ||b||. Default 1e-14. */
  rtol?: number;
  /**
   * How the basis is stored. `single` halves its memory; products and sums are of double precision all the same, and
   * the start that a projection finds differs in the seventh digit. The accuracy of a solve does not depend on it.
   * Default `double`.
   */
  precision?: BasisPrecision;
  storage?: Storage;
  /** Unknowns; needed for a matrix-free system only. */
  size?: number;
}

/** How many directions of a system a seed subspace takes in. */
export interface ExpandOptions extends Pick<SeedSubspaceOptions, 'dim' | 'rtol' | 'storage'> {
  /** As {@link SeedSystem.x}. With `dim: 0` it is all that is added. */
  x?: ArrayLike<number>;
}

/** Refuses what is no seed's system. */
export function checkIsSystem(where: string, system: SeedSystem): void {
  if (typeof system !== 'object' || system === null) {
    throw new SeedspanError('INVALID_TYPE', `${where}: a seed must be { A, b, x? }, not ${show(system)}`);
  }
  checkOptionNames(where, system, ['A', 'b', 'x']);
}

/** Refuses a seed's system of other than n unknowns. */
export function checkSystem(where: string, { A, b, x }: SeedSystem, n: number): void {
  const size = systemSize(where, A, typeof A === 'function' ? n : undefined);
  if (size !== n) {
    throw new SeedspanError('SHAPE_MISMATCH', `${where}: a seed has ${size} unknowns, the others ${n}`);
  }
  checkVector(where, 'b', b, n);
  if (x !== undefined) checkVector(where, 'x', x, n);
}
