// The true residuals of BiCGSTAB in lanes, and what follows from them.
//
// Lanes in double precision compute them in lanes. Those in single precision refine: the recursion solves for what is
// to be added to x, which is kept in double precision as b and A are. When the residual of the recursion is down by
// REFINED, that is added, and the true residual takes the place of the recursion's, whose directions go on (van der
// Vorst and Ye 2000, SIAM J. Sci. Comput. 22; Clark et al. 2010, Comput. Phys. Commun. 181, section 4.4). Numbers in
// such lanes are scaled by powers of two, which change no digits.

import { csrMultiply } from '../operator/csr';
import { maxAbs, norm2, subtract } from '../vector/vector';
import { BREAKDOWN, CONVERGED, MAX_ITERATIONS, NON_FINITE, RUNNING, STAGNATED } from '../method/iteration';
import { multiplyCsrLanes } from './csr';
import { clearLane, dotLane, scaleLane, unpackLane } from './lanes';
import { Batch, begin, Lane, laneOf, powerOfTwo, put } from './workspace';
import { rightHandSideOf, solutionOf, valuesOf } from './workspace';

/** Why a lane asks for its true residual. */
export const CLAIM: i32 = 1;
export const BROKEN: i32 = 2;
export const FINISH: i32 = 3;
export const CHECK: i32 = 4;
export const REFINE: i32 = 5;

/** Single precision: share of the true residual at which it is computed again. */
export const REFINED: f64 = 1e-4;

/** As in `method/bicgstab`. */
const RUNAWAY: f64 = 1e3;
const JUMP: f64 = 1e10;

/** Single precision: iterations without half the residual, beside as many as there were before. */
const PATIENCE: i32 = 256;

/** Vectors at an angle whose cosine is smaller count as orthogonal; as in `method/bicgstab`. */
// @ts-ignore: decorator
@inline
export function orthogonal<T>(): f64 {
  return sizeof<T>() == 4 ? 1e-6 : 1e-14;
}

/** Gives all lanes that ask the true residual. Each goes on or ends. t is scratch. */
export function answer<T>(it: Batch): void {
  let asked = false;
  for (let l = 0; l < it.lanes; l++) asked = asked || asks(laneOf(it, l));
  if (!asked) return;
  if (sizeof<T>() == 8) {
    multiplyCsrLanes<f64>(it.n, it.lanes, it.indptr, it.indices, it.data, it.x, it.t);
    subtract(<i32>(it.bytes >> 3), it.b, it.t, it.t);
  }
  for (let l = 0; l < it.lanes; l++) {
    const my = laneOf(it, l);
    if (!asks(my)) continue;
    if (sizeof<T>() == 8) readResidual(it, my, l);
    else refine(it, my, l);
    my.matvecs++;
    judge<T>(it, my, l);
  }
}

function asks(my: Lane): bool {
  return my.status == RUNNING && my.asks != 0;
}

/** Double precision: the residual of a lane -> scratch. */
function readResidual(it: Batch, my: Lane, lane: i32): void {
  unpackLane<f64>(it.n, it.lanes, lane, it.x, it.scratch);
  // Where A does not see that x has overflowed, this does.
  const finite = isFinite(maxAbs(it.n, it.scratch));
  unpackLane<f64>(it.n, it.lanes, lane, it.t, it.scratch);
  my.residualNorm = finite ? norm2(it.n, it.scratch) : NaN;
}

/** Single precision: adds to x what the recursion has found; its residual -> scratch. */
function refine(it: Batch, my: Lane, lane: i32): void {
  const n = it.n;
  const x = solutionOf(it, lane);
  const factor = my.unit / my.scale;
  const stride = <usize>it.lanes << 2;
  let from = it.x + (<usize>lane << 2);
  for (let to = x, end = x + (<usize>n << 3); to < end; to += 8, from += stride) {
    store<f64>(to, load<f64>(to) + factor * <f64>load<f32>(from));
  }
  clearLane<f32>(0, n, it.lanes, lane, it.x);
  csrMultiply(n, it.indptr, it.indices, valuesOf(it, lane), x, it.scratch);
  subtract(n, rightHandSideOf(it, lane), it.scratch, it.scratch);
  my.residualNorm = isFinite(maxAbs(n, x)) ? norm2(n, it.scratch) : NaN;
}

function judge<T>(it: Batch, my: Lane, lane: i32): void {
  const norm = my.residualNorm;
  const before = my.startNorm;
  const single = sizeof<T>() == 4;
  if (single && norm <= 0.5 * my.bestNorm) {
    my.bestNorm = norm;
    my.bestAt = my.iterations;
  }
  if (my.asks == CHECK) {
    if (!(norm <= RUNAWAY * max(min(my.estimate, JUMP * before), before))) {
      my.status = isFinite(norm) ? BREAKDOWN : NON_FINITE;
    } else if (single && my.iterations > 2 * my.bestAt + PATIENCE) my.status = STAGNATED;
    else if (single) goOn(it, my, lane);
    return;
  }
  if (norm <= my.tolerance) my.status = CONVERGED;
  else if (!isFinite(norm)) my.status = NON_FINITE;
  else if (my.asks == FINISH) my.status = my.end;
  else if (my.asks == BROKEN) {
    // Rounding makes it happen earlier in single precision: a new start is worth more often what it costs.
    const most = single ? RUNAWAY * my.bestNorm : before;
    if (my.age == 0 || norm >= most) my.status = BREAKDOWN;
  } else {
    if (norm > 0.5 * my.claimedNorm) my.status = STAGNATED;
    else if (my.iterations >= my.maxiter) my.status = MAX_ITERATIONS;
    my.claimedNorm = norm;
  }
  if (my.status != RUNNING) return;
  if (single && my.asks == REFINE) goOn(it, my, lane);
  else begin<T>(it, lane);
}

/** Single precision: the residual in scratch takes the place of the recursion's. */
function goOn(it: Batch, my: Lane, lane: i32): void {
  const unit = powerOfTwo(my.residualNorm);
  const factor = my.unit / unit;
  put<f32>(it, lane, 1 / unit, it.scratch, it.r);
  scaleLane<f32>(it.n, it.lanes, lane, factor, it.p);
  scaleLane<f32>(it.n, it.lanes, lane, factor, it.v);
  my.unit = unit;
  my.rhoBefore *= factor;
  my.rho = dotLane<f32>(it.n, it.lanes, lane, it.shadow, it.r);
  my.startNorm = my.residualNorm;
}
