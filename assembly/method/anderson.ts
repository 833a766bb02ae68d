// Anderson acceleration of a preconditioned iteration for a non-linear equation F(x) = 0, with a memory of one step
// (Anderson 1965, J. ACM 12; Walker and Ni 2011, SIAM J. Numer. Anal. 49).
//
// The host evaluates the residual r = -F(x), which may cost less than a matrix. With the last step dx and what it did
// to the residual, dr, a step minimises ||r - g dr|| and goes to
//   x - g dx + M^-1 (r - g dr).
// A longer memory saves hardly a step where M^-1 is as good as a multigrid cycle.

import { applyPreconditioner } from '../preconditioner/preconditioner';
import { lanes, madd, nmadd } from '../vector/simd';
import { firstVector, vectorStride } from './iteration';

@unmanaged
class Anderson {
  n: i32;
  /** No step has been made since the start. */
  fresh: bool;
  /** Where the host puts the residual, and the one before; they take turns. */
  r: usize;
  before: usize;
  /** The last step. */
  dx: usize;
  /** Two vectors for the preconditioner. */
  combined: usize;
  z: usize;
}

/** Bytes of a workspace; a float, since it may be more than there is. */
export function andersonSize(n: i32): f64 {
  return <f64>(offsetof<Anderson>() + 64) + 5 * <f64>vectorStride(n);
}

/** Lays out `andersonSize` bytes. */
export function andersonInit(workspace: usize, n: i32): void {
  const it = changetype<Anderson>(workspace);
  const stride = vectorStride(n);
  it.n = n;
  it.r = firstVector(workspace, offsetof<Anderson>());
  it.before = it.r + stride;
  it.dx = it.before + stride;
  it.combined = it.dx + stride;
  it.z = it.combined + stride;
  it.fresh = true;
}

/** Forgets the last step. Returns the address at which the residual of the start is wanted. */
export function andersonStart(workspace: usize): usize {
  const it = changetype<Anderson>(workspace);
  it.fresh = true;
  return it.r;
}

/**
 * x <- the next iterate, from the residual at the address that was given last. Returns the address at which the
 * residual of the new x is wanted.
 */
export function andersonStep(workspace: usize, preconditioner: usize, x: usize): usize {
  const it = changetype<Anderson>(workspace);
  const n = it.n;
  const r = it.r;
  let g: f64 = 0;
  let combined = r;
  if (!it.fresh) {
    g = differ(n, r, it.before);
    combined = it.combined;
    combine(n, g, r, it.before, combined);
  }
  applyPreconditioner(preconditioner, combined, it.z);
  // Before the first step there is nothing in dx yet.
  advance(n, g, it.z, it.fresh ? it.z : it.dx, it.dx, x);
  it.r = it.before;
  it.before = r;
  it.fresh = false;
  return it.r;
}

/** d <- r - d; returns d'r / d'd. */
function differ(n: i32, r: usize, d: usize): f64 {
  let dd: f64 = 0;
  let dr: f64 = 0;
  const end = d + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    let a = f64x2.splat(0);
    let b = a;
    let c = a;
    let e = a;
    for (const stop = d + (<usize>(n & ~3) << 3); d < stop; d += 32, r += 32) {
      const p = v128.load(r);
      const s = f64x2.sub(p, v128.load(d));
      v128.store(d, s);
      a = madd(s, s, a);
      b = madd(s, p, b);
      const q = v128.load(r, 16);
      const t = f64x2.sub(q, v128.load(d, 16));
      v128.store(d, t, 16);
      c = madd(t, t, c);
      e = madd(t, q, e);
    }
    dd = lanes(f64x2.add(a, c));
    dr = lanes(f64x2.add(b, e));
  }
  for (; d < end; d += 8, r += 8) {
    const p = load<f64>(r);
    const s = p - load<f64>(d);
    store<f64>(d, s);
    dd += s * s;
    dr += s * p;
  }
  return dd > 0 ? dr / dd : 0;
}

/** out <- r - g d */
function combine(n: i32, g: f64, r: usize, d: usize, out: usize): void {
  const end = out + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    const gg = f64x2.splat(g);
    for (const stop = out + (<usize>(n & ~3) << 3); out < stop; out += 32, r += 32, d += 32) {
      v128.store(out, nmadd(gg, v128.load(d), v128.load(r)));
      v128.store(out, nmadd(gg, v128.load(d, 16), v128.load(r, 16)), 16);
    }
  }
  for (; out < end; out += 8, r += 8, d += 8) store<f64>(out, load<f64>(r) - g * load<f64>(d));
}

/** out <- z - g p, x <- x + out; out may be p. */
function advance(n: i32, g: f64, z: usize, p: usize, out: usize, x: usize): void {
  const end = x + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    const gg = f64x2.splat(g);
    for (const stop = x + (<usize>(n & ~3) << 3); x < stop; x += 32, z += 32, p += 32, out += 32) {
      const a = nmadd(gg, v128.load(p), v128.load(z));
      v128.store(out, a);
      v128.store(x, f64x2.add(v128.load(x), a));
      const b = nmadd(gg, v128.load(p, 16), v128.load(z, 16));
      v128.store(out, b, 16);
      v128.store(x, f64x2.add(v128.load(x, 16), b), 16);
    }
  }
  for (; x < end; x += 8, z += 8, p += 8, out += 8) {
    const step = load<f64>(z) - g * load<f64>(p);
    store<f64>(out, step);
    store<f64>(x, load<f64>(x) + step);
  }
}
