import { extname } from 'node:path';
import { Command, Option } from 'commander';
import type { NdArray } from '../diffusion/index.ts';
import { SeedspanError } from '../errors.ts';
import { writeNpy } from '../formats/index.ts';
import { readParsed } from '../node/files.ts';
import { checkOutputFile, pictureToPng, readPicture, writeFileWhole } from '../node/index.ts';
import { duration, plural } from '../node/report/words.ts';
import {
  bestBlur,
  loadTensors,
  MODEL_SAMPLERS,
  type ModelSampler,
  type ModelSamples,
  noisyPictures,
  type PictureMeasures,
  pictureMeasures,
  readModel,
  type ScoreModel,
  sampleModel,
} from '../training/index.ts';
import { integerFrom, notNegative } from './arguments.ts';
import { type Context, EXIT, textTable, toJson } from './context.ts';
import { progressBar } from './progress.ts';
import { sheet } from './sheet.ts';

interface Options {
  out: string;
  force?: true;
  count: number;
  sampler?: ModelSampler;
  steps?: number;
  seed: number;
  start?: 'noise' | 'picture';
  picture?: string;
  noise: number;
  normalise: 'none' | 'min-max';
  pictureWeight?: number;
  image: number;
  scale: number;
  json?: true;
}

const FORMATS = ['.png', '.npy'];

function newCommand(): Command {
  return new Command('model')
    .description('Draw pictures from a model that `seedspan train` has made.')
    .argument('<model>', 'the checkpoint, .safetensors')
    .requiredOption('--out <file>', '.png, several beside each other, or .npy (count, C, H, W)')
    .option('--force', 'replace the file where it exists')
    .option('--count <n>', 'how many', integerFrom(1), 1)
    .addOption(
      new Option(
        '--sampler <name>',
        "lau2025 and na2024 are the papers' own (default: the model's variant, or ddpm)",
      ).choices(MODEL_SAMPLERS),
    )
    .option(
      '--steps <n>',
      'of the sampler (default: 50, ddpm all; rk45 and na2024 choose theirs)',
      integerFrom(1),
    )
    .option('--seed <n>', 'of the random draws', integerFrom(0), 0)
    .addOption(
      new Option(
        '--start <what>',
        'from noise, or from --picture with noise on it (default: picture where one is given)',
      ).choices(['noise', 'picture']),
    )
    .option('--picture <file>', 'to start from, and to compare with')
    .option('--noise <x>', 'deviation of the noise on the picture', notNegative, 0.506)
    .addOption(
      new Option('--normalise <how>', 'of the picture, as in training')
        .choices(['none', 'min-max'])
        .default('none'),
    )
    .option('--picture-weight <x>', 'sampler na2024: of the picture in its start (default: 0.1)', notNegative)
    .option('--image <n>', 'which of the pictures that the model was trained on, from 0', integerFrom(0), 0)
    .option('--scale <n>', '.png: pixels a pixel', integerFrom(1), 1)
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  seedspan sample model cat.safetensors --picture cat.jpg --scale 8 --out denoised.png
  seedspan sample model ddpm.safetensors --sampler ddim --count 4 --out new.png`,
    );
}

function checkUsage(command: Command, options: Options): string {
  const usage = (text: string): never => command.error(`error: ${text}`, { exitCode: EXIT.usage });
  const { out, start, picture, sampler, steps, pictureWeight } = options;
  const format = extname(out).toLowerCase();
  if (!FORMATS.includes(format)) usage(`--out must end in ${FORMATS.join(' or ')}`);
  if (start === 'picture' && picture === undefined) usage('--start picture needs --picture');
  if (steps !== undefined && (sampler === 'rk45' || sampler === 'na2024'))
    usage(`--steps is not for ${sampler}`);
  if (pictureWeight !== undefined && pictureWeight > 1) usage('--picture-weight must lie in [0, 1]');
  return format;
}

interface Comparison {
  samples: PictureMeasures[];
  noisy: PictureMeasures;
  blur: PictureMeasures & { deviation: number };
}

/** Each sample against the picture, beside what costs no training at all. */
function compare(
  { pictures }: ModelSamples,
  picture: NdArray<Float32Array>,
  { noise, seed }: Options,
): Comparison {
  const size = picture.data.length;
  const one = (k: number) => ({
    data: pictures.data.subarray(k * size, (k + 1) * size),
    shape: picture.shape,
  });
  const whole = { data: picture.data, shape: [1, ...picture.shape] };
  const noisy = { data: noisyPictures(whole, { noise, seed }).data, shape: picture.shape };
  const { deviation, measures } = bestBlur(noisy, picture);
  return {
    samples: Array.from({ length: pictures.shape[0] }, (_, k) => pictureMeasures(one(k), picture)),
    noisy: pictureMeasures(noisy, picture),
    blur: { deviation, ...measures },
  };
}

function table({ samples, noisy, blur }: Comparison): string {
  const row = (name: string, { mse, psnr, ssim, globalSsim }: PictureMeasures) => [
    name,
    ssim?.toFixed(4) ?? '',
    globalSsim.toFixed(4),
    psnr.toFixed(2),
    mse.toExponential(2),
  ];
  return textTable(
    ['against the picture', 'SSIM', 'global SSIM', 'PSNR, dB', 'MSE'],
    [
      ...samples.map((measures, k) => row(samples.length === 1 ? 'sample' : `sample ${k + 1}`, measures)),
      row('the noisy picture', noisy),
      row(`its best blur, ${blur.deviation.toFixed(2)} pixels`, blur),
    ],
  );
}

async function drawFrom(model: ScoreModel, options: Options, context: Context) {
  const [channels, height, width] = model.shape;
  const { picture: path, start, count, sampler, steps, seed, noise, pictureWeight, image } = options;
  if (channels !== 1 && channels !== 3) {
    throw new SeedspanError('INVALID_VALUE', `the model is for ${channels} channels; pictures have 1 or 3`);
  }
  const picture =
    path === undefined
      ? undefined
      : await readPicture(path, { channels, size: [height, width], normalise: options.normalise });
  const bar = progressBar(context);
  const began = performance.now();
  try {
    const drawn = await sampleModel(model, {
      count,
      seed,
      noise,
      image,
      ...(sampler && { sampler }),
      ...(steps !== undefined && { steps }),
      ...(pictureWeight !== undefined && { pictureWeight }),
      ...(picture && start !== 'noise' && { picture }),
      signal: context.signal,
      onProgress: ({ step, steps: all }) => bar.update('steps', step, all),
    });
    return { drawn, picture, time: performance.now() - began };
  } finally {
    bar.stop();
  }
}

export function sampleModelCommand(context: Context): Command {
  const command = newCommand();
  return command.action(async (path: string, options: Options) => {
    const { out, force, scale, count } = options;
    const format = checkUsage(command, options);
    await checkOutputFile(out, { force });
    const tf = await loadTensors();
    const model = await readParsed(path, (bytes) => readModel(tf, bytes));
    try {
      const { drawn, picture, time } = await drawFrom(model, options, context);
      context.signal.throwIfAborted();
      const bytes =
        format === '.npy' ? writeNpy(drawn.pictures) : await pictureToPng(sheet(drawn.pictures), { scale });
      const measures = picture && !small(picture) ? compare(drawn, picture, options) : undefined;
      await writeFileWhole(out, bytes, { force });
      const { evaluations } = drawn;
      if (options.json) {
        const { settings, images, shape } = model;
        const document = {
          command: 'sample model',
          model: { path, settings, images, shape },
          options,
          evaluations,
        };
        context.stdout.write(toJson({ ...document, time, measures, out }));
        return;
      }
      const lines = [
        `${plural(count, 'picture')}, ${plural(evaluations, 'run')} of the network each: ${duration(time)}`,
        ...(measures ? ['', table(measures), ''] : []),
        `written: ${out}`,
      ];
      context.stdout.write(`${lines.join('\n')}\n`);
    } finally {
      model.dispose();
    }
  });
}

/** Smaller than the windows of the measures. */
function small({ shape }: NdArray<Float32Array>): boolean {
  return Math.min(shape[1], shape[2]) < 7;
}
