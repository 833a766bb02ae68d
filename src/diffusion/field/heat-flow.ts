import { square } from '../../elementary.ts';
import type { Float64Block } from '../../memory/block.ts';
import { KernelObject } from '../../memory/kernel-object.ts';
import type { Kernel } from '../../wasm/kernel.ts';

/** Deviations behind which the spread of a cell is left out: its mass there is below the rounding. */
const REACH = 9;

/**
 * The heat equation `p_v = (lap p) / 2` on H x W cells with reflecting border: five-point differences in conservation
 * form, solved exactly in v. The operator is a sum over the axes, so its exponential is a product of one matrix an
 * axis; on an endless line its entries are `e^-tau I_d(tau)`, tau = v / h^2, with I_d the modified Bessel functions,
 * and the border folds them (images). All entries are positive and the columns sum to 1: mass is kept to rounding,
 * and no density becomes negative, at any step.
 */
export class HeatFlow extends KernelObject {
  readonly height: number;
  readonly width: number;
  readonly #spacing: readonly [number, number];
  readonly #row: Float64Block;
  readonly #source: Float64Block;
  readonly #product: Float64Block;

  constructor(kernel: Kernel, height: number, width: number, spacing: readonly [number, number]) {
    super(kernel);
    this.height = height;
    this.width = width;
    this.#spacing = spacing;
    const blocks = this.hold((scope) => ({
      row: scope.float64(Math.max(height, width), 'the flow of heat along an axis'),
      source: scope.float64(height * width, 'a density'),
      product: scope.float64(height * width, 'a density'),
    }));
    this.#row = blocks.row;
    this.#source = blocks.source;
    this.#product = blocks.product;
  }

  /** The density that `p`, H W values, becomes when the variance grows by `variance`. */
  apply(p: Float64Array, variance: number): Float64Array {
    this.checkAlive('the engine');
    if (variance === 0) return p.slice();
    const along = this.#multiply(p, this.height, this.width, timeOn(this.height, this.#spacing[0], variance));
    const turned = turn(along, this.height, this.width);
    const across = this.#multiply(
      turned,
      this.width,
      this.height,
      timeOn(this.width, this.#spacing[1], variance),
    );
    return turn(across, this.width, this.height);
  }

  /** What stays of the mass of each cell in that cell, of mass 1: H W values. */
  kept(variance: number): Float64Array {
    const diagonal = (count: number, h: number) => {
      const ring = onRing(heatKernel(timeOn(count, h, variance)), count);
      return Float64Array.from({ length: count }, (_, i) => ring[0] + ring[2 * i + 1]);
    };
    const x = diagonal(this.height, this.#spacing[0]);
    const y = diagonal(this.width, this.#spacing[1]);
    return Float64Array.from({ length: this.height * this.width }, (_, k) => {
      return x[Math.floor(k / this.width)] * y[k % this.width];
    });
  }

  /** The flow along the rows' index of `count` rows. */
  #multiply(p: Float64Array, count: number, length: number, tau: number): Float64Array {
    const { exports } = this.kernel;
    const spread = heatKernel(tau);
    const band = spread.length - 1;
    const row = new Float64Array(count);
    this.#source.view.set(p);
    this.#product.view.fill(0);
    const ring = onRing(spread, count);
    const bytes = length * 8;
    for (let i = 0; i < count; i++) {
      const first = Math.max(0, i - band);
      const last = Math.min(count - 1, i + band);
      fillRow(row, ring, i, first, last);
      this.#row.view.set(row);
      // biome-ignore format: the kernel's order of parameters.
      exports.blockUpdate(
        length, last - first + 1, 1, this.#source.pointer + first * bytes, bytes,
        this.#row.pointer + 8 * first, this.#product.pointer + i * bytes,
      );
    }
    return this.#product.view.slice();
  }
}

/**
 * tau on an axis of `count` cells of side `h`. The slowest mode decays by `exp(-tau pi^2 / (2 count^2))`, so that behind
 * 64 count^2 all is even to rounding: no larger variance may take more time or memory.
 */
function timeOn(count: number, h: number, variance: number): number {
  return Math.min(variance / square(h), 64 * square(count));
}

/**
 * `e^-tau I_d(tau)`, d = 0, 1, ... as far as it counts, scaled to sum to 1 over all d of both signs: by the
 * recurrence `I_{d-1} = I_{d+1} + (2 d / tau) I_d` run backward (Miller's algorithm; Abramowitz and Stegun, 9.12).
 */
export function heatKernel(tau: number): Float64Array {
  // What a cell gives its neighbours is below the smallest number then.
  if (tau < 1e-90) return Float64Array.of(1);
  const count = Math.ceil(REACH * Math.sqrt(tau)) + 12;
  const start = count + 30 + Math.ceil(8 * Math.sqrt(tau));
  const values = new Float64Array(start + 2);
  values[start] = 1e-300;
  for (let d = start; d > 0; d--) {
    values[d - 1] = values[d + 1] + ((2 * d) / tau) * values[d];
    if (values[d - 1] < 1e200) continue;
    for (let k = d - 1; k <= start; k++) values[k] *= 1e-200;
  }
  const kept = values.slice(0, count + 1);
  // Small ones first.
  let sum = 0;
  for (let d = count; d > 0; d--) sum += 2 * kept[d];
  sum += kept[0];
  return kept.map((value) => value / sum);
}

/** The kernel on a ring of twice as many cells, which the line and its mirror image make: entry d is at distance d. */
function onRing(spread: Float64Array, count: number): Float64Array {
  const ring = new Float64Array(2 * count);
  for (let d = spread.length - 1; d >= 0; d--) {
    const at = d % ring.length;
    ring[at] += spread[d];
    if (d > 0) ring[(ring.length - at) % ring.length] += spread[d];
  }
  return ring;
}

/** Columns `first` to `last` of row i of the matrix on the line: from the cell itself, and from its mirror image. */
function fillRow(row: Float64Array, ring: Float64Array, i: number, first: number, last: number): void {
  for (let j = first; j <= last; j++) row[j] = ring[Math.abs(i - j)] + ring[i + j + 1];
}

/** W x H from H x W. */
function turn(p: Float64Array, height: number, width: number): Float64Array {
  const turned = new Float64Array(p.length);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) turned[j * height + i] = p[i * width + j];
  }
  return turned;
}
