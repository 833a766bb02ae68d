export { COLORMAPS, type ColormapName, colourAt, NON_FINITE_COLOUR, type Rgb } from '../colormap.ts';
export { type Field, type FieldImageOptions, fieldToPng, pictureToPng } from './field-image.ts';
export {
  checkOutputFile,
  type OutputFolder,
  type OutputFolderOptions,
  type OutputOptions,
  openOutput,
  writeFileWhole,
} from './output.ts';
export { type Picture, type PictureOptions, readPicture } from './picture.ts';
export { PICTURE_EXTENSIONS, type Pictures, readPictures } from './pictures.ts';
export { type ReportInput, report, type WayCost } from './report.ts';
export { type Dots, StippleAnimation, type StippleOptions, stippleToPng, stippleToSvg } from './stipple.ts';
