// What the routines of scheme `consistent` share; see `consistent.ts`.

/** Values of `advection`; 2 is hybrid. */
export const CENTRED: i32 = 0;
export const UPWIND: i32 = 1;

/** |v| h / (2 D) with v = f - D slope. */
// @ts-ignore: decorator
@inline
export function pecletNumber(f: f64, D: f64, slope: f64, h: f64): f64 {
  const wind = abs(f - D * slope) * h;
  return wind == 0 ? 0 : wind / (2 * D);
}

/** The value at a neighbour: where there is none, that at its mirror (reflecting) or 0, plus a constant. */
// @ts-ignore: decorator
@inline
export function neighbour(outside: bool, reflecting: bool, place: usize, mirror: usize, constant: usize): f64 {
  return outside ? (reflecting ? load<f64>(mirror) : 0) + load<f64>(constant) : load<f64>(place);
}
