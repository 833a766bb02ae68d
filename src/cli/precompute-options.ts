import { extname } from 'node:path';
import { type Command, Option } from 'commander';
import {
  PRECOMPUTE_DEFAULTS,
  type PrecomputeOptions,
  type PresetSde,
  parseSde,
  SCHEME_DEFAULTS,
} from '../diffusion/index.ts';
import {
  autoOrCount,
  indices,
  integerFrom,
  notNegative,
  positive,
  sde,
  size,
  spacing,
  workers,
} from './arguments.ts';
import { EXIT } from './context.ts';

/** What the command line gives; absent: the library's default. */
export interface PrecomputeCommandOptions {
  size?: number | [number, number];
  channels: '1' | '3';
  normalise: 'none' | 'min-max';
  maxPixels?: number;
  scheme: NonNullable<PrecomputeOptions['scheme']>;
  sde?: PresetSde;
  steps?: number;
  T?: number;
  spacing?: number | [number, number];
  density?: PrecomputeOptions['density'];
  seed: number;
  sharing?: PrecomputeOptions['sharing'];
  seedImages?: number[];
  projectionDim?: number;
  projectionThreshold?: number;
  method?: PrecomputeOptions['method'];
  rtol?: number;
  fixedPointRtol?: number;
  fixedPointMaxiter?: number;
  boundary?: 'zero' | 'reflecting';
  linearization?: PrecomputeOptions['linearization'];
  timeStepping?: PrecomputeOptions['timeStepping'];
  advection?: PrecomputeOptions['advection'];
  workers?: number | 'auto' | 'none';
  compare?: true;
  out: string;
  force?: true;
  json?: true;
  /** Of a store; false: `--no-resume`. */
  resume: boolean;
  dtype?: 'float32' | 'float64';
  compression?: 'none' | 'lz4' | 'zstd';
  shardImages?: number;
  seeds?: number | 'auto';
  seedMethod?: 'k-medoids' | 'leverage' | 'first' | 'random';
  /** True: as the environment says. */
  queue?: string | true;
  queueName?: string;
  queuePrefix?: string;
  queueCa?: string;
}

/** Results that go into a Zarr store. */
export function isStore({ out }: Pick<PrecomputeCommandOptions, 'out'>): boolean {
  return extname(out.replace(/[/\\]+$/, '')).toLowerCase() === '.zarr';
}

/** The size of pictures where none is given; arrays are taken as they are. */
export const DEFAULT_SIZE = 64;

const SCHEMES = ['consistent', 'lau2025', 'na2024'] as const;

/** A default that depends on the scheme, in words. */
function byScheme(name: 'sde' | 'steps' | 'density' | 'rtol'): string {
  return `default: ${SCHEMES.map((scheme) => `${scheme} ${SCHEME_DEFAULTS[scheme][name]}`).join(', ')}`;
}

export function addPrecomputeOptions(command: Command): Command {
  const choice = (flags: string, text: string, choices: string[], preset?: string) =>
    command.addOption(new Option(flags, text).choices(choices).default(preset));
  command
    .requiredOption(
      '--out <folder>',
      'where the results go; NAME.zarr: a Zarr store, for any number of pictures',
    )
    .option('--force', 'replace an earlier output of this command')
    .option(
      '--size <n>',
      `side of the square grid, or HxW (default: ${DEFAULT_SIZE}; arrays as they are)`,
      size,
    );
  choice('--channels <n>', 'colour or grey', ['1', '3'], '3');
  choice('--normalise <how>', 'min-max scales each picture to fill [0, 1]', ['none', 'min-max'], 'none');
  command.option('--max-pixels <n>', 'refuse larger pictures (default: 50 million)', integerFrom(4));
  choice('--scheme <name>', 'discretisation', [...SCHEMES], PRECOMPUTE_DEFAULTS.scheme);
  command
    .option('--sde <text>', `constant:G, ve:SIGMA or vp:BETA_MIN,BETA_MAX (${byScheme('sde')})`, sde)
    .option('--steps <n>', `time steps; na2024: time levels (${byScheme('steps')})`, integerFrom(1))
    .option('--T <t>', `end time (default: ${SCHEME_DEFAULTS.consistent.T})`, positive)
    .option('--spacing <h>', 'grid spacing, or two: DX,DY', spacing);
  choice('--density <kind>', `how a picture becomes a density (${byScheme('density')})`, [
    'pixel-pairs',
    'pixel-positions',
  ]);
  command.option('--seed <n>', 'of the random draws', integerFrom(0), 0);
  choice('--sharing <kind>', `what pictures share (default: ${PRECOMPUTE_DEFAULTS.sharing})`, [
    'none',
    'projection',
    'seed-operator',
    'auto',
  ]);
  const { dim, seeds } = PRECOMPUTE_DEFAULTS.projection;
  command
    .option(
      '--seed-images <i,j,...>',
      `pictures, from 0, whose bases are shared; seed-operator: one, whose multigrid is (default: ${seeds}; store: chosen)`,
      indices,
    )
    .option('--projection-dim <n>', `projection: Krylov vectors of each (default: ${dim})`, integerFrom(1))
    .option(
      '--projection-threshold <x>',
      'projection: pictures that keep more of ||b|| share theirs, too',
      notNegative,
    );
  choice('--method <name>', `Krylov method (default: ${PRECOMPUTE_DEFAULTS.method})`, ['bicgstab', 'gmres']);
  command
    .option('--rtol <x>', `relative residual of the linear solves (${byScheme('rtol')})`, notNegative)
    .option('--fixed-point-rtol <x>', 'where the loop over the non-linear term ends', notNegative)
    .option('--fixed-point-maxiter <n>', 'most turns of that loop', integerFrom(1));
  choice('--boundary <kind>', `consistent: outside the grid (default: ${PRECOMPUTE_DEFAULTS.boundary})`, [
    'zero',
    'reflecting',
  ]);
  choice(
    '--linearization <kind>',
    `consistent: of |grad m|^2 (default: ${PRECOMPUTE_DEFAULTS.linearization})`,
    ['picard', 'newton'],
  );
  choice('--time-stepping <kind>', `consistent (default: ${PRECOMPUTE_DEFAULTS.timeStepping})`, [
    'backward-euler',
    'crank-nicolson',
  ]);
  choice('--advection <kind>', `consistent: first-order term (default: ${PRECOMPUTE_DEFAULTS.advection})`, [
    'centred',
    'upwind',
    'hybrid',
  ]);
  addStoreOptions(command);
  return command
    .option(
      '--workers <n>',
      'worker threads, auto (where there is work for them) or none (default: auto; none with --sharing projection)',
      workers,
    )
    .option('--compare', 'also solve in other ways, and say what each costs')
    .option('--json', 'print one JSON document');
}

function addStoreOptions(command: Command): void {
  const choice = (flags: string, text: string, choices: string[]) =>
    command.addOption(new Option(flags, `store: ${text}`).choices(choices));
  command.option('--no-resume', 'store: refuse one that is there, instead of going on with it');
  choice('--dtype <type>', 'numbers of scores and log densities (default: float32)', ['float32', 'float64']);
  choice('--compression <name>', 'in Blosc, with bits shuffled (default: lz4)', ['lz4', 'zstd', 'none']);
  command
    .option(
      '--shard-images <n>',
      'store: images that one worker does at a time, in one file of each array (default: about 32 MiB)',
      integerFrom(1),
    )
    .option(
      '--seeds <n>',
      'store: how many seeds are chosen, or auto (default: 1; auto with --sharing projection)',
      autoOrCount,
    );
  choice('--seed-method <name>', 'how seeds are chosen (default: k-medoids)', [
    'k-medoids',
    'leverage',
    'first',
    'random',
  ]);
  command
    .option(
      '--queue [url]',
      'store: hand the work to `seedspan worker` processes by Redis: redis://host:6379, rediss://..., unix:///path; without a URL that of SEEDSPAN_QUEUE',
    )
    .option('--queue-ca <file>', 'store: PEM file of the certificate authority of a rediss:// queue')
    .option('--queue-name <name>', 'store: name of the queue (default: seedspan)')
    .option('--queue-prefix <prefix>', 'store: what its keys begin with (default: bull)');
}

/** Options that only a store has, by their flags. */
const OF_STORE = {
  dtype: '--dtype',
  compression: '--compression',
  shardImages: '--shard-images',
  seeds: '--seeds',
  seedMethod: '--seed-method',
  queue: '--queue',
  queueName: '--queue-name',
  queuePrefix: '--queue-prefix',
  queueCa: '--queue-ca',
} as const satisfies Partial<Record<keyof PrecomputeCommandOptions, string>>;

/** Refuses what goes with stores only, or never with them. */
export function checkStoreOptions(options: PrecomputeCommandOptions, command: Command): void {
  const refuse = (text: string) => command.error(`error: ${text}`, { exitCode: EXIT.usage });
  if (!isStore(options)) {
    for (const [name, flag] of Object.entries(OF_STORE)) {
      if (options[name as keyof typeof OF_STORE] !== undefined)
        refuse(`${flag} is for a store: --out NAME.zarr`);
    }
    if (!options.resume) refuse('--no-resume is for a store: --out NAME.zarr');
    return;
  }
  if (options.compare) refuse('--compare is for results in a folder, not for a store');
  if (options.force) {
    refuse('--force is not for a store: it is gone on with; remove it first to begin anew');
  }
  if (options.queue !== undefined && options.workers !== undefined) {
    refuse('--workers are threads of this process; with --queue they are started with: seedspan worker');
  }
  if (options.workers === 'none') refuse('--workers none is for results in a folder; a store needs one');
  if (options.seedImages !== undefined && (options.seeds ?? options.seedMethod) !== undefined) {
    refuse('--seed-images names the seeds, --seeds and --seed-method choose them; give one of the two');
  }
  const ofQueue = options.queueName ?? options.queuePrefix ?? options.queueCa;
  if (ofQueue !== undefined && options.queue === undefined) {
    refuse('--queue-ca, --queue-name and --queue-prefix go with --queue');
  }
}

/** The options of `precomputeScores`; wrong combinations are wrong usage. */
export function toLibraryOptions(options: PrecomputeCommandOptions, command: Command): PrecomputeOptions {
  const { boundary, linearization, timeStepping, advection, scheme, fixedPointRtol, fixedPointMaxiter } =
    options;
  const onlyConsistent = { boundary, linearization, 'time-stepping': timeStepping, advection };
  for (const [name, value] of Object.entries(onlyConsistent)) {
    if (scheme === 'consistent' || value === undefined) continue;
    command.error(`error: --${name} is an option of the scheme consistent, not of ${scheme}`, {
      exitCode: EXIT.usage,
    });
  }
  const { seedImages, projectionDim, projectionThreshold } = options;
  const ofProjection = {
    'projection-dim': projectionDim,
    'projection-threshold': projectionThreshold,
  };
  for (const [name, value] of Object.entries(ofProjection)) {
    if (options.sharing === 'projection' || value === undefined) continue;
    command.error(`error: --${name} is an option of --sharing projection`, { exitCode: EXIT.usage });
  }
  const shares = options.sharing === 'projection' || options.sharing === 'seed-operator';
  // A store shares the multigrid of a seed by default.
  const mayShare = shares || (isStore(options) && options.sharing !== 'none');
  if (seedImages !== undefined && !mayShare) {
    command.error('error: --seed-images is an option of --sharing projection and seed-operator', {
      exitCode: EXIT.usage,
    });
  }
  if (options.sharing === 'seed-operator' && seedImages !== undefined && seedImages.length > 1) {
    command.error('error: --sharing seed-operator takes one of --seed-images', { exitCode: EXIT.usage });
  }
  if (options.sharing === 'projection' && workersOf(options) !== 'none' && !isStore(options)) {
    command.error('error: --sharing projection goes without --workers', { exitCode: EXIT.usage });
  }
  const wanted = workersOf(options);
  const given: PrecomputeOptions = {
    scheme,
    sde: options.sde,
    steps: options.steps,
    T: options.T,
    spacing: options.spacing,
    density: options.density,
    seed: options.seed,
    sharing: options.sharing,
    seedImage: options.sharing === 'seed-operator' ? seedImages?.[0] : undefined,
    projection:
      options.sharing === 'projection'
        ? { seeds: seedImages, dim: projectionDim, threshold: projectionThreshold }
        : undefined,
    workers: wanted === 'none' ? undefined : wanted,
    method: options.method,
    rtol: options.rtol,
    fixedPoint:
      fixedPointRtol === undefined && fixedPointMaxiter === undefined
        ? undefined
        : { rtol: fixedPointRtol, maxiter: fixedPointMaxiter },
    ...(scheme === 'consistent' ? { boundary, linearization, timeStepping, advection } : {}),
  };
  return definedOnly(given);
}

/** What is absent must not be there by name: the library checks names. */
export function definedOnly<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

/** Bases that pictures hand on to each other stay in one thread. */
function workersOf({ workers, sharing }: PrecomputeCommandOptions): number | 'auto' | 'none' {
  return workers ?? (sharing === 'projection' ? 'none' : 'auto');
}

/** The options with the library's defaults in place, as the run has them: for the report, and for embedding. */
export function withDefaults(options: PrecomputeCommandOptions) {
  const { density, steps, T, rtol, fixedPoint, sde } = SCHEME_DEFAULTS[options.scheme];
  const { linearization, timeStepping, boundary, advection, method, sharing } = PRECOMPUTE_DEFAULTS;
  return {
    density,
    steps,
    T,
    rtol,
    fixedPointRtol: fixedPoint.rtol,
    fixedPointMaxiter: fixedPoint.maxiter,
    method,
    sharing,
    workers: workersOf(options),
    ...(options.scheme === 'consistent' ? { linearization, timeStepping, boundary, advection } : {}),
    ...options,
    sde: options.sde ?? parseSde(sde),
  };
}
