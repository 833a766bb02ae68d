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
export {
  type ReadSafetensorsOptions,
  readSafetensors,
  type Safetensors,
  type SafetensorsTensor,
  type WriteSafetensorsTensor,
  writeSafetensors,
} from './safetensors.ts';
export type { SafetensorsDtype, SafetensorsValues } from './safetensors-values.ts';
