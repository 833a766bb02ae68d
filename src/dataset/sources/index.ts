export { catalogue } from './catalogue.ts';
export { type Catalogue, type CatalogueSummary, openCatalogue, writeCatalogue } from './catalogue-file.ts';
export { type ImageReader, openImageReader } from './read-image.ts';
export type {
  CatalogueEntry,
  CatalogueItem,
  CatalogueOptions,
  ImageShape,
  SourceImage,
  SourceKind,
  StoredDtype,
} from './types.ts';
