export { type PointsDensity, type PointsDensityOptions, pictureDensity, pointsDensity } from './densities.ts';
export { type DirectionOptions, energyDistance, slicedWasserstein, totalVariation } from './measures.ts';
export { type PointField, type PointFieldOptions, precomputeField } from './point-field.ts';
export {
  drawFromField,
  FIELD_SAMPLERS,
  type FieldSampler,
  type FieldStep,
  type SampleFieldOptions,
  sampleField,
} from './sample-field.ts';
