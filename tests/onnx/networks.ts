import type { Parametrisation } from '../../src/onnx/index.ts';
import type { GaussianData } from '../diffusion/samplers/gaussian.ts';
import { type ElementType, type Graph, type Node, onnxModel, type Value } from './model.ts';

/** Variance preserving with these rates, for which the networks below are made. */
export const RATES = { betaMin: 0.5, betaMax: 4 };

/**
 * The exact network of Gaussian data under `variancePreserving(RATES)`, of points of the plane: with
 * `I = betaMin t + (betaMax - betaMin) t^2 / 2`, scale = exp(-I/2) and variance = 1 - exp(-I),
 *
 *     score   = -(x - scale mean) / (scale^2 variance_0 + variance)
 *     epsilon = -sqrt(variance) score
 *     v       = scale epsilon - sqrt(variance) x_0,    x_0 = (x + variance score) / scale
 */
export function gaussianNetwork(
  { mean, variance }: Pick<GaussianData, 'mean' | 'variance'>,
  output: Parametrisation,
  time: { type: ElementType; shape: (number | string)[]; steps?: number },
): Uint8Array {
  const steps = time.steps ?? 2;
  const nodes: Node[] = [
    ['Cast', ['t'], 'given', { to: 1 }],
    ['Div', ['given', 'last'], 't1'],
    ['Mul', ['t1', 't1'], 'square'],
    ['Mul', ['square', 'half slope'], 'second'],
    ['Mul', ['t1', 'beta min'], 'first'],
    ['Add', ['first', 'second'], 'integral'],
    ['Neg', ['integral'], 'minus integral'],
    ['Exp', ['minus integral'], 'scale squared'],
    ['Sqrt', ['scale squared'], 'scale'],
    ['Sub', ['one', 'scale squared'], 'added'],
    ['Sqrt', ['added'], 'sigma'],
    ['Mul', ['scale squared', 'variance'], 'own'],
    ['Add', ['own', 'added'], 'whole'],
    ['Mul', ['scale', 'mean'], 'moved mean'],
    ['Sub', ['moved mean', 'x'], 'toward mean'],
    ['Div', ['toward mean', 'whole'], 'score'],
    ['Mul', ['sigma', 'score'], 'minus epsilon'],
    ['Neg', ['minus epsilon'], 'epsilon'],
    ['Mul', ['added', 'score'], 'shift'],
    ['Add', ['x', 'shift'], 'scaled start'],
    ['Div', ['scaled start', 'scale'], 'start'],
    ['Mul', ['scale', 'epsilon'], 'part of noise'],
    ['Mul', ['sigma', 'start'], 'part of start'],
    ['Sub', ['part of noise', 'part of start'], 'v'],
  ];
  return onnxModel({
    inputs: [
      { name: 'x', shape: ['n', 2] },
      { name: 't', ...time },
    ],
    outputs: [{ name: output, shape: ['n', 2] }],
    nodes,
    constants: {
      last: steps - 1,
      'half slope': (RATES.betaMax - RATES.betaMin) / 2,
      'beta min': RATES.betaMin,
      one: 1,
      mean,
      variance,
    },
  });
}

/** `y = x t`: shows what the network was given as its time. */
export function productNetwork(
  t: Omit<Value, 'name'> = { shape: ['n', 1] },
  x: Omit<Value, 'name'> = { shape: ['n', 2] },
) {
  return onnxModel({
    inputs: [
      { name: 'x', ...x },
      { name: 't', ...t },
    ],
    outputs: [{ name: 'y', type: x.type, shape: x.shape }],
    nodes: [
      ['Cast', ['t'], 'number', { to: x.type === 'float64' ? 11 : 1 }],
      ['Mul', ['x', 'number'], 'y'],
    ],
  });
}

/** `y = conv(x) / (1 + t)`, 3 by 3, from `channels` to as many; `weights` are [out, in, 3, 3]. */
export function convolutionNetwork(channels: number, weights: number[], side: number): Uint8Array {
  const graph: Graph = {
    inputs: [
      { name: 'picture', shape: ['n', channels, side, side] },
      { name: 'time', shape: ['n'] },
    ],
    outputs: [{ name: 'noise', shape: ['n', channels, 'h', 'w'] }],
    nodes: [
      ['Conv', ['picture', 'weights'], 'features', { pads: [1, 1, 1, 1], kernel_shape: [3, 3] }],
      ['Add', ['time', 'one'], 'later'],
      ['Reshape', ['later', 'shape'], 'divisor'],
      ['Div', ['features', 'divisor'], 'noise'],
    ],
    constants: {
      weights: { data: weights, shape: [channels, channels, 3, 3] },
      one: 1,
      shape: { data: [-1, 1, 1, 1], shape: [4], type: 'int64' },
    },
  };
  return onnxModel(graph);
}

/** The same for one sample, in plain loops. */
export function convolution(
  x: Float64Array,
  t: number,
  channels: number,
  weights: number[],
  side: number,
): Float64Array {
  const y = new Float64Array(x.length);
  for (let o = 0; o < channels; o++)
    for (let i = 0; i < side; i++)
      for (let j = 0; j < side; j++) {
        let sum = 0;
        for (let c = 0; c < channels; c++)
          for (let p = -1; p <= 1; p++)
            for (let q = -1; q <= 1; q++) {
              if (i + p < 0 || i + p >= side || j + q < 0 || j + q >= side) continue;
              sum +=
                weights[((o * channels + c) * 3 + p + 1) * 3 + q + 1] * x[(c * side + i + p) * side + j + q];
            }
        y[(o * side + i) * side + j] = sum / (1 + t);
      }
  return y;
}
