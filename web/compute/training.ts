import type { NdArray } from '../../src/diffusion/index.ts';
import {
  bestBlur,
  loadTensors,
  noisyPictures,
  parameterCount,
  pictureMeasures,
  type ScoreModel,
  sampleModel,
  type TrainingSettings,
  type TrainingState,
  trainScoreModel,
} from '../../src/training/index.ts';
import type { Job } from './protocol.ts';
import { Turns } from './turns.ts';

export const METHODS = ['score embedding', 'DDPM'] as const;
export type TrainingMethod = (typeof METHODS)[number];

export interface TrainingInput {
  /** `[1, H, W]`, values in [0, 1]. */
  picture: NdArray<Float32Array>;
  /** Of training time, each. */
  seconds: number;
  seed: number;
}

/** A picture beside the one that it should be. */
export interface Likeness {
  /** `[H, W]`, in [0, 1]. */
  pixels: Float32Array;
  /** Windowed structural similarity, and peak signal-to-noise ratio in dB. */
  ssim: number;
  psnr: number;
}

export type TrainingNews =
  | { kind: 'ready'; noisy: Likeness; blurred: Likeness; parameters: number }
  /** Means over the steps since the last news; seconds of training. */
  | { kind: 'loss'; method: TrainingMethod; seconds: number; step: number; loss: number }
  | { kind: 'sample'; method: TrainingMethod; seconds: number; sample: Likeness };

export interface TrainingOutput {
  methods: { method: TrainingMethod; status: string; steps: number; seconds: number }[];
}

/** Alike for both, so that what is compared is the method. */
const NETWORK = {
  preset: 'lau2025',
  width: 16,
  multipliers: [1, 2, 4],
  timeEmbedding: 'sinusoidal',
} as const;
const BATCH = 4;
const NOISE = 0.506;
/** Steps of the samplers. */
const STEPS = 25;
/** Samples that are drawn on the way, about; and how often losses are told, in seconds of training. */
const SAMPLES = 8;
const TELL_EVERY = 0.25;

const SETTINGS: Readonly<Record<TrainingMethod, TrainingSettings>> = {
  'score embedding': { method: 'score-embedding', variant: 'lau2025', learningRate: 1e-3 },
  DDPM: { method: 'ddpm', learningRate: 1e-3 },
};

export const runTraining: Job<'train'> = async ({ picture, seconds, seed }, { signal, tell }) => {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(new URL('./tfjs/', self.location.href).href);
  const tf = await loadTensors();
  const pictures = { data: picture.data, shape: [1, ...picture.shape] };
  const noisy = noisyPictures(pictures, { noise: NOISE, seed });
  const blurred = bestBlur(noisy, pictures).picture;
  const like = ({ data }: NdArray): Likeness => {
    const { ssim = Number.NaN, psnr } = pictureMeasures({ data, shape: pictures.shape }, pictures);
    return { pixels: Float32Array.from(data, (value) => Math.min(1, Math.max(0, value))), ssim, psnr };
  };
  let ready = false;
  const turns = new Turns(METHODS.length);
  // One that fails takes the other with it.
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);

  const draw = async (model: ScoreModel): Promise<Likeness> => {
    if (!ready)
      tell({
        kind: 'ready',
        noisy: like(noisy),
        blurred: like(blurred),
        parameters: parameterCount(model.network),
      });
    ready = true;
    const sampler = model.settings.method === 'ddpm' ? 'ddim' : 'lau2025';
    const drawn = await sampleModel(model, {
      sampler,
      steps: STEPS,
      picture,
      noise: NOISE,
      seed,
      signal: stop,
    });
    return like(drawn.pictures);
  };

  const train = async (method: TrainingMethod, run: number) => {
    let losses: number[] = [];
    let told = 0;
    let nextSample = 0;
    const sample = async (state: TrainingState) => {
      const drawn = await state.evaluate(draw);
      tell({ kind: 'sample', method, seconds: state.time / 1000, sample: drawn });
    };
    try {
      await turns.next(run, 0);
      const trained = await trainScoreModel(tf, pictures, {
        ...SETTINGS[method],
        network: NETWORK,
        batchSize: BATCH,
        seed,
        seconds,
        signal: stop,
        onProgress: ({ step, loss, time }) => {
          losses.push(loss);
          if (step > 1 && time / 1000 - told < TELL_EVERY) return;
          told = time / 1000;
          const mean = losses.reduce((sum, value) => sum + value, 0) / losses.length;
          tell({ kind: 'loss', method, seconds: told, step, loss: mean });
          losses = [];
        },
        onEpoch: async (state) => {
          if (state.time / 1000 >= nextSample) {
            await sample(state);
            nextSample += seconds / SAMPLES;
          }
          await turns.next(run, state.time);
        },
      });
      try {
        const { status, step: steps, time } = trained;
        if (status !== 'aborted') await sample(trained);
        return { method, status, steps, seconds: time / 1000 };
      } finally {
        trained.dispose();
      }
    } catch (error) {
      failure.abort(error);
      throw error;
    } finally {
      turns.leave(run);
    }
  };
  const methods = await Promise.all(METHODS.map(train));
  signal.throwIfAborted();
  return { result: { methods } };
};
