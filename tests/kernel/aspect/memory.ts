// Arrays for the specs. They come from the managed heap: the arena would start in the middle of it.

/** f64 values, aligned to 16 bytes, with a NaN after the last. */
export function vector(values: f64[]): usize {
  const length = values.length;
  const pointer = heap.alloc(<usize>(length + 1) << 3);
  for (let i = 0; i < length; i++) set(pointer, i, values[i]);
  set(pointer, length, NaN);
  return pointer;
}

export function integers(values: i32[]): usize {
  const pointer = heap.alloc(<usize>values.length << 2);
  for (let i = 0; i < values.length; i++) store<i32>(pointer + (<usize>i << 2), values[i]);
  return pointer;
}

export function get(pointer: usize, i: i32): f64 {
  return load<f64>(pointer + (<usize>i << 3));
}

export function set(pointer: usize, i: i32, value: f64): void {
  store<f64>(pointer + (<usize>i << 3), value);
}

/** Same numbers, and the guard behind them untouched. */
export function holds(pointer: usize, wanted: f64[]): bool {
  for (let i = 0; i < wanted.length; i++) if (get(pointer, i) != wanted[i]) return false;
  return isNaN(get(pointer, wanted.length));
}
