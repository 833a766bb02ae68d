import { InvalidArgumentError } from 'commander';
import { parseSde } from '../diffusion/index.ts';

function number(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

export function positive(text: string): number {
  const value = number(text);
  if (value <= 0) throw new InvalidArgumentError('It must be over 0.');
  return value;
}

export function notNegative(text: string): number {
  const value = number(text);
  if (value < 0) throw new InvalidArgumentError('It must not be negative.');
  return value;
}

/** A parser of integers of at least `least`. */
export function integerFrom(least: number): (text: string) => number {
  return (text) => {
    const value = number(text);
    if (!Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`It must be an integer of at least ${least}.`);
    }
    return value;
  };
}

/** `auto`, `none` or how many. */
export function workers(text: string): number | 'auto' | 'none' {
  return text === 'none' ? text : autoOrCount(text);
}

/** `auto` or how many. */
export function autoOrCount(text: string): number | 'auto' {
  return text === 'auto' ? text : integerFrom(1)(text);
}

/** `0` or `0,3`: pictures, counted from 0. */
export function indices(text: string): number[] {
  return text.split(',').map(integerFrom(0));
}

/** `3,32,32`: lengths of axes. */
export function shape(text: string): number[] {
  return text.split(',').map(integerFrom(1));
}

/** `-1,1`: two numbers, the first below the second. */
export function range(text: string): [number, number] {
  const [low, high, ...more] = text.split(',').map(number);
  if (high === undefined || more.length > 0 || !(low < high)) {
    throw new InvalidArgumentError('It must be two numbers with a comma, the smaller first.');
  }
  return [low, high];
}

/** `64` or `48x64`: height and width. */
export function size(text: string): number | [number, number] {
  const sides = text.split('x').map(integerFrom(2));
  if (sides.length === 1) return sides[0];
  if (sides.length === 2) return [sides[0], sides[1]];
  throw new InvalidArgumentError('It must be one number, or height x width such as 48x64.');
}

/** `0.5` or `0.5,1`: spacing along rows and columns. */
export function spacing(text: string): number | [number, number] {
  const both = text.split(',').map(positive);
  if (both.length === 1) return both[0];
  if (both.length === 2) return [both[0], both[1]];
  throw new InvalidArgumentError('It must be one number, or two with a comma.');
}

export function sde(text: string) {
  try {
    return parseSde(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}
