import { describe, expect, it } from 'vitest';
import { gaussianLogDensity, gaussianScore } from '../../src/diffusion/exact.ts';
import {
  constantDiffusion,
  type PresetSde,
  varianceExploding,
  variancePreserving,
} from '../../src/diffusion/sde.ts';

const presets: PresetSde[] = [
  constantDiffusion(0.7),
  varianceExploding(3),
  variancePreserving({ betaMin: 0.5, betaMax: 3 }),
];
const points = [
  [0.1, 0.9, 0.2],
  [0.7, 0.4, 0.5],
  [-0.5, 1.5, 0.9],
];

describe.each(presets)('the exact Gaussian under $name', (sde) => {
  const start = { mean: [0.4, 0.6] as const, variance: 0.3, sde };
  const m = (x: number, y: number, t: number) => gaussianLogDensity(x, y, t, start);

  it.each(points)('solves the log-density equation at (%d, %d, %d)', (x, y, t) => {
    const h = 1e-4;
    const f = (u: number, v: number) => sde.drift?.(u, v, t) ?? [0, 0];
    const half = sde.diffusion(t) ** 2 / 2;
    const mt = (m(x, y, t + h) - m(x, y, t - h)) / (2 * h);
    const mx = (m(x + h, y, t) - m(x - h, y, t)) / (2 * h);
    const my = (m(x, y + h, t) - m(x, y - h, t)) / (2 * h);
    const laplacian =
      (m(x + h, y, t) + m(x - h, y, t) + m(x, y + h, t) + m(x, y - h, t) - 4 * m(x, y, t)) / (h * h);
    const divergence = (f(x + h, y)[0] - f(x - h, y)[0] + f(x, y + h)[1] - f(x, y - h)[1]) / (2 * h);
    const [fx, fy] = f(x, y);
    const residual = mt + divergence + fx * mx + fy * my - half * (laplacian + mx * mx + my * my);
    expect(Math.abs(residual)).toBeLessThan(1e-5);
    expect(gaussianScore(x, y, t, start)[0]).toBeCloseTo(mx, 6);
    expect(gaussianScore(x, y, t, start)[1]).toBeCloseTo(my, 6);
  });

  it('has mass one and the moments of the transition', () => {
    const h = 0.05;
    const t = 0.6;
    let [mass, mean, square] = [0, 0, 0];
    for (let x = -12; x <= 12; x += h) {
      for (let y = -12; y <= 12; y += h) {
        const weight = Math.exp(m(x, y, t)) * h * h;
        mass += weight;
        mean += weight * x;
        square += weight * x * x;
      }
    }
    const { scale, variance } = sde.transition(t);
    expect(mass).toBeCloseTo(1, 8);
    expect(mean).toBeCloseTo(scale * 0.4, 8);
    expect(square - mean * mean).toBeCloseTo(scale * scale * 0.3 + variance, 8);
  });
});

describe('bad input', () => {
  const good = { mean: [0, 0] as const, variance: 1, sde: constantDiffusion(1) };
  it.each([
    { start: { ...good, variance: 0 }, message: /variance must be positive/ },
    { start: { ...good, sde: { diffusion: () => 1 } as unknown as PresetSde }, message: /must be a preset/ },
    { start: { ...good, sigma: 1 }, message: /unknown option "sigma"/ },
  ])('is refused: $message', ({ start, message }) => {
    expect(() => gaussianLogDensity(0, 0, 0, start)).toThrow(message);
  });
});
