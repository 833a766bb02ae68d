import fc from 'fast-check';
import { fromTriplets } from '../twins/csr.ts';

/** Square, with whatever rows: empty, full, without a diagonal entry. */
export const patterns = fc
  .integer({ min: 1, max: 60 })
  .chain((n) =>
    fc.tuple(
      fc.constant(n),
      fc.uniqueArray(fc.tuple(fc.nat(n - 1), fc.nat(n - 1)), {
        maxLength: 200,
        selector: ([i, j]) => i * n + j,
      }),
    ),
  )
  .map(([n, places]) =>
    fromTriplets(
      [n, n],
      places.map(([i, j], k) => [i, j, k + 1]),
    ),
  );
