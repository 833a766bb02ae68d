import { describe, expect, it } from 'vitest';
import { BINS, FLOOR, plainPairDensity, smoothingMatrix } from '../../src/diffusion/density-pairs.ts';
import { random, randomVector } from '../twins/random.ts';
import { BUILDS, expectSame, useRoom } from './harness.ts';

describe.each(BUILDS)('the density of pixel pairs, %s', (build) => {
  const room = useRoom(build);

  it.each([1, 2, 7, 64, 300])('%i pairs: as in plain JavaScript', (n) => {
    const next = random(n);
    const x = Float64Array.from({ length: n }, () => next());
    const y = Float64Array.from({ length: n }, () => next());
    // The ends of the range, and the middle of a bin's edge.
    x[0] = 1;
    y[0] = 0;
    if (n > 1) [x[1], y[1]] = [0.5, 1];
    const K = room.vector(smoothingMatrix(n));
    const wanted = Math.ceil(0.6 * n);
    const [once, density] = [room.vector(BINS * BINS), room.vector(wanted)];
    const weight = (BINS * BINS) / n;
    room.k.pairDensity(n, wanted, BINS, weight, FLOOR, K, once, room.vector(x), room.vector(y), density);
    const expected = plainPairDensity(x, y, wanted);
    const found = room.read(density, wanted);
    for (let k = 0; k < wanted; k++) expect(Math.abs(found[k] / expected[k] - 1)).toBeLessThan(1e-12);
  });

  it.each([0, 1, 2, 5, 16, 33])('transposes %i x %i', (size) => {
    const A = randomVector(size * size, random(size + 1));
    const place = room.vector(A);
    room.k.transpose(size, place);
    const wanted = A.map((_, k) => A[(k % size) * size + Math.floor(k / size)]);
    expectSame(room.read(place, size * size), wanted, 'transposed');
  });
});
