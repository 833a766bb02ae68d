import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSde } from '../../src/diffusion/index.ts';
import { PHOTOGRAPHS, SAMPLES } from '../../web/samples.ts';
import {
  COUNTS,
  DEFAULTS,
  DRAWERS,
  EQUATIONS,
  FRAMES,
  fromHash,
  INKS,
  LIMITS,
  OWN,
  problemOf,
  SCHEMES,
  SECONDS,
  type Settings,
  SIZES,
  schemeSettings,
  sdeName,
  TOLERANCES,
  toHash,
  WAYS,
} from '../../web/settings.ts';

const anySettings: fc.Arbitrary<Settings> = fc.record({
  source: fc.constantFrom(...SAMPLES, OWN),
  size: fc.constantFrom(...SIZES),
  scheme: fc.constantFrom(...SCHEMES),
  equation: fc.constantFrom(...EQUATIONS),
  sigma: fc.double({ ...LIMITS.sigma, noNaN: true }),
  levels: fc.integer(LIMITS.levels),
  tolerance: fc.constantFrom(...TOLERANCES),
  points: fc.constantFrom(...COUNTS),
  frames: fc.constantFrom(...FRAMES),
  way: fc.constantFrom(...WAYS),
  ink: fc.constantFrom(...INKS),
  draw: fc.constantFrom(...DRAWERS),
  seconds: fc.constantFrom(...SECONDS),
  seed: fc.integer(LIMITS.seed),
});

describe('settings in a link', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(anySettings, (settings) => {
        expect(fromHash(`#${toHash(settings)}`)).toEqual({ settings, refused: [] });
      }),
    );
  });

  it('are nothing where they are the defaults', () => {
    expect(toHash(DEFAULTS)).toBe('');
    expect(fromHash('')).toEqual({ settings: DEFAULTS, refused: [] });
    expect(toHash({ ...DEFAULTS, scheme: 'na2024', levels: 7 })).toBe('scheme=na2024&levels=7');
  });

  it.each([
    'size=65',
    'size=64x',
    'levels=0',
    'levels=3.5',
    'levels=201',
    'sigma=NaN',
    'sigma=-1',
    'sigma=0x10',
    'sigma=',
    'scheme=best',
    'source=../../etc',
    'seed=4294967296',
    'constructor=1',
    '__proto__=1',
    'colour=red',
  ])('refuse %s by name, and keep the rest', (text) => {
    expect(fromHash(`#${text}&ink=light`)).toEqual({
      settings: { ...DEFAULTS, ink: 'light' },
      refused: [text],
    });
  });

  it('take whatever text comes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { settings } = fromHash(text);
        expect(Object.keys(settings)).toEqual(Object.keys(DEFAULTS));
        expect(SIZES).toContain(settings.size);
      }),
    );
  });
});

describe('settings together', () => {
  it('make an equation that the package knows', () => {
    fc.assert(fc.property(anySettings, (settings) => void parseSde(sdeName(settings))));
    for (const scheme of SCHEMES)
      expect(problemOf({ ...DEFAULTS, scheme, ...schemeSettings(scheme) })).toBeUndefined();
  });

  it.each([
    [{ levels: Number.NaN }, /Levels must be a whole number from 2 to 200/],
    [{ levels: 1 }, /Levels must/],
    [{ sigma: 0 }, /Sigma must be from 0.01 to 50/],
    [{ scheme: 'na2024', equation: 'vp' }, /knows no drift/],
    [{ size: 256, levels: 100 }, /6,619,136 numbers, over the page’s limit of 4,194,304/],
    [{ seed: Number.NaN }, /seed must be a whole number/],
  ] as [Partial<Settings>, RegExp][])('%o are refused in words', (part, words) => {
    expect(problemOf({ ...DEFAULTS, ...part })).toMatch(words);
  });

  it('have a photograph in the packages for each that they name', () => {
    const packages = readdirSync(new URL('../../node_modules/@stdlib', import.meta.url));
    for (const name of Object.keys(PHOTOGRAPHS)) expect(packages).toContain(`datasets-img-${name}`);
  });
});
