import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** What a command needs from the world, so that tests can give it another. */
export interface Context {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  /** Aborted when the user interrupts. */
  signal: AbortSignal;
  /** Set by a command that ran to its end without reaching its aim. */
  exitCode: number;
}

export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** The version of this package. It refers to itself by name, which holds for sources and build alike. */
export function ownVersion(): string {
  const path = createRequire(import.meta.url).resolve('seedspan/package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

/** Writes one JSON document. Typed arrays become lists; numbers that JSON lacks become their names. */
export function toJson(value: unknown): string {
  const plain = (_: string, item: unknown) => {
    if (ArrayBuffer.isView(item)) return Array.from(item as unknown as ArrayLike<number>);
    return typeof item === 'number' && !Number.isFinite(item) ? String(item) : item;
  };
  return `${JSON.stringify(value, plain, 2)}\n`;
}

/** Colours text for a terminal that wants it (https://no-color.org). */
export function paint(stream: NodeJS.WriteStream, colour: 'red' | 'green' | 'bold', text: string): string {
  if (stream.isTTY !== true || (process.env.NO_COLOR ?? '') !== '') return text;
  const [on, off] = { red: [31, 39], green: [32, 39], bold: [1, 22] }[colour];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** Columns of text, the first to the left, the others to the right. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, k) => Math.max(...all.map((row) => row[k].length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, k) => (k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k])))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}
