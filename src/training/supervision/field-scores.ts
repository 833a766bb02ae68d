import type { PointField } from '../../diffusion/field/index.ts';
import type { RandomStream } from '../../diffusion/random.ts';

/** Where a density has underflowed, its logarithm is that of the least number that is not subnormal. */
const LEAST = 2 ** -1022;

/**
 * Points and scores of a field, at the centres of its cells: where the field says what it knows, with no
 * interpolation between. A point is drawn with the probability of its cell at the level, which is how the points of
 * a sample are spread, so that the loss weighs what denoising score matching weighs.
 */
export class FieldScores {
  /** How many levels have noise; level k here is level k + 1 of the field. */
  readonly levels: number;
  readonly #field: PointField;
  /** Sums of the densities up to each cell, level by level. */
  readonly #sums: Float64Array;

  constructor(field: PointField) {
    this.#field = field;
    this.levels = field.variances.length - 1;
    const cells = field.height * field.width;
    this.#sums = new Float64Array(this.levels * cells);
    for (let level = 0, k = 0; level < this.levels; level++) {
      let sum = 0;
      for (const end = k + cells; k < end; k++) {
        sum += field.density.data[cells + k];
        this.#sums[k] = sum;
      }
    }
  }

  variance(level: number): number {
    return this.#field.variances[level + 1];
  }

  /** Number of a cell, drawn from the density of a level. */
  drawCell(level: number, random: RandomStream): number {
    const { height, width } = this.#field;
    const first = level * height * width;
    const share = random.uniform() * this.#sums[first + height * width - 1];
    let low = first;
    let high = first + height * width - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sums[middle] > share) high = middle;
      else low = middle + 1;
    }
    return low - first;
  }

  /** Centre of a cell, at `point[at]` and the number behind it. */
  centre(cell: number, point: Float32Array | Float64Array, at: number): void {
    const { width, origin, spacing } = this.#field;
    point[at] = origin[0] + (Math.floor(cell / width) + 0.5) * spacing[0];
    point[at + 1] = origin[1] + ((cell % width) + 0.5) * spacing[1];
  }

  /**
   * Score at the centre of a cell, times `factor`, at `score[at]` and the number behind it: central differences of
   * the log density, which are exact where it is Gaussian. Behind the border the field is its mirror image.
   */
  score(level: number, cell: number, factor: number, score: Float32Array | Float64Array, at: number): void {
    const { height, width, spacing, density } = this.#field;
    const p = density.data;
    const here = (level + 1) * height * width + cell;
    const row = Math.floor(cell / width);
    const column = cell - row * width;
    const ratio = (low: number, high: number) => Math.log(Math.max(p[high], LEAST) / Math.max(p[low], LEAST));
    const up = row > 0 ? here - width : here;
    const down = row < height - 1 ? here + width : here;
    const left = column > 0 ? here - 1 : here;
    const right = column < width - 1 ? here + 1 : here;
    score[at] = (0.5 * factor * ratio(up, down)) / spacing[0];
    score[at + 1] = (0.5 * factor * ratio(left, right)) / spacing[1];
  }
}
