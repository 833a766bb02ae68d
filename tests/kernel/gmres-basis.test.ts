import { describe, expect, it } from 'vitest';
import { arnoldi } from '../twins/arnoldi.ts';
import { type Csr, operator, product } from '../twins/csr.ts';
import { orthogonalityError } from '../twins/dense.ts';
import { random, randomDominant, randomVector } from '../twins/random.ts';
import { axpy, maxabs, norm2 } from '../twins/vector.ts';
import { BUILDS, expectNear, type Room, useRoom } from './harness.ts';
import { Run } from './krylov.ts';
import { csrOperator, diaOperator } from './matrices.ts';
import { convection, diagonalMatrix, laplacian } from './systems.ts';

/** V_{k+1} (V_k when invariant) and the columns of H that the last cycle left. */
function decomposition(
  room: Room,
  run: Run,
  restart: number,
): { V: Float64Array[]; H: Float64Array[]; k: number } {
  const { workspace, n } = run;
  const k = room.k.gmresColumns(workspace);
  const basis = room.k.gmresBasis(workspace) >>> 0;
  const hessenberg = room.k.gmresHessenberg(workspace) >>> 0;
  const H = Array.from({ length: k }, (_, j) => room.read(hessenberg + 8 * j * (restart + 1), j + 2));
  const invariant = k > 0 && H[k - 1][k] === 0;
  const V = Array.from({ length: invariant ? k : k + 1 }, (_, j) =>
    room.read(basis + j * room.k.vectorStride(n), n),
  );
  return { V, H, k };
}

/** max |A v_j - V h_j| over the columns, relative to ||A v_j||. */
function identityError(A: Csr, V: Float64Array[], H: Float64Array[]): number {
  return Math.max(
    ...H.map((h, j) => {
      const w = product(A, V[j]);
      const size = norm2(w) || 1;
      V.forEach((v, i) => {
        if (i < h.length) axpy(-h[i], v, w);
      });
      return maxabs(w) / size;
    }),
  );
}

describe.each(BUILDS)("a cycle's basis, %s", (build) => {
  const room = useRoom(build);

  it("A V_k = V_{k+1} H and V'V = I to 1e-12", () => {
    const matrices = [convection(13, 9), laplacian(30, 30), randomDominant(75, 0.1, random(3))];
    for (const A of matrices) {
      const n = A.shape[0];
      const b = randomVector(n, random(n));
      for (const restart of [1, 2, 7, 30, 60]) {
        for (const store of [csrOperator, diaOperator]) {
          const run = new Run(room, 'gmres', store(room, A), b, {
            restart,
            rtol: 0,
            maxiter: restart,
          }).step();
          const { V, H, k } = decomposition(room, run, restart);
          expect(k).toBe(run.iterations);
          expect(orthogonalityError(V)).toBeLessThan(1e-12);
          expect(identityError(A, V, H)).toBeLessThan(1e-12);
          expectNear(
            V[0],
            b.map((value) => value / norm2(b)),
            1,
            1e-14,
          );
          const work = room.vector(V.length);
          const basis = room.k.gmresBasis(run.workspace) >>> 0;
          const measured = room.k.orthogonality(n, V.length, basis, room.k.vectorStride(n), work);
          expectNear([measured], [orthogonalityError(V)], 1, 1e-14);
          room.clear();
        }
      }
    }
  });

  it("is the twin's", () => {
    const A = convection(6, 7);
    const b = randomVector(42, random(1));
    const wanted = arnoldi(operator(A), b, 12);
    const run = new Run(room, 'gmres', csrOperator(room, A), b, { restart: 12, maxiter: 12 }).step();
    const { V, H } = decomposition(room, run, 12);
    V.forEach((v, j) => {
      expectNear(v, wanted.V[j], 1, 1e-11, `column ${j}`);
    });
    H.forEach((h, j) => {
      for (let i = 0; i < h.length; i++) {
        expectNear([h[i]], [wanted.H.data[i * wanted.H.cols + j]], 10, 1e-12);
      }
    });
  });

  it('of an invariant subspace has A V_k = V_k H', () => {
    const values = Array.from({ length: 40 }, (_, i) => 1 + (i % 4));
    const A = diagonalMatrix(values);
    const b = randomVector(40, random(6)).map((value) => value + 2);
    const run = new Run(room, 'gmres', csrOperator(room, A), b, { restart: 20, rtol: 1e-13 }).step();
    expect([run.status, run.iterations]).toEqual(['converged', 4]);
    const { V, H, k } = decomposition(room, run, 20);
    expect(k).toBe(4);
    expect(V.length).toBe(4);
    expect(orthogonalityError(V)).toBeLessThan(1e-12);
    expect(identityError(A, V, H)).toBeLessThan(1e-12);
  });

  it('stays orthogonal for a nearly dependent Krylov sequence', () => {
    // Eigenvalues over nine decades: powers of A soon point one way.
    const A = diagonalMatrix(Array.from({ length: 50 }, (_, i) => 2 ** (i * 0.5)));
    const b = new Float64Array(50).fill(1);
    const run = new Run(room, 'gmres', csrOperator(room, A), b, {
      restart: 40,
      rtol: 0,
      maxiter: 40,
    }).step();
    const { V, H } = decomposition(room, run, 40);
    expect(orthogonalityError(V)).toBeLessThan(1e-12);
    expect(identityError(A, V, H)).toBeLessThan(1e-12);
  });
});
