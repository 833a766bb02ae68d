import { describe, expect, it } from 'vitest';
import {
  checkSde,
  constantDiffusion,
  type PresetSde,
  parseSde,
  varianceExploding,
  variancePreserving,
} from '../../src/diffusion/sde.ts';

describe('presets', () => {
  it('are what they say', () => {
    expect(constantDiffusion(0.5).diffusion(3)).toBe(0.5);
    expect(varianceExploding(5).diffusion(2)).toBe(25);
    expect(varianceExploding(5).drift).toBeUndefined();
    const vp = variancePreserving();
    expect(vp.diffusion(0)).toBe(Math.sqrt(0.1));
    expect(vp.diffusion(1)).toBe(Math.sqrt(20));
    expect(vp.drift?.(2, -4, 1)).toEqual([-20, 40]);
  });

  it.each<PresetSde>([
    constantDiffusion(0.5),
    varianceExploding(5),
    varianceExploding(0.2),
    varianceExploding(1),
    variancePreserving(),
    variancePreserving({ betaMin: 2, betaMax: 1 }),
  ])('$name: the transition obeys the moment equations', (sde) => {
    // scale' = f_1 scale, variance' = 2 f_1 variance + g^2 with f = f_1 x, by the classical Runge-Kutta method.
    const rate = (t: number) => sde.drift?.(1, 1, t)[0] ?? 0;
    const slope = (t: number, [scale, variance]: number[]) => [
      rate(t) * scale,
      2 * rate(t) * variance + sde.diffusion(t) ** 2,
    ];
    const h = 1 / 2000;
    let y = [1, 0];
    for (let i = 0; i < 2000; i++) {
      const t = i * h;
      const move = (by: number, k: number[]) => y.map((value, a) => value + by * k[a]);
      const k1 = slope(t, y);
      const k2 = slope(t + h / 2, move(h / 2, k1));
      const k3 = slope(t + h / 2, move(h / 2, k2));
      const k4 = slope(t + h, move(h, k3));
      y = y.map((value, a) => value + (h / 6) * (k1[a] + 2 * k2[a] + 2 * k3[a] + k4[a]));
    }
    const { scale, variance } = sde.transition(1);
    expect(scale / y[0]).toBeCloseTo(1, 9);
    expect(variance / y[1]).toBeCloseTo(1, 9);
    expect(sde.transition(0)).toEqual({ scale: 1, variance: 0 });
  });

  it.each([
    () => constantDiffusion(-1),
    () => constantDiffusion(Number.NaN),
    () => varianceExploding(0),
    () => varianceExploding(Number.POSITIVE_INFINITY),
    () => variancePreserving({ betaMin: -0.1 }),
    () => variancePreserving({ betaMax: Number.NaN }),
  ])('refuse bad values: %s', (make) => {
    expect(make).toThrow(/must be finite and/);
  });

  it('refuse what is no number, and unknown options', () => {
    expect(() => varianceExploding('5' as unknown as number)).toThrow(/must be a number, not "5"/);
    expect(() => variancePreserving({ beta: 1 } as object)).toThrow(/unknown option "beta"/);
  });
});

describe('parseSde', () => {
  it.each(['ve:5', 've:0.5', 'constant:0.5', 'constant:0', 'vp:0.1,20'])('%s round trip', (text) => {
    expect(parseSde(text).name).toBe(text);
  });

  it('knows vp alone', () => {
    expect(parseSde('vp').name).toBe('vp:0.1,20');
  });

  it.each(['', 've', 've:', 've:x', 've:5,6', 've:5:6', 'vp:1', 'vp:', 'vp:1,2,3', 'vp:,', 'ddpm:1', '5'])(
    'refuses %j',
    (text) => {
      expect(() => parseSde(text)).toThrow(/is none of: constant:G/);
    },
  );

  it('refuses what is no text, and values out of range', () => {
    expect(() => parseSde(5 as unknown as string)).toThrow(/must be text/);
    expect(() => parseSde('ve:-1')).toThrow(/positive/);
  });
});

describe('checkSde', () => {
  it('takes presets and own equations', () => {
    checkSde('here', varianceExploding(5));
    checkSde('here', { diffusion: (t: number) => t, drift: () => [0, 0], name: 'own' });
  });

  it.each([
    undefined,
    null,
    've:5',
    {},
    { diffusion: 5 },
    { diffusion: () => 1, drift: 0 },
    { diffusion: () => 1, name: 1 },
  ])('refuses %o', (value) => {
    expect(() => checkSde('here', value)).toThrow(/^here: sde/);
  });
});
