import { square } from '../../elementary.ts';
import { SeedspanError } from '../../errors.ts';
import type { Float64Block } from '../../memory/block.ts';
import type { Scope } from '../../memory/scope.ts';
import type { Kernel } from '../../wasm/kernel.ts';
import type { PointField } from './point-field.ts';

/** Numbers that the kernel keeps of a cell. */
const CELL = 4;

/** Points in the kernel, in cells from the corner, and the fields that they move in. */
export class PointMover {
  readonly #kernel: Kernel;
  readonly #field: PointField;
  readonly #count: number;
  readonly #first: number;
  readonly #seed: readonly [number, number];
  readonly #x: Float64Block;
  readonly #density: Float64Block;
  readonly #cells: readonly [Float64Block, Float64Block];
  readonly #scope: Scope;
  #copy: Float64Block | undefined;

  constructor(
    scope: Scope,
    field: PointField,
    { count, seed, firstPoint }: { count: number; seed: number; firstPoint: number },
  ) {
    const cells = field.height * field.width;
    this.#scope = scope;
    this.#kernel = scope.kernel;
    this.#field = field;
    this.#count = count;
    this.#first = firstPoint;
    this.#seed = [seed % 2 ** 32, Math.floor(seed / 2 ** 32)];
    this.#x = scope.float64(2 * count, 'the points');
    this.#density = scope.float64(cells, 'a density');
    const make = () => scope.float64(CELL * cells, 'a field of scores');
    this.#cells = [make(), make()];
  }

  /** x <- draws from the density at that variance. */
  draw(variance: number): void {
    const { height, width } = this.#field;
    this.#load(variance);
    const p = this.#density.view;
    const rows = this.#cells[0];
    let total = 0;
    for (let i = 0; i < height; i++) {
      let sum = 0;
      for (let k = i * width; k < (i + 1) * width; k++) {
        sum += p[k];
        p[k] = sum;
      }
      total += sum;
      rows.view[i] = total;
    }
    const [low, high] = this.#seed;
    // biome-ignore format: the kernel's order of parameters.
    this.#kernel.exports.drawPoints(
      this.#count, height, width, rows.pointer, this.#density.pointer, low, high, this.#first, this.#x.pointer,
    );
  }

  /** x <- x + factor score + noise z, the score at that variance; `draw` numbers the draws of a point. */
  move(variance: number, factor: number, noise: number, draw: number): void {
    this.#move(variance, factor, noise, draw, this.#x);
  }

  /** x <- x + half of `factor score` at x, before, and where that leads, after. */
  heun(before: { variance: number; factor: number }, after: { variance: number; factor: number }): void {
    const { height, width } = this.#field;
    const [first, second] = this.#cells;
    this.#score(before.variance, before.factor, first);
    this.#score(after.variance, after.factor, second);
    this.#kernel.exports.movePointsHeun(
      this.#count,
      height,
      width,
      first.pointer,
      second.pointer,
      this.#x.pointer,
    );
  }

  /** The points, in the field's coordinates. */
  points(): Float64Array {
    return this.#placed(this.#x);
  }

  /** x + variance score, in the field's coordinates. */
  denoised(variance: number): Float64Array {
    this.#copy ??= this.#scope.float64(2 * this.#count, 'the points without noise');
    this.#move(variance, variance, 0, 0, this.#copy);
    return this.#placed(this.#copy);
  }

  #move(variance: number, factor: number, noise: number, draw: number, target: Float64Block): void {
    const { height, width, spacing } = this.#field;
    const [cells] = this.#cells;
    const [low, high] = this.#seed;
    this.#score(variance, factor, cells);
    // biome-ignore format: the kernel's order of parameters.
    this.#kernel.exports.movePoints(
      this.#count, height, width, cells.pointer, noise / spacing[0], noise / spacing[1],
      low, high, this.#first, draw, this.#x.pointer, target.pointer,
    );
  }

  /** cells <- factor times the score at that variance, in cells. */
  #score(variance: number, factor: number, cells: Float64Block): void {
    const { height, width, spacing } = this.#field;
    if (factor === 0) {
      // Where the density itself may be 0 in places, and its slopes without bound.
      cells.view.fill(0);
      return;
    }
    this.#load(variance);
    this.#kernel.exports.cellScores(
      height,
      width,
      factor / square(spacing[0]),
      factor / square(spacing[1]),
      this.#density.pointer,
      cells.pointer,
    );
  }

  /** The density at a variance: linear between the levels. */
  #load(variance: number): void {
    const { variances, density, height, width } = this.#field;
    const n = height * width;
    let level = 1;
    while (level < variances.length - 1 && variances[level] < variance) level++;
    const [low, high] = [variances[level - 1], variances[level]];
    const part = (variance - low) / (high - low);
    const below = density.data.subarray((level - 1) * n, level * n);
    const above = density.data.subarray(level * n, (level + 1) * n);
    const p = this.#density.view;
    if (part === 1) p.set(above);
    else for (let k = 0; k < n; k++) p[k] = below[k] + part * (above[k] - below[k]);
  }

  #placed(block: Float64Block): Float64Array {
    const { origin, spacing } = this.#field;
    let points: Float64Array;
    try {
      points = new Float64Array(2 * this.#count);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new SeedspanError('OUT_OF_MEMORY', `no room for ${this.#count} points`, {}, { cause: error });
    }
    const view = block.view;
    for (let k = 0; k < points.length; k += 2) {
      points[k] = origin[0] + spacing[0] * view[k];
      points[k + 1] = origin[1] + spacing[1] * view[k + 1];
    }
    return points;
  }
}
