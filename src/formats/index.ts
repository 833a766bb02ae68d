export {
  type CifarKind,
  type CifarRecord,
  cifarLayout,
  cifarRecordBytes,
  parseCifarRecord,
} from './cifar.ts';
export { type IdxDtype, type IdxHeader, MAX_IDX_HEADER, parseIdxHeader } from './idx.ts';
export {
  type MatrixMarketArray,
  type MatrixMarketCoordinate,
  type MatrixMarketSymmetry,
  type ReadMatrixMarketOptions,
  readMatrixMarket,
} from './matrix-market-read.ts';
export { type DenseMatrix, type WriteMatrixMarketOptions, writeMatrixMarket } from './matrix-market-write.ts';
export {
  MAX_NPY_HEADER,
  type NpyArray,
  type NpyLayout,
  parseNpyLayout,
  type ReadNpyOptions,
  readNpy,
  type WriteNpyInput,
  writeNpy,
} from './npy.ts';
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
export {
  type ReadAt,
  type ReadTarOptions,
  readTarEntries,
  type TarEntry,
  type TarEntryType,
  tarLabel,
} from './tar.ts';
export { parsePaxRecords, parseTarHeader, type TarHeader } from './tar-header.ts';
