import { type Csr, diagonal, type Operator } from './csr.ts';

/**
 * z = D^-1 r, D the diagonal of A.
 *
 * @throws RangeError where a diagonal entry is missing or zero.
 */
export function jacobi(A: Csr): Operator {
  const d = diagonal(A);
  const zero = d.indexOf(0);
  if (zero >= 0) throw new RangeError(`Jacobi: zero diagonal in row ${zero}`);
  return (r) => r.map((value, i) => value / d[i]);
}
