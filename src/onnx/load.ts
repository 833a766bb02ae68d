import type { InferenceSession } from 'onnxruntime-web';
import type { Parametrisation } from '../diffusion/index.ts';
import { checkOptionNames, SeedspanError, show } from '../errors.ts';
import { loadPeer } from '../peers.ts';
import { checkChoice, checkCount } from '../solver/options.ts';
import type { NetworkTime } from './network-time.ts';
import { type Meaning, OnnxScore } from './score.ts';

const WHERE = 'loadOnnxScore';

/** How a network's input and output are scores. */
export interface OnnxScoreOptions {
  /** Of one sample, without the axis of the samples: `[3, 32, 32]` (channels, height, width) or `[2]`. */
  shape: readonly number[];
  /** What the output stands for. */
  parametrisation: Parametrisation;
  /** Names of the inputs for samples and time. Default `x` and `t`. */
  inputs?: { x?: string; t?: string };
  /** Name of the output. Default: the only one. */
  output?: string;
  /**
   * What the network takes as time, for a sampler's t from 0 to 1. Default `time`, t itself; `step`, the number
   * `(steps - 1) t` of a discrete schedule; `sigma`, the deviation of the noise; `log-variance`, the logarithm of its
   * variance; or a function of t. Rounded where the input is of integers. Whether it is one number or one a sample
   * is the file's affair.
   */
  time?: NetworkTime;
  /** Of the discrete schedule. Default 1000. */
  steps?: number;
  /** Most samples a run, default 64; a file that fixes the number wins. No result depends on it. */
  batch?: number;
  /** Where to compute, in order of preference. Default `['wasm']`; `['webgpu', 'wasm']` in browsers that have it. */
  executionProviders?: InferenceSession.SessionOptions['executionProviders'];
  /** Further options of `InferenceSession.create`, such as `externalData`. */
  session?: Omit<InferenceSession.SessionOptions, 'executionProviders'>;
}

/**
 * A network of an ONNX file as a score for the samplers, computed by `onnxruntime-web` (an optional peer, loaded
 * here), in Node and in browsers:
 *
 * ```ts
 * const network = await loadOnnxScore('model.onnx', {
 *   shape: [3, 32, 32],
 *   parametrisation: 'epsilon',
 *   inputs: { x: 'sample', t: 'timestep' },
 *   time: 'step',
 * });
 * const sde = variancePreserving();
 * const start = drawNoise([16, 3, 32, 32], { sde, seed: 1 });
 * const { x } = await sampleDdim(network.score(sde), start, samplingTimes({ steps: 50 }), { sde });
 * await network.dispose();
 * ```
 *
 * `onnxruntime-web` computes with one thread, so that a result can be repeated, unless `env.wasm.numThreads` of its
 * own was set before anything was loaded with it; its WebAssembly is found as `env.wasm.wasmPaths` says (in Node
 * beside the package's own files, without being told).
 *
 * @param model the file's bytes; as text a path in Node, a URL elsewhere
 * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE` (a name that the network does not have: the message lists
 *   those that there are), `SHAPE_MISMATCH`, `UNKNOWN_OPTION`; `BAD_FORMAT` where the file is no ONNX network, `IO`
 *   where it cannot be read; `UNSUPPORTED` where `onnxruntime-web` is missing or too old, or has no such execution
 *   provider or operator. The session is released after an error.
 */
export async function loadOnnxScore(
  model: Uint8Array | ArrayBuffer | string,
  options: OnnxScoreOptions,
): Promise<OnnxScore> {
  const meaning = checkOptions(options);
  if (!(typeof model === 'string' || model instanceof Uint8Array || model instanceof ArrayBuffer)) {
    throw new SeedspanError('INVALID_TYPE', `${WHERE}: model must be bytes or a path, not ${show(model)}`);
  }
  const runtime = await loadPeer('onnxruntime-web', 'for ONNX networks', () => import('onnxruntime-web'));
  runtime.env.wasm.numThreads ??= 1;
  const sessionOptions: InferenceSession.SessionOptions = {
    logSeverityLevel: 4,
    ...options.session,
    executionProviders: options.executionProviders ?? ['wasm'],
  };
  const { InferenceSession } = runtime;
  let session: InferenceSession;
  try {
    const file = model instanceof ArrayBuffer ? new Uint8Array(model) : model;
    session = await (typeof file === 'string'
      ? InferenceSession.create(file, sessionOptions)
      : InferenceSession.create(file, sessionOptions));
  } catch (cause) {
    throw asLoadError(cause, model);
  }
  try {
    if (session.inputMetadata === undefined) {
      throw new SeedspanError(
        'UNSUPPORTED',
        `${WHERE}: onnxruntime-web must be 1.22 or newer, which tells a network's inputs`,
      );
    }
    return new OnnxScore(runtime, session, meaning);
  } catch (error) {
    await session.release();
    throw error;
  }
}

function checkOptions(options: OnnxScoreOptions): Meaning {
  checkOptionNames(WHERE, options ?? null, [
    'shape',
    'parametrisation',
    'inputs',
    'output',
    'time',
    'steps',
    'batch',
    'executionProviders',
    'session',
  ]);
  const { shape, parametrisation, inputs = {}, output, time = 'time', steps = 1000, batch = 64 } = options;
  checkShape(shape);
  checkChoice(WHERE, 'parametrisation', parametrisation ?? null, ['score', 'epsilon', 'v']);
  checkOptionNames(`${WHERE}: inputs`, inputs, ['x', 't']);
  const { x = 'x', t = 't' } = inputs;
  for (const [what, name] of Object.entries({ 'inputs.x': x, 'inputs.t': t, output })) {
    if (name === undefined || typeof name === 'string') continue;
    throw new SeedspanError('INVALID_TYPE', `${WHERE}: ${what} must be a name, not ${show(name)}`);
  }
  if (typeof time !== 'function') {
    checkChoice(WHERE, 'time', time, ['time', 'step', 'sigma', 'log-variance']);
  }
  checkCount(WHERE, 'steps', steps, 1);
  checkCount(WHERE, 'batch', batch, 1);
  return { shape: [...shape], parametrisation, x, t, output, time, steps, batch };
}

/** Checks the shape of a sample. */
function checkShape(shape: unknown): asserts shape is readonly number[] {
  if (!Array.isArray(shape) || shape.length === 0) {
    throw new SeedspanError(
      'INVALID_TYPE',
      `${WHERE}: shape must be that of one sample, such as [3, 32, 32] or [2], not ${show(shape)}`,
    );
  }
  for (const length of shape) checkCount(WHERE, 'an entry of shape', length, 1);
}

/** What `onnxruntime-web` says when a session cannot be made, by the parts of its messages that tell cases apart. */
function asLoadError(cause: unknown, model: Uint8Array | ArrayBuffer | string): SeedspanError {
  const said = cause instanceof Error ? cause.message : String(cause);
  const what = typeof model === 'string' ? show(model) : `${model.byteLength} bytes`;
  if (/no available backend/.test(said)) {
    return new SeedspanError(
      'UNSUPPORTED',
      `${WHERE}: no execution provider can be used here: ${said}`,
      {},
      { cause },
    );
  }
  if (/ERROR_CODE: 9\b|No Op registered/.test(said)) {
    return new SeedspanError(
      'UNSUPPORTED',
      `${WHERE}: onnxruntime-web cannot compute this network: ${said}`,
      {},
      { cause },
    );
  }
  if (typeof model === 'string' && !/ERROR_CODE/.test(said)) {
    return new SeedspanError('IO', `${WHERE}: ${what} cannot be read: ${said}`, { model }, { cause });
  }
  return new SeedspanError(
    'BAD_FORMAT',
    `${WHERE}: no ONNX network can be made of ${what}: ${said}`,
    {},
    { cause },
  );
}
