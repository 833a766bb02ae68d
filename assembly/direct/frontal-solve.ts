// Triangular solves with the factors of the fronts, in place on y, whose elements are in the order of the pivots. With
// `four`, y holds four right-hand sides, the four numbers of each unknown together. `gather` has room for as many rows
// as a front has below its pivots.

import { integerAt } from './access';
import { Fronts } from './fronts';
import { lessDot, lessDot4, lessScaled, lessScaled4, lessTimes4, times4 } from './lanes';

/** y <- L^-1 y */
export function lowerForward(it: Fronts, y: usize, four: bool): void {
  const lane: usize = four ? 5 : 3;
  for (let s = 0; s < it.count; s++) {
    const column = integerAt(it.first, s);
    const p = integerAt(it.first, s + 1) - column;
    const begin = integerAt(it.rowStart, s);
    const q = integerAt(it.rowStart, s + 1) - begin;
    const own = y + (<usize>column << lane);
    let row = it.values + (<usize>integerAt(it.valueStart, s) << 3);
    for (let k = 0; k < p; k++, row += <usize>(p + q) << 3) lessRow(k, row, own, own + (<usize>k << lane), four);
    for (let k = 0; k < q; k++, row += <usize>p << 3) {
      lessRow(p, row, own, y + (<usize>integerAt(it.rows, begin + k) << lane), four);
    }
  }
}

/** y <- U^-1 y */
export function upperBackward(it: Fronts, y: usize, gather: usize, four: bool): void {
  const lane: usize = four ? 5 : 3;
  for (let s = it.count - 1; s >= 0; s--) {
    const column = integerAt(it.first, s);
    const p = integerAt(it.first, s + 1) - column;
    const begin = integerAt(it.rowStart, s);
    const q = integerAt(it.rowStart, s + 1) - begin;
    const own = y + (<usize>column << lane);
    collect(it.rows + (<usize>begin << 2), q, y, gather, four);
    const whole = <usize>(p + q) << 3;
    let row = it.values + (<usize>integerAt(it.valueStart, s) << 3) + <usize>p * whole;
    for (let k = p - 1; k >= 0; k--) {
      row -= whole;
      const target = own + (<usize>k << lane);
      lessRow(q, row + (<usize>p << 3), gather, target, four);
      lessRow(p - 1 - k, row + (<usize>(k + 1) << 3), target + (<usize>1 << lane), target, four);
      multiplyRow(load<f64>(row + (<usize>k << 3)), target, four);
    }
  }
}

/** y <- U'^-1 y; with `unit` of the U whose rows are divided by their pivots, as L' is in L D L'. */
export function upperForward(it: Fronts, y: usize, gather: usize, unit: bool, four: bool): void {
  const lane: usize = four ? 5 : 3;
  for (let s = 0; s < it.count; s++) {
    const column = integerAt(it.first, s);
    const p = integerAt(it.first, s + 1) - column;
    const begin = integerAt(it.rowStart, s);
    const q = integerAt(it.rowStart, s + 1) - begin;
    const own = y + (<usize>column << lane);
    memory.fill(gather, 0, <usize>q << lane);
    let row = it.values + (<usize>integerAt(it.valueStart, s) << 3);
    for (let k = 0; k < p; k++, row += <usize>(p + q) << 3) {
      const source = own + (<usize>k << lane);
      const inverse = load<f64>(row + (<usize>k << 3));
      const kept0 = load<f64>(source);
      const kept1 = four ? load<f64>(source, 8) : 0;
      const kept2 = four ? load<f64>(source, 16) : 0;
      const kept3 = four ? load<f64>(source, 24) : 0;
      multiplyRow(inverse, source, four);
      lessColumn(p - 1 - k, source, row + (<usize>(k + 1) << 3), source + (<usize>1 << lane), four);
      lessColumn(q, source, row + (<usize>p << 3), gather, four);
      if (!unit) continue;
      store<f64>(source, kept0);
      if (!four) continue;
      store<f64>(source, kept1, 8);
      store<f64>(source, kept2, 16);
      store<f64>(source, kept3, 24);
    }
    spread(it.rows + (<usize>begin << 2), q, y, gather, four);
  }
}

/** y <- L'^-1 y */
export function lowerBackward(it: Fronts, y: usize, four: bool): void {
  const lane: usize = four ? 5 : 3;
  for (let s = it.count - 1; s >= 0; s--) {
    const column = integerAt(it.first, s);
    const p = integerAt(it.first, s + 1) - column;
    const begin = integerAt(it.rowStart, s);
    const q = integerAt(it.rowStart, s + 1) - begin;
    const own = y + (<usize>column << lane);
    const whole = <usize>(p + q) << 3;
    const values = it.values + (<usize>integerAt(it.valueStart, s) << 3);
    let row = values + <usize>p * whole;
    for (let k = 0; k < q; k++, row += <usize>p << 3) {
      lessColumn(p, y + (<usize>integerAt(it.rows, begin + k) << lane), row, own, four);
    }
    row = values + <usize>p * whole;
    for (let k = p - 1; k > 0; k--) {
      row -= whole;
      lessColumn(k, own + (<usize>k << lane), row, own, four);
    }
  }
}

/** target <- target - a' y */
// @ts-ignore: decorator
@inline
function lessRow(n: i32, a: usize, y: usize, target: usize, four: bool): void {
  if (four) lessDot4(n, a, y, target);
  else store<f64>(target, lessDot(n, a, y, load<f64>(target)));
}

/** y <- y - a times what is at source */
// @ts-ignore: decorator
@inline
function lessColumn(n: i32, source: usize, a: usize, y: usize, four: bool): void {
  if (four) lessScaled4(n, source, a, y);
  else lessScaled(n, load<f64>(source), a, y);
}

// @ts-ignore: decorator
@inline
function multiplyRow(a: f64, target: usize, four: bool): void {
  if (four) times4(a, target);
  else store<f64>(target, load<f64>(target) * a);
}

function collect(rows: usize, q: i32, y: usize, gather: usize, four: bool): void {
  for (const end = rows + (<usize>q << 2); rows < end; rows += 4) {
    if (four) {
      memory.copy(gather, y + (<usize>load<i32>(rows) << 5), 32);
      gather += 32;
    } else {
      store<f64>(gather, load<f64>(y + (<usize>load<i32>(rows) << 3)));
      gather += 8;
    }
  }
}

function spread(rows: usize, q: i32, y: usize, gather: usize, four: bool): void {
  for (const end = rows + (<usize>q << 2); rows < end; rows += 4) {
    if (four) {
      // What was gathered is less than zero already.
      lessTimes4(-1, gather, y + (<usize>load<i32>(rows) << 5));
      gather += 32;
    } else {
      const at = y + (<usize>load<i32>(rows) << 3);
      store<f64>(at, load<f64>(at) + load<f64>(gather));
      gather += 8;
    }
  }
}
