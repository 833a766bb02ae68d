import { cpus } from 'node:os';
import { Command } from 'commander';
import { createEngine } from '../index.ts';
import { BUILDS } from '../wasm/builds.ts';
import { supportsBuild } from '../wasm/features.ts';
import { type Context, ownVersion, toJson } from './context.ts';

/** What the machine and runtime are, for `info` and `run.json`. */
export async function describeMachine() {
  const engine = await createEngine();
  try {
    const [cpu] = cpus();
    return {
      seedspan: ownVersion(),
      kernel: engine.build,
      kernelsSupported: BUILDS.filter(supportsBuild),
      simd: supportsBuild('simd'),
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
      cpu: cpu?.model.trim() ?? 'unknown',
      cores: cpus().length,
    };
  } finally {
    engine.dispose();
  }
}

export function infoCommand(context: Context): Command {
  return new Command('info')
    .description('Show versions, the kernel build in use and what the runtime supports.')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  seedspan info\n  seedspan info --json')
    .action(async (options: { json?: true }) => {
      const machine = await describeMachine();
      if (options.json) {
        context.stdout.write(toJson(machine));
        return;
      }
      context.stdout.write(
        `${[
          `seedspan  ${machine.seedspan}`,
          `kernel    ${machine.kernel} (this runtime can run: ${machine.kernelsSupported.join(', ')})`,
          `SIMD      ${machine.simd ? 'yes' : 'no'}`,
          `Node      ${machine.node}, ${machine.platform}`,
          `CPU       ${machine.cpu}, ${machine.cores} cores`,
        ].join('\n')}\n`,
      );
    });
}
