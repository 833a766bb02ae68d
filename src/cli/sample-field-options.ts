import { extname } from 'node:path';
import { Command, Option } from 'commander';
import { FIELD_SAMPLERS, type FieldSampler } from '../diffusion/index.ts';
import { integerFrom, notNegative, positive } from './arguments.ts';
import { EXIT } from './context.ts';

/** What the command line gives; absent: the library's default. */
export interface SampleFieldCommandOptions {
  picture?: string;
  data?: string;
  points: number;
  steps: number;
  sampler: FieldSampler;
  eta?: number;
  snr?: number;
  seed: number;
  levels: number;
  size?: number;
  bandwidth?: number;
  ink: 'dark' | 'light';
  normalise: 'none' | 'min-max';
  pixels: number;
  radius?: number;
  frames?: number;
  out: string;
  force?: true;
  measures?: true;
  json?: true;
}

const FORMATS = ['.png', '.svg', '.npy', '.webp', '.gif'];
export const ANIMATED = ['.webp', '.gif'];
/** Cells along the longer side, of pictures and of data. */
export const SIZE = { picture: 256, data: 128 } as const;

/** The command without its action. */
export function fieldCommand(): Command {
  return new Command('field')
    .description(
      'Draw points whose density is a picture, or that of points given, by running diffusion backward: the score is pre-computed, nothing is trained.',
    )
    .option('--picture <file>', 'the picture: the dots leave its brightness')
    .option('--data <file>', 'points of the plane: text with two numbers a line, or .npy (count, 2)')
    .requiredOption('--out <file>', `${FORMATS.join(', ')}: a picture of dots, points, or the way from noise`)
    .option('--force', 'replace the file where it exists')
    .option('--points <n>', 'how many', integerFrom(1), 200_000)
    .option('--steps <n>', 'of the sampler', integerFrom(1), 50)
    .addOption(new Option('--sampler <name>', 'how they go back').choices(FIELD_SAMPLERS).default('heun'))
    .option('--eta <x>', 'ddim: from 0, nothing drawn, to 1', notNegative)
    .option('--snr <x>', 'predictor-corrector: signal-to-noise ratio of the correction', positive)
    .option('--seed <n>', 'of the random draws', integerFrom(0), 0)
    .option('--levels <n>', 'of the pre-computed field', integerFrom(1), 60)
    .option(
      '--size <n>',
      `cells along the longer side (default: picture ${SIZE.picture}, at most its own; data ${SIZE.data})`,
      integerFrom(2),
    )
    .option('--bandwidth <x>', 'data: deviation of the smoothing (default: by cross-validation)', notNegative)
    .addOption(
      new Option('--ink <kind>', 'dark dots on white, or light ones on black')
        .choices(['dark', 'light'])
        .default('dark'),
    )
    .addOption(
      new Option('--normalise <how>', 'picture: min-max makes its darkest pixel black and its lightest white')
        .choices(['min-max', 'none'])
        .default('min-max'),
    )
    .option('--pixels <n>', 'of the drawn picture, along the longer side', integerFrom(16), 1024)
    .option('--radius <x>', 'of a dot, in pixels (default: by the number of points)', positive)
    .option('--frames <n>', '.webp and .gif: pictures of the way (default: one a step)', integerFrom(2))
    .option('--measures', 'also measure the distance to direct draws, beside that of two sets of them')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  seedspan sample field --picture cat.jpg --points 200000 --steps 50 --out stipple.png
  seedspan sample field --picture cat.jpg --points 40000 --pixels 512 --out stipple.webp
  seedspan sample field --data moons.csv --points 10000 --out moons.npy --measures`,
    );
}

/** Refuses combinations without a meaning; returns the ending of the output. */
export function checkUsage(command: Command, options: SampleFieldCommandOptions): string {
  const usage = (text: string): never => command.error(`error: ${text}`, { exitCode: EXIT.usage });
  const { picture, data, out, bandwidth, frames, eta, snr, sampler } = options;
  const format = extname(out).toLowerCase();
  if ((picture === undefined) === (data === undefined)) usage('give either --picture or --data');
  if (!FORMATS.includes(format)) usage(`--out must end in ${FORMATS.join(', ')}`);
  if (bandwidth !== undefined && data === undefined) usage('--bandwidth is for --data');
  if (frames !== undefined && !ANIMATED.includes(format)) usage('--frames is for .webp and .gif');
  if (eta !== undefined && sampler !== 'ddim') usage('--eta is for --sampler ddim');
  if (eta !== undefined && eta > 1) usage('--eta must lie in [0, 1]');
  if (snr !== undefined && sampler !== 'predictor-corrector')
    usage('--snr is for --sampler predictor-corrector');
  return format;
}
