import { lanes, madd, nmadd } from '../../../assembly/vector/simd';

function first(v: v128): f64 {
  return f64x2.extract_lane(v, 0);
}

function second(v: v128): f64 {
  return f64x2.extract_lane(v, 1);
}

describe('SIMD helpers', () => {
  it('the specs are compiled with SIMD, without relaxed SIMD', () => {
    expect<bool>(ASC_FEATURE_SIMD).toBe(true);
    expect<bool>(ASC_FEATURE_RELAXED_SIMD).toBe(false);
  });

  it('madd is a b + c, lane by lane', () => {
    const r = madd(f64x2(2, -3), f64x2(5, 7), f64x2(1, 0.5));
    expect<f64>(first(r)).toBe(11);
    expect<f64>(second(r)).toBe(-20.5);
  });

  it('nmadd is c - a b, lane by lane', () => {
    const r = nmadd(f64x2(2, -3), f64x2(5, 7), f64x2(1, 0.5));
    expect<f64>(first(r)).toBe(-9);
    expect<f64>(second(r)).toBe(21.5);
  });

  it('rounds the product before the sum', () => {
    // (1 + 2^-30)^2 = 1 + 2^-29 + 2^-60; rounded, the last term is lost. A fused operation would keep it.
    const a: f64 = 1 + 1.0 / 1073741824;
    const c: f64 = -(1 + 2.0 / 1073741824);
    const v = f64x2.splat(a);
    expect<f64>(first(madd(v, v, f64x2.splat(c)))).toBe(0);
    expect<f64>(second(nmadd(v, v, f64x2.splat(-c)))).toBe(0);
  });

  it('lanes adds the first to the second', () => {
    expect<f64>(lanes(f64x2(1.25, -4))).toBe(-2.75);
    expect<f64>(1 / lanes(f64x2(-0.0, -0.0))).toBe(-Infinity);
    expect<f64>(lanes(f64x2(1, Infinity))).toBe(Infinity);
    expect<f64>(lanes(f64x2(Infinity, -Infinity))).toBeNaN();
  });

  it('NaN stays in its lane', () => {
    const r = madd(f64x2(NaN, 1), f64x2(1, 1), f64x2(1, 1));
    expect<f64>(first(r)).toBeNaN();
    expect<f64>(second(r)).toBe(2);
  });
});
