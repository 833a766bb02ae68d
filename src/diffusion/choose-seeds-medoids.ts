/** Which rows of a distance matrix stand for all others best. */
export interface Medoids {
  medoids: number[];
  /** The medoid of each row: its place in `medoids`. */
  nearest: Int32Array;
  /** Sum of the distances to the nearest medoid. */
  deviation: number;
}

/** Beside the nearest medoid of each row, the second nearest: what a row falls back to when it loses the first. */
interface Neighbours {
  first: Int32Array;
  firstDistance: Float64Array;
  secondDistance: Float64Array;
}

/** A swap that wins less of the deviation is rounding. */
const LEAST_GAIN = 1e-12;

/**
 * k-medoids by PAM: a greedy start (BUILD; Kaufman and Rousseeuw, Finding Groups in Data, 1990), then swaps of a
 * medoid with another row until none lowers the sum of the distances to the nearest medoid. A row's swap with the
 * best of all medoids is found in one pass over the rows, and made at once (FasterPAM: Schubert and Rousseeuw, Fast
 * and eager k-medoids clustering, Information Systems 101, 2021). O(n^2) a round. Of equal rows the first is taken.
 *
 * @param distances symmetric, n x n, row-major
 * @param k from 1 to n
 */
export function kMedoids(distances: Float64Array, n: number, k: number): Medoids {
  const medoids = greedyStart(distances, n, k);
  const taken = new Set(medoids);
  let neighbours = nearestTwo(distances, n, medoids);
  let deviation = sum(neighbours.firstDistance);
  const least = LEAST_GAIN * deviation;
  for (let row = 0, since = 0; since < n; row = (row + 1) % n, since++) {
    if (taken.has(row)) continue;
    const { gain, place } = bestSwap(distances, n, k, row, neighbours);
    if (!(gain > least)) continue;
    taken.delete(medoids[place]);
    taken.add(row);
    medoids[place] = row;
    neighbours = nearestTwo(distances, n, medoids);
    deviation = sum(neighbours.firstDistance);
    since = 0;
  }
  return { medoids, nearest: neighbours.first, deviation };
}

/** Row after row, the one that lowers the deviation most. */
function greedyStart(distances: Float64Array, n: number, k: number): number[] {
  const medoids: number[] = [];
  const best = new Float64Array(n).fill(Infinity);
  while (medoids.length < k) {
    let [chosen, least] = [-1, Infinity];
    for (let row = 0; row < n; row++) {
      if (medoids.includes(row)) continue;
      let deviation = 0;
      for (let i = 0; i < n; i++) deviation += Math.min(best[i], distances[row * n + i]);
      if (deviation < least) [chosen, least] = [row, deviation];
    }
    medoids.push(chosen);
    for (let i = 0; i < n; i++) best[i] = Math.min(best[i], distances[chosen * n + i]);
  }
  return medoids;
}

/** What putting a row in the place of a medoid wins, and the place where that is most. */
function bestSwap(
  distances: Float64Array,
  n: number,
  k: number,
  row: number,
  { first, firstDistance, secondDistance }: Neighbours,
): { gain: number; place: number } {
  // Of having the row as one more medoid, and of losing each of the others then.
  let added = 0;
  const removed = new Float64Array(k);
  for (let i = 0; i < n; i++) {
    const distance = distances[row * n + i];
    const now = firstDistance[i];
    if (distance < now) {
      added += now - distance;
      removed[first[i]] += now - Math.min(secondDistance[i], now);
    } else {
      removed[first[i]] += now - Math.min(secondDistance[i], distance);
    }
  }
  let place = 0;
  for (let j = 1; j < k; j++) if (removed[j] > removed[place]) place = j;
  return { gain: added + removed[place], place };
}

function nearestTwo(distances: Float64Array, n: number, medoids: readonly number[]): Neighbours {
  const first = new Int32Array(n);
  const firstDistance = new Float64Array(n).fill(Infinity);
  const secondDistance = new Float64Array(n).fill(Infinity);
  for (const [place, medoid] of medoids.entries()) {
    for (let i = 0; i < n; i++) {
      // A medoid is its own, also where another equals it.
      const distance = i === medoid ? -1 : distances[medoid * n + i];
      if (distance < firstDistance[i]) {
        secondDistance[i] = firstDistance[i];
        firstDistance[i] = distance;
        first[i] = place;
      } else if (distance < secondDistance[i]) {
        secondDistance[i] = distance;
      }
    }
  }
  for (const medoid of medoids) firstDistance[medoid] = 0;
  return { first, firstDistance, secondDistance };
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
