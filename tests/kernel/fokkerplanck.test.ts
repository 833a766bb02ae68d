import { describe, expect, it } from 'vitest';
import { position } from '../twins/dia.ts';
import { na2024Matrix } from '../twins/fokkerplanck-papers.ts';
import { random, randomVector } from '../twins/random.ts';
import {
  type ConsistentCase,
  consistentResidualAt,
  consistentRow,
  type Grid,
  lauRow,
  peclet,
  type Row,
  slope,
} from './fokkerplanck-rows.ts';
import { BUILDS, expectNear, useRoom } from './harness.ts';

const SIDES = [2, 3, 5, 8, 9, 17];

/** All pairs of sides, with spacings that differ. */
const GRIDS: Grid[] = SIDES.flatMap((height) =>
  SIDES.map((width) => ({ height, width, dx: 0.7 + height / 20, dy: 1.3 - width / 30 })),
);

const size = ({ height, width }: Grid) => height * width;
const slots = (n: number) => 5 * 8 * Math.ceil(n / 8);

/** The five values of each row of a matrix in the blocked layout. */
function rowsOf(data: Float64Array, n: number): Row[] {
  return Array.from({ length: n }, (_, k) => [0, 1, 2, 3, 4].map((d) => data[position(k, d, 5)]) as Row);
}

/** Value by value, each row against its own largest. */
function expectRows(actual: Row[], wanted: Row[], what: string): void {
  for (const [k, row] of wanted.entries()) {
    const scale = Math.max(...row.map(Math.abs));
    expectNear(actual[k], row, scale, 1e-12, `${what}, row ${k}`);
  }
}

it('the grids have every remainder of rows in the last block', () => {
  expect([...new Set(GRIDS.map((grid) => size(grid) % 8))].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

describe.each(BUILDS)('differences, %s', (build) => {
  const room = useRoom(build);

  it.each([
    { order: 0, border: 1 },
    { order: 1, border: 2 },
  ] as const)('gradient, of order $border at the border', ({ order, border }) => {
    for (const grid of GRIDS) {
      const n = size(grid);
      const { height, width, dx, dy } = grid;
      const m = randomVector(n, random(n));
      const [gx, gy] = [room.vector(n), room.vector(n, 1)];
      room.k.gradient(height, width, dx, dy, order, room.vector(m, 1), gx, gy);
      for (const [a, pointer] of [gx, gy].entries()) {
        const wanted = m.map((_, k) => slope(grid, m, k, a as 0 | 1, border));
        expectNear(room.read(pointer, n), wanted, 10, 1e-14, `${height} x ${width}, axis ${a}`);
      }
      room.clear();
    }
  });

  it('gradient of the second order is exact on quadratics, border included', () => {
    const [height, width, dx, dy] = [5, 9, 0.3, 0.2];
    const m = Float64Array.from({ length: 45 }, (_, k) => {
      const [x, y] = [Math.floor(k / width) * dx, (k % width) * dy];
      return 2 * x * x - 3 * x * y + y * y + x;
    });
    const [gx, gy] = [room.vector(45), room.vector(45)];
    room.k.gradient(height, width, dx, dy, 1, room.vector(m), gx, gy);
    const at = (k: number) => [Math.floor(k / width) * dx, (k % width) * dy];
    const wanted = (a: number) =>
      m.map((_, k) => (a === 0 ? 4 * at(k)[0] - 3 * at(k)[1] + 1 : 2 * at(k)[1] - 3 * at(k)[0]));
    expectNear(room.read(gx, 45), wanted(0), 1, 1e-13);
    expectNear(room.read(gy, 45), wanted(1), 1, 1e-13);
  });

  it('flatDifference runs over the ends of the rows, with 0 outside', () => {
    for (let n = 1; n <= 41; n++) {
      const m = randomVector(n, random(n));
      const s = room.vector(n, n % 2);
      room.k.flatDifference(n, 0.4, room.vector(m, 1), s);
      const wanted = m.map((_, k) => ((m[k + 1] ?? 0) - (m[k - 1] ?? 0)) / 0.8);
      expectNear(room.read(s, n), wanted, 3, 1e-14, `n = ${n}`);
      room.clear();
    }
  });
});

describe.each(BUILDS)('naAssemble, %s', (build) => {
  const room = useRoom(build);

  it('has the rows of the plain matrix', () => {
    const [g, dt, dh] = [1.7, 0.05, 0.8];
    for (const grid of GRIDS) {
      const n = size(grid);
      const step = grid.height;
      const scores = randomVector(n, random(n + step));
      const data = room.vector(slots(n));
      const x = (-0.5 * g * g * dt) / (2 * dh);
      const y = (0.5 * g * g * dt) / (dh * dh);
      room.k.naAssemble(n, step, x, y, room.vector(scores, 1), data);
      const A = na2024Matrix(scores, step, g, dt, dh);
      const wanted = Array.from({ length: n }, (): Row => [0, 0, 0, 0, 0]);
      // Of the columns of one colour each row has at most one.
      const colours = 2 * step + 1;
      for (let colour = 0; colour < colours; colour++) {
        const product = A.multiply(
          Float64Array.from({ length: n }, (_, k) => (k % colours === colour ? 1 : 0)),
        );
        for (let k = 0; k < n; k++) {
          [-step, -1, 0, 1, step].forEach((offset, d) => {
            const column = k + offset;
            if (column >= 0 && column < n && column % colours === colour) wanted[k][d] = product[k];
          });
        }
      }
      expectRows(rowsOf(room.read(data, slots(n)), n), wanted, `n = ${n}, step ${step}`);
      room.clear();
    }
  });
});

describe.each(BUILDS)('naRichardson, %s', (build) => {
  const room = useRoom(build);

  it.each([0, 0.4])('a step by the residual of the plain matrix, alpha %d', (alpha) => {
    const [g, dt, h, beta] = [1.7, 0.05, 0.8, -0.3];
    for (const grid of GRIDS) {
      const n = size(grid);
      const step = grid.height;
      const next = random(n + step);
      const [m, b, p] = [randomVector(n, next), randomVector(n, next), randomVector(n, next)];
      const scores = m.map((_, k) => ((m[k + 1] ?? 0) - (m[k - 1] ?? 0)) / (2 * h));
      const x = (-0.5 * g * g * dt) / (2 * h);
      const y = (0.5 * g * g * dt) / (h * h);
      const [mm, pp] = [room.vector(m, 1), room.vector(p)];
      const scratch = room.vector(2 * n + step, 1);
      const square = room.k.naRichardson(n, step, x, y, h, alpha, beta, room.vector(b), mm, pp, scratch);
      const product = na2024Matrix(scores, step, g, dt, h).multiply(m);
      const r = b.map((value, k) => value - product[k]);
      const direction = r.map((value, k) => value + beta * p[k]);
      const what = `n = ${n}, step ${step}`;
      expectNear(room.read(pp, n), direction, 3, 1e-13, what);
      expectNear(
        room.read(mm, n),
        m.map((value, k) => value + alpha * direction[k]),
        3,
        1e-13,
        what,
      );
      expect(square).toBeCloseTo(
        r.reduce((sum, value) => sum + value * value, 0),
        9,
      );
      room.clear();
    }
  });
});

describe.each(BUILDS)('lauAssemble, %s', (build) => {
  const room = useRoom(build);

  it.each([false, true])('has the rows of the paper, with drift: %s', (drift) => {
    const [g, dt] = [0.9, 0.07];
    for (const grid of GRIDS) {
      const n = size(grid);
      const { height, width, dx, dy } = grid;
      const next = random(n + height);
      const m = randomVector(n, next);
      const f: [Float64Array, Float64Array] | undefined = drift
        ? [randomVector(n, next), randomVector(n, next)]
        : undefined;
      const data = room.vector(slots(n));
      const [fx, fy] = f === undefined ? [0, 0] : f.map((component) => room.vector(component));
      const centre = 1 / dt + (2 * g * g) / (dx * dx);
      room.k.lauAssemble(height, width, dx, dy, g, centre, room.vector(m, 1), fx, fy, data);
      const wanted = Array.from({ length: n }, (_, k) => lauRow(grid, k, g, dt, m, f));
      expectRows(rowsOf(room.read(data, slots(n)), n), wanted, `${height} x ${width}`);

      const b = randomVector(n, next);
      const r = room.vector(n, 1);
      // biome-ignore format: the kernel's order of parameters.
      const square = room.k.lauResidual(
        height, width, dx, dy, g, centre, room.vector(m, 1), fx, fy, room.vector(b), r,
      );
      const residual = wanted.map((row, k) =>
        [-width, -1, 0, 1, width].reduce((sum, offset, d) => sum - row[d] * (m[k + offset] ?? 0), b[k]),
      );
      expectNear(room.read(r, n), residual, 50, 1e-13, `${height} x ${width}, residual`);
      expect(square / residual.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 11);
      room.clear();
    }
  });
});

const CONSISTENT = ([0, 1, 2] as const).flatMap((advection) =>
  [false, true].flatMap((newton) =>
    [false, true].flatMap((reflecting) =>
      [false, true].map((drift) => ({ advection, newton, reflecting, drift })),
    ),
  ),
);

describe.each(BUILDS)('consistentAssemble, %s', (build) => {
  const room = useRoom(build);

  /** The kernel's rows, right-hand side, residual, count of steep cells and largest Peclet number. */
  function assembled(it: ConsistentCase, m: Float64Array, base: Float64Array) {
    const n = size(it);
    const { height, width, dx, dy, D, tau, advection, newton, reflecting, f, border } = it;
    const [fx, fy] = f === undefined ? [0, 0] : f.map((component) => room.vector(component, 1));
    const [data, b, out] = [room.vector(slots(n)), room.vector(n, 1), room.vector(1)];
    // biome-ignore format: the kernel's order of parameters.
    room.k.consistentAssemble(
      height, width, dx, dy, D, tau, advection, newton, reflecting,
      room.vector(m, 1), room.vector(base), fx, fy, room.vector(border), data, b,
    );
    const [ghosts, r] = [room.vector(2 * width), room.vector(n, 1)];
    // biome-ignore format: as above.
    const cells = room.k.countSteepCells(
      height, width, dx, dy, D, reflecting, room.vector(m, 1), fx, fy, room.vector(border), ghosts, out,
    );
    // biome-ignore format: as above.
    const square = room.k.consistentResidual(
      height, width, dx, dy, D, tau, advection, reflecting,
      room.vector(m, 1), room.vector(base), fx, fy, room.vector(border), ghosts, r,
    );
    const found = {
      residual: room.read(r, n),
      square,
      rows: rowsOf(room.read(data, slots(n)), n),
      b: room.read(b, n),
      cells,
      most: room.read(out, 1)[0],
    };
    room.clear();
    return found;
  }

  it.each(CONSISTENT)('is the derivative of the equation: %o', ({ drift, ...kind }) => {
    for (const grid of GRIDS) {
      const n = size(grid);
      const next = random(n + 31 * grid.width);
      // Steep enough for `hybrid` to find cells of both kinds.
      const m = randomVector(n, next).map((value) => 4 * value);
      const base = randomVector(n, next);
      const f: [Float64Array, Float64Array] | undefined = drift
        ? [randomVector(n, next), randomVector(n, next)]
        : undefined;
      const border = randomVector(2 * (grid.height + grid.width), next);
      const one: ConsistentCase = { ...grid, ...kind, f, border, D: 0.6, tau: 0.3 };
      const what = `${grid.height} x ${grid.width}`;
      const found = assembled(one, m, base);
      const wanted = Array.from({ length: n }, (_, k) => consistentRow(one, k, m, base));
      expectRows(
        found.rows,
        wanted.map(({ row }) => row),
        what,
      );
      expectNear(
        found.b,
        wanted.map(({ b }) => b),
        50,
        1e-13,
        `${what}, right-hand side`,
      );
      const residual = Array.from({ length: n }, (_, k) => consistentResidualAt(one, k, m, base));
      expectNear(found.residual, residual, 50, 1e-13, `${what}, residual`);
      expect(found.square / residual.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 11);
      const numbers = Array.from({ length: n }, (_, k) => peclet(one, k, m));
      expect(found.cells, what).toBe(numbers.filter((number) => number > 1).length);
      expect(found.most).toBeCloseTo(Math.max(...numbers), 12);
    }
  });

  it('without diffusion: pure advection, its Peclet number infinite or, without wind, 0', () => {
    const grid: Grid = { height: 3, width: 5, dx: 0.5, dy: 0.25 };
    const m = randomVector(15, random(1));
    const base = randomVector(15, random(2));
    const still = { ...grid, newton: true, reflecting: false, border: new Float64Array(16), D: 0, tau: 0.3 };
    for (const advection of [0, 1, 2] as const) {
      const calm = assembled({ ...still, advection, f: undefined }, m, base);
      expect([calm.cells, calm.most]).toEqual([0, 0]);
      expect(calm.rows).toEqual(
        calm.rows.map(() => [expect.closeTo(0), expect.closeTo(0), 1, expect.closeTo(0), expect.closeTo(0)]),
      );
      const windy: ConsistentCase = {
        ...still,
        advection,
        f: [randomVector(15, random(3)), randomVector(15, random(4))],
      };
      const found = assembled(windy, m, base);
      expect([found.cells, found.most]).toEqual([15, Infinity]);
      const residual = Array.from(m, (_, k) => consistentResidualAt(windy, k, m, base));
      expectNear(found.residual, residual, 10, 1e-13, `advection ${advection}, residual`);
      expectRows(
        found.rows,
        found.rows.map((_, k) => consistentRow(windy, k, m, base).row),
        `advection ${advection}`,
      );
    }
  });
});
