import { afterEach, expect, test, vi } from 'vitest';
import { paint, textTable, toJson } from '../../src/cli/context.ts';
import { progressBar } from '../../src/cli/progress.ts';

const terminal = { isTTY: true } as NodeJS.WriteStream;
const file = { isTTY: false } as NodeJS.WriteStream;

afterEach(() => {
  vi.unstubAllEnvs();
});

test('colour on a terminal alone, and not where NO_COLOR is set', () => {
  vi.stubEnv('NO_COLOR', '');
  expect(paint(terminal, 'red', 'x')).toBe('\u001b[31mx\u001b[39m');
  expect(paint(file, 'red', 'x')).toBe('x');
  vi.stubEnv('NO_COLOR', '1');
  expect(paint(terminal, 'red', 'x')).toBe('x');
});

test('no progress bar where standard error is no terminal', () => {
  const write = vi.fn();
  const stderr = { isTTY: false, write } as unknown as NodeJS.WriteStream;
  const bar = progressBar({ stdout: file, stderr, signal: new AbortController().signal, exitCode: 0 });
  bar.update('systems', 1, 2);
  bar.stop();
  expect(write).not.toHaveBeenCalled();
});

test('JSON: typed arrays as lists, numbers that JSON lacks by name', () => {
  const value = { x: Float64Array.of(1, Number.NaN), y: Infinity, z: [0.1] };
  expect(JSON.parse(toJson(value))).toEqual({ x: [1, 'NaN'], y: 'Infinity', z: [0.1] });
});

test('columns: the first to the left, the others to the right', () => {
  expect(
    textTable(
      ['way', 'time'],
      [
        ['cold', '1 ms'],
        ['projection', '10 ms'],
      ],
    ),
  ).toBe(['way          time', '----------  -----', 'cold         1 ms', 'projection  10 ms'].join('\n'));
});
