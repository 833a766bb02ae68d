import { describe, expect, it } from 'vitest';
import type { Pointer } from '../../src/wasm/exports.ts';
import { type Csr, fromTriplets, toTriplets } from '../twins/csr.ts';
import { position } from '../twins/dia.ts';
import { fivePoint } from '../twins/five-point.ts';
import * as twin from '../twins/multigrid.ts';
import { random, randomVector } from '../twins/random.ts';
import { dot, maxabs } from '../twins/vector.ts';
import { BUILDS, expectNear, type Room, useRoom } from './harness.ts';
import { Run } from './krylov.ts';
import { csrOperator } from './matrices.ts';
import { convection, grid, laplacian } from './systems.ts';

/** Odd and even, a single row and column, more than three blocks of four cells of a colour in a row. */
const SHAPES: [height: number, width: number][] = [
  [1, 1],
  [1, 2],
  [2, 1],
  [1, 37],
  [37, 1],
  [2, 2],
  [3, 3],
  [5, 4],
  [4, 7],
  [7, 8],
  [8, 9],
  [9, 15],
  [16, 16],
  [17, 31],
  [7, 20],
  [6, 33],
  [33, 40],
];

/** The five diagonals in blocks of eight rows; NaN in the slots of cells that do not exist. */
function blocks(A: Csr, width: number): Float64Array {
  const n = A.shape[0];
  const data = new Float64Array(Math.ceil(n / 8) * 40).fill(Number.NaN);
  for (let row = 0; row < n; row++) {
    for (const [d, offset] of [-width, -1, 0, 1, width].entries()) {
      if (row + offset >= 0 && row + offset < n) data[position(row, d, 5)] = 0;
    }
  }
  const places = new Map([-width, -1, 0, 1, width].map((offset, d) => [offset, d]));
  // A single row or column has one pair of neighbours.
  if (width === 1)
    for (const [offset, d] of [
      [-1, 0],
      [1, 4],
    ])
      places.set(offset, d);
  for (const [i, j, value] of toTriplets(A)) data[position(i, places.get(j - i)!, 5)] = value;
  return data;
}

interface Made {
  multigrid: Pointer;
  data: Pointer;
  apply(r: Float64Array): Float64Array;
}

function make(room: Room, A: Csr, height: number, width: number, sweeps = 2, stretched = false): Made {
  const multigrid = room.bytes(Math.ceil(room.k.multigridSize(height, width, stretched)));
  const data = room.vector(blocks(A, width));
  room.k.multigridInit(multigrid, height, width, sweeps, stretched);
  expect(room.k.multigridUpdate(multigrid, data)).toBe(-1);
  const n = height * width;
  const [from, to] = [room.vector(n, 1), room.vector(n, 1)];
  return {
    multigrid,
    data,
    apply(r) {
      room.view(from, n).set(r);
      room.view(to, n).fill(Number.NaN);
      room.k.multigridApply(multigrid, from, to);
      return room.read(to, n);
    },
  };
}

/** Not symmetric, of any weights, with some couplings of the unusual sign. */
function rough(height: number, width: number, seed: number): Csr {
  const next = random(seed);
  const triplets = toTriplets(grid(width, height)).map(([i, j, value]): [number, number, number] =>
    i === j ? [i, j, 4.2 + next()] : [i, j, value * (1 + 1.2 * (2 * next() - 1))],
  );
  return fromTriplets([height * width, height * width], triplets);
}

/** `rough` with its couplings between rows, or within them, multiplied by a factor. */
function stretched(height: number, width: number, vertical: number, horizontal: number): Csr {
  const sums = new Float64Array(height * width);
  const couplings = toTriplets(rough(height, width, 4)).flatMap(
    ([i, j, value]): [number, number, number][] => {
      if (i === j) return [];
      const scaled = value * (Math.abs(i - j) === 1 && width > 1 ? horizontal : vertical);
      sums[i] += Math.abs(scaled);
      return [[i, j, scaled]];
    },
  );
  const diagonal = Array.from(sums, (sum, i): [number, number, number] => [i, i, 1.02 * sum + 0.1]);
  return fromTriplets([height * width, height * width], [...couplings, ...diagonal]);
}

/** Each row of A multiplied by its factor. */
function scaledRows(A: Csr, factor: (row: number) => number): Csr {
  return fromTriplets(
    A.shape,
    toTriplets(A).map(([i, j, value]) => [i, j, factor(i) * value]),
  );
}

describe.each(BUILDS)('multigrid, %s', (build) => {
  const room = useRoom(build);

  it.each(SHAPES)('a cycle on %i x %i cells is the twin up to the rounding of f32', (height, width) => {
    const next = random(height * 100 + width);
    const matrices = [laplacian(width, height), convection(width, height), rough(height, width, 3)];
    for (const A of matrices) {
      for (const sweeps of [1, 2, 3]) {
        const { apply } = make(room, A, height, width, sweeps);
        const wanted = twin.multigrid(A, height, width, sweeps);
        for (let k = 0; k < 2; k++) {
          const r = randomVector(height * width, next);
          const z = wanted(r);
          expectNear(apply(r), z, maxabs(z), 2e-5, `${sweeps} sweeps`);
        }
        room.clear();
      }
    }
  });

  it('takes about as many bytes as the matrix', () => {
    for (const n of [128, 255, 512]) {
      expect(room.k.multigridSize(n, n, false)).toBeLessThan(46 * n * n);
      expect(room.k.multigridSize(n, n, true)).toBeLessThan(90 * n * n);
    }
  });

  it('one cell alone is divided by its entry', () => {
    const A = fromTriplets([1, 1], [[0, 0, -4]]);
    expect([...make(room, A, 1, 1).apply(Float64Array.of(6))]).toEqual([-1.5]);
  });

  it('rows of any sign and size', () => {
    const [height, width] = [9, 14];
    const next = random(5);
    const factors = Array.from({ length: height * width }, () => (next() - 0.5) * 10 ** (16 * next() - 8));
    const A = rough(height, width, 6);
    const r = randomVector(height * width, next);
    const wanted = twin.multigrid(A, height, width, 2)(r);
    // Weights of the coarse cells are those of the rows as they are: only a common factor leaves them alone.
    const scaled = make(
      room,
      scaledRows(A, () => -1e-200),
      height,
      width,
    ).apply(r);
    expectNear(
      scaled.map((value) => value * -1e-200),
      wanted,
      maxabs(wanted),
      2e-5,
    );
    const S = scaledRows(A, (row) => factors[row]);
    const z = twin.multigrid(S, height, width, 2)(r);
    expectNear(make(room, S, height, width).apply(r), z, maxabs(z), 1e-4);
  });

  it('is linear over the whole range of f64, and the same each time', () => {
    const [height, width] = [13, 18];
    const n = height * width;
    const { apply } = make(room, rough(height, width, 7), height, width);
    const next = random(8);
    const [p, q] = [randomVector(n, next), randomVector(n, next)];
    const [P, Q] = [apply(p), apply(q)];
    expectNear(apply(p), P, 0);
    expectNear(
      apply(p.map((value, k) => 2 * value - 3 * q[k])),
      P.map((value, k) => 2 * value - 3 * Q[k]),
      maxabs(P) + maxabs(Q),
      1e-5,
    );
    // Powers of two change no digit.
    for (const factor of [2 ** 1000, 2 ** -1000, 2 ** -40]) {
      expectNear(
        apply(p.map((value) => factor * value)).map((value) => value / factor),
        P,
        0,
      );
    }
    expectNear(apply(new Float64Array(n)), new Float64Array(n), 0);
  });

  it('is symmetric and positive where the matrix is', () => {
    const [height, width] = [11, 21];
    const n = height * width;
    const next = random(9);
    const triplets: [number, number, number][] = [];
    const diagonal = new Float64Array(n).fill(0.01);
    for (let k = 0; k < n; k++) {
      for (const other of [k + 1, k + width]) {
        if (other >= n || (other === k + 1 && other % width === 0)) continue;
        const conductance = 10 ** (4 * next() - 2);
        triplets.push([k, other, -conductance], [other, k, -conductance]);
        diagonal[k] += conductance;
        diagonal[other] += conductance;
      }
    }
    for (let k = 0; k < n; k++) triplets.push([k, k, diagonal[k]]);
    const { apply } = make(room, fromTriplets([n, n], triplets), height, width);
    for (let k = 0; k < 20; k++) {
      const [p, q] = [randomVector(n, next), randomVector(n, next)];
      const [P, Q] = [apply(p), apply(q)];
      const scale = Math.sqrt(dot(p, P) * dot(q, Q));
      expect(dot(p, P)).toBeGreaterThan(0);
      expect(Math.abs(dot(p, Q) - dot(q, P))).toBeLessThan(1e-5 * scale);
    }
  });

  it('takes new values', () => {
    const [height, width] = [10, 12];
    const { multigrid, data, apply } = make(room, laplacian(width, height), height, width);
    const r = randomVector(height * width, random(10));
    apply(r);
    const A = rough(height, width, 11);
    room.view(data, blocks(A, width).length).set(blocks(A, width));
    expect(room.k.multigridUpdate(multigrid, data)).toBe(-1);
    const wanted = twin.multigrid(A, height, width, 2)(r);
    expectNear(apply(r), wanted, maxabs(wanted), 2e-5);
  });

  it('leaves out couplings across the ends of rows', () => {
    const [height, width] = [6, 9];
    const A = laplacian(width, height);
    const { multigrid, data, apply } = make(room, A, height, width);
    const r = randomVector(height * width, random(12));
    const wanted = apply(r);
    for (let i = 1; i < height; i++) {
      room.view(data, 400)[position(i * width, 1, 5)] = -7;
      room.view(data, 400)[position(i * width - 1, 3, 5)] = -7;
    }
    expect(room.k.multigridUpdate(multigrid, data)).toBe(-1);
    expectNear(apply(r), wanted, 0);
  });

  it.each([0, Number.NaN, Infinity, 1e-40, 1e40])('a diagonal entry of %d is named', (value) => {
    // Cells are taken one at a time, and four at a time.
    for (const width of [6, 8, 12]) {
      const { multigrid, data } = make(room, laplacian(width, 5), 5, width);
      for (const row of [17, 4 * width - 1, 5 * width - 1]) {
        const at = position(row, 2, 5);
        room.view(data, 320)[at] = value;
        expect(room.k.multigridUpdate(multigrid, data)).toBe(row);
        room.view(data, 320)[at] = 4;
      }
    }
  });

  it('a first diagonal entry that cannot be used is named', () => {
    for (const width of [6, 8]) {
      const { multigrid, data } = make(room, laplacian(width, 5), 5, width);
      for (const value of [0, Number.NaN, Infinity]) {
        room.view(data, 160)[position(0, 2, 5)] = value;
        expect(room.k.multigridUpdate(multigrid, data)).toBe(0);
      }
    }
  });

  it('shows what is not finite, and forgets it', () => {
    const [height, width] = [9, 11];
    const { apply } = make(room, laplacian(width, height), height, width);
    const r = randomVector(height * width, random(13));
    const wanted = apply(r);
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      const bad = r.slice();
      bad[40] = value;
      expect(apply(bad).every(Number.isFinite)).toBe(false);
      expectNear(apply(r), wanted, 0);
    }
  });

  // A residual of 1e-10, beyond what f32 knows. Counts are those of the twins' cells, with room to breathe.
  it.each([
    { method: 'bicgstab', q: 0.6, most: 4 },
    { method: 'bicgstab', q: 15, most: 8 },
    { method: 'bicgstab', q: 200, most: 15 },
    { method: 'gmres', q: 0.6, most: 7 },
    { method: 'gmres', q: 15, most: 13 },
    { method: 'gmres', q: 200, most: 24 },
  ] as const)('$method, q = $q: at most $most iterations at any size', ({ method, q, most }) => {
    for (const n of [32, 64, 96]) {
      const { A, b } = fivePoint(smoothField(n), n, q);
      const { multigrid } = make(room, A, n, n);
      const preconditioner = room.bytes(room.k.preconditionerSize());
      room.k.makeMultigrid(preconditioner, multigrid);
      const run = new Run(room, method, csrOperator(room, A), b, { preconditioner, rtol: 1e-10 }).step();
      expect(run.status).toBe('converged');
      expect(run.iterations, `${n} x ${n}`).toBeLessThanOrEqual(most);
      room.clear();
    }
  });

  it('cg', () => {
    for (const n of [31, 64, 96]) {
      const A = grid(n, n, { c: 1e-3 });
      const { multigrid } = make(room, A, n, n);
      const preconditioner = room.bytes(room.k.preconditionerSize());
      room.k.makeMultigrid(preconditioner, multigrid);
      const b = randomVector(n * n, random(n));
      const run = new Run(room, 'cg', csrOperator(room, A), b, { preconditioner }).step();
      expect(run.status).toBe('converged');
      expect(run.iterations, `${n} x ${n}`).toBeLessThanOrEqual(25);
      room.clear();
    }
  });

  it.each(SHAPES)('joins cells along the stronger axis on %i x %i cells, as the twin', (height, width) => {
    const next = random(height * 100 + width);
    for (const [vertical, horizontal] of [
      [100, 1],
      [1, 100],
      [6, 1],
      [1, 1],
    ]) {
      const A = stretched(height, width, vertical, horizontal);
      for (const sweeps of [1, 2]) {
        const { apply, multigrid, data } = make(room, A, height, width, sweeps, true);
        const wanted = twin.multigrid(A, height, width, sweeps, true);
        const r = randomVector(height * width, next);
        const z = wanted(r);
        expectNear(apply(r), z, maxabs(z), 2e-5, `${vertical} : ${horizontal}, ${sweeps} sweeps`);
        // Levels of other shapes, and the first ones again.
        const other = blocks(stretched(height, width, horizontal, vertical), width);
        room.view(data, other.length).set(other);
        expect(room.k.multigridUpdate(multigrid, data)).toBe(-1);
        room.view(data, other.length).set(blocks(A, width));
        expect(room.k.multigridUpdate(multigrid, data)).toBe(-1);
        expectNear(apply(r), z, maxabs(z), 2e-5, 'again');
        room.clear();
      }
    }
  });

  it.each([100, 1000])(
    'couplings that differ by %d: few iterations, and no more on a finer grid',
    (ratio) => {
      for (const [vertical, horizontal] of [
        [ratio, 1],
        [1, ratio],
      ]) {
        const counts = [24, 48, 96].map((n) => {
          const triplets = toTriplets(laplacian(n, n)).map(([i, j, value]): [number, number, number] => {
            if (i === j) return [i, j, 2 * (vertical + horizontal)];
            return [i, j, value * (Math.abs(i - j) === 1 ? horizontal : vertical)];
          });
          const A = fromTriplets([n * n, n * n], triplets);
          const { multigrid } = make(room, A, n, n, 2, true);
          const preconditioner = room.bytes(room.k.preconditionerSize());
          room.k.makeMultigrid(preconditioner, multigrid);
          const b = randomVector(n * n, random(n));
          const run = new Run(room, 'bicgstab', csrOperator(room, A), b, {
            preconditioner,
            rtol: 1e-8,
          }).step();
          expect(run.status).toBe('converged');
          room.clear();
          return run.iterations;
        });
        expect(Math.max(...counts)).toBeLessThanOrEqual(10);
      }
    },
  );
});

/** Random, averaged over neighbours: a field as rough as the logarithm of a picture's density. */
function smoothField(n: number): Float64Array {
  const next = random(n);
  let m = Float64Array.from({ length: n * n }, () => 5 * (next() + next() + next() - 1.5));
  for (let pass = 0; pass < 2; pass++) {
    const before = m;
    const at = (i: number, j: number) => before[((i + n) % n) * n + ((j + n) % n)];
    m = m.map((_, k) => {
      const [i, j] = [Math.floor(k / n), k % n];
      return (4 * at(i, j) + 2 * (at(i - 1, j) + at(i + 1, j) + at(i, j - 1) + at(i, j + 1))) / 12;
    });
  }
  return m;
}
