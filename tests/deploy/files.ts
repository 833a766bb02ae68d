import { readdirSync, readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { parseAllDocuments } from 'yaml';
import type { Context } from '../../src/cli/context.ts';
import { run } from '../../src/cli/run.ts';

export const KUBERNETES = readdirSync('deploy/kubernetes').map((name) => `deploy/kubernetes/${name}`);

/** The documents of a YAML file, which must have neither errors nor warnings (keys given twice are errors). */
export function readYaml(path: string): unknown[] {
  return parseAllDocuments(readFileSync(path, 'utf8'), { strict: true, merge: true }).map((document) => {
    const problems = [...document.errors, ...document.warnings];
    if (problems.length > 0) throw new Error(`${path}: ${problems.join('; ')}`);
    return document.toJS() as unknown;
  });
}

/** What the command prints. */
export async function help(...args: string[]): Promise<string> {
  const stdout = new PassThrough();
  let text = '';
  stdout.on('data', (data) => {
    text += data;
  });
  const signal = new AbortController().signal;
  await run([...args, '--help'], { stdout, stderr: stdout, signal, exitCode: 0 } as unknown as Context);
  stdout.end();
  return text;
}

/** Flags of a command line that the command does not have. */
export async function unknownFlags([command, ...args]: readonly string[]): Promise<string[]> {
  const known = await help(command);
  if (!known.startsWith(`Usage: seedspan ${command} `)) return [command];
  const flags = args.filter((arg) => arg.startsWith('--')).map((arg) => arg.replace(/=.*/s, ''));
  return flags.filter((flag) => !new RegExp(`^ {2}(-\\w, )?${flag}[ ,\\n]`, 'm').test(known));
}
