import { SeedspanError } from '../errors.ts';
import { createEngine } from '../solver/create-engine.ts';
import type { Engine } from '../solver/engine.ts';
import type { SolveStatus } from '../solver/types.ts';
import { computeFields, type FieldHooks, type Fields, type Input, type Plan } from './fields.ts';
import { worse } from './fixed-point.ts';
import { bookSteps } from './image-reports.ts';
import { checkDiffusion, levelTimes } from './level-times.ts';
import { checkUnitRange } from './ndarray.ts';
import { type ResolvedOptions, resolveOptions } from './options.ts';
import type { PrecomputeOptions, PrecomputeReport, PrecomputeResult, SharingDecision } from './types.ts';

/**
 * Solves the log-density Fokker-Planck equation for a batch of pictures or log densities, and differences the
 * scores. See `types.ts` for options and results.
 *
 * A solve or loop that falls short of its tolerance is a status in the report, not an error.
 *
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE`, `UNKNOWN_OPTION`, `SHAPE_MISMATCH`, `OUT_OF_MEMORY`,
 *   `DISPOSED`; the signal's reason when aborted. Nothing is left in the engine then.
 * @example
 * ```ts
 * const { scores, report } = await precomputeScores({ images, scheme: 'consistent', steps: 20 });
 * ```
 */
export async function precomputeScores(options: PrecomputeOptions): Promise<PrecomputeResult> {
  const began = performance.now();
  const settings = resolveOptions(options);
  const [images] = (options.images ?? options.initialLogDensity!).shape;
  checkSeeds(settings, images);
  const times = levelTimes(settings, images);
  checkDiffusion(settings, times);
  options.engine?.checkAlive('the engine');
  options.signal?.throwIfAborted();
  const engine = options.engine ?? (await createEngine());
  try {
    const input = inputOf(options);
    const plan = planFor(options, settings, times, images);
    const { signal, onProgress, workers } = options;
    const fields = await computeWith(engine, plan, input, { signal, onProgress }, workers);
    engine.checkAlive('the engine');
    const { logDensity, scores } = fields;
    return { logDensity, scores, report: makeReport(fields, plan, engine, performance.now() - began) };
  } finally {
    if (engine !== options.engine) engine.dispose();
  }
}

/** Who shares what. Between workers nothing passes but what was there before: the seed's fields. */
function planFor(
  { initialLogDensity, workers }: PrecomputeOptions,
  settings: ResolvedOptions,
  times: Float64Array,
  images: number,
): Plan {
  const { sharing, seedImage, preconditioner } = settings;
  const pictures = initialLogDensity === undefined;
  let operators: Plan['operators'] = images === 1 || sharing === 'projection' ? 'none' : sharing;
  if (workers !== undefined && operators === 'auto') {
    operators = preconditioner === 'none' ? 'none' : 'seed-operator';
  }
  return { settings, times, operators, seedImage, pictures };
}

/** The images, whose values can be used; each has the random stream of its index. */
function inputOf({ images, initialLogDensity }: PrecomputeOptions): Input {
  if (images !== undefined) checkUnitRange('images', images.data);
  const { data, shape } = images ?? initialLogDensity!;
  return { data, shape, streams: Array.from({ length: shape[0] }, (_, image) => image) };
}

async function computeWith(
  engine: Engine,
  plan: Plan,
  input: Input,
  hooks: FieldHooks,
  workers: PrecomputeOptions['workers'],
): Promise<Fields & { workers?: number }> {
  if (workers === undefined) return await computeFields(engine.kernel, plan, input, hooks);
  // What workers need is loaded when it is asked for.
  const { computeInWorkers } = await import('./scores-workers.ts');
  return await computeInWorkers(engine.kernel, plan, input, hooks, workers);
}

function makeReport(
  fields: Fields & { workers?: number },
  { settings, times, pictures }: Plan,
  engine: Engine,
  total: number,
): PrecomputeReport {
  bookSteps(fields, settings);
  const { shape, steps, images, matvecs, peclet, time, workers = 0 } = fields;
  const sum = (name: 'solves' | 'iterations') => images.reduce((all, image) => all + image[name], 0);
  // Where all images are seeds, none was left to learn from them.
  const { projection } = settings;
  const shared = projection && shape.images > projection.seeds.length ? projection : undefined;
  return {
    scheme: settings.scheme,
    sde: settings.sde.name ?? 'custom',
    density: pictures ? settings.density : 'given',
    sharing: shared === undefined ? sharedOperators(fields) : 'projection',
    decisions: sharingDecisions(settings, fields),
    projection: shared,
    method: settings.method,
    build: engine.build,
    workers,
    shape,
    times: Array.from(times),
    status: images.reduce<SolveStatus>((all, image) => worse(all, image.status), 'converged'),
    images,
    steps,
    solves: sum('solves'),
    iterations: sum('iterations'),
    matvecs,
    time: { ...time, total },
    peclet,
  };
}

/** Whether a preconditioner has served others than the image and level that it was made of. */
function sharedOperators({ steps }: Fields): 'none' | 'seed-operator' {
  return steps.some(({ operatorAge = 0 }) => operatorAge > 0) ? 'seed-operator' : 'none';
}

function sharingDecisions(
  { sharing, scheme, preconditioner }: ResolvedOptions,
  { shape, decisions }: Fields,
): SharingDecision[] {
  if (sharing === 'none' || sharing === 'projection') return [];
  const none = (reason: string) => [{ level: 1, image: 0, operators: 0, served: 0, reason }];
  if (scheme === 'na2024') return none('scheme na2024 has no multigrid to share');
  if (preconditioner === 'none') return none('preconditioner none leaves nothing to share');
  if (shape.images === 1) return none('one image has no other to share with');
  return decisions.length > 0 ? decisions : none('no level was stiff enough for multigrid');
}

function checkSeeds({ projection, seedImage }: ResolvedOptions, images: number): void {
  if (seedImage >= images) {
    throw new SeedspanError(
      'INVALID_VALUE',
      `precomputeScores: seedImage is ${seedImage}, but there are ${images} images (counted from 0)`,
      { option: 'seedImage' },
    );
  }
  for (const seed of projection?.seeds ?? []) {
    if (seed < images) continue;
    throw new SeedspanError(
      'INVALID_VALUE',
      `precomputeScores: projection.seeds has ${seed}, but there are ${images} images (counted from 0)`,
    );
  }
}
