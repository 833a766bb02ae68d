import { describe, expect, it } from 'vitest';
import { duration, figure } from '../../web/figures.ts';
import { spread } from '../../web/views/dots-canvas.ts';
import { FrameCounter } from '../../web/views/frame-counter.ts';
import { inWords } from '../../web/words.ts';

describe('dots on a canvas', () => {
  it('keep their area, wherever they are', () => {
    const points = Float32Array.of(0, 0, 1, 1, 0.5, 0.5, 0.13, 0.77, 0.99, 0.01, 1, 0);
    const covered = new Float32Array(7 * 5).fill(9);
    spread(points, 0.5, covered, 7, 5);
    expect(covered.reduce((sum, value) => sum + value, 0)).toBeCloseTo(3, 5);
    expect(covered.every((value) => value >= 0)).toBe(true);
  });

  it('are put around their place: rows down, columns to the right', () => {
    const covered = new Float32Array(4 * 8);
    // The middle of the pixel in row 2, column 5; and the corner between four.
    spread(Float32Array.of(2.5 / 4, 5.5 / 8), 1, covered, 4, 8);
    expect(covered[2 * 8 + 5]).toBe(1);
    spread(Float32Array.of(1 / 4, 3 / 8), 1, covered, 4, 8);
    expect([covered[2], covered[3], covered[10], covered[11]]).toEqual([0.25, 0.25, 0.25, 0.25]);
  });
});

describe('frames', () => {
  it('are counted over the last second, and since the start', () => {
    const counter = new FrameCounter();
    expect(counter.rate).toBe(0);
    for (let k = 0; k <= 30; k++) counter.tick(k * 100);
    for (let k = 1; k <= 60; k++) counter.tick(3000 + (k * 1000) / 60);
    expect(counter.rate).toBeCloseTo(60, 0);
    expect(counter.mean).toBeCloseTo(90 / 4, 6);
    counter.restart();
    counter.tick(5000);
    expect(counter.mean).toBe(0);
  });
});

describe('words', () => {
  it('are short for numbers', () => {
    expect([0, -1.58349, 123456, 0.0001234, Number.NaN].map(figure)).toEqual([
      '0',
      '−1.583',
      '1.23e5',
      '1.23e−4',
      'NaN',
    ]);
    expect([0.48312, 21.66, 1234.5].map(duration)).toEqual(['0.483 ms', '21.7 ms', '1.23 s']);
  });

  it('name the directive that blocks WebAssembly, in each browser', () => {
    for (const message of [
      "WebAssembly.compile(): Compiling or instantiating WebAssembly module violates the following Content Security policy directive because 'unsafe-eval' is not an allowed source",
      'call to WebAssembly.compile() blocked by CSP',
    ])
      expect(inWords(new Error(message))).toContain('script-src ‘wasm-unsafe-eval’');
  });

  it('say what the package says, without the name of the function', () => {
    expect(inWords(new Error('readPointsCsv: line 3 has 1 entry, must have 2'))).toBe(
      'Line 3 has 1 entry, must have 2.',
    );
  });
});
