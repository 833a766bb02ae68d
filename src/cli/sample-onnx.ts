import { extname } from 'node:path';
import { Command, Option } from 'commander';
import {
  drawNoise,
  type NdArray,
  type Parametrisation,
  type PresetSde,
  SAMPLERS,
  type SamplerName,
  type SamplerOptions,
  sample,
  samplingTimes,
} from '../diffusion/index.ts';
import { writeNpy } from '../formats/index.ts';
import { readParsed } from '../node/files.ts';
import { checkOutputFile, pictureToPng, writeFileWhole } from '../node/index.ts';
import { duration, plural } from '../node/report/words.ts';
import { loadOnnxScore, type OnnxScore } from '../onnx/index.ts';
import { integerFrom, positive, range, sde, shape } from './arguments.ts';
import { type Context, EXIT, toJson } from './context.ts';
import { progressBar } from './progress.ts';
import { sheet } from './sheet.ts';

interface Options {
  out: string;
  force?: true;
  shape: number[];
  parametrisation: Parametrisation;
  input: string;
  timeInput: string;
  output?: string;
  time: 'time' | 'step' | 'sigma' | 'log-variance';
  scheduleSteps: number;
  sde: PresetSde;
  count: number;
  sampler: SamplerName;
  steps: number;
  until: number;
  seed: number;
  range: [number, number];
  scale: number;
  json?: true;
}

const FORMATS = ['.png', '.npy'];

function newCommand(): Command {
  return new Command('onnx')
    .description('Draw samples with a network of an ONNX file. Needs the package onnxruntime-web.')
    .argument('<network>', 'the file, .onnx')
    .requiredOption(
      '--shape <lengths>',
      'of one sample, such as 3,32,32 (channels, height, width) or 2',
      shape,
    )
    .addOption(
      new Option('--parametrisation <name>', 'what the network gives')
        .choices(['epsilon', 'score', 'v'])
        .makeOptionMandatory(),
    )
    .requiredOption('--out <file>', '.png, several beside each other, or .npy (count, ...shape)')
    .option('--force', 'replace the file where it exists')
    .option('--input <name>', "of the network's input for samples", 'x')
    .option('--time-input <name>', "of the network's input for the time", 't')
    .option('--output <name>', "of the network's output (default: the only one)")
    .addOption(
      new Option('--time <kind>', 'what the network takes as time: step is the number of a discrete schedule')
        .choices(['time', 'step', 'sigma', 'log-variance'])
        .default('time'),
    )
    .option('--schedule-steps <n>', 'of the discrete schedule', integerFrom(1), 1000)
    .option(
      '--sde <equation>',
      'that the network was trained for (default: vp:0.1,20)',
      sde,
      sde('vp:0.1,20'),
    )
    .option('--count <n>', 'how many', integerFrom(1), 1)
    .addOption(
      new Option('--sampler <name>').choices(Object.keys(SAMPLERS)).default('ddim' satisfies SamplerName),
    )
    .option('--steps <n>', 'of the sampler; rk45 chooses its own', integerFrom(1), 50)
    .option('--until <t>', 'time at which sampling ends', positive, 1e-3)
    .option('--seed <n>', 'of the random draws', integerFrom(0), 0)
    .option('--range <low,high>', '.png: the values that are black and white', range, [-1, 1])
    .option('--scale <n>', '.png: pixels a pixel', integerFrom(1), 1)
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
Example:
  seedspan sample onnx unet.onnx --shape 3,32,32 --parametrisation epsilon --input sample --time-input timestep \\
    --time step --count 16 --out drawn.png`,
    );
}

function checkUsage(command: Command, { out, shape, until }: Options): string {
  const usage = (text: string): never => command.error(`error: ${text}`, { exitCode: EXIT.usage });
  const format = extname(out).toLowerCase();
  if (!FORMATS.includes(format)) usage(`--out must end in ${FORMATS.join(' or ')}`);
  if (format === '.png' && !(shape.length === 3 && (shape[0] === 1 || shape[0] === 3))) {
    usage('a .png needs --shape 1,height,width or 3,height,width; take .npy');
  }
  if (until >= 1) usage('--until must be below 1, where sampling begins');
  return format;
}

async function draw(network: OnnxScore, options: Options, context: Context) {
  const { sde, count, shape, sampler, steps, until, seed } = options;
  const bar = progressBar(context);
  const times = samplingTimes({ steps: sampler === 'rk45' ? 1 : steps, to: until });
  const settings: SamplerOptions = {
    sde,
    seed,
    signal: context.signal,
    // Of rk45 a callback would see the beginning alone, and cost an evaluation.
    ...(sampler !== 'rk45' && { callback: ({ i }) => bar.update('steps', i + 1, steps) }),
  };
  try {
    return await sample(
      sampler,
      network.score(sde),
      drawNoise([count, ...shape], { sde, seed }),
      times,
      settings,
    );
  } finally {
    bar.stop();
  }
}

/** Values between the range's ends as numbers from 0 to 1; what lies beyond is cut off by the file. */
function toPictures({ data, shape }: NdArray, [low, high]: readonly [number, number]): NdArray {
  return { data: data.map((value) => (value - low) / (high - low)), shape };
}

/** `seedspan sample onnx`: any network that was trained elsewhere. */
export function sampleOnnxCommand(context: Context): Command {
  const command = newCommand();
  return command.action(async (path: string, options: Options) => {
    const { out, force, shape, parametrisation, input, timeInput, output, time, scheduleSteps, scale } =
      options;
    const format = checkUsage(command, options);
    await checkOutputFile(out, { force });
    const began = performance.now();
    const network = await readParsed(path, (bytes) =>
      loadOnnxScore(bytes, {
        shape,
        parametrisation,
        inputs: { x: input, t: timeInput },
        time,
        steps: scheduleSteps,
        ...(output !== undefined && { output }),
      }),
    );
    try {
      const { x, evaluations } = await draw(network, options, context);
      context.signal.throwIfAborted();
      const bytes =
        format === '.npy' ? writeNpy(x) : await pictureToPng(sheet(toPictures(x, options.range)), { scale });
      await writeFileWhole(out, bytes, { force });
      const spent = performance.now() - began;
      if (options.json) {
        const { sde, ...rest } = options;
        const document = { command: 'sample onnx', network: path, options: { ...rest, sde: sde.name } };
        context.stdout.write(toJson({ ...document, evaluations, time: spent, out }));
        return;
      }
      context.stdout.write(
        `${plural(options.count, 'sample')}, ${plural(evaluations, 'run')} of the network each: ${duration(spent)}\nwritten: ${out}\n`,
      );
    } finally {
      await network.dispose();
    }
  });
}
