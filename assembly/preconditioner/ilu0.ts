// Incomplete LU factors without fill (Saad 2003, section 10.3.2), on the pattern of a CSR matrix with sorted
// columns. L (unit diagonal, strictly lower) and U overwrite the matrix's values; U's diagonal is kept inverted
// in a vector of its own, so that the solves do not divide.

/**
 * Factors in place. `diagonal` (n, i32) gets the position of each diagonal entry, `inverse` (n, f64) the inverse
 * pivots; `work` has n i32 of scratch. Returns -1, or the first row whose pivot is missing, zero or not finite.
 */
export function ilu0Factor(
  n: i32,
  indptr: usize,
  indices: usize,
  data: usize,
  diagonal: usize,
  inverse: usize,
  work: usize,
): i32 {
  memory.fill(work, 0xff, <usize>n << 2);
  for (let i = 0; i < n; i++) {
    const start = load<i32>(indptr + (<usize>i << 2));
    const end = load<i32>(indptr + (<usize>i << 2), 4);
    let pivot = -1;
    for (let entry = start; entry < end; entry++) {
      const column = load<i32>(indices + (<usize>entry << 2));
      store<i32>(work + (<usize>column << 2), entry);
      if (column == i) pivot = entry;
    }
    if (pivot < 0) return i;
    store<i32>(diagonal + (<usize>i << 2), pivot);
    // l_ik = a_ik / u_kk; a_ij -= l_ik u_kj for the j > k that row i has.
    for (let entry = start; entry < pivot; entry++) {
      const k = load<i32>(indices + (<usize>entry << 2));
      const target = data + (<usize>entry << 3);
      const factor = load<f64>(target) * load<f64>(inverse + (<usize>k << 3));
      store<f64>(target, factor);
      const stop = load<i32>(indptr + (<usize>k << 2), 4);
      for (let other = load<i32>(diagonal + (<usize>k << 2)) + 1; other < stop; other++) {
        const place = load<i32>(work + (<usize>load<i32>(indices + (<usize>other << 2)) << 2));
        if (place < 0) continue;
        const at = data + (<usize>place << 3);
        store<f64>(at, load<f64>(at) - factor * load<f64>(data + (<usize>other << 3)));
      }
    }
    const value = 1 / load<f64>(data + (<usize>pivot << 3));
    if (!isFinite(value) || value == 0) return i;
    store<f64>(inverse + (<usize>i << 3), value);
    for (let entry = start; entry < end; entry++) {
      store<i32>(work + (<usize>load<i32>(indices + (<usize>entry << 2)) << 2), -1);
    }
  }
  return -1;
}
