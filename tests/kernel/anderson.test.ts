import { describe, expect, it } from 'vitest';
import { random, randomVector } from '../twins/random.ts';
import { BUILDS, expectNear, LENGTHS, useRoom } from './harness.ts';

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, k) => sum + value * b[k], 0);

/** Anderson's method with a memory of one step, as its formula has it; the preconditioner is a diagonal. */
function plainAnderson(
  residual: (x: Float64Array) => Float64Array,
  scale: Float64Array,
  x: Float64Array,
  steps: number,
): Float64Array {
  let before: { x: Float64Array; r: Float64Array } | undefined;
  for (let step = 0; step < steps; step++) {
    const r = residual(x);
    const dx = x.map((value, k) => value - (before?.x[k] ?? value));
    const dr = r.map((value, k) => value - (before?.r[k] ?? value));
    const square = dot(dr, dr);
    const g = square > 0 ? dot(dr, r) / square : 0;
    before = { x, r };
    x = x.map((value, k) => value - g * dx[k] + scale[k] * (r[k] - g * dr[k]));
  }
  return x;
}

describe.each(BUILDS)('Anderson acceleration, %s', (build) => {
  const room = useRoom(build);

  it.each([1, 2, 3, 6])('%i steps as by the formula, twice from one workspace', (steps) => {
    for (const n of LENGTHS.filter((length) => length > 0)) {
      const next = random(n);
      // Mildly non-linear, and not symmetric.
      const slope = randomVector(n, next).map((value) => 2 + value);
      const residual = (x: Float64Array) =>
        x.map((value, k) => 1 - slope[k] * value - 0.2 * value * value + 0.5 * (x[k - 1] ?? 0));
      const scale = slope.map((value) => 1 / value);
      const inverse = room.vector(scale);
      const preconditioner = room.bytes(room.k.preconditionerSize());
      room.k.makeJacobi(preconditioner, n, inverse);
      const workspace = room.bytes(room.k.andersonSize(n));
      room.k.andersonInit(workspace, n);
      for (let run = 0; run < 2; run++) {
        const start = randomVector(n, next);
        const x = room.vector(start, 1);
        let r = room.k.andersonStart(workspace);
        for (let step = 0; step < steps; step++) {
          room.view(r, n).set(residual(room.read(x, n)));
          r = room.k.andersonStep(workspace, preconditioner, x);
        }
        const wanted = plainAnderson(residual, scale, start, steps);
        expectNear(room.read(x, n), wanted, 10, 1e-11, `n = ${n}, run ${run}`);
      }
      room.clear();
    }
  });

  it('a residual that is zero, or does not change, moves nothing off', () => {
    const n = 9;
    const preconditioner = room.bytes(room.k.preconditionerSize());
    room.k.makeJacobi(preconditioner, n, room.vector(new Float64Array(n).fill(1)));
    const workspace = room.bytes(room.k.andersonSize(n));
    room.k.andersonInit(workspace, n);
    const x = room.vector(new Float64Array(n));
    let r = room.k.andersonStart(workspace);
    for (const value of [1, 1, 0, 0]) {
      room.view(r, n).fill(value);
      r = room.k.andersonStep(workspace, preconditioner, x);
    }
    const found = room.read(x, n);
    for (const value of found) expect(value).toBe(2);
  });
});
