import { describe, expect, it } from 'vitest';
import { bicgstab } from '../twins/bicgstab.ts';
import { type Csr, fromTriplets, operator, product } from '../twins/csr.ts';
import { ilu0Preconditioner } from '../twins/ilu0.ts';
import { jacobi } from '../twins/jacobi.ts';
import { random, randomDominant, randomVector } from '../twins/random.ts';
import { refinedBicgstab } from '../twins/single.ts';
import { norm2 } from '../twins/vector.ts';
import { BatchRun, KINDS, type Kind, LAYOUTS, type LaneState } from './batch-run.ts';
import { BUILDS, expectNear, expectSame, replaced, useRoom } from './harness.ts';
import { convection, residualNorm, skew } from './systems.ts';

const cases = BUILDS.flatMap((build) => LAYOUTS.map((layout) => ({ ...layout, build, layout })));
const TWINS = { none: () => undefined, jacobi, ilu0: ilu0Preconditioner } as const;

/** Other values in the pattern of A: row i times a factor that is near one. */
function varied(A: Csr, seed: number): Csr {
  const next = random(seed);
  return { ...A, data: A.data.map((value) => value * (1 + 0.05 * next())) };
}

function expectEqual(actual: LaneState, wanted: LaneState, what = ''): void {
  expectSame(actual.x, wanted.x, what);
  expect({ ...actual, x: 0 }, what).toEqual({ ...wanted, x: 0 });
}

describe.each(cases)(
  'BiCGSTAB in $lanes lanes, single: $single, $build',
  ({ build, lanes, single, layout }) => {
    const room = useRoom(build);
    const A = convection(11, 8);
    const n = A.shape[0];
    const numbers = Array.from({ length: lanes }, (_, lane) => lane + 1);
    const matrices = numbers.map((seed) => varied(A, seed));
    const exact = numbers.map((seed) => randomVector(n, random(seed + 20)));
    const rights = matrices.map((matrix, lane) => product(matrix, exact[lane]));

    const digits = single ? 1e-4 : 1e-10;
    /** Fused operations in f32 may need one more to meet a tolerance, or one less. */
    const apart = single && build === 'relaxed-simd' ? 1 : 0;
    const solveTwin = (
      matrix: Csr,
      b: Float64Array,
      kind: Kind,
      given: { rtol: number; maxiter: number; x0?: Float64Array },
    ) => {
      if (single) return refinedBicgstab(matrix, b, kind, given);
      return bicgstab(operator(matrix), b, { ...given, preconditioner: TWINS[kind](matrix) });
    };

    it.each(KINDS)('the iterates of the twin, each lane its own; preconditioner: %s', (kind) => {
      for (const warm of [false, true]) {
        for (const maxiter of [1, 2, 5, 9]) {
          const run = new BatchRun(room, A, layout, kind);
          const starts = numbers.map((seed) => (warm ? randomVector(n, random(seed + 40)) : undefined));
          matrices.forEach((matrix, lane) => {
            run.start(lane, matrix, rights[lane], { x0: starts[lane], rtol: 1e-13, maxiter });
          });
          run.finish();
          matrices.forEach((matrix, lane) => {
            const b = rights[lane];
            const wanted = solveTwin(matrix, b, kind, { rtol: 1e-13, maxiter, x0: starts[lane] });
            const { x, iterations, residualNorm: norm } = run.state(lane);
            const what = `lane ${lane}, maxiter ${maxiter}`;
            expect(Math.abs(iterations - wanted.iterations), what).toBeLessThanOrEqual(apart);
            expectNear(x, wanted.x, norm2(wanted.x), digits, what);
            expectNear([norm], [wanted.residualNorm], norm2(b), 10 * digits, what);
          });
          room.clear();
        }
      }
    });

    it('every size: the twin after three iterations', () => {
      for (let size = 1; size <= 30; size++) {
        const pattern = randomDominant(size, 0.3, random(size), 2);
        const systems = numbers.map((seed) => varied(pattern, seed));
        const b = numbers.map((seed) => randomVector(size, random(size + 100 * seed)));
        for (const kind of KINDS) {
          const run = new BatchRun(room, pattern, layout, kind);
          systems.forEach((matrix, lane) => {
            run.start(lane, matrix, b[lane], { rtol: 1e-6, maxiter: 3 });
          });
          run.finish();
          systems.forEach((matrix, lane) => {
            const wanted = solveTwin(matrix, b[lane], kind, { rtol: 1e-6, maxiter: 3 });
            const { x, iterations } = run.state(lane);
            expect(Math.abs(iterations - wanted.iterations)).toBeLessThanOrEqual(apart);
            expectNear(x, wanted.x, norm2(wanted.x), digits, `n = ${size}, ${kind}, lane ${lane}`);
          });
        }
        room.clear();
      }
    });

    it.each(KINDS)('converges, and says so truly; preconditioner: %s', (kind) => {
      const run = new BatchRun(room, A, layout, kind);
      matrices.forEach((matrix, lane) => {
        run.start(lane, matrix, rights[lane], { rtol: 1e-12 });
      });
      run.finish();
      matrices.forEach((matrix, lane) => {
        const { status, x, residualNorm: norm, rightHandSideNorm, iterations, matvecs } = run.state(lane);
        expect(status).toBe('converged');
        const outside = residualNorm(matrix, rights[lane], x);
        expect(outside).toBeLessThanOrEqual(1.001e-12 * norm2(rights[lane]));
        expectNear([norm], [outside], norm2(rights[lane]), 1e-15);
        expectNear([rightHandSideNorm], [norm2(rights[lane])], norm2(rights[lane]), 1e-14);
        expectNear(x, exact[lane], 1, 1e-10);
        // Two an iteration, one less where half a step was enough, and the check at the end.
        // In single precision the true residual is computed every four digits.
        const checks = matvecs - 2 * iterations;
        expect(checks).toBeGreaterThanOrEqual(single ? 2 : 0);
        expect(checks).toBeLessThanOrEqual(single ? 4 : 1);
      });
    });

    /** A system for each way to end, all of one pattern. */
    const zeros = { ...A, data: new Float64Array(A.data.length) };
    const ends: Record<string, (run: BatchRun, lane: number) => void> = {
      converged: (run, lane) => run.start(lane, matrices[0], rights[0]),
      'max-iterations': (run, lane) => run.start(lane, matrices[0], rights[0], { maxiter: 3 }),
      breakdown: (run, lane) => run.start(lane, zeros, rights[0]),
      stagnated: (run, lane) => run.start(lane, matrices[0], rights[0], { rtol: 0 }),
      'non-finite': (run, lane) => run.start(lane, { ...A, data: replaced(A.data, 5, Infinity) }, rights[0]),
    };

    it('ends each lane in its own way, whatever the others do', () => {
      const kinds = Object.keys(ends);
      for (let first = 0; first < kinds.length; first++) {
        const run = new BatchRun(room, A, layout, 'none');
        const wanted = numbers.map((_, lane) => kinds[(first + lane) % kinds.length]);
        wanted.forEach((kind, lane) => void ends[kind](run, lane));
        run.finish();
        expect(wanted.map((_, lane) => run.state(lane).status)).toEqual(wanted);
        room.clear();
      }
    });

    it.each(KINDS)('a result is the same bits beside any neighbour, in any lane; %s', (kind: Kind) => {
      const x0 = randomVector(n, random(77));
      const infinite = { ...A, data: replaced(A.data, 5, Infinity) };
      const wanted = (() => {
        const run = new BatchRun(room, A, layout, kind).start(0, matrices[0], rights[0], { x0 });
        return run.finish().state(0);
      })();
      expect(wanted.status).toBe('converged');
      const ones = new Float64Array(n).fill(1);
      const neighbours: Record<string, (run: BatchRun, lane: number) => void> = {
        nobody: () => {},
        'the same': (run, lane) => run.start(lane, matrices[0], rights[0], { x0 }),
        another: (run, lane) => run.start(lane, matrices[1], rights[1]),
        singular: (run, lane) => run.start(lane, zeros, rights[1], {}, ones),
        infinite: (run, lane) => run.start(lane, infinite, rights[1], {}, ones),
        'not a number': (run, lane) =>
          run.start(lane, { ...A, data: replaced(A.data, 9, Number.NaN) }, rights[1], {}, ones),
        'a preconditioner of NaN': (run, lane) =>
          run.start(lane, matrices[1], rights[1], {}, new Float64Array(n).fill(Number.NaN)),
        'b that is not a number': (run, lane) => run.start(lane, A, replaced(rights[1], 3, Number.NaN)),
        huge: (run, lane) =>
          run.start(
            lane,
            matrices[1],
            rights[1].map((value) => value * 1e300),
          ),
        'done at once': (run, lane) => run.start(lane, matrices[1], rights[1], { x0: exact[1] }),
        'b = 0': (run, lane) => run.start(lane, matrices[1], new Float64Array(n)),
        'no iterations': (run, lane) => run.start(lane, matrices[1], rights[1], { maxiter: 0 }),
        'a few': (run, lane) => run.start(lane, matrices[1], rights[1], { maxiter: 2 }),
        'as far as it goes': (run, lane) => run.start(lane, matrices[1], rights[1], { rtol: 0 }),
      };
      for (const [name, start] of Object.entries(neighbours)) {
        for (let lane = 0; lane < lanes; lane++) {
          const run = new BatchRun(room, A, layout, kind);
          for (let other = 0; other < lanes; other++) if (other !== lane) start(run, other);
          run.start(lane, matrices[0], rights[0], { x0 });
          expectEqual(run.finish().state(lane), wanted, `beside ${name}, lane ${lane}`);
          room.clear();
        }
      }
    });

    it('a lane is filled again, at any time, over whatever was there', () => {
      for (const kind of KINDS) {
        const clean = new BatchRun(room, A, layout, kind).start(1, matrices[0], rights[0]).finish().state(1);
        const infinite = { ...A, data: replaced(A.data, 5, Infinity) };
        for (const steps of [0, 1, 4]) {
          const run = new BatchRun(room, A, layout, kind);
          run.start(0, matrices[1], rights[1]);
          run.start(1, infinite, rights[1], {}, new Float64Array(n).fill(Number.NaN));
          run.step(steps);
          run.start(1, matrices[0], rights[0]);
          run.step(steps);
          expectEqual(run.finish().state(1), clean, `${kind}, ${steps} steps`);
          const other = new BatchRun(room, A, layout, kind).start(0, matrices[1], rights[1]).finish();
          expectEqual(run.state(0), other.state(0), `${kind}, ${steps} steps`);
        }
        room.clear();
      }
    });

    it('a lane that has ended keeps what it has', () => {
      for (const kind of KINDS) {
        const run = new BatchRun(room, A, layout, kind);
        run.start(0, matrices[0], rights[0], { maxiter: 2 });
        run.start(1, matrices[1], rights[1], { rtol: 1e-12 });
        expect(run.step(100)).toBe(2);
        const ended = run.state(0);
        expect([ended.status, run.state(1).status]).toEqual(['max-iterations', 'running']);
        expect(run.step(3)).toBe(3);
        expectEqual(run.state(0), ended);
        run.finish();
        expectEqual(run.state(0), ended);
        expect(run.state(1).status).toBe('converged');
        expect(run.step(5)).toBe(0);
      }
    });

    it('steps in any pieces are the same, and stop where a lane ends', () => {
      const whole = new BatchRun(room, A, layout, 'ilu0');
      const parts = new BatchRun(room, A, layout, 'ilu0');
      matrices.forEach((matrix, lane) => {
        whole.start(lane, matrix, rights[lane]);
        parts.start(lane, matrix, rights[lane]);
      });
      whole.finish();
      expect(parts.step(0)).toBe(0);
      let steps = 0;
      for (let made = 1; made > 0; steps += made) made = parts.step(1);
      expect(steps).toBe(Math.max(...matrices.map((_, lane) => whole.state(lane).iterations)));
      for (let lane = 0; lane < lanes; lane++) expectEqual(parts.state(lane), whole.state(lane));
    });

    it('an emptied lane does nothing', () => {
      const run = new BatchRun(room, A, layout, 'none');
      expect(run.step(5)).toBe(0);
      run.start(0, matrices[0], rights[0]).drop(0);
      expect(run.step(5)).toBe(0);
      expect(run.state(0).status).toBe('empty');
    });

    if (single) {
      it('gives up where f32 is too small for a matrix, and keeps the start', () => {
        const huge = { ...A, data: A.data.map((value, k) => (k % 2 === 0 ? value : value * 1e60)) };
        const faint = matrices[0].data.slice(A.indptr[3], A.indptr[4]).map((value) => value * 1e-30);
        const rows = { ...A, data: matrices[0].data.slice() };
        rows.data.set(faint, A.indptr[3]);
        const run = new BatchRun(room, A, layout, 'none');
        const x0 = randomVector(n, random(9));
        run.start(0, rows, rights[0], { x0 }).start(1, matrices[1], rights[1]).start(2, huge, rights[0]);
        run.finish();
        const states = [0, 1, 2].map((lane) => run.state(lane));
        expect(states[0]).toMatchObject({ status: 'breakdown', iterations: 0, x: x0 });
        expect(states[1].status).toBe('converged');
        expect(states[2].status).not.toBe('converged');
      });

      it('gives up in time where it does not get on', () => {
        // A ring: singular, and b is not in its range.
        const size = 400;
        const ring = fromTriplets(
          [size, size],
          Array.from({ length: size }, (_, i) => [
            [i, i, 2] as const,
            [i, (i + 1) % size, -1] as const,
            [i, (i + size - 1) % size, -1] as const,
          ]).flat(),
        );
        const run = new BatchRun(room, ring, layout, 'none');
        const b = randomVector(size, random(4)).map((value) => 1 + value);
        run.start(0, ring, b, { maxiter: 2 ** 31 - 1 }).finish();
        const { status, iterations } = run.state(0);
        expect(['stagnated', 'breakdown', 'non-finite']).toContain(status);
        expect(iterations).toBeLessThan(10_000);
      });
    }

    it('breaks down in one lane, where the other starts anew or goes on', () => {
      const pattern = skew(8);
      const dominant = {
        ...pattern,
        data: pattern.data.map((value, k) => value * (1 + (k % 3))),
      };
      const b = [1, 0, 2, 0, 1, 0, 1, 0];
      const run = new BatchRun(room, pattern, layout, 'none');
      run.start(0, pattern, b).start(1, dominant, [1, 2, 3, 4, 5, 6, 7, 8]).finish();
      expect([run.state(0).status, run.state(0).iterations]).toEqual(['breakdown', 0]);
      const alone = new BatchRun(room, pattern, layout, 'none');
      alone.start(0, dominant, [1, 2, 3, 4, 5, 6, 7, 8]).finish();
      expectEqual(run.state(1), alone.state(0));
    });

    it('the size of the numbers does not matter', () => {
      const scales = numbers.map((number) => [2 ** 100, 1, 2 ** 400, 2 ** -400][number % 4]);
      const run = new BatchRun(room, A, layout, 'ilu0');
      scales.forEach((scale, lane) => {
        const b = rights[0].map((value) => scale * value);
        run.start(lane, matrices[0], b);
      });
      run.finish();
      scales.forEach((scale, lane) => {
        const { status, x, iterations } = run.state(lane);
        expect([status, iterations]).toEqual(['converged', run.state(0).iterations]);
        expectSame(
          x,
          run.state(0).x.map((value) => scale * value),
        );
      });
    });
  },
);
