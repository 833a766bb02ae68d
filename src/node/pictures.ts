import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { NdArray } from '../diffusion/types.ts';
import { SeedspanError } from '../errors.ts';
import { readNpy } from '../formats/index.ts';
import { ioError, readBytes, readParsed } from './files.ts';
import {
  checkPictureOptions,
  decodePicture,
  normaliseMinMax,
  type Picture,
  type PictureOptions,
  type Wanted,
} from './picture.ts';
import { checkPictureArray, unitValues, wrongType } from './picture-array.ts';

/** Files that are taken as pictures in a folder. A file named outright may have any extension. */
export const PICTURE_EXTENSIONS: readonly string[] = [
  '.avif',
  '.gif',
  '.jpeg',
  '.jpg',
  '.png',
  '.tif',
  '.tiff',
  '.webp',
];

export interface Pictures extends NdArray<Float32Array> {
  /** A short name for each picture, no two alike. */
  names: string[];
}

/** Pictures stored as an array `(n, C, H, W)`. */
async function readPictureArray(path: string, wanted: Wanted): Promise<Picture[]> {
  const array = await readParsed(path, (bytes) => readNpy(bytes));
  const [count, channels, height, width] = checkPictureArray(path, array.shape, wanted);
  if (array.dtype === 'i4') throw wrongType(path);
  const values = unitValues(path, array.data);
  const length = channels * height * width;
  return Array.from({ length: count }, (_, n) => {
    const source = `${path}[${n}]`;
    const data = values.slice(n * length, (n + 1) * length);
    if (wanted.normalise === 'min-max') normaliseMinMax(data, source);
    return { data, shape: [channels, height, width], source };
  });
}

/** Picture files of a folder, by name; hidden files and sub-folders are not looked at. */
async function listFolder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw ioError('read the folder', folder, error);
  });
  const names = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .filter((name) => PICTURE_EXTENSIONS.includes(extname(name).toLowerCase()))
    .sort();
  if (names.length === 0) {
    throw new SeedspanError(
      'IO',
      `the folder ${folder} has no pictures; files looked for: ${PICTURE_EXTENSIONS.map((e) => `*${e}`).join(', ')}`,
      { path: folder },
    );
  }
  return names.map((name) => join(folder, name));
}

async function readPath(path: string, wanted: Wanted): Promise<Picture[]> {
  const kind = await stat(path).catch((error: unknown) => {
    throw ioError('read', path, error);
  });
  if (!kind.isDirectory() && extname(path).toLowerCase() === '.npy') return readPictureArray(path, wanted);
  const files = kind.isDirectory() ? await listFolder(path) : [path];
  const pictures: Picture[] = [];
  for (const file of files) pictures.push(await decodePicture(await readBytes(file), file, wanted));
  return pictures;
}

/** The file's name without extension, or where several have the same, what tells them apart. */
function shortNames(pictures: readonly Picture[]): string[] {
  const paths = pictures.map(({ source }) => {
    const file = source.replace(/\[\d+\]$/, '');
    return file.slice(0, file.length - extname(file).length).split(/[/\\]/);
  });
  const names = paths.map((path) => path[path.length - 1]);
  const groups = new Map<string, number[]>();
  names.forEach((name, k) => {
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [k]);
    else group.push(k);
  });
  const taken = new Set(names);
  for (const [name, group] of groups) {
    if (group.length === 1) continue;
    // The nearest folder that tells them apart (cat/image.jpg, boats/image.jpg), else numbers.
    const depth = group.reduce((least, k) => Math.min(least, paths[k].length), Infinity);
    const telling = Array.from({ length: depth - 1 }, (_, up) =>
      group.map((k) => paths[k].at(-2 - up) ?? ''),
    ).find(
      (parts) =>
        new Set(parts).size === group.length && parts.every((part) => part !== '' && !taken.has(part)),
    );
    let number = 1;
    group.forEach((k, n) => {
      while (taken.has(`${name}-${number}`)) number++;
      names[k] = telling?.[n] ?? `${name}-${number}`;
      taken.add(names[k]);
    });
  }
  return names;
}

/**
 * Reads pictures into one array: files, folders (their pictures sorted by name; hidden files left out), and `.npy`
 * arrays of shape (n, C, H, W) of type f4 or f8 with values in [0, 1], or u1, which is divided by 255. Arrays are
 * not resized.
 *
 * @returns `data` and `shape: [n, C, H, W]`, in the order given, and a name for each picture.
 * @throws SeedspanError as {@link readPicture} does; `SHAPE_MISMATCH` where the pictures differ in shape; `IO` for
 *   a folder without pictures.
 */
export async function readPictures(
  paths: readonly string[],
  options: PictureOptions = {},
): Promise<Pictures> {
  const wanted = checkPictureOptions('readPictures', options);
  if (!Array.isArray(paths) || paths.length === 0) {
    throw new SeedspanError('INVALID_VALUE', 'readPictures: give at least one path');
  }
  let pictures: Picture[] = [];
  for (const path of paths as readonly string[]) pictures = pictures.concat(await readPath(path, wanted));
  const { shape } = pictures[0];
  const odd = pictures.find((picture) => picture.shape.some((n, axis) => n !== shape[axis]));
  if (odd !== undefined) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `all pictures of a run must have one shape: ${pictures[0].source} has (${shape.join(', ')}), ${odd.source} has (${odd.shape.join(', ')}); give a size`,
      { first: pictures[0].source, other: odd.source },
    );
  }
  const length = pictures[0].data.length;
  const data = new Float32Array(pictures.length * length);
  pictures.forEach((picture, n) => {
    data.set(picture.data, n * length);
  });
  return { data, shape: [pictures.length, ...shape], names: shortNames(pictures) };
}
