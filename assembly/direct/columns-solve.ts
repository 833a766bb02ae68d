// Triangular solves with the factors by columns, in place on y in the order of the pivots. With `four`, y holds four
// right-hand sides, the four numbers of each unknown together.

import { integerAt, numberAt } from './access';
import { Columns } from './columns';
import { lessTimes4, times4 } from './lanes';

/** y <- L^-1 y */
export function columnsLowerForward(it: Columns, y: usize, four: bool): void {
  for (let k = 0; k < it.n; k++) scatter(it.lowerStart, it.lowerRows, it.lower, k, y, four);
}

/** y <- U^-1 y */
export function columnsUpperBackward(it: Columns, y: usize, four: bool): void {
  for (let k = it.n - 1; k >= 0; k--) {
    divide(it, k, y, four);
    scatter(it.upperStart, it.upperRows, it.upper, k, y, four);
  }
}

/** y <- U'^-1 y */
export function columnsUpperForward(it: Columns, y: usize, four: bool): void {
  for (let k = 0; k < it.n; k++) {
    gather(it.upperStart, it.upperRows, it.upper, k, y, four);
    divide(it, k, y, four);
  }
}

/** y <- L'^-1 y */
export function columnsLowerBackward(it: Columns, y: usize, four: bool): void {
  for (let k = it.n - 1; k >= 0; k--) gather(it.lowerStart, it.lowerRows, it.lower, k, y, four);
}

// @ts-ignore: decorator
@inline
function divide(it: Columns, k: i32, y: usize, four: bool): void {
  const inverse = numberAt(it.inverse, k);
  if (four) times4(inverse, y + (<usize>k << 5));
  else store<f64>(y + (<usize>k << 3), numberAt(y, k) * inverse);
}

/** The elements of column k take their share of y_k. */
function scatter(start: usize, rows: usize, values: usize, k: i32, y: usize, four: bool): void {
  const end = integerAt(start, k + 1);
  if (four) {
    const source = y + (<usize>k << 5);
    for (let p = integerAt(start, k); p < end; p++) {
      lessTimes4(numberAt(values, p), source, y + (<usize>integerAt(rows, p) << 5));
    }
    return;
  }
  const value = numberAt(y, k);
  for (let p = integerAt(start, k); p < end; p++) {
    const at = y + (<usize>integerAt(rows, p) << 3);
    store<f64>(at, load<f64>(at) - value * numberAt(values, p));
  }
}

/** y_k takes its share of the elements of column k. */
function gather(start: usize, rows: usize, values: usize, k: i32, y: usize, four: bool): void {
  const end = integerAt(start, k + 1);
  if (four) {
    const target = y + (<usize>k << 5);
    for (let p = integerAt(start, k); p < end; p++) {
      lessTimes4(numberAt(values, p), y + (<usize>integerAt(rows, p) << 5), target);
    }
    return;
  }
  let sum = numberAt(y, k);
  for (let p = integerAt(start, k); p < end; p++) sum -= numberAt(values, p) * numberAt(y, integerAt(rows, p));
  store<f64>(y + (<usize>k << 3), sum);
}
