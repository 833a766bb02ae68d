export {
  type MatrixMarketArray,
  type MatrixMarketCoordinate,
  type MatrixMarketSymmetry,
  type ReadMatrixMarketOptions,
  readMatrixMarket,
} from './matrix-market-read.ts';
export { type DenseMatrix, type WriteMatrixMarketOptions, writeMatrixMarket } from './matrix-market-write.ts';
export { type NpyArray, type ReadNpyOptions, readNpy, type WriteNpyInput, writeNpy } from './npy.ts';
export { readPointsCsv } from './points-csv.ts';
