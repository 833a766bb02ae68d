import type * as Onnx from 'onnxruntime-web';
import { type Parametrisation, toScore } from '../diffusion/samplers/parametrisation.ts';
import type { ScoreFunction } from '../diffusion/samplers/types.ts';
import { checkSde, type PresetSde } from '../diffusion/sde.ts';
import { SeedspanError, show } from '../errors.ts';
import {
  checkSampleShapes,
  checkTimeInput,
  constantFeed,
  countOf,
  declared,
  type Feed,
  find,
  isInteger,
  numberFeed,
  type OnnxConstant,
  type OnnxValue,
  sampleFeed,
} from './network.ts';
import { type NetworkTime, networkTime } from './network-time.ts';

/** What the network's inputs and output mean: the checked options of `loadOnnxScore`. */
export interface Meaning {
  shape: readonly number[];
  parametrisation: Parametrisation;
  x: string;
  t: string;
  output: string | undefined;
  time: NetworkTime;
  steps: number;
  batch: number;
}

const WHERE = 'loadOnnxScore';
/** Errors are thrown, and need not be on the console, too. */
const QUIET = { logSeverityLevel: 4 } as const;
/** `Symbol.asyncDispose` where the runtime has it, else the stand-in that compilers' helpers look for. */
const asyncDisposeSymbol: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

/** A network of an ONNX file as a score. Made by `loadOnnxScore`. */
export class OnnxScore {
  /** All inputs of the file. */
  readonly inputs: readonly OnnxValue[];
  /** All outputs of the file. */
  readonly outputs: readonly OnnxValue[];
  readonly #runtime: typeof Onnx;
  readonly #session: Onnx.InferenceSession;
  readonly #meaning: Meaning;
  readonly #x: OnnxValue;
  readonly #t: OnnxValue;
  readonly #output: OnnxValue;
  /** Samples of a run where the file fixes them. */
  readonly #fixedBatch: number | undefined;
  /** Settled when no run is under way. */
  #idle: Promise<unknown> = Promise.resolve();
  #disposed: Promise<void> | undefined;

  /** @internal */
  constructor(runtime: typeof Onnx, session: Onnx.InferenceSession, meaning: Meaning) {
    this.#runtime = runtime;
    this.#session = session;
    this.#meaning = meaning;
    this.inputs = declared(session.inputMetadata);
    this.outputs = declared(session.outputMetadata);
    this.#x = find(WHERE, 'input', this.inputs, meaning.x);
    this.#t = find(WHERE, 'input', this.inputs, meaning.t);
    if (meaning.output === undefined && this.outputs.length > 1) {
      const names = this.outputs.map(({ name }) => name).join(', ');
      throw new SeedspanError('INVALID_VALUE', `${WHERE}: which output? Give one of ${names} as output`);
    }
    this.#output = find(WHERE, 'output', this.outputs, meaning.output ?? this.outputs[0].name);
    this.#fixedBatch = checkSampleShapes(WHERE, this.#x, this.#output, meaning.shape);
    checkTimeInput(WHERE, this.#t, this.#fixedBatch);
    if (!isInteger(this.#t) || meaning.time === 'step' || typeof meaning.time === 'function') return;
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: the input ${this.#t.name} takes integers; time must be 'step' or a function, not ${show(meaning.time)}`,
    );
  }

  /**
   * The score for any sampler, under an equation: that of the network's training, since a network knows one only.
   *
   * The function rejects with `SHAPE_MISMATCH` where x is no whole samples or the output has another size than x,
   * `INVALID_VALUE` where an output is not finite, the network fails, or the variance is 0 and the output has to be
   * divided by it (end sampling before t = 0), `DISPOSED`.
   *
   * @param sde preset whose transition belongs to the output
   * @param constants values of all inputs but sample and time, by name: a number, or `{data, shape}`, the shape of
   *   one sample where the first axis is the samples'. A class label: `{ labels: 3 }`
   * @throws SeedspanError `INVALID_TYPE`, `INVALID_VALUE` (an input without value, a name that is none),
   *   `SHAPE_MISMATCH`, `DISPOSED`
   */
  score(sde: PresetSde, constants: Record<string, OnnxConstant> = {}): ScoreFunction {
    this.#checkAlive();
    checkSde(WHERE, sde);
    if (typeof sde.transition !== 'function') {
      throw new SeedspanError('INVALID_TYPE', `${WHERE}: sde must be a preset, such as variancePreserving()`);
    }
    const extra = this.#checkConstants(constants);
    const { shape, parametrisation, time, steps, batch } = this.#meaning;
    const size = countOf(shape);
    const most = this.#fixedBatch ?? batch;
    return async (x, t) => {
      if (x.length === 0 || x.length % size !== 0) {
        throw new SeedspanError(
          'SHAPE_MISMATCH',
          `${WHERE}: ${x.length} numbers are no samples of shape [${shape.join(', ')}]`,
        );
      }
      const transition = sde.transition(t);
      if (!(transition.variance > 0) && parametrisation !== 'score') {
        throw new SeedspanError(
          'INVALID_VALUE',
          `${WHERE}: the variance at t = ${t} is ${transition.variance}, and ${parametrisation} gives no score there; let sampling end before`,
        );
      }
      const given = networkTime(time, t, transition, steps);
      const result = new Float64Array(x.length);
      for (let start = 0; start < x.length; start += most * size) {
        const samples = x.subarray(start, start + most * size);
        const rows = this.#fixedBatch ?? samples.length / size;
        const feeds: Record<string, Feed> = {
          [this.#x.name]: sampleFeed(this.#x, samples, rows, shape),
          [this.#t.name]: numberFeed(WHERE, this.#t, isInteger(this.#t) ? Math.round(given) : given, rows),
        };
        for (const [value, constant] of extra) {
          feeds[value.name] = constantFeed(WHERE, value, constant, rows);
        }
        result.set(await this.#run(feeds, t, samples.length), start);
      }
      toScore(parametrisation, x, result, transition);
      return result;
    };
  }

  /** Releases the session when the run under way has ended. Doing it twice does nothing. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#idle.then(() => this.#session.release());
    return this.#disposed;
  }

  /** For `await using`. */
  [asyncDisposeSymbol](): Promise<void> {
    return this.dispose();
  }

  #checkAlive(): void {
    if (this.#disposed === undefined) return;
    throw new SeedspanError('DISPOSED', 'the ONNX score was disposed of and cannot be used');
  }

  /** Every input beside sample and time with its value. */
  #checkConstants(constants: Record<string, OnnxConstant>): [OnnxValue, OnnxConstant][] {
    const others = this.inputs.filter((value) => value !== this.#x && value !== this.#t);
    for (const name of Object.keys(constants)) find(WHERE, 'further input', others, name);
    return others.map((value) => {
      const constant = constants[value.name];
      if (constant === undefined) {
        throw new SeedspanError(
          'INVALID_VALUE',
          `${WHERE}: the network needs a value for its input ${value.name}; give score(sde, { ${value.name}: ... })`,
          { name: value.name },
        );
      }
      constantFeed(WHERE, value, constant, 1); // what is wrong with it is said before anything runs
      return [value, constant];
    });
  }

  /**
   * Runs go one after the other, so that `dispose` can wait for the last.
   *
   * @returns the first `count` numbers of the output: the rest is of padding, and may be anything
   */
  async #run(feeds: Record<string, Feed>, t: number, count: number): Promise<Float64Array> {
    this.#checkAlive();
    const { Tensor } = this.#runtime;
    const tensors: Record<string, Onnx.Tensor> = {};
    for (const [name, { type, data, dims }] of Object.entries(feeds))
      tensors[name] = new Tensor(type, data, dims);
    const run = this.#idle.then(async () => {
      const { [this.#output.name]: output } = await this.#session.run(tensors, [this.#output.name], QUIET);
      return { dims: output.dims, data: (await output.getData(true)) as Float32Array | Float64Array };
    });
    this.#idle = run.catch(() => undefined);
    const { data, dims } = await run.catch((cause: unknown) => {
      throw new SeedspanError(
        'INVALID_VALUE',
        `${WHERE}: the network failed at t = ${t}; do shape and inputs fit it? ${(cause as Error).message}`,
        { t },
        { cause },
      );
    });
    const { dims: given, data: samples } = feeds[this.#x.name];
    const expected = samples.length;
    if (data.length !== expected) {
      throw new SeedspanError(
        'SHAPE_MISMATCH',
        `${WHERE}: output ${this.#output.name} is [${dims.join(', ')}], but ${given[0]} samples of shape [${given.slice(1).join(', ')}] have ${expected} numbers`,
        { dims, expected },
      );
    }
    const result = Float64Array.from(data.subarray(0, count));
    const bad = result.findIndex((value) => !Number.isFinite(value));
    if (bad < 0) return result;
    throw new SeedspanError(
      'INVALID_VALUE',
      `${WHERE}: output ${this.#output.name} is ${result[bad]} at t = ${t} (number ${bad})`,
      { t },
    );
  }
}
