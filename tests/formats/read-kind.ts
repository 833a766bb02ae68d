import { type MatrixMarketArray, readMatrixMarket } from '../../src/formats/index.ts';
import type { CsrMatrix } from '../../src/sparse/index.ts';

export function readSparse(input: string | Uint8Array): CsrMatrix {
  const result = readMatrixMarket(input);
  if (result.kind !== 'coordinate') throw new Error('expected a coordinate file');
  return result.matrix;
}

export function readFull(input: string | Uint8Array): MatrixMarketArray {
  const result = readMatrixMarket(input);
  if (result.kind !== 'array') throw new Error('expected an array file');
  return result;
}
