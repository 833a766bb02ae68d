import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { readLimit, viewBytes } from './input.ts';

/**
 * A number as most programs write it; `Number` alone would take '', '0x10' and 'Infinity' too. There is one way to match
 * any text: with several, a long one takes the square of its length.
 */
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const SEPARATORS = [',', ';', '\t', ' '];

function fail(message: string, details: Record<string, unknown> = {}): never {
  throw new SeedspanError('BAD_FORMAT', `readPointsCsv: ${message}`, details);
}

/**
 * Reads points of the plane from text: two numbers a line, apart by a comma, a semicolon, a tab or spaces (the first
 * of these that line 1 has). A first line of two names is a header; empty lines at the end are left out. Nothing else
 * is passed over: a line with text, a hole, one number or three is an error that names the line.
 *
 * @returns `[count, 2]`
 * @throws SeedspanError `BAD_FORMAT`, `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`
 */
export function readPointsCsv(
  input: Uint8Array | ArrayBuffer,
  options: { maxPoints?: number } = {},
): { data: Float64Array; shape: [number, number] } {
  checkOptionNames('readPointsCsv', options, ['maxPoints']);
  const maxPoints = readLimit('readPointsCsv', 'maxPoints', options.maxPoints, 1e8);
  const lines = decode(viewBytes('readPointsCsv', input)).split(/\r\n|\n|\r/);
  while (lines.length > 0 && lines[lines.length - 1].trim() === '') lines.pop();
  if (lines.length === 0) fail('the file is empty');
  const separator = SEPARATORS.find((mark) => lines[0].trim().includes(mark)) ?? ',';
  const first = isHeader(cellsOf(lines[0], separator)) ? 1 : 0;
  const count = lines.length - first;
  if (count === 0) fail('there is a header, and no points');
  if (count > maxPoints)
    fail(`${count} points are over the limit of ${maxPoints} (maxPoints)`, { count, maxPoints });
  const data = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) {
    const line = k + first + 1;
    const cells = cellsOf(lines[k + first], separator);
    if (cells.length !== 2) {
      fail(`line ${line} has ${cells.length} ${cells.length === 1 ? 'entry' : 'entries'}, must have 2`, {
        line,
      });
    }
    for (const [axis, cell] of cells.entries()) {
      const value = NUMBER.test(cell) ? Number(cell) : Number.NaN;
      if (!Number.isFinite(value)) {
        const what = cell === '' ? 'is empty' : `is ${show(cell)}, no finite number`;
        fail(`line ${line}, entry ${axis + 1} ${what}`, { line, entry: axis + 1 });
      }
      data[2 * k + axis] = value;
    }
  }
  return { data, shape: [count, 2] };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SeedspanError('BAD_FORMAT', 'readPointsCsv: this is no text (UTF-8)', {}, { cause });
  }
}

function cellsOf(line: string, separator: string): string[] {
  const cells = separator === ' ' ? line.trim().split(/ +/) : line.split(separator);
  return cells.map((cell) => cell.trim());
}

/** Two names; a line with a number or a hole is data, right or wrong. */
function isHeader(cells: readonly string[]): boolean {
  return (
    cells.length === 2 &&
    cells.every(
      (cell) => /[A-Za-z_]/.test(cell) && !NUMBER.test(cell) && !/^[+-]?(nan|inf(inity)?)$/i.test(cell),
    )
  );
}
