export {
  type CooInput,
  type CsrInput,
  csr,
  type DenseInput,
  fromDense,
  fromTriplets,
  type TripletInput,
} from './construct.ts';
export { CsrMatrix } from './csr.ts';
export {
  type AnisotropicOptions,
  anisotropic2d,
  type ConvectionDiffusionOptions,
  convectionDiffusion2d,
  poisson2d,
  type RandomOptions,
  randomDiagonallyDominant,
} from './problems.ts';
