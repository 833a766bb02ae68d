#!/usr/bin/env node
import { EXIT } from './context.ts';
import { run } from './run.ts';

const controller = new AbortController();
/** By custom 128 and the signal's number. */
let interrupted = 130;
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (controller.signal.aborted) process.exit(code); // asked twice: at once
    interrupted = code;
    controller.abort(new Error(`interrupted by ${signal}`));
  });
}
// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const { stdout, stderr } = process;
const context = { stdout, stderr, signal: controller.signal, exitCode: 0 };
const code = await run(process.argv.slice(2), context);
process.exitCode = code === EXIT.interrupted ? interrupted : code;
