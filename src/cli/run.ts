import { Command, CommanderError } from 'commander';
import { openRunner, watchStore } from '../dataset/index.ts';
import { withoutSecrets } from '../dataset/queue/index.ts';
import { SeedspanError } from '../errors.ts';
import { boardCommand } from './board.ts';
import { type Context, EXIT, ownVersion, paint } from './context.ts';
import { infoCommand } from './info.ts';
import { precomputeCommand } from './precompute.ts';
import { sampleCommand } from './sample.ts';
import { solveCommand } from './solve.ts';
import { statusCommand } from './status.ts';
import { trainCommand } from './train.ts';
import { workerCommand } from './worker.ts';

function createProgram(context: Context): Command {
  const program = new Command('seedspan')
    .description(
      'Many similar sparse linear systems, solved fast; and diffusion scores pre-computed with it.',
    )
    .version(ownVersion(), '-V, --version')
    .addCommand(precomputeCommand(context))
    .addCommand(sampleCommand(context))
    .addCommand(trainCommand(context))
    .addCommand(solveCommand(context))
    .addCommand(workerCommand(context, openRunner))
    .addCommand(statusCommand(context, watchStore))
    .addCommand(boardCommand(context))
    .addCommand(infoCommand(context))
    .addHelpText(
      'after',
      `
Examples:
  seedspan precompute photographs/ --size 64 --sde ve:5 --steps 20 --out scores
  seedspan sample field --picture cat.jpg --out stipple.png
  seedspan train cat.jpg --size 32 --minutes 2 --out cat.safetensors
  seedspan solve A.mtx b.mtx --method gmres --preconditioner ilu0 --out x.mtx
  seedspan info

Exit codes: 0 done; 1 failed, or not converged; 2 wrong usage; 130 interrupted.`,
    );
  for (const command of [
    program,
    ...program.commands,
    ...program.commands.flatMap((group) => group.commands),
  ]) {
    command
      .exitOverride()
      .showHelpAfterError('(--help shows the usage)')
      .configureOutput({
        writeOut: (text) => context.stdout.write(text),
        writeErr: (text) => context.stderr.write(withoutSecrets(text)),
      });
  }
  return program;
}

/** Runs the command line given and returns the exit code. Never throws for a mistake of the user's. */
export async function run(argv: readonly string[], context: Context): Promise<number> {
  try {
    await createProgram(context).parseAsync(argv, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const fail = (text: string) =>
      context.stderr.write(`${paint(context.stderr, 'red', 'error:')} ${withoutSecrets(text)}\n`);
    if (context.signal.aborted) {
      fail('interrupted; nothing was written');
      return EXIT.interrupted;
    }
    if (error instanceof SeedspanError) {
      fail(error.message);
      return error.code === 'USAGE' ? EXIT.usage : EXIT.failed;
    }
    // Not a user's mistake but ours: here the stack is what is needed.
    fail(`internal error, please report it\n${error instanceof Error ? error.stack : String(error)}`);
    return EXIT.failed;
  }
}
