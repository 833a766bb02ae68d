import type { Sde } from '../../src/diffusion/index.ts';
import { type CsrMatrix, csr } from '../../src/index.ts';

export interface StepSystem {
  A: CsrMatrix;
  b: Float64Array;
}

/**
 * The linear system of one Picard iteration of a backward Euler step, as the scheme `consistent` discretises it:
 *
 *     m/dt + sum_a v_a d_a m - g^2/2 lap m = m_before/dt - div f,   v_a = f_a - g^2/2 d_a m~
 *
 * with centred differences and reflecting borders: a neighbour outside is the mirrored one, plus what the drift
 * makes of the slope there (`d_a m = 2 f_a / g^2` lets no probability through).
 *
 * @param iterate - m~, `[H, W]`, around which the non-linear term is linearised
 * @param before - m of the step before
 * @param t - the step's end, where f and g are taken
 */
export function stepSystem(
  { iterate, before }: { iterate: Float64Array; before: Float64Array },
  { height, width, spacing }: { height: number; width: number; spacing: readonly [number, number] },
  { sde, t, dt }: { sde: Sde; t: number; dt: number },
): StepSystem {
  const n = height * width;
  const half = sde.diffusion(t) ** 2 / 2;
  const drift = (i: number, j: number) => sde.drift?.(i * spacing[0], j * spacing[1], t) ?? [0, 0];
  const b = new Float64Array(n);
  const indptr = new Int32Array(n + 1);
  const indices: number[] = [];
  const data: number[] = [];
  for (let k = 0; k < n; k++) {
    const place = [Math.floor(k / width), k % width] as const;
    const f = drift(place[0], place[1]);
    const row = new Map<number, number>([[k, 1 / dt]]);
    const add = (column: number, value: number) => row.set(column, (row.get(column) ?? 0) + value);
    b[k] = before[k] / dt;
    for (const axis of [0, 1] as const) {
      const h = spacing[axis];
      const [stride, count] = axis === 0 ? [width, height] : [1, width];
      const ends = [place[axis] > 0, place[axis] < count - 1];
      const slope = half === 0 ? 0 : f[axis] / half;
      // Values are m[index] + constant.
      const lower = ends[0] ? { at: k - stride, constant: 0 } : { at: k + stride, constant: -2 * h * slope };
      const upper = ends[1] ? { at: k + stride, constant: 0 } : { at: k - stride, constant: 2 * h * slope };
      const value = ({ at, constant }: typeof lower) => iterate[at] + constant;
      const v = f[axis] - (half * (value(upper) - value(lower))) / (2 * h);
      const [up, down] = [v / (2 * h) - half / h ** 2, -v / (2 * h) - half / h ** 2];
      add(upper.at, up);
      add(lower.at, down);
      add(k, (2 * half) / h ** 2);
      b[k] -= up * upper.constant + down * lower.constant;
      const step = (side: 1 | -1) => {
        const [i, j] = axis === 0 ? [place[0] + side, place[1]] : [place[0], place[1] + side];
        return drift(i, j)[axis];
      };
      b[k] -= (step(1) - step(-1)) / (2 * h);
    }
    for (const [column, entry] of [...row].sort(([left], [right]) => left - right)) {
      indices.push(column);
      data.push(entry);
    }
    indptr[k + 1] = indices.length;
  }
  return { A: csr({ shape: [n, n], indptr, indices, data }), b };
}
