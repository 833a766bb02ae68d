import { extname } from 'node:path';
import { Command } from 'commander';
import {
  embedPictures,
  type NdArray,
  type PrecomputeOptions,
  type PrecomputeResult,
  precomputeScores,
} from '../diffusion/index.ts';
import { writeNpy } from '../formats/index.ts';
import { createEngine } from '../index.ts';
import {
  type OutputFolder,
  openOutput,
  type Pictures,
  pictureToPng,
  readPictures,
  report,
  type WayCost,
} from '../node/index.ts';
import { decisionTexts, duration, plural, verdict } from '../node/report/words.ts';
import { compareWays, comparisonTable } from './compare.ts';
import { type Context, EXIT, paint, toJson } from './context.ts';
import { describeMachine } from './info.ts';
import {
  addPrecomputeOptions,
  checkStoreOptions,
  DEFAULT_SIZE,
  isStore,
  type PrecomputeCommandOptions,
  toLibraryOptions,
  withDefaults,
} from './precompute-options.ts';
import { precomputeStore } from './precompute-store.ts';
import { progressBar } from './progress.ts';

interface Run {
  pictures: Pictures;
  result: PrecomputeResult;
  comparison: WayCost[] | undefined;
  /** Absent where the scores are not finite. */
  embedded: NdArray | undefined;
}

function readInput(paths: readonly string[], options: PrecomputeCommandOptions): Promise<Pictures> {
  const onlyArrays = paths.every((path) => extname(path).toLowerCase() === '.npy');
  const size = options.size ?? (onlyArrays ? undefined : DEFAULT_SIZE);
  return readPictures(paths, {
    channels: options.channels === '1' ? 1 : 3,
    normalise: options.normalise,
    ...(size === undefined ? {} : { size }),
    ...(options.maxPixels === undefined ? {} : { maxPixels: options.maxPixels }),
  });
}

function embed(
  pictures: Pictures,
  { scores, report: { times, scheme } }: PrecomputeResult,
  options: PrecomputeCommandOptions,
) {
  if (!scores.data.every(Number.isFinite)) return undefined;
  const variant = scheme === 'consistent' ? 'transport' : scheme;
  const { sde, seed } = withDefaults(options);
  return embedPictures(pictures, scores, { sde, times, variant, ...(variant === 'lau2025' ? { seed } : {}) })
    .embedded;
}

async function compute(
  pictures: Pictures,
  options: PrecomputeCommandOptions,
  library: PrecomputeOptions,
  context: Context,
): Promise<Run> {
  const bar = progressBar(context);
  const engine = await createEngine();
  try {
    const images = { data: pictures.data, shape: pictures.shape };
    const common = { ...library, images, engine, signal: context.signal };
    const result = await precomputeScores({
      ...common,
      onProgress: ({ stage, done, total }) =>
        bar.update(stage === 'density' ? 'densities' : 'linear systems', done, total),
    });
    const comparison = options.compare
      ? // In one thread, where times can be compared.
        await compareWays({ ...common, workers: undefined }, images.shape[0], (done, total) =>
          bar.update('comparison', done, total),
        )
      : undefined;
    return { pictures, result, comparison, embedded: embed(pictures, result, options) };
  } finally {
    bar.stop();
    engine.dispose();
  }
}

/** Options as text, for the report, defaults included. */
function optionTexts(options: PrecomputeCommandOptions): Record<string, string> {
  const all = withDefaults(options);
  const shown = Object.entries({ ...all, sde: all.sde.name }).filter(
    ([name]) => !['json', 'force', 'out'].includes(name),
  );
  return Object.fromEntries(shown.map(([name, value]) => [name, String(value)]));
}

/** A name that any file system takes; the number keeps the order, and two alike apart. */
function fileName(name: string, index: number, count: number): string {
  const number = String(index + 1).padStart(String(count).length, '0');
  return `${number}-${name.replace(/[^\p{L}\p{N}._-]+/gu, '_').slice(0, 80)}.png`;
}

async function write(
  out: OutputFolder,
  paths: readonly string[],
  options: PrecomputeCommandOptions,
  run: Run,
) {
  const { pictures, result, comparison, embedded } = run;
  const machine = await describeMachine();
  await out.write('scores.npy', writeNpy(result.scores));
  await out.write('log-density.npy', writeNpy(result.logDensity));
  const length = pictures.data.length / pictures.shape[0];
  const shape = pictures.shape.slice(1);
  if (embedded !== undefined) {
    for (const [k, name] of pictures.names.entries()) {
      const data = embedded.data.subarray(k * length, (k + 1) * length);
      await out.write(
        `embedded/${fileName(name, k, pictures.names.length)}`,
        await pictureToPng({ data, shape }),
      );
    }
  }
  const all = withDefaults(options);
  const page = await report({
    pictures,
    names: pictures.names,
    result,
    embedded,
    comparison,
    fixedPointRtol: all.fixedPointRtol,
    options: optionTexts(options),
    versions: {
      seedspan: machine.seedspan,
      Node: machine.node,
      platform: machine.platform,
      CPU: `${machine.cpu}, ${machine.cores} cores`,
    },
  });
  await out.write('report.html', page);
  const document = {
    command: 'precompute',
    date: new Date().toISOString(),
    inputs: paths,
    pictures: pictures.names,
    options: { ...all, sde: all.sde.name },
    machine,
    report: result.report,
    comparison: comparison ?? null,
    embedded: embedded !== undefined,
  };
  await out.write('run.json', toJson(document));
  return document;
}

function summarise(
  context: Context,
  { pictures, result: { report: done }, comparison, embedded }: Run,
  path: string,
): string {
  const { images, height, width, levels } = done.shape;
  const good = done.status === 'converged';
  return `${[
    `${plural(images, 'picture')} of ${height} x ${width}, ${levels} time levels, scheme ${done.scheme}, ${done.sde}, density ${done.density}`,
    `${plural(done.solves, 'linear system')} in ${plural(done.iterations, 'Krylov iteration')}; ${duration(done.time.total)} in all (kernel ${done.build}${done.workers > 0 ? `, ${plural(done.workers, 'worker')}` : ''})`,
    ...decisionTexts(done.decisions, pictures.names, 4).map((text) => `Multigrid: ${text}`),
    paint(context.stdout, good ? 'green' : 'red', verdict(done.status)),
    ...(embedded === undefined ? ['The scores are not finite: no pictures were embedded.'] : []),
    ...(comparison === undefined
      ? []
      : [
          '',
          `What each way of solving the same systems costs (median of ${comparison[0].runs} runs):`,
          comparisonTable(comparison),
          '',
        ]),
    `Results: ${path}`,
    `Report:  ${path}/report.html`,
  ].join('\n')}\n`;
}

export function precomputeCommand(context: Context): Command {
  const command = new Command('precompute')
    .description(
      'Pre-compute the scores of pictures. Writes scores.npy, log-density.npy, embedded/*.png, run.json and report.html; or, of any number of pictures, a Zarr store, which the same command goes on with where it was interrupted. Exit code 1 where something does not converge, or pictures of a store could not be read; the results are written and say so.',
    )
    .argument(
      '<paths...>',
      'pictures, folders of them, or .npy arrays (n, C, H, W); for a store patterns, .tar, CIFAR .bin and IDX, too, and these with .gz',
    );
  return addPrecomputeOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  seedspan precompute cat.jpg boats.jpg --size 64 --steps 20 --out scores
  seedspan precompute photographs/ --sde constant:0.5 --sharing projection --compare --out scores
  seedspan precompute images.npy --scheme na2024 --sde ve:5 --normalise min-max --out scores --force
  seedspan precompute cifar-10-binary.tar.gz --scheme na2024 --sde ve:5 --out cifar.zarr
  seedspan precompute imagenet/ --size 64 --out imagenet.zarr --queue redis://queue.example:6379`,
    )
    .action(async (paths: string[], options: PrecomputeCommandOptions) => {
      checkStoreOptions(options, command);
      const library = toLibraryOptions(options, command);
      if (isStore(options)) {
        await precomputeStore(paths, options, library, context);
        return;
      }
      const out = await openOutput(options.out, { force: options.force === true, marker: 'run.json' });
      try {
        const run = await compute(await readInput(paths, options), options, library, context);
        const document = await write(out, paths, options, run);
        context.signal.throwIfAborted();
        await out.commit();
        if (run.result.report.status !== 'converged') context.exitCode = EXIT.failed;
        context.stdout.write(
          options.json ? toJson({ ...document, out: out.path }) : summarise(context, run, out.path),
        );
      } finally {
        await out.discard();
      }
    });
}
