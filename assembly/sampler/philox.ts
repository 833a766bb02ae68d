// Random numbers by counter, so that the draws of a point depend on seed, point and step alone: Philox4x32-10
// (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011).

const M0: u64 = 0xd2511f53;
const M1: u64 = 0xcd9e8d57;
const W0: u32 = 0x9e3779b9;
const W1: u32 = 0xbb67ae85;
const ROUNDS: i32 = 10;

/** out[0..3], u32 <- the random words of a counter under a key. */
export function philox(c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32, out: usize): void {
  for (let round = 0; round < ROUNDS; round++) {
    const a = M0 * <u64>c0;
    const b = M1 * <u64>c2;
    c0 = <u32>(b >> 32) ^ c1 ^ k0;
    c1 = <u32>b;
    c2 = <u32>(a >> 32) ^ c3 ^ k1;
    c3 = <u32>a;
    k0 += W0;
    k1 += W1;
  }
  store<u32>(out, c0);
  store<u32>(out, c1, 4);
  store<u32>(out, c2, 8);
  store<u32>(out, c3, 12);
}

/** A number of [0, 1) with 53 random bits, from two words. */
// @ts-ignore: decorator
@inline
export function uniform(words: usize): f64 {
  return (<f64>(load<u32>(words) >>> 5) * 67108864 + <f64>(load<u32>(words, 4) >>> 6)) / 9007199254740992;
}

/** normals[0], normals[1] <- two standard normal numbers from the four words, by Box and Muller's formula. */
export function normalPair(words: usize, normals: usize): void {
  // 1 - u lies in (0, 1]: the logarithm is finite.
  const radius = sqrt(-2 * logarithm(1 - uniform(words)));
  const turn = uniform(words + 8);
  // An eighth of a turn on both sides of the nearest quarter.
  const quarter = floor(4 * turn + 0.5);
  const angle = 6.283185307179586 * (turn - 0.25 * quarter);
  const square = angle * angle;
  const s = angle * sine(square);
  const c = cosine(square);
  const turned = (<i32>quarter & 1) != 0;
  const x = turned ? -s : c;
  const y = turned ? c : s;
  const sign: f64 = (<i32>quarter & 2) != 0 ? -radius : radius;
  store<f64>(normals, sign * x);
  store<f64>(normals, sign * y, 8);
}

/** sin(x) / x for |x| <= pi / 4, of x^2: Taylor's series, whose rest is below the rounding. */
// @ts-ignore: decorator
@inline
function sine(z: f64): f64 {
  let sum: f64 = 1 / 355687428096000;
  sum = sum * z - 1 / 1307674368000;
  sum = sum * z + 1 / 6227020800;
  sum = sum * z - 1 / 39916800;
  sum = sum * z + 1 / 362880;
  sum = sum * z - 1 / 5040;
  sum = sum * z + 1 / 120;
  sum = sum * z - 1 / 6;
  return sum * z + 1;
}

/** cos(x) for |x| <= pi / 4, of x^2. */
// @ts-ignore: decorator
@inline
function cosine(z: f64): f64 {
  let sum: f64 = 1 / 20922789888000;
  sum = sum * z - 1 / 87178291200;
  sum = sum * z + 1 / 479001600;
  sum = sum * z - 1 / 3628800;
  sum = sum * z + 1 / 40320;
  sum = sum * z - 1 / 720;
  sum = sum * z + 1 / 24;
  sum = sum * z - 1 / 2;
  return sum * z + 1;
}

/** log(x), x positive and normal: with x = 2^e m, m about 1 and s = (m - 1) / (m + 1), it is e log 2 + 2 artanh s. */
function logarithm(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  let exponent = <i32>(bits >> 52) - 1023;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent++;
  }
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let sum: f64 = 1.0 / 23;
  sum = sum * z + 1.0 / 21;
  sum = sum * z + 1.0 / 19;
  sum = sum * z + 1.0 / 17;
  sum = sum * z + 1.0 / 15;
  sum = sum * z + 1.0 / 13;
  sum = sum * z + 1.0 / 11;
  sum = sum * z + 1.0 / 9;
  sum = sum * z + 1.0 / 7;
  sum = sum * z + 1.0 / 5;
  sum = sum * z + 1.0 / 3;
  sum = sum * z + 1;
  return <f64>exponent * 0.6931471805599453 + 2 * s * sum;
}
