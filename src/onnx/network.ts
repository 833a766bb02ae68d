import type { InferenceSession } from 'onnxruntime-web';
import { SeedspanError, show } from '../errors.ts';

/** An input or output as the file declares it. */
export interface OnnxValue {
  readonly name: string;
  /** `float32`, `int64`, ... */
  readonly type: string;
  /** Lengths; text where the caller chooses the length. */
  readonly shape: readonly (number | string)[];
}

/** A fixed input beside sample and time: a number for all of it, or the numbers with their shape. */
export type OnnxConstant = number | { data: ArrayLike<number>; shape: readonly number[] };

/** What a run of the session takes. */
export interface Feed {
  type: 'float32' | 'float64' | 'int32' | 'int64' | 'bool';
  data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;
  dims: number[];
}

const ARRAYS: Record<Feed['type'], (numbers: ArrayLike<number>) => Feed['data']> = {
  float32: (numbers) => Float32Array.from(numbers),
  float64: (numbers) => Float64Array.from(numbers),
  int32: (numbers) => Int32Array.from(numbers),
  int64: (numbers) => BigInt64Array.from(numbers as number[], BigInt),
  bool: (numbers) => Uint8Array.from(numbers, (value) => Number(value !== 0)),
};

/** Numbers in an array of that shape. */
export const countOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

export const isInteger = ({ type }: OnnxValue) => type === 'int32' || type === 'int64';

/** The tensors that a session declares. A length that has no name in the file gets the name `?`. */
export function declared(values: readonly InferenceSession.ValueMetadata[]): OnnxValue[] {
  // A length without a name arrives as -1 in 32 bits without a sign.
  const nameOf = (n: number | string) => (typeof n === 'string' && n !== '' ? n : '?');
  const length = (n: number | string) => (typeof n === 'number' && n < 2 ** 31 ? n : nameOf(n));
  return values.map((value) =>
    value.isTensor
      ? { name: value.name, type: value.type, shape: value.shape.map(length) }
      : { name: value.name, type: 'not a tensor', shape: [] },
  );
}

/** The value of that name. */
export function find(
  where: string,
  kind: 'input' | 'further input' | 'output',
  values: readonly OnnxValue[],
  name: string,
): OnnxValue {
  const found = values.find((value) => value.name === name);
  if (found !== undefined) return found;
  const known = values.map(describe).join(', ') || 'none';
  throw new SeedspanError(
    'INVALID_VALUE',
    `${where}: the network has no ${kind} ${show(name)}; it has: ${known}`,
    {
      name,
      known: values.map((value) => value.name),
    },
  );
}

/** `x float32 [n, 3, 32, 32]`. */
export function describe({ name, type, shape }: OnnxValue): string {
  return `${name} ${type} [${shape.join(', ')}]`;
}

/**
 * Checks sample input and output against the shape of a sample.
 *
 * @returns how many samples a run must have, where the file fixes it
 */
export function checkSampleShapes(
  where: string,
  x: OnnxValue,
  y: OnnxValue,
  shape: readonly number[],
): number | undefined {
  for (const value of [x, y]) {
    if (value.type === 'float32' || value.type === 'float64') continue;
    const what = `${describe(value)} must be float32 or float64; export the network so`;
    throw new SeedspanError('INVALID_TYPE', `${where}: ${what}`, { name: value.name });
  }
  const [batch, ...rest] = x.shape;
  const inputFits =
    rest.length === shape.length && rest.every((n, k) => typeof n === 'string' || n === shape[k]);
  const size = countOf(shape);
  const own = y.shape.slice(1);
  const outputFits = own.some((n) => typeof n === 'string') || countOf(own.map(Number)) === size;
  for (const [value, isRight] of [
    [x, inputFits],
    [y, outputFits],
  ] as const) {
    // No axis at all means that the file does not say.
    if (value.shape.length === 0 || isRight) continue;
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${where}: ${describe(value)} does not take or give samples of shape [${shape.join(', ')}], the first axis being the samples'`,
      { name: value.name, declared: value.shape, shape },
    );
  }
  return typeof batch === 'number' ? batch : undefined;
}

/** The samples of one run, padded with zeros up to `rows`. */
export function sampleFeed(
  x: OnnxValue,
  samples: Float64Array,
  rows: number,
  shape: readonly number[],
): Feed {
  const size = countOf(shape);
  const data = x.type === 'float64' ? new Float64Array(rows * size) : new Float32Array(rows * size);
  data.set(samples);
  return { type: x.type as 'float32' | 'float64', data, dims: [rows, ...shape] };
}

/** Checks that a value can be given as a number, or as one a sample. */
export function checkTimeInput(where: string, t: OnnxValue, batch: number | undefined): void {
  if (!(t.type in ARRAYS) || t.type === 'bool') {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${where}: ${describe(t)} must be float32, float64, int32 or int64`,
    );
  }
  const fits = t.shape.every((n, k) => typeof n === 'string' || n === 1 || (k === 0 && n === batch));
  if (fits) return;
  throw new SeedspanError(
    'SHAPE_MISMATCH',
    `${where}: the time ${describe(t)} must be one number, or one a sample`,
    { name: t.name, declared: t.shape },
  );
}

/** One number, as often as the input has entries. */
export function numberFeed(where: string, value: OnnxValue, number: number, rows: number): Feed {
  const dims = value.shape.map((n, k) => (typeof n === 'number' ? n : k === 0 ? rows : 1));
  return feed(where, value, Array<number>(countOf(dims)).fill(number), dims);
}

/** A constant input for `rows` samples: repeated where the first axis is the samples', else as it is. */
export function constantFeed(where: string, value: OnnxValue, constant: OnnxConstant, rows: number): Feed {
  const isOfSample = typeof value.shape[0] === 'string';
  const axes = value.shape.slice(isOfSample ? 1 : 0);
  if (typeof constant === 'number') {
    if (axes.every((n) => typeof n === 'number')) return numberFeed(where, value, constant, rows);
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${where}: ${describe(value)} has a free length; give its numbers as {data, shape}`,
      { name: value.name },
    );
  }
  const { data, shape } = constant ?? {};
  if (typeof data?.length !== 'number' || !Array.isArray(shape)) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${where}: ${describe(value)} needs a number or {data, shape}, not ${show(constant)}`,
    );
  }
  const fits = shape.length === axes.length && axes.every((n, k) => typeof n === 'string' || n === shape[k]);
  const size = countOf(shape);
  if (!fits || data.length !== size) {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `${where}: ${describe(value)} needs numbers of shape [${axes.join(', ')}]${isOfSample ? ', of one sample' : ''}, not ${data.length} numbers of shape [${shape.join(', ')}]`,
      { name: value.name, declared: value.shape, shape },
    );
  }
  if (!isOfSample) return feed(where, value, data, [...shape]);
  const repeated = Array.from({ length: rows * size }, (_, k) => data[k % size]);
  return feed(where, value, repeated, [rows, ...shape]);
}

function feed(where: string, value: OnnxValue, numbers: ArrayLike<number>, dims: number[]): Feed {
  const type = value.type as Feed['type'];
  if (!(type in ARRAYS)) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${where}: ${describe(value)} has a type that cannot be given here`,
    );
  }
  for (let k = 0; k < numbers.length; k++) {
    if (isInteger(value) ? Number.isSafeInteger(numbers[k]) : Number.isFinite(numbers[k])) continue;
    const need = isInteger(value) ? 'an integer' : 'a finite number';
    throw new SeedspanError(
      'INVALID_VALUE',
      `${where}: ${describe(value)} needs ${need}, not ${show(numbers[k])}`,
    );
  }
  return { type, data: ARRAYS[type](numbers), dims };
}
