import { extname } from 'node:path';
import { Command, Option } from 'commander';
import type { PresetSde } from '../diffusion/index.ts';
import type { TrainingSettings } from '../training/index.ts';
import { integerFrom, notNegative, positive, sde, size } from './arguments.ts';
import { EXIT } from './context.ts';

/** What the command line gives; absent: the library's default, or with --resume the checkpoint's. */
export interface TrainCommandOptions {
  out: string;
  force?: true;
  resume?: true;
  method?: 'score-embedding' | 'ddpm';
  variant?: 'lau2025' | 'na2024';
  embedding?: 'scores' | 'none';
  size?: number | [number, number];
  channels?: '1' | '3';
  normalise: 'none' | 'min-max';
  width?: number;
  depth?: number;
  sde?: PresetSde;
  levels?: number;
  batch?: number;
  learningRate?: number;
  warmUp?: number;
  clip?: number;
  ema?: number;
  epochs?: number;
  steps?: number;
  minutes?: number;
  saveEvery: number;
  seed?: number;
  json?: true;
}

/** Small enough for a processor: the papers' networks are 64 and 128 wide. */
const WIDTH = 16;
const DEPTH = 3;
export const DEFAULT_SIZE = 32;

/** The command without its action. */
export function newTrainCommand(): Command {
  return new Command('train')
    .description(
      'Train a U-Net on pictures: by score embedding (arXiv 2404.06661 and 2511.17634), or as DDPM. Needs the packages @tensorflow/tfjs-core and @tensorflow/tfjs-backend-wasm.',
    )
    .argument('<pictures...>', 'picture files, folders of them, or .npy files (n, C, H, W)')
    .requiredOption('--out <file>', 'the checkpoint, .safetensors: network, optimiser, settings')
    .option('--force', 'replace it where it exists')
    .option(
      '--resume',
      'go on from it, bit for bit; settings come from there, epochs, steps and minutes count from the first run',
    )
    .addOption(
      new Option('--method <name>', 'what is learnt (default: score-embedding)').choices([
        'score-embedding',
        'ddpm',
      ]),
    )
    .addOption(
      new Option('--variant <name>', 'score embedding: whose (default: lau2025)').choices([
        'lau2025',
        'na2024',
      ]),
    )
    .addOption(
      new Option(
        '--embedding <kind>',
        'score embedding: none trains on the picture itself, for comparison (default: scores)',
      ).choices(['scores', 'none']),
    )
    .option(
      '--size <n>',
      `side of the pictures, or height x width (default: ${DEFAULT_SIZE}, with --resume the checkpoint's; .npy: as they are)`,
      size,
    )
    .addOption(
      new Option('--channels <n>', "grey or colour (default: 3, with --resume the checkpoint's)").choices([
        '1',
        '3',
      ]),
    )
    .addOption(
      new Option('--normalise <how>', 'min-max stretches each picture over [0, 1]')
        .choices(['none', 'min-max'])
        .default('none'),
    )
    .option(
      '--width <n>',
      `channels of the network's first level (default: ${WIDTH}; the papers': 64, 128)`,
      integerFrom(1),
    )
    .option(
      '--depth <n>',
      `how often the network halves the picture (default: ${DEPTH}; the papers': 4, 3)`,
      integerFrom(0),
    )
    .option('--sde <equation>', 'score embedding: such as constant:0.5 or ve:5', sde)
    .option('--levels <n>', 'score embedding: time steps of the pre-computation', integerFrom(2))
    .option('--batch <n>', 'samples a step (default: lau2025 1, else 20)', integerFrom(1))
    .option('--learning-rate <x>', 'of Adam (default: lau2025 1e-3, na2024 8e-5, ddpm 2e-4)', positive)
    .option('--warm-up <n>', 'steps in which the learning rate grows', integerFrom(0))
    .option('--clip <x>', 'longer gradients are scaled to this norm', positive)
    .option('--ema <x>', 'decay of the averaged weights; 0: none (default: ddpm 0.9999, else 0)', notNegative)
    .option('--epochs <n>', 'ends after as many epochs', integerFrom(1))
    .option('--steps <n>', 'ends after as many steps', integerFrom(1))
    .option('--minutes <x>', 'ends after as many minutes of training', positive)
    .option(
      '--save-every <minutes>',
      'saves on the way, too, after an epoch; 0: at the end alone',
      notNegative,
      5,
    )
    .option('--seed <n>', 'of all that is random (default: 0)', integerFrom(0))
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
An interrupt (Ctrl-C) saves the checkpoint, and --resume goes on from there; after a crash it goes on from the last
that was saved on the way.

Examples:
  seedspan train cat.jpg --size 32 --minutes 2 --out cat.safetensors
  seedspan train cat.jpg --size 32 --method ddpm --minutes 2 --out ddpm.safetensors
  seedspan sample model cat.safetensors --picture cat.jpg --out denoised.png`,
    );
}

/** Refuses combinations without a meaning. */
export function checkTrainUsage(command: Command, options: TrainCommandOptions): void {
  const usage = (text: string): never => command.error(`error: ${text}`, { exitCode: EXIT.usage });
  const { out, epochs, steps, minutes, method, resume } = options;
  if (extname(out).toLowerCase() !== '.safetensors') usage('--out must end in .safetensors');
  if (epochs === undefined && steps === undefined && minutes === undefined) {
    usage('give --epochs, --steps or --minutes, or it would not end');
  }
  if (options.ema !== undefined && options.ema >= 1) usage('--ema must be below 1');
  if (method !== 'ddpm' || resume) return;
  for (const name of ['variant', 'embedding', 'sde', 'levels'] as const) {
    if (options[name] !== undefined) usage(`--${name} is for --method score-embedding`);
  }
}

/** The library's settings: what was given, and where the run is new the network's size. */
export function toSettings(options: TrainCommandOptions): TrainingSettings {
  const { method, variant, embedding, levels, batch, learningRate, warmUp, clip, ema, seed, resume } =
    options;
  const { width = resume ? undefined : WIDTH, depth = resume ? undefined : DEPTH } = options;
  const multipliers = (halvings: number) =>
    Array.from({ length: halvings + 1 }, (_, level) =>
      variant === 'na2024' ? Math.min(2, level + 1) : 2 ** level,
    );
  return {
    method,
    variant,
    embedding,
    sde: options.sde?.name,
    levels,
    network: {
      ...(width !== undefined && { width }),
      ...(depth !== undefined && { multipliers: multipliers(depth) }),
    },
    batchSize: batch,
    learningRate,
    warmUp,
    clipNorm: clip,
    emaDecay: ema,
    seed,
  };
}
