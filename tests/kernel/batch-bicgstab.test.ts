import { describe, expect, it } from 'vitest';
import { bicgstab } from '../twins/bicgstab.ts';
import { type Csr, operator, product } from '../twins/csr.ts';
import { ilu0Preconditioner } from '../twins/ilu0.ts';
import { jacobi } from '../twins/jacobi.ts';
import { random, randomDominant, randomVector } from '../twins/random.ts';
import { norm2 } from '../twins/vector.ts';
import { BatchRun, KINDS, type Kind, LANES, type LaneState } from './batch-run.ts';
import { BUILDS, expectNear, expectSame, replaced, useRoom } from './harness.ts';
import { convection, residualNorm, skew } from './systems.ts';

const cases = BUILDS.flatMap((build) => LANES.map((lanes) => ({ build, lanes })));
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

describe.each(cases)('BiCGSTAB in $lanes lanes, $build', ({ build, lanes }) => {
  const room = useRoom(build);
  const A = convection(11, 8);
  const n = A.shape[0];
  const numbers = Array.from({ length: lanes }, (_, lane) => lane + 1);
  const matrices = numbers.map((seed) => varied(A, seed));
  const exact = numbers.map((seed) => randomVector(n, random(seed + 20)));
  const rights = matrices.map((matrix, lane) => product(matrix, exact[lane]));

  it.each(KINDS)('the iterates of the twin, each lane its own; preconditioner: %s', (kind) => {
    for (const warm of [false, true]) {
      for (const maxiter of [1, 2, 5, 9]) {
        const run = new BatchRun(room, A, lanes, kind);
        const starts = numbers.map((seed) => (warm ? randomVector(n, random(seed + 40)) : undefined));
        matrices.forEach((matrix, lane) => {
          run.start(lane, matrix, rights[lane], { x0: starts[lane], rtol: 1e-13, maxiter });
        });
        run.finish();
        matrices.forEach((matrix, lane) => {
          const b = rights[lane];
          const preconditioner = TWINS[kind](matrix);
          const given = { rtol: 1e-13, maxiter, x0: starts[lane], preconditioner };
          const wanted = bicgstab(operator(matrix), b, given);
          const { x, iterations, residualNorm: norm } = run.state(lane);
          const what = `lane ${lane}, maxiter ${maxiter}`;
          expect(iterations, what).toBe(wanted.iterations);
          expectNear(x, wanted.x, norm2(wanted.x), 1e-9, what);
          expectNear([norm], [wanted.residualNorm], norm2(b), 1e-9, what);
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
        const run = new BatchRun(room, pattern, lanes, kind);
        systems.forEach((matrix, lane) => {
          run.start(lane, matrix, b[lane], { rtol: 1e-6, maxiter: 3 });
        });
        run.finish();
        systems.forEach((matrix, lane) => {
          const preconditioner = TWINS[kind](matrix);
          const wanted = bicgstab(operator(matrix), b[lane], { rtol: 1e-6, maxiter: 3, preconditioner });
          const { x, iterations } = run.state(lane);
          expect(iterations).toBe(wanted.iterations);
          expectNear(x, wanted.x, norm2(wanted.x), 1e-10, `n = ${size}, ${kind}, lane ${lane}`);
        });
      }
      room.clear();
    }
  });

  it.each(KINDS)('converges, and says so truly; preconditioner: %s', (kind) => {
    const run = new BatchRun(room, A, lanes, kind);
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
      expect([2 * iterations, 2 * iterations + 1]).toContain(matvecs);
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
      const run = new BatchRun(room, A, lanes, 'none');
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
      const run = new BatchRun(room, A, lanes, kind).start(0, matrices[0], rights[0], { x0 });
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
        const run = new BatchRun(room, A, lanes, kind);
        for (let other = 0; other < lanes; other++) if (other !== lane) start(run, other);
        run.start(lane, matrices[0], rights[0], { x0 });
        expectEqual(run.finish().state(lane), wanted, `beside ${name}, lane ${lane}`);
        room.clear();
      }
    }
  });

  it('a lane is filled again, at any time, over whatever was there', () => {
    for (const kind of KINDS) {
      const clean = new BatchRun(room, A, lanes, kind).start(1, matrices[0], rights[0]).finish().state(1);
      const infinite = { ...A, data: replaced(A.data, 5, Infinity) };
      for (const steps of [0, 1, 4]) {
        const run = new BatchRun(room, A, lanes, kind);
        run.start(0, matrices[1], rights[1]);
        run.start(1, infinite, rights[1], {}, new Float64Array(n).fill(Number.NaN));
        run.step(steps);
        run.start(1, matrices[0], rights[0]);
        run.step(steps);
        expectEqual(run.finish().state(1), clean, `${kind}, ${steps} steps`);
        const other = new BatchRun(room, A, lanes, kind).start(0, matrices[1], rights[1]).finish();
        expectEqual(run.state(0), other.state(0), `${kind}, ${steps} steps`);
      }
      room.clear();
    }
  });

  it('a lane that has ended keeps what it has', () => {
    for (const kind of KINDS) {
      const run = new BatchRun(room, A, lanes, kind);
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
    const whole = new BatchRun(room, A, lanes, 'ilu0');
    const parts = new BatchRun(room, A, lanes, 'ilu0');
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
    const run = new BatchRun(room, A, lanes, 'none');
    expect(run.step(5)).toBe(0);
    run.start(0, matrices[0], rights[0]).drop(0);
    expect(run.step(5)).toBe(0);
    expect(run.state(0).status).toBe('empty');
  });

  it('breaks down in one lane, where the other starts anew or goes on', () => {
    const pattern = skew(8);
    const dominant = {
      ...pattern,
      data: pattern.data.map((value, k) => value * (1 + (k % 3))),
    };
    const b = [1, 0, 2, 0, 1, 0, 1, 0];
    const run = new BatchRun(room, pattern, lanes, 'none');
    run.start(0, pattern, b).start(1, dominant, [1, 2, 3, 4, 5, 6, 7, 8]).finish();
    expect([run.state(0).status, run.state(0).iterations]).toEqual(['breakdown', 0]);
    const alone = new BatchRun(room, pattern, lanes, 'none');
    alone.start(0, dominant, [1, 2, 3, 4, 5, 6, 7, 8]).finish();
    expectEqual(run.state(1), alone.state(0));
  });

  it('the size of the numbers does not matter', () => {
    const scales = [1, 2 ** 400, 2 ** -400, 2 ** 100].slice(0, lanes);
    const run = new BatchRun(room, A, lanes, 'ilu0');
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
});
