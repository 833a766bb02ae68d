/**
 * A square matrix whose non-zeros lie within `half` diagonals of the main one, solved by LU with partial
 * pivoting. Row i keeps columns i - half .. i + 2 half: row exchanges fill at most `half` more to the right.
 */
export class BandMatrix {
  readonly n: number;
  readonly half: number;
  private readonly width: number;
  private readonly rows: Float64Array;

  constructor(n: number, half: number) {
    this.n = n;
    this.half = half;
    this.width = 3 * half + 1;
    this.rows = new Float64Array(n * this.width);
  }

  private at(i: number, j: number): number {
    return i * this.width + (j - i + this.half);
  }

  add(i: number, j: number, value: number): void {
    if (Math.abs(i - j) > this.half) throw new RangeError(`(${i}, ${j}) lies outside the band`);
    this.rows[this.at(i, j)] += value;
  }

  multiply(x: Float64Array): Float64Array {
    const y = new Float64Array(this.n);
    for (let i = 0; i < this.n; i++) {
      for (let j = Math.max(0, i - this.half); j <= Math.min(this.n - 1, i + this.half); j++) {
        y[i] += this.rows[this.at(i, j)] * x[j];
      }
    }
    return y;
  }

  /** Solves A x = b. The matrix is overwritten. */
  solve(b: Float64Array): Float64Array {
    const { n, half, rows } = this;
    const x = Float64Array.from(b);
    for (let k = 0; k < n; k++) {
      const lastRow = Math.min(n - 1, k + half);
      const lastColumn = Math.min(n - 1, k + 2 * half);
      let pivot = k;
      for (let i = k + 1; i <= lastRow; i++) {
        if (Math.abs(rows[this.at(i, k)]) > Math.abs(rows[this.at(pivot, k)])) pivot = i;
      }
      if (rows[this.at(pivot, k)] === 0) throw new Error(`singular at column ${k}`);
      if (pivot !== k) {
        for (let j = k; j <= lastColumn; j++) {
          const [p, q] = [this.at(k, j), this.at(pivot, j)];
          const kept = rows[p];
          rows[p] = rows[q];
          rows[q] = kept;
        }
        const kept = x[k];
        x[k] = x[pivot];
        x[pivot] = kept;
      }
      for (let i = k + 1; i <= lastRow; i++) {
        const factor = rows[this.at(i, k)] / rows[this.at(k, k)];
        if (factor === 0) continue;
        const shift = this.at(i, k) - this.at(k, k);
        for (let p = this.at(k, k); p <= this.at(k, lastColumn); p++) rows[p + shift] -= factor * rows[p];
        x[i] -= factor * x[k];
      }
    }
    for (let k = n - 1; k >= 0; k--) {
      for (let j = k + 1; j <= Math.min(n - 1, k + 2 * half); j++) x[k] -= rows[this.at(k, j)] * x[j];
      x[k] /= rows[this.at(k, k)];
    }
    return x;
  }
}

export function norm(x: Float64Array): number {
  return Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
}

export function subtract(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]);
}
