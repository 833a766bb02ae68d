import { describe, expect, it } from 'vitest';
import { type PointField, precomputeField, randomStream } from '../../../src/diffusion/index.ts';
import { dataSetDensity } from '../../../src/training/index.ts';
import { FieldScores } from '../../../src/training/supervision/field-scores.ts';

const VARIANCES = { firstVariance: 2e-3, variance: 1 };

/** `E variance || field - exact ||^2` over `E variance || exact ||^2`, over all cells and levels. */
function relativeError(field: PointField, exact: (points: Float64Array, variance: number) => Float64Array) {
  const scores = new FieldScores(field);
  const cells = field.height * field.width;
  let [error, size] = [0, 0];
  for (let level = 0; level < scores.levels; level++) {
    const variance = scores.variance(level);
    const points = new Float64Array(2 * cells);
    const own = new Float64Array(2 * cells);
    for (let cell = 0; cell < cells; cell++) {
      scores.centre(cell, points, 2 * cell);
      scores.score(level, cell, 1, own, 2 * cell);
    }
    const other = exact(points, variance);
    for (let k = 0; k < own.length; k++) {
      const weight = variance * field.density.data[(level + 1) * cells + (k >> 1)];
      // Where the exact density underflows nobody is.
      if (weight < 1e-12) continue;
      error += weight * (own[k] - other[k]) ** 2;
      size += weight * other[k] ** 2;
    }
  }
  return error / size;
}

describe('scores of a field at the centres of cells', () => {
  it.each(['gaussians', 'checkerboard'] as const)(
    'of %s come to the exact ones, of second order',
    async (name) => {
      const density = dataSetDensity(name);
      const errors: number[] = [];
      for (const size of [32, 64, 128]) {
        const field = await precomputeField(density.cells(size, size), { levels: 3, ...VARIANCES });
        errors.push(Math.sqrt(relativeError(field, density.score)));
      }
      expect(errors[2]).toBeLessThan(0.02);
      expect(Math.log2(errors[0] / errors[1])).toBeGreaterThan(1.7);
      expect(Math.log2(errors[1] / errors[2])).toBeGreaterThan(1.85);
    },
  );

  it('are drawn as the density says, in the field coordinates', async () => {
    const data = Float64Array.of(1, 0, 3, 2, 2, 0);
    const field = await precomputeField(
      { data, shape: [2, 3] },
      { spacing: [0.5, 2], origin: [-1, 10], firstVariance: 1e-9, variance: 2e-9, levels: 2 },
    );
    const scores = new FieldScores(field);
    const random = randomStream(8);
    const count = 20_000;
    const found = new Float64Array(6);
    for (let k = 0; k < count; k++) found[scores.drawCell(0, random)] += 8 / count;
    for (const [cell, share] of found.entries()) expect(Math.abs(share - data[cell])).toBeLessThan(0.12);
    expect(found[1] + found[5]).toBe(0);
    const centre = new Float64Array(2);
    scores.centre(4, centre, 0);
    expect([...centre]).toEqual([-0.25, 13]);
  });

  it('take the border for a mirror', async () => {
    const p = Float64Array.of(1, 2, 4, 8);
    const variances = Float64Array.of(0, 1);
    const density = { data: Float64Array.of(...p, ...p), shape: [2, 2, 2] };
    const scores = new FieldScores({
      height: 2,
      width: 2,
      origin: [0, 0],
      spacing: [0.5, 0.25],
      variances,
      density,
    });
    const score = new Float32Array(4);
    scores.score(0, 0, 1, score, 0);
    scores.score(0, 3, 10, score, 2);
    const close = (value: number) => expect.closeTo(value, 4);
    expect([...score]).toEqual([
      close(Math.log(4)),
      close(2 * Math.log(2)),
      close(10 * Math.log(4)),
      close(20 * Math.log(2)),
    ]);
  });
});
