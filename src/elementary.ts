/**
 * Elementary functions whose digits are the same in every runtime: made of sums, products, quotients and rounding
 * alone, which IEEE 754 defines exactly. JavaScript's own (`Math.exp`, `Math.log`, `**`) differ between engines in
 * the last digit. Errors stay below about one unit in the last place; special values are those of `Math`.
 *
 * Reductions of the argument, and what they cost in accuracy: Muller, "Elementary Functions", 3rd ed. 2016, ch. 11.
 */

/** log 2 in two parts, the first with its last 21 bits zero: k times it is exact for every exponent k. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

const number = new Float64Array(1);
const words = new Uint32Array(number.buffer);
/** Which of the two words has sign and exponent: 1 where the lower word comes first. */
const HIGH = (() => {
  number[0] = 1;
  return words[1] === 0 ? 0 : 1;
})();

/** Added and taken away, it leaves the nearest integer of a number below 2^51: as `Math.round`, in a third of its time. */
const TO_INTEGER = 1.5 * 2 ** 52;

/** 2^k for -1022 <= k <= 1023, at k + 1022: looked up in half of the time that it takes to put the bits together. */
const POWERS = powersOfTwo();

function powersOfTwo(): Float64Array {
  const powers = new Float64Array(2046);
  powers[0] = 2 ** -1022;
  for (let k = 1; k < powers.length; k++) powers[k] = 2 * powers[k - 1];
  return powers;
}

/** 2^k times a number between 1/2 and 2, rounded once. */
function scale(value: number, k: number): number {
  if (k > 1022) return value * POWERS[k + 1021] * 2;
  // Below the normal numbers, the second factor does the rounding.
  return k < -1021 ? value * POWERS[k + 1082] * 2 ** -60 : value * POWERS[k + 1022];
}

/** e^r - 1 for r = `high - low`, |r| <= log(2) / 2: by its series, whose terms beyond r^13 are below 1e-17. */
function smallExpm1(high: number, low: number): number {
  const r = high - low;
  const s = r * r;
  // 1/2! + r/3! + ... + r^11/13!, in pairs and pairs of pairs, which do not wait for each other.
  const first = 1 / 2 + r * (1 / 6) + s * (1 / 24 + r * (1 / 120));
  const second = 1 / 720 + r * (1 / 5040) + s * (1 / 40320 + r * (1 / 362880));
  const third = 1 / 3628800 + r * (1 / 39916800) + s * (1 / 479001600 + r * (1 / 6227020800));
  const sum = first + s * s * (second + s * s * third);
  // The first power by both parts, of which r has lost a little.
  return high - (low - sum * s);
}

/** e^x. */
export function exp(x: number): number {
  if (!(x > -707 && x < 707)) return expFarOut(x);
  const k = (x * Math.LOG2E + TO_INTEGER - TO_INTEGER) | 0;
  return (1 + smallExpm1(x - k * LN2_HIGH, k * LN2_LOW)) * POWERS[k + 1022];
}

/** Where the result may be infinite, below the normal numbers, zero, or none. */
function expFarOut(x: number): number {
  if (x > 709.8) return Infinity;
  if (x < -745.2) return 0;
  if (Number.isNaN(x)) return x;
  const k = (x * Math.LOG2E + TO_INTEGER - TO_INTEGER) | 0;
  return scale(1 + smallExpm1(x - k * LN2_HIGH, k * LN2_LOW), k);
}

/** e^x - 1, accurate near 0, too. */
export function expm1(x: number): number {
  if (x > 709.8) return Infinity;
  if (x < -40) return -1;
  if (Number.isNaN(x) || x === 0) return x;
  const k = (x * Math.LOG2E + TO_INTEGER - TO_INTEGER) | 0;
  const small = smallExpm1(x - k * LN2_HIGH, k * LN2_LOW);
  if (k === 0) return small;
  // From 60 on the 1 is below the last digit.
  if (k > 60) return scale(1 + small, k);
  const power = POWERS[k + 1022];
  return power * small + (power - 1);
}

/** The natural logarithm. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : Number.NaN;
  if (x === Infinity) return x;
  const subnormal = x < 2 ** -1022;
  number[0] = subnormal ? x * 2 ** 54 : x;
  let k = (words[HIGH] >>> 20) - 1023 - (subnormal ? 54 : 0);
  words[HIGH] = (words[HIGH] & 0xfffff) | (1023 << 20);
  let m = number[0];
  // m from sqrt(1/2) to sqrt(2), so that nothing cancels near 1.
  if (m > Math.SQRT2) {
    m /= 2;
    k++;
  }
  const f = m - 1;
  const s = f / (2 + f);
  const square = s * s;
  // 1/3 + q/5 + ... + q^9/21: the series of the inverse hyperbolic tangent, whose square q is below 0.03.
  const fourth = square * square;
  const first = 1 / 3 + square * (1 / 5) + fourth * (1 / 7 + square * (1 / 9));
  const second = 1 / 11 + square * (1 / 13) + fourth * (1 / 15 + square * (1 / 17));
  const sum = first + fourth * fourth * (second + fourth * fourth * (1 / 19 + square * (1 / 21)));
  // 2 atanh(s) = 2 s + s^3 (...) = f - s f + ..., of which f is exact.
  return k * LN2_HIGH + (f - (s * (f - 2 * square * sum) - k * LN2_LOW));
}

/** The logarithm to base 10. */
export function log10(x: number): number {
  return log(x) * Math.LOG10E;
}

/** x^2. */
export function square(x: number): number {
  return x * x;
}

/**
 * base^exponent for a positive base: by products for the nearest integer, so that whole powers lose nothing but what
 * their products do, and by exp and log for the rest.
 */
export function power(base: number, exponent: number): number {
  const whole = Math.round(exponent);
  if (Math.abs(whole) > 64) return exp(exponent * log(base));
  const rest = exponent - whole;
  let product = 1;
  for (let k = Math.abs(whole); k > 0; k--) product *= base;
  if (whole < 0) product = 1 / product;
  return rest === 0 ? product : product * exp(rest * log(base));
}
