import type { Wanted } from '../../node/picture.ts';

/** How an image is stored. */
export type SourceKind = 'picture' | 'cifar10' | 'cifar100' | 'idx' | 'npy';

/** Numbers of a `.npy` file, with the order of their bytes. */
export type StoredDtype = 'u1' | '<f4' | '>f4' | '<f8' | '>f8';

/** Channels, height, width. */
export type ImageShape = readonly [number, number, number];

/** Where one image is. */
export interface CatalogueItem {
  /** For people: `photographs/cat.jpg`, `train.tar/cat.jpg`, `data_batch_1.bin[17]`. */
  name: string;
  kind: SourceKind;
  /** The file that has it, absolute: the picture itself, or the archive or container around it. */
  path: string;
  /** Where it begins, in bytes. */
  offset: number;
  /** Its bytes; of CIFAR with the labels before the pixels. */
  length: number;
  /** As stored. Absent for a picture: that is known when it is decoded. */
  shape?: ImageShape;
  /** Of `npy`. */
  dtype?: StoredDtype;
}

/** A picture, or all the images of a container: `count` items that follow one another. */
export interface CatalogueEntry extends CatalogueItem {
  /** Without an image's number: `data_batch_1.bin`. */
  name: string;
  count: number;
}

export interface CatalogueOptions {
  /** Arrays and containers of another size or number of channels are refused. */
  wanted: Wanted;
  /** Folder where compressed inputs are unpacked; made where it is missing. Without it they are refused. */
  staging?: string;
  /** The most bytes that one compressed input may unpack to. Default: 200 times its own, at least 64 MiB. */
  maxUnpackedBytes?: number;
  signal?: AbortSignal;
}

/** An image, as computed with. */
export interface SourceImage {
  /** Values in [0, 1], planar. */
  data: Float32Array;
  shape: [number, number, number];
  /** SHA-256 of the bytes it is stored as (of CIFAR the pixels, without labels), in hexadecimal. */
  hash: string;
}
