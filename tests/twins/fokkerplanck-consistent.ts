import { BandMatrix, norm, subtract } from './fokkerplanck-band.ts';

/**
 * m_t + div f + f . grad m - g^2/2 (lap m + |grad m|^2) = 0 by the theta-method and differences on an H x W
 * grid: the non-linear discrete equation, solved by Picard or Newton iteration to rounding error.
 *
 * With v_a = f_a - g^2/2 d_a m (d_a the centred difference) the operator is
 * L(m) = sum_a v_a D_a m - g^2/2 (second difference); D_a is d_a, or one-sided where upwinding applies.
 */
export interface ConsistentOptions {
  T: number;
  steps: number;
  diffusion: (t: number) => number;
  drift?: (x: number, y: number, t: number) => readonly [number, number];
  spacing?: readonly [number, number];
  /** 1 is backward Euler, 1/2 Crank-Nicolson. */
  theta?: number;
  linearization?: 'picard' | 'newton';
  boundary?: 'zero' | 'reflecting' | { values: (x: number, y: number, t: number) => number };
  advection?: 'centred' | 'upwind' | 'hybrid';
  rtol?: number;
  maxiter?: number;
}

export interface ConsistentResult {
  logDensity: Float64Array[];
  times: number[];
  fixedPointIterations: number[];
  /** Relative change in the last iteration of each step. */
  changes: number[];
}

/** A neighbour's value as `m[index]` + constant; index -1: the constant alone. */
interface Neighbour {
  index: number;
  constant: number;
}

/** One axis at one pixel: v, and D_a m = sum weights of (lower, centre, upper), and h. */
interface Axis {
  lower: Neighbour;
  upper: Neighbour;
  h: number;
  drift: number;
}

export function consistentTwin(
  initial: Float64Array,
  height: number,
  width: number,
  options: ConsistentOptions,
): ConsistentResult {
  const { T, steps, diffusion, drift = () => [0, 0] as const, theta = 1 } = options;
  const { linearization = 'picard', boundary = 'zero', advection = 'centred' } = options;
  const { rtol = 1e-13, maxiter = 60, spacing = [1 / (height - 1), 1 / (width - 1)] } = options;
  const n = height * width;
  const dt = T / steps;
  const times = Array.from({ length: steps + 1 }, (_, i) => i * dt);

  function axes(k: number, t: number): [Axis, Axis] {
    const position = [Math.floor(k / width), k % width];
    const f = drift(position[0] * spacing[0], position[1] * spacing[1], t);
    const g = diffusion(t);
    return [0, 1].map((a) => {
      const h = spacing[a];
      const stride = a === 0 ? width : 1;
      const count = a === 0 ? height : width;
      const neighbour = (side: 1 | -1): Neighbour => {
        const outside = side === 1 ? position[a] === count - 1 : position[a] === 0;
        if (!outside) return { index: k + side * stride, constant: 0 };
        if (boundary === 'zero') return { index: -1, constant: 0 };
        if (boundary === 'reflecting') {
          const slope = g === 0 ? 0 : (2 * f[a]) / (g * g);
          return { index: k - side * stride, constant: side * 2 * h * slope };
        }
        const ghost = [...position];
        ghost[a] += side;
        return { index: -1, constant: boundary.values(ghost[0] * spacing[0], ghost[1] * spacing[1], t) };
      };
      return { lower: neighbour(-1), upper: neighbour(1), h, drift: f[a] };
    }) as [Axis, Axis];
  }

  function divergence(k: number, t: number): number {
    const [dx, dy] = spacing;
    const x = Math.floor(k / width) * dx;
    const y = (k % width) * dy;
    return (
      (drift(x + dx, y, t)[0] - drift(x - dx, y, t)[0]) / (2 * dx) +
      (drift(x, y + dy, t)[1] - drift(x, y - dy, t)[1]) / (2 * dy)
    );
  }

  /** The weights of (lower, centre, upper) in D_a. */
  function firstDifference(v: number, h: number, g: number): [number, number, number] {
    const upwind = advection === 'upwind' || (advection === 'hybrid' && Math.abs(v) * h > g * g);
    if (!upwind) return [-1 / (2 * h), 0, 1 / (2 * h)];
    return v > 0 ? [-1 / h, 1 / h, 0] : [0, -1 / h, 1 / h];
  }

  const neighbourValue = (m: Float64Array, p: Neighbour) => (p.index < 0 ? 0 : m[p.index]) + p.constant;

  /** L(m) + div f at time t. */
  function spatial(m: Float64Array, t: number): Float64Array {
    const g = diffusion(t);
    return m.map((centre, k) => {
      let sum = divergence(k, t);
      for (const { lower, upper, h, drift: f } of axes(k, t)) {
        const [below, above] = [neighbourValue(m, lower), neighbourValue(m, upper)];
        const v = f - (0.5 * g * g * (above - below)) / (2 * h);
        const D = firstDifference(v, h, g);
        sum += v * (D[0] * below + D[1] * centre + D[2] * above);
        sum -= (0.5 * g * g * (below - 2 * centre + above)) / (h * h);
      }
      return sum;
    });
  }

  /**
   * One iteration: the matrix I + dt theta L'(m), L' being L with v lagged (Picard) or the derivative (Newton;
   * the choice of the upwind side is held), and the right-hand side whose solution is the next iterate.
   */
  function iterate(m: Float64Array, known: Float64Array, t: number): Float64Array {
    const g = diffusion(t);
    const A = new BandMatrix(n, width);
    for (let k = 0; k < n; k++) {
      A.add(k, k, 1);
      for (const { lower, upper, h, drift: f } of axes(k, t)) {
        const [below, above] = [neighbourValue(m, lower), neighbourValue(m, upper)];
        const v = f - (0.5 * g * g * (above - below)) / (2 * h);
        const D = firstDifference(v, h, g);
        const weights = [
          v * D[0] - (0.5 * g * g) / (h * h),
          v * D[1] + (g * g) / (h * h),
          v * D[2] - (0.5 * g * g) / (h * h),
        ];
        if (linearization === 'newton') {
          const slope = D[0] * below + D[1] * m[k] + D[2] * above;
          weights[0] += (0.5 * g * g * slope) / (2 * h);
          weights[2] -= (0.5 * g * g * slope) / (2 * h);
        }
        A.add(k, k, dt * theta * weights[1]);
        if (lower.index >= 0) A.add(k, lower.index, dt * theta * weights[0]);
        if (upper.index >= 0) A.add(k, upper.index, dt * theta * weights[2]);
      }
    }
    // Both iterations are m - A^-1 F(m), F the residual of the non-linear equation.
    const operator = spatial(m, t);
    const residual = m.map((value, k) => value + dt * theta * operator[k] - known[k]);
    return subtract(m, A.solve(residual));
  }

  const logDensity = [initial];
  const fixedPointIterations: number[] = [];
  const changes: number[] = [];
  for (let step = 1; step <= steps; step++) {
    const before = logDensity[step - 1];
    const explicit = theta === 1 ? before.map(() => 0) : spatial(before, times[step - 1]);
    const known = before.map((value, k) => value - dt * (1 - theta) * explicit[k]);
    let last = before;
    let count = 0;
    let change = Number.POSITIVE_INFINITY;
    while (count < maxiter && change > rtol) {
      const next = iterate(last, known, times[step]);
      change = norm(subtract(next, last)) / norm(next);
      last = next;
      count++;
    }
    logDensity.push(last);
    fixedPointIterations.push(count);
    changes.push(change);
  }
  return { logDensity, times, fixedPointIterations, changes };
}
