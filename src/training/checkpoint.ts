import { SeedspanError, show } from '../errors.ts';
import { readSafetensors, type WriteSafetensorsTensor, writeSafetensors } from '../formats/safetensors.ts';
import type { Adam, AdamState, ParameterValues } from './adam-options.ts';
import type { Network } from './network/types.ts';

/** What JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** What a checkpoint holds. */
export interface CheckpointContent {
  network: Network;
  /** Where training is to go on from here. */
  adam?: Adam;
  /** The seeds of the run by their purpose. */
  seeds?: Readonly<Record<string, number>>;
  /** What the trainer wants to find again: data, loss, epoch. */
  task?: Json;
}

/** A checkpoint as read: nothing of it is on a back end yet. */
export interface Checkpoint {
  /** With `options` what `createNetwork` takes. */
  kind: string;
  options: Record<string, Json>;
  /** Shapes and weights by the parameters' names. */
  weights: Map<string, { shape: number[]; data: Float32Array }>;
  /** Undefined where it was written without an optimiser. */
  optimizer: AdamState | undefined;
  seeds: Record<string, number>;
  task: Json;
}

const FORMAT = 'seedspan-checkpoint';
const VERSION = '1';
/** Kinds of tensors in the file; a name is `weights/out.bias`. */
const PARTS = ['weights', 'first', 'second', 'average'] as const;
type Part = (typeof PARTS)[number];

/** Options that a network may be restored with another value of: its function is the same. */
const FREE_OPTIONS = ['seed', 'dropout'];

/**
 * Writes a network, and what its training needs to go on bit for bit, as a safetensors file.
 *
 * @throws SeedspanError `INVALID_VALUE` where seeds or task are no JSON; `DISPOSED`
 */
export function writeCheckpoint(content: CheckpointContent): Uint8Array {
  const { parameters } = content.network;
  return encode(
    content,
    [...parameters.values()].map((variable) => variable.dataSync<'float32'>()),
  );
}

/** The same on back ends that hand out numbers only asynchronously, such as `webgpu`. */
export async function writeCheckpointAsync(content: CheckpointContent): Promise<Uint8Array> {
  const { parameters } = content.network;
  const reads = [...parameters.values()].map((variable) => variable.data<'float32'>());
  return encode(content, await Promise.all(reads));
}

function encode(
  { network, adam, seeds = {}, task = null }: CheckpointContent,
  weights: Float32Array[],
): Uint8Array {
  if (network.parameters.size === 0) {
    throw new SeedspanError('DISPOSED', 'writeCheckpoint: the network was disposed');
  }
  const state = adam?.state();
  const tensors = new Map<string, WriteSafetensorsTensor>();
  const add = (part: Part, name: string, data: Float32Array) => {
    tensors.set(`${part}/${name}`, { data, shape: network.parameters.get(name)?.shape ?? [] });
  };
  for (const [k, name] of [...network.parameters.keys()].entries()) add('weights', name, weights[k]);
  for (const part of PARTS.slice(1) as ('first' | 'second' | 'average')[]) {
    for (const [name, data] of state?.[part] ?? []) add(part, name, data);
  }
  return writeSafetensors(tensors, {
    format: FORMAT,
    version: VERSION,
    kind: network.kind,
    options: toJson('options', network.options as Json),
    ...(state && { step: String(state.stepCount) }),
    seeds: toJson('seeds', seeds),
    task: toJson('task', task),
  });
}

/** JSON that reads back as it was: NaN, infinity and undefined would not. */
function toJson(what: string, value: Json): string {
  const check = (part: unknown): boolean => {
    if (part === null || typeof part === 'string' || typeof part === 'boolean') return true;
    if (typeof part === 'number') return Number.isFinite(part);
    if (typeof part !== 'object' || ArrayBuffer.isView(part)) return false;
    return Object.values(part).every(check);
  };
  if (check(value)) return JSON.stringify(value);
  throw new SeedspanError(
    'INVALID_VALUE',
    `writeCheckpoint: ${what} must be made of texts, finite numbers, true, false, null, arrays and objects`,
  );
}

function fail(message: string, details: Record<string, unknown> = {}): never {
  throw new SeedspanError('BAD_FORMAT', `readCheckpoint: ${message}`, details);
}

/**
 * Reads a checkpoint.
 *
 * @throws SeedspanError `BAD_FORMAT` where the file is damaged, no checkpoint, or of another version
 */
export function readCheckpoint(bytes: Uint8Array | ArrayBuffer): Checkpoint {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.format !== FORMAT) {
    fail(`the file is no checkpoint of seedspan: its metadata lack format = ${FORMAT}`);
  }
  if (metadata.version !== VERSION) {
    fail(`the checkpoint has version ${show(metadata.version)}, this seedspan reads version ${VERSION}`, {
      version: metadata.version,
    });
  }
  const parts: Record<Part, Map<string, { shape: number[]; data: Float32Array }>> = {
    weights: new Map(),
    first: new Map(),
    second: new Map(),
    average: new Map(),
  };
  for (const [key, { dtype, shape, data }] of tensors) {
    const [part, ...rest] = key.split('/');
    if (!PARTS.includes(part as Part) || rest.length === 0) fail(`it has an unknown tensor, ${show(key)}`);
    if (dtype !== 'F32') fail(`${show(key)} is of type ${dtype}, must be F32`);
    parts[part as Part].set(rest.join('/'), { shape, data: data as Float32Array });
  }
  const { weights, average } = parts;
  if (weights.size === 0) fail('it has no weights');
  const values = (part: Part): ParameterValues => {
    for (const name of new Set([...weights.keys(), ...parts[part].keys()])) {
      if (weights.get(name)?.data.length === parts[part].get(name)?.data.length) continue;
      fail(`${part}/${name} does not belong to weights/${name}: one is missing or they have other lengths`);
    }
    return new Map([...parts[part]].map(([name, { data }]) => [name, data]));
  };
  const step = Number(metadata.step);
  const hasOptimizer = metadata.step !== undefined;
  if (hasOptimizer && !/^\d{1,15}$/.test(metadata.step))
    fail(`its step is ${show(metadata.step)}, must be an integer`);
  return {
    kind: metadata.kind ?? fail('it does not say the kind of its network'),
    options: readObject('options', metadata.options),
    weights,
    optimizer: hasOptimizer
      ? {
          stepCount: step,
          first: values('first'),
          second: values('second'),
          ...(average.size > 0 && { average: values('average') }),
        }
      : undefined,
    seeds: readObject('seeds', metadata.seeds) as Record<string, number>,
    task: readJson('task', metadata.task),
  };
}

function readJson(what: string, text: string | undefined): Json {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return fail(`its ${what} are not JSON`);
  }
}

function readObject(what: string, text: string | undefined): Record<string, Json> {
  const value = readJson(what, text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(`its ${what} are no object`);
  return value as Record<string, Json>;
}

/**
 * Puts a checkpoint's weights into a network, and its moments into an optimiser: all or nothing.
 *
 * @throws SeedspanError `SHAPE_MISMATCH` where the network is another one; `INVALID_VALUE` where the checkpoint has
 *   nothing for the optimiser
 */
export function restoreCheckpoint(checkpoint: Checkpoint, network: Network, adam?: Adam): void {
  checkSameNetwork(checkpoint, network);
  if (adam !== undefined) {
    if (checkpoint.optimizer === undefined) {
      throw new SeedspanError(
        'INVALID_VALUE',
        'restoreCheckpoint: the checkpoint was written without an optimiser, so training cannot go on from it',
      );
    }
    adam.restore(checkpoint.optimizer);
  }
  const { tf } = network;
  for (const [name, variable] of network.parameters) {
    const { data, shape } = checkpoint.weights.get(name) as { data: Float32Array; shape: number[] };
    // A copy: some back ends keep the array that they are given.
    tf.tidy(() => variable.assign(tf.tensor(data.slice(), shape)));
  }
}

function checkSameNetwork({ kind, options, weights }: Checkpoint, network: Network): void {
  const refuse = (message: string): never => {
    throw new SeedspanError(
      'SHAPE_MISMATCH',
      `restoreCheckpoint: the checkpoint is of another network: ${message}; createNetwork(tf, checkpoint.kind, ` +
        'checkpoint.options) makes the right one',
    );
  };
  if (kind !== network.kind) refuse(`${kind}, not ${network.kind}`);
  const own = network.options as Record<string, unknown>;
  for (const name of new Set([...Object.keys(options), ...Object.keys(own)])) {
    const [theirs, ours] = [JSON.stringify(options[name]), JSON.stringify(own[name])];
    if (theirs !== ours && !FREE_OPTIONS.includes(name)) refuse(`option ${name} is ${theirs}, not ${ours}`);
  }
  for (const name of new Set([...weights.keys(), ...network.parameters.keys()])) {
    const theirs = weights.get(name)?.shape.join(', ');
    const ours = network.parameters.get(name)?.shape.join(', ');
    if (theirs === ours) continue;
    const shape = (text: string | undefined) => (text === undefined ? 'missing' : `[${text}]`);
    refuse(`${name} is ${shape(theirs)}, not ${shape(ours)}`);
  }
}
