export {
  type CooInput,
  type CscInput,
  type CsrInput,
  csc,
  csr,
  type DenseInput,
  fromDense,
  fromTriplets,
  type TripletInput,
} from './construct.ts';
export { CsrMatrix } from './csr.ts';
export {
  fromMathjs,
  fromMlSparseMatrix,
  type MathjsMatrix,
  type MatrixLike,
  type MlSparseMatrix,
} from './other-libraries.ts';
export {
  type AnisotropicOptions,
  anisotropic2d,
  type ConvectionDiffusionOptions,
  convectionDiffusion2d,
  poisson2d,
  type RandomOptions,
  randomDiagonallyDominant,
} from './problems.ts';
