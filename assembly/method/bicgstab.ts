// BiCGSTAB, preconditioned from the right (van der Vorst 1992; Saad 2003, algorithm 7.7).
//
// It starts anew from the true residual when the recursion breaks down, and when the recursive residual meets the
// tolerance and the true one does not.

import { applyAndDot } from '../operator/operator';
import { applyPreconditioner } from '../preconditioner/preconditioner';
import { lanes, madd, nmadd } from '../vector/simd';
import { axpy, copy, subtractScaledAndSquare } from '../vector/vector';
import { begin, claim, finish, firstVector, Iteration, record, trueResidual, vectorStride } from './iteration';
import { BREAKDOWN, CONVERGED, MAX_ITERATIONS, NON_FINITE, RUNNING } from './iteration';

/** Below this share of ||shadow|| ||r||, shadow' r is taken for zero: only rounding errors are left in it. */
const ORTHOGONAL: f64 = 1e-14;
/** Iterations between two looks at the true residual, and how far it may be above the recursive one. */
const CHECK_INTERVAL: i32 = 64;
const RUNAWAY: f64 = 1e3;
/** How far the recursive residual may rise above the start's: its jumps stay far below. */
const JUMP: f64 = 1e10;

@unmanaged
export class Bicgstab extends Iteration {
  r: usize;
  shadow: usize;
  p: usize;
  v: usize;
  t: usize;
  /** M^-1 p and M^-1 s; without a preconditioner p and r themselves. */
  pHat: usize;
  sHat: usize;
  /** shadow' r, now and an iteration ago. */
  rho: f64;
  rhoBefore: f64;
  alpha: f64;
  omega: f64;
  shadowNorm: f64;
  /** True residual norm at the last start. */
  startNorm: f64;
  /** Two results of a kernel that gives two. */
  first: f64;
  second: f64;
  /** Iterations since the last start. */
  age: i32;
}

/** Bytes of a workspace; a float, since it may be more than there is. */
export function bicgstabSize(n: i32, preconditioned: bool): f64 {
  return <f64>(offsetof<Bicgstab>() + 64) + <f64>(preconditioned ? 7 : 5) * <f64>vectorStride(n);
}

/** See `begin` for the parameters. Returns the status. */
export function bicgstabInit(
  workspace: usize,
  operator: usize,
  preconditioner: usize,
  b: usize,
  x: usize,
  rtol: f64,
  atol: f64,
  maxiter: i32,
  zeroStart: bool,
  history: usize,
  historyCapacity: i32,
): i32 {
  const it = changetype<Bicgstab>(workspace);
  it.r = firstVector(workspace, offsetof<Bicgstab>());
  begin(it, operator, preconditioner, b, x, it.r, rtol, atol, maxiter, zeroStart, history, historyCapacity);
  placeVectors(it);
  start(it);
  return it.status;
}

/** The vectors follow r, the first of them. */
export function placeVectors(it: Bicgstab): void {
  const stride = vectorStride(it.n);
  it.shadow = it.r + stride;
  it.p = it.shadow + stride;
  it.v = it.p + stride;
  it.t = it.v + stride;
  it.pHat = it.preconditioner ? it.t + stride : it.p;
  it.sHat = it.preconditioner ? it.pHat + stride : it.r;
}

/** At most `count` iterations more. Returns the status. */
export function bicgstabStep(workspace: usize, count: i32): i32 {
  const it = changetype<Bicgstab>(workspace);
  for (; it.status == RUNNING && count > 0; count--) iterate(it);
  return it.status;
}

function iterate(it: Bicgstab): void {
  const n = it.n;
  // p <- r + beta (p - omega v)
  if (it.age == 0) copy(n, it.r, it.p);
  else direction(n, (it.rho / it.rhoBefore) * (it.alpha / it.omega), it.omega, it.r, it.v, it.p);
  // v <- A M^-1 p, alpha <- rho / (shadow' v)
  if (it.preconditioner) applyPreconditioner(it.preconditioner, it.p, it.pHat);
  const pair = changetype<usize>(it) + offsetof<Bicgstab>('first');
  applyAndDot(it.operator, it.pHat, it.v, it.shadow, pair);
  it.matvecs++;
  const sigma = it.first;
  it.alpha = it.rho / sigma;
  if (!isFinite(it.alpha) || abs(sigma) <= ORTHOGONAL * it.shadowNorm * sqrt(it.second)) return breakDown(it);
  // s <- r - alpha v, in the place of r
  const half = sqrt(subtractScaledAndSquare(n, it.alpha, it.v, it.r));
  it.iterations++;
  if (half <= it.tolerance) {
    axpy(n, it.alpha, it.pHat, it.x);
    record(it, half);
    return verify(it);
  }
  // t <- A M^-1 s, omega <- t's / t't
  if (it.preconditioner) applyPreconditioner(it.preconditioner, it.r, it.sHat);
  applyAndDot(it.operator, it.sHat, it.t, it.r, pair);
  it.matvecs++;
  it.omega = it.second == 0 ? 0 : it.first / it.second;
  // x <- x + alpha M^-1 p + omega M^-1 s, r <- s - omega t
  update(n, it.alpha, it.omega, it.pHat, it.sHat, it.t, it.shadow, it.x, it.r, pair);
  it.rhoBefore = it.rho;
  it.rho = it.second;
  it.age++;
  const norm = sqrt(it.first);
  record(it, norm);
  if (!isFinite(norm)) finish(it, NON_FINITE, it.t);
  else if (norm <= it.tolerance) verify(it);
  else if (it.iterations >= it.maxiter) finish(it, MAX_ITERATIONS, it.t);
  else if (it.omega == 0 || abs(it.rho) <= ORTHOGONAL * it.shadowNorm * norm) breakDown(it);
  else if (it.iterations % CHECK_INTERVAL == 0) checkRunaway(it, norm);
}

/** Begins with the residual in r as first direction and as shadow. */
export function start(it: Bicgstab): void {
  copy(it.n, it.r, it.shadow);
  it.shadowNorm = it.residualNorm;
  it.startNorm = it.residualNorm;
  it.rho = it.residualNorm * it.residualNorm;
  it.age = 0;
}

/**
 * With a singular matrix x can run off along the null space, which the recursive residual does not see: a true one
 * that is far above it and above the start's ends the solve.
 */
function checkRunaway(it: Bicgstab, norm: f64): void {
  if (trueResidual(it, it.t) <= RUNAWAY * max(min(norm, JUMP * it.startNorm), it.startNorm)) return;
  it.status = isFinite(it.residualNorm) ? BREAKDOWN : NON_FINITE;
}

/** The recursive residual meets the tolerance. If the true one does not, goes on from it. */
function verify(it: Bicgstab): void {
  claim(it, it.r);
  start(it);
}

/** The recursion cannot go on. A new start helps if anything was won since the last. */
function breakDown(it: Bicgstab): void {
  const before = it.startNorm;
  const norm = trueResidual(it, it.r);
  if (norm <= it.tolerance) it.status = CONVERGED;
  else if (!isFinite(norm)) it.status = NON_FINITE;
  else if (it.age == 0 || norm >= before) it.status = BREAKDOWN;
  start(it);
}

/** p <- r + beta (p - omega v) */
function direction(n: i32, beta: f64, omega: f64, r: usize, v: usize, p: usize): void {
  const end = p + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    const bb = f64x2.splat(beta);
    const oo = f64x2.splat(omega);
    for (const stop = p + (<usize>(n & ~3) << 3); p < stop; p += 32, r += 32, v += 32) {
      v128.store(p, madd(bb, nmadd(oo, v128.load(v), v128.load(p)), v128.load(r)));
      v128.store(p, madd(bb, nmadd(oo, v128.load(v, 16), v128.load(p, 16)), v128.load(r, 16)), 16);
    }
  }
  for (; p < end; p += 8, r += 8, v += 8) {
    store<f64>(p, load<f64>(r) + beta * (load<f64>(p) - omega * load<f64>(v)));
  }
}

/** x <- x + alpha p + omega s, r <- r - omega t; out[0] = r'r, out[1] = shadow'r. s may be r itself. */
function update(
  n: i32,
  alpha: f64,
  omega: f64,
  p: usize,
  s: usize,
  t: usize,
  shadow: usize,
  x: usize,
  r: usize,
  out: usize,
): void {
  let rr: f64 = 0;
  let rho: f64 = 0;
  const end = x + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    const aa = f64x2.splat(alpha);
    const oo = f64x2.splat(omega);
    let c = f64x2.splat(0);
    let d = f64x2.splat(0);
    let e = f64x2.splat(0);
    let f = f64x2.splat(0);
    const stop = x + (<usize>(n & ~3) << 3);
    for (; x < stop; x += 32, p += 32, s += 32, t += 32, shadow += 32, r += 32) {
      v128.store(x, madd(oo, v128.load(s), madd(aa, v128.load(p), v128.load(x))));
      const value = nmadd(oo, v128.load(t), v128.load(r));
      v128.store(r, value);
      c = madd(value, value, c);
      d = madd(value, v128.load(shadow), d);
      v128.store(x, madd(oo, v128.load(s, 16), madd(aa, v128.load(p, 16), v128.load(x, 16))), 16);
      const other = nmadd(oo, v128.load(t, 16), v128.load(r, 16));
      v128.store(r, other, 16);
      e = madd(other, other, e);
      f = madd(other, v128.load(shadow, 16), f);
    }
    rr = lanes(f64x2.add(c, e));
    rho = lanes(f64x2.add(d, f));
  }
  for (; x < end; x += 8, p += 8, s += 8, t += 8, shadow += 8, r += 8) {
    store<f64>(x, load<f64>(x) + alpha * load<f64>(p) + omega * load<f64>(s));
    const value = load<f64>(r) - omega * load<f64>(t);
    store<f64>(r, value);
    rr += value * value;
    rho += value * load<f64>(shadow);
  }
  store<f64>(out, rr);
  store<f64>(out, rho, 8);
}
