import { type DatasetProgress, type DatasetReport, precomputeDataset } from '../dataset/index.ts';
import { DEFAULT_PREFIX, DEFAULT_QUEUE } from '../dataset/queue/index.ts';
import type { PrecomputeOptions } from '../diffusion/index.ts';
import { duration, plural } from '../node/report/words.ts';
import { type Context, EXIT, paint, toJson } from './context.ts';
import { definedOnly, type PrecomputeCommandOptions } from './precompute-options.ts';
import { progressBar } from './progress.ts';
import { requireQueue } from './queue-options.ts';

/** Between lines of progress in a log. */
const LINE_SECONDS = 60;

/** Failures that are shown. */
const SHOWN = 10;

function storeOptions(
  inputs: string[],
  options: PrecomputeCommandOptions,
  library: PrecomputeOptions,
): Parameters<typeof precomputeDataset>[0] {
  const { size, channels, normalise, maxPixels, dtype, compression, shardImages, resume, out } = options;
  // What the library shares between images is said by seeds of its own.
  const { workers, seedImage: _, projection, ...equation } = library;
  const { seeds: __, ...projected } = projection ?? {};
  const chosen = options.seeds !== undefined || options.seedMethod !== undefined;
  const given = {
    inputs,
    out,
    pictures: definedOnly({ size, channels: channels === '1' ? 1 : 3, normalise, maxPixels } as const),
    equation: definedOnly({
      ...equation,
      projection: projection === undefined ? undefined : definedOnly(projected),
    }),
    dtype,
    compression,
    shardImages,
    seeds:
      options.seedImages !== undefined
        ? { images: options.seedImages }
        : chosen
          ? {
              method: options.seedMethod ?? 'k-medoids',
              count: options.seeds ?? (options.sharing === 'projection' ? 'auto' : 1),
            }
          : undefined,
    resume,
    workers: options.queue === undefined ? workers : undefined,
    queue: options.queue === undefined ? undefined : requireQueue(queueOptions(options)),
  };
  return definedOnly(given) as Parameters<typeof precomputeDataset>[0];
}

/** `--queue` alone: the one that the environment names. */
function queueOptions({ queue, queueCa, queueName, queuePrefix }: PrecomputeCommandOptions) {
  const { SEEDSPAN_QUEUE, SEEDSPAN_QUEUE_CA } = process.env;
  return definedOnly({
    queue: queue === true ? SEEDSPAN_QUEUE : queue,
    queueCa: queueCa ?? SEEDSPAN_QUEUE_CA,
    queueName: queueName ?? DEFAULT_QUEUE,
    queuePrefix: queuePrefix ?? DEFAULT_PREFIX,
  });
}

/** Pre-computes into a Zarr store. */
export async function precomputeStore(
  paths: string[],
  options: PrecomputeCommandOptions,
  library: PrecomputeOptions,
  context: Context,
): Promise<void> {
  const bar = progressBar(context, LINE_SECONDS);
  let last: DatasetProgress | undefined;
  try {
    const done = await precomputeDataset({
      ...storeOptions(paths, options, library),
      signal: context.signal,
      onProgress: (progress) => {
        last = progress;
        bar.update(progress.stage, progress.done, progress.total);
      },
      onNotice: (message) => context.stderr.write(`${message}\n`),
    });
    bar.stop();
    if (!done.complete || done.failed > 0 || done.unconverged > 0) context.exitCode = EXIT.failed;
    context.stdout.write(options.json ? toJson(done) : summarise(context, done));
  } catch (error) {
    bar.stop();
    if (!context.signal.aborted) throw error;
    const images =
      last?.stage === 'images' ? `about ${last.done} of ${plural(last.total, 'image')} are done; ` : '';
    const begun = last !== undefined && last.stage !== 'inputs';
    const next = begun
      ? 'the same command goes on with the store'
      : 'while the inputs were listed; run the same again';
    context.stderr.write(`${paint(context.stderr, 'red', 'interrupted:')} ${images}${next}\n`);
    context.exitCode = EXIT.interrupted;
  }
}

function summarise(context: Context, done: DatasetReport): string {
  const { images, failed, unconverged, computed, elapsed, workers, givenUp, failures, bytes } = done;
  const who = workers > 0 ? plural(workers, 'thread') : 'the workers of the queue';
  const now =
    computed > 0
      ? `${computed} computed in ${duration(elapsed * 1000)} by ${who} (${(computed / elapsed).toFixed(1)} a second)`
      : 'none was computed now';
  const good = done.complete && failed === 0 && unconverged === 0;
  const verdict = [
    done.complete ? 'complete' : `${images - done.done} images are missing: run the same again`,
    ...(failed > 0 ? [`${plural(failed, 'image')} set aside`] : []),
    ...(unconverged > 0 ? [`${unconverged} short of their tolerance`] : []),
  ].join('; ');
  return `${[
    `${plural(images, 'image')} in ${plural(done.shards, 'shard')}; ${now}`,
    paint(context.stdout, good ? 'green' : 'red', verdict),
    ...failures.slice(0, SHOWN).map(({ index, source, error }) => `  image ${index}, ${source}: ${error}`),
    ...(failed > SHOWN
      ? [`  and ${failed - SHOWN} more: array error of the store, or seedspan status --json`]
      : []),
    ...givenUp
      .slice(0, SHOWN)
      .map(
        ({ shard, error, attempts }) =>
          `  shard ${shard}, given up after ${attempts} attempts: ${error.message}`,
      ),
    ...(givenUp.length > SHOWN ? [`  and ${givenUp.length - SHOWN} shards more`] : []),
    `Store: ${done.store} (${(bytes / 1e6).toFixed(1)} MB)`,
  ].join('\n')}\n`;
}
