import { SeedspanError } from '../../errors.ts';
import { UNIT_SQUARE } from '../plane.ts';
import { overPoints, type PlaneDensity } from './densities.ts';

/** Above this variance the series of cosines is short, and nowhere does its sum nearly vanish. */
const COSINES_FROM = 0.02;

/** Shares of the kernel on white and on black squares of an axis, which sum to 1, and the slope of the latter. */
interface Shares {
  white: number;
  black: number;
  slope: number;
}

/**
 * A chess board of `squares` x `squares` on the unit square, every other square filled evenly, the first one too.
 * Diffusion acts on each axis alone: the density is `2 (black black + white white)` of the axes' shares of the heat
 * kernel on squares of a colour, sums of error functions. At variance 0 and where it underflows it has no score.
 *
 * @param squares even, so that both colours have the same area; default 4
 * @throws SeedspanError `INVALID_VALUE`
 */
export function checkerboardDensity(squares = 4): PlaneDensity {
  if (!(Number.isInteger(squares) && squares >= 2 && squares % 2 === 0)) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `checkerboardDensity: squares must be even, 2 or more, not ${squares}`,
    );
  }
  const checkVariance = (variance: number) => {
    if (variance > 0 && variance < Infinity) return;
    throw new SeedspanError(
      'INVALID_VALUE',
      `checkerboardDensity: its logarithm is finite only at a variance over 0, not ${variance}`,
    );
  };
  const shares = (x: number, variance: number) =>
    variance < COSINES_FROM ? byErrorFunctions(x, squares, variance) : byCosines(x, squares, variance);

  return {
    rectangle: UNIT_SQUARE,
    draw(number, random) {
      const points = new Float64Array(2 * number);
      for (let n = 0; n < points.length; n += 2) {
        const row = Math.floor(random.uniform() * squares);
        const column = 2 * Math.floor((random.uniform() * squares) / 2) + (row % 2);
        points[n] = (row + random.uniform()) / squares;
        points[n + 1] = (column + random.uniform()) / squares;
      }
      return points;
    },
    cells(height, width) {
      const [rows, columns] = [height, width].map((count) => blackCells(count, squares));
      const data = new Float64Array(height * width);
      for (let k = 0; k < data.length; k++) {
        const [p, q] = [rows[Math.floor(k / width)], columns[k % width]];
        data[k] = 2 * (p * q + (1 - p) * (1 - q));
      }
      return { data, shape: [height, width] };
    },
    logDensity(points, variance) {
      checkVariance(variance);
      return overPoints(points, (x, y) => {
        const [p, q] = [shares(x, variance), shares(y, variance)];
        return [Math.log(2 * (p.black * q.black + p.white * q.white))];
      });
    },
    score(points, variance) {
      checkVariance(variance);
      return overPoints(points, (x, y) => {
        const [p, q] = [shares(x, variance), shares(y, variance)];
        const half = p.black * q.black + p.white * q.white;
        return [(p.slope * (q.black - q.white)) / half, (q.slope * (p.black - p.white)) / half];
      });
    },
  };
}

/** Both shares as sums of what is positive, so that the one that nearly vanishes is exact too. */
function byErrorFunctions(x: number, squares: number, variance: number): Shares {
  const unit = 1 / Math.sqrt(2 * variance);
  const reach = 40 * Math.sqrt(variance);
  const first = Math.floor((x - reach) * squares);
  const last = Math.floor((x + reach) * squares);
  const shares: Shares = { white: 0, black: 0, slope: 0 };
  for (let square = first; square <= last; square++) {
    // Behind a mirror the squares come in opposite order.
    const inside = square - 2 * squares * Math.floor(square / (2 * squares));
    const colour = (inside < squares ? inside : 2 * squares - 1 - inside) % 2 === 0 ? 'black' : 'white';
    const [low, high] = [(square / squares - x) * unit, ((square + 1) / squares - x) * unit];
    if (low > 0) shares[colour] += (erfc(low) - erfc(high)) / 2;
    else if (high < 0) shares[colour] += (erfc(-high) - erfc(-low)) / 2;
    else shares[colour] += 1 - (erfc(-low) + erfc(high)) / 2;
    if (colour === 'black') {
      shares.slope += (unit * (Math.exp(-low * low) - Math.exp(-high * high))) / Math.sqrt(Math.PI);
    }
  }
  return shares;
}

/** By the cosines of the interval between mirrors. */
function byCosines(x: number, squares: number, variance: number): Shares {
  let [black, slope] = [0.5, 0];
  for (let k = 1; 0.5 * (k * Math.PI) ** 2 * variance < 40; k++) {
    const wave = k * Math.PI;
    let coefficient = 0;
    for (let square = 0; square < squares; square += 2) {
      coefficient += Math.sin((wave * (square + 1)) / squares) - Math.sin((wave * square) / squares);
    }
    coefficient *= (2 / wave) * Math.exp(-0.5 * wave * wave * variance);
    black += coefficient * Math.cos(wave * x);
    slope -= coefficient * wave * Math.sin(wave * x);
  }
  return { white: 1 - black, black, slope };
}

/** The share of black in cells of an axis, which need not fit the squares. */
function blackCells(cells: number, squares: number): Float64Array {
  const upTo = (x: number) => {
    const pair = Math.floor((x * squares) / 2);
    return (pair + Math.min(1, x * squares - 2 * pair)) / squares;
  };
  return Float64Array.from({ length: cells }, (_, i) => {
    const share = cells * (upTo((i + 1) / cells) - upTo(i / cells));
    // No less than nothing, by rounding.
    return Math.max(0, Math.min(1, share));
  });
}

/**
 * The complementary error function for x >= 0: by the series of erf, and from 2 on by the continued fraction
 * (Abramowitz and Stegun, 7.1.6 and 7.1.14). Relative error under 1e-12.
 */
function erfc(x: number): number {
  const factor = Math.exp(-x * x) / Math.sqrt(Math.PI);
  if (x < 2) {
    let term = 2 * x;
    let sum = term;
    for (let k = 1; term > 1e-17 * sum; k++) {
      term *= (2 * x * x) / (2 * k + 1);
      sum += term;
    }
    return 1 - factor * sum;
  }
  let fraction = x;
  for (let k = 60; k > 0; k--) fraction = x + k / 2 / fraction;
  return factor / fraction;
}
