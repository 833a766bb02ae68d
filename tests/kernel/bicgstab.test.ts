import { describe, expect, it } from 'vitest';
import { bicgstab } from '../twins/bicgstab.ts';
import { type Csr, fromTriplets, operator, product } from '../twins/csr.ts';
import { loadSystem, systemNamed } from '../twins/fixtures.ts';
import * as ilu0 from '../twins/ilu0.ts';
import { jacobi } from '../twins/jacobi.ts';
import { random, randomDominant, randomVector } from '../twins/random.ts';
import { norm2 } from '../twins/vector.ts';
import { BUILDS, expectNear, expectSame, type Room, useRoom } from './harness.ts';
import { Run } from './krylov.ts';
import {
  csrOperator,
  diaOperator,
  hostOperator,
  hostPreconditioner,
  ilu0Preconditioner,
  jacobiPreconditioner,
} from './matrices.ts';
import { convection, diagonalMatrix, residualNorm, skew } from './systems.ts';

const PRECONDITIONERS = {
  none: { kernel: () => 0, twin: () => undefined },
  jacobi: { kernel: jacobiPreconditioner, twin: jacobi },
  ilu0: { kernel: ilu0Preconditioner, twin: ilu0.ilu0Preconditioner },
  function: {
    kernel: (room: Room, A: Csr) =>
      hostPreconditioner(room, A.shape[0], (r, z) => z.set(r.map((value, i) => value / (5 + (i % 3))))),
    twin: () => (r: Float64Array) => r.map((value, i) => value / (5 + (i % 3))),
  },
} as const;

function toCsr(rows: number[][]): Csr {
  const triplets = rows.flatMap((row, i) => row.map((value, j): [number, number, number] => [i, j, value]));
  return fromTriplets([rows.length, rows.length], triplets);
}

const KINDS = Object.keys(PRECONDITIONERS) as (keyof typeof PRECONDITIONERS)[];

describe.each(BUILDS)('BiCGSTAB, %s', (build) => {
  const room = useRoom(build);
  const A = convection(11, 8);
  const n = A.shape[0];
  const b = product(A, randomVector(n, random(1)));

  it.each(KINDS)('the iterates of the twin; preconditioner: %s', (kind) => {
    const { kernel, twin } = PRECONDITIONERS[kind];
    for (const x0 of [undefined, randomVector(n, random(2))]) {
      for (const maxiter of [1, 2, 5, 9]) {
        const wanted = bicgstab(operator(A), b, { rtol: 1e-13, maxiter, x0, preconditioner: twin(A) });
        const options = { rtol: 1e-13, maxiter, x0, preconditioner: kernel(room, A) };
        const run = new Run(room, 'bicgstab', csrOperator(room, A), b, options).step();
        const what = `maxiter ${maxiter}`;
        expect(run.iterations, what).toBe(wanted.iterations);
        expectNear(run.takeHistory(), wanted.history, wanted.history, 1e-8, what);
        expectNear(run.x, wanted.x, norm2(wanted.x), 1e-9, what);
        expectNear([run.residualNorm], [wanted.residualNorm], norm2(b), 1e-9, what);
        room.clear();
      }
    }
  });

  it('every length of its loops: the twin after three iterations', () => {
    for (let size = 1; size <= 40; size++) {
      const matrix = randomDominant(size, 0.3, random(size));
      const c = randomVector(size, random(size + 100));
      for (const kind of ['none', 'jacobi'] as const) {
        const { kernel, twin } = PRECONDITIONERS[kind];
        const wanted = bicgstab(operator(matrix), c, {
          rtol: 1e-6,
          maxiter: 3,
          preconditioner: twin(matrix),
        });
        const options = { rtol: 1e-6, maxiter: 3, preconditioner: kernel(room, matrix) };
        const run = new Run(room, 'bicgstab', csrOperator(room, matrix), c, options).step();
        expect(run.iterations).toBe(wanted.iterations);
        expectNear(run.takeHistory(), wanted.history, norm2(c), 1e-11, `n = ${size}`);
        expectNear(run.x, wanted.x, norm2(wanted.x), 1e-11, `n = ${size}`);
      }
      room.clear();
    }
  });

  it('two products an iteration, one more to start and to check', () => {
    const run = new Run(room, 'bicgstab', csrOperator(room, A), b, { maxiter: 6 }).step();
    expect([run.iterations, run.matvecs]).toEqual([6, 13]);
    const warm = new Run(room, 'bicgstab', csrOperator(room, A), b, { maxiter: 6, x0: b }).step();
    expect([warm.iterations, warm.matvecs]).toEqual([6, 14]);
  });

  it.each(KINDS)('solves, with any operator; preconditioner: %s', (kind) => {
    const call = (x: Float64Array, y: Float64Array): void => y.set(product(A, x));
    for (const a of [csrOperator(room, A), diaOperator(room, A), hostOperator(room, n, call)]) {
      const preconditioner = PRECONDITIONERS[kind].kernel(room, A);
      const run = new Run(room, 'bicgstab', a, b, { preconditioner }).step();
      expect(run.status).toBe('converged');
      expect(residualNorm(A, b, run.x)).toBeLessThanOrEqual(1.00001e-10 * norm2(b));
      expectNear([run.residualNorm], [residualNorm(A, b, run.x)], norm2(b), 1e-15);
    }
  });

  it('half a step is enough where it is', () => {
    const identity = diagonalMatrix(new Array(9).fill(2));
    const c = randomVector(9, random(3));
    const run = new Run(room, 'bicgstab', csrOperator(room, identity), c).step();
    expect([run.status, run.iterations, run.matvecs]).toEqual(['converged', 1, 2]);
    expectNear(
      run.x,
      c.map((value) => value / 2),
      1,
      1e-15,
    );
    expect(run.takeHistory().length).toBe(2);
  });

  it("breaks down on a skew-symmetric matrix, where r'A r = 0", () => {
    const run = new Run(room, 'bicgstab', csrOperator(room, skew(2)), [1, 0]).step();
    expect([run.status, run.iterations, run.residualNorm]).toEqual(['breakdown', 0, 1]);
    expectSame(run.x, [0, 0]);
    const larger = new Run(room, 'bicgstab', csrOperator(room, skew(8)), [1, 0, 2, 0, 1, 0, 1, 0]).step();
    expect([larger.status, larger.iterations]).toEqual(['breakdown', 0]);
  });

  it('starts anew where the residual has become orthogonal to the first one', () => {
    const matrix = toCsr([
      [1, 0, -1],
      [2, 1, 1],
      [0, 2, 1],
    ]);
    const c = Float64Array.of(1, -1, 1);
    const run = new Run(room, 'bicgstab', csrOperator(room, matrix), c).step();
    expect([run.status, run.iterations]).toEqual(['converged', 3]);
    expectNear([residualNorm(matrix, c, run.x)], [0], 1, 1e-14);
  });

  it('and breaks down there when nothing was won before', () => {
    const matrix = toCsr([
      [1, -1, 1],
      [0, 1, 0],
      [0, -1, -1],
    ]);
    const run = new Run(room, 'bicgstab', csrOperator(room, matrix), [0, -1, 0]).step();
    expect([run.status, run.iterations]).toEqual(['breakdown', 1]);
    expectNear([run.residualNorm], [Math.sqrt(1.8)], 1, 1e-14);
  });

  it('is not led astray when only rounding errors are left in a product that should be 0', () => {
    const { A: gyroscopic, b: c } = loadSystem(systemNamed('skew_gyroscopic'));
    const run = new Run(room, 'bicgstab', csrOperator(room, gyroscopic), c).step();
    expect(run.status).toBe('breakdown');
    expect(run.residualNorm).toBeLessThanOrEqual(norm2(c) * (1 + 1e-14));
  });

  it('with NaN from its preconditioner it ends', () => {
    const nan = hostPreconditioner(room, n, (_, z) => void z.fill(Number.NaN));
    const run = new Run(room, 'bicgstab', csrOperator(room, A), b, { preconditioner: nan }).step();
    expect(['breakdown', 'non-finite']).toContain(run.status);
    expect(run.iterations).toBe(0);
    expectSame(run.x, new Float64Array(n));
  });
});
