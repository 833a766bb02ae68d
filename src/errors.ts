/** What went wrong, for programs. The message says it for people. */
export type ErrorCode =
  /** An argument has the wrong type. */
  | 'INVALID_TYPE'
  /** An argument has the right type and a value that cannot be used. */
  | 'INVALID_VALUE'
  /** An option that does not exist. */
  | 'UNKNOWN_OPTION'
  /** Lengths or shapes do not fit together. */
  | 'SHAPE_MISMATCH'
  /** A preconditioner needs a diagonal entry that is missing or zero; a matrix to be factored is singular. */
  | 'ZERO_PIVOT'
  /** Used after `dispose`. */
  | 'DISPOSED'
  /** Used by another solve that has not ended. */
  | 'BUSY'
  /** The engine's memory limit, or the runtime's, is reached. */
  | 'OUT_OF_MEMORY'
  /** The runtime lacks something: WebAssembly, SIMD, a library that is an optional peer. */
  | 'UNSUPPORTED'
  /** A worker ended before its work was done, again and again. */
  | 'WORKER_FAILED'
  /** A file or buffer is not what its format says. */
  | 'BAD_FORMAT'
  /** A file cannot be read or written. */
  | 'IO'
  /** The output exists already. */
  | 'EXISTS'
  /** Wrong use of the command line. */
  | 'USAGE';

import { hasMark } from './marks.ts';

const MARK = Symbol.for('seedspan.SeedspanError');

/**
 * The one error class of the package. `details` holds the names and values that the message mentions. `instanceof`
 * knows errors of another copy of the package, too.
 */
export class SeedspanError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'SeedspanError';
    this.code = code;
    this.details = details;
  }

  /** @internal */
  get [MARK](): true {
    return true;
  }

  /** Also for errors of another copy of the package. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return hasMark(value, MARK);
  }
}

const LONGEST_SHOWN = 60;

/** The beginning of a text that is too long for a message. */
export const clip = (text: string): string =>
  text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN - 3)}...` : text;

/** The same error, with the place in front of its message: `train.tar: the header at byte 512 is damaged`. */
export function withPlace(
  error: SeedspanError,
  place: string,
  details: Record<string, unknown>,
): SeedspanError {
  const { code, message } = error;
  return new SeedspanError(code, `${place}: ${message}`, { ...error.details, ...details }, { cause: error });
}

/** Shows a value in a message: short, and never a page of array. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(clip(value));
  if (typeof value === 'function') return clip(`function ${nameOf(value) ?? ''}`.trim());
  if (value === null || typeof value !== 'object') return clip(String(value));
  const name = clip(nameOf(value.constructor) ?? 'object');
  if (ArrayBuffer.isView(value) || Array.isArray(value)) {
    const { length } = value as unknown as { length: number };
    return `${name}(${length})`;
  }
  return name;
}

const MOST_SHOWN = 8;

/** Shows a list in a message, its first values, without brackets. */
export function showList(values: ArrayLike<unknown>): string {
  const shown = Array.from({ length: Math.min(values.length, MOST_SHOWN) }, (_, k) => show(values[k]));
  return [...shown, ...(values.length > MOST_SHOWN ? [`... ${values.length} in all`] : [])].join(', ');
}

/** The name of a class or function, which may be anything where an object was made by hand. */
function nameOf(value: unknown): string | undefined {
  const name: unknown = (value as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** Refuses option names that `known` does not list. */
export function checkOptionNames(where: string, options: object | undefined, known: readonly string[]): void {
  if (options === undefined) return;
  if (options === null || typeof options !== 'object') {
    throw new SeedspanError('INVALID_TYPE', `${where}: options must be an object, not ${show(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new SeedspanError(
      'UNKNOWN_OPTION',
      `${where}: unknown option ${show(name)}; known: ${known.join(', ')}`,
      {
        option: name,
        known,
      },
    );
  }
}
