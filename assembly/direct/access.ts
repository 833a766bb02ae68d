// Elements of arrays in linear memory, by index.

// @ts-ignore: decorator
@inline
export function integerAt(array: usize, k: i32): i32 {
  return load<i32>(array + (<usize>k << 2));
}

// @ts-ignore: decorator
@inline
export function setInteger(array: usize, k: i32, value: i32): void {
  store<i32>(array + (<usize>k << 2), value);
}

// @ts-ignore: decorator
@inline
export function numberAt(array: usize, k: i32): f64 {
  return load<f64>(array + (<usize>k << 3));
}

// @ts-ignore: decorator
@inline
export function setNumber(array: usize, k: i32, value: f64): void {
  store<f64>(array + (<usize>k << 3), value);
}

/** Bytes of so many i32, up to the next multiple of eight. */
// @ts-ignore: decorator
@inline
export function integers(count: i32): usize {
  return ((<usize>count << 2) + 7) & ~7;
}

/** n i32 of -1 */
export function fillMinusOne(array: usize, n: i32): void {
  memory.fill(array, 0xff, <usize>n << 2);
}
