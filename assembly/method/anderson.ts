// Anderson acceleration of a preconditioned iteration for a non-linear equation F(x) = 0, with a memory of one step
// (Anderson 1965, J. ACM 12; Walker and Ni 2011, SIAM J. Numer. Anal. 49).
//
// The host evaluates the residual r = -F(x), which may cost less than a matrix. With the last step dx and what it did
// to the residual, dr, a step minimises ||r - g dr|| and goes to
//   x - g dx + M^-1 (r - g dr).
// M^-1 being linear but for rounding, M^-1 dr is the difference of two vectors that are there already. A longer memory
// saves hardly a step where M^-1 is as good as a multigrid cycle.

import { applyPreconditioner } from '../preconditioner/preconditioner';
import { lanes, madd, nmadd } from '../vector/simd';
import { axpy, copy } from '../vector/vector';
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
  /** M^-1 r of the two residuals, in turn. */
  z: usize;
  zBefore: usize;
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
  it.z = it.dx + stride;
  it.zBefore = it.z + stride;
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
  const z = it.z;
  applyPreconditioner(preconditioner, r, z);
  if (it.fresh) {
    copy(n, z, it.dx);
    axpy(n, 1, z, x);
  } else {
    advance(n, share(n, r, it.before), z, it.zBefore, it.dx, x);
  }
  it.z = it.zBefore;
  it.zBefore = z;
  it.r = it.before;
  it.before = r;
  it.fresh = false;
  return it.r;
}

/** dr'r / dr'dr, the difference being that of r and `before`; 0 where there is none. */
function share(n: i32, r: usize, before: usize): f64 {
  let dd: f64 = 0;
  let dr: f64 = 0;
  const end = r + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    let a = f64x2.splat(0);
    let b = a;
    let c = a;
    let e = a;
    for (const stop = r + (<usize>(n & ~3) << 3); r < stop; r += 32, before += 32) {
      const p = v128.load(r);
      const s = f64x2.sub(p, v128.load(before));
      a = madd(s, s, a);
      b = madd(s, p, b);
      const q = v128.load(r, 16);
      const t = f64x2.sub(q, v128.load(before, 16));
      c = madd(t, t, c);
      e = madd(t, q, e);
    }
    dd = lanes(f64x2.add(a, c));
    dr = lanes(f64x2.add(b, e));
  }
  for (; r < end; r += 8, before += 8) {
    const p = load<f64>(r);
    const s = p - load<f64>(before);
    dd += s * s;
    dr += s * p;
  }
  return dd > 0 ? dr / dd : 0;
}

/** dx <- z - g (z - zBefore + dx), x <- x + dx */
function advance(n: i32, g: f64, z: usize, zBefore: usize, dx: usize, x: usize): void {
  const end = x + (<usize>n << 3);
  if (ASC_FEATURE_SIMD) {
    const gg = f64x2.splat(g);
    for (const stop = x + (<usize>(n & ~3) << 3); x < stop; x += 32, z += 32, zBefore += 32, dx += 32) {
      const p = v128.load(z);
      const a = nmadd(gg, f64x2.add(f64x2.sub(p, v128.load(zBefore)), v128.load(dx)), p);
      v128.store(dx, a);
      v128.store(x, f64x2.add(v128.load(x), a));
      const q = v128.load(z, 16);
      const b = nmadd(gg, f64x2.add(f64x2.sub(q, v128.load(zBefore, 16)), v128.load(dx, 16)), q);
      v128.store(dx, b, 16);
      v128.store(x, f64x2.add(v128.load(x, 16), b), 16);
    }
  }
  for (; x < end; x += 8, z += 8, zBefore += 8, dx += 8) {
    const p = load<f64>(z);
    const step = p - g * (p - load<f64>(zBefore) + load<f64>(dx));
    store<f64>(dx, step);
    store<f64>(x, load<f64>(x) + step);
  }
}
