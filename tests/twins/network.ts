/**
 * Layers of networks and their gradients from the definitions, in f64: the oracle for the tensor kernels. Pictures
 * are flat, [batch, height, width, channels]; filters [height, width, in, out].
 */

export interface Picture {
  shape: [batch: number, height: number, width: number, channels: number];
  values: Float64Array;
}

export interface Window {
  /** Height and width of filter or pool. */
  size: [number, number];
  stride: number;
  pad: 'same' | 'valid';
}

export function picture(shape: Picture['shape'], next: () => number): Picture {
  const length = shape.reduce((product, side) => product * side, 1);
  return { shape, values: Float64Array.from({ length }, () => Math.fround(next())) };
}

export function zeros(shape: Picture['shape']): Picture {
  return picture(shape, () => 0);
}

const place = ({ shape: [, height, width, channels] }: Picture, b: number, y: number, x: number, c: number) =>
  ((b * height + y) * width + x) * channels + c;

/** Length of the output along an axis, and the zeros before its first value. */
function extent(length: number, size: number, { stride, pad }: Window): [output: number, before: number] {
  if (pad === 'valid') return [Math.floor((length - size) / stride) + 1, 0];
  const output = Math.ceil(length / stride);
  return [output, Math.floor(Math.max(0, (output - 1) * stride + size - length) / 2)];
}

/** Height and width of what a window makes of a picture. */
export function outputSize({ shape: [, height, width] }: Picture, window: Window): [number, number] {
  return [extent(height, window.size[0], window)[0], extent(width, window.size[1], window)[0]];
}

/** Calls `visit` with each pixel of the output, and each of the input that the filter's tap (i, j) meets there. */
function forEachMeeting(
  input: Picture,
  window: Window,
  visit: (b: number, out: [number, number], tap: [number, number], at: [number, number]) => void,
): void {
  const [batch, height, width] = input.shape;
  const [outHeight, top] = extent(height, window.size[0], window);
  const [outWidth, left] = extent(width, window.size[1], window);
  for (let b = 0; b < batch; b++) {
    for (let y = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++) {
        for (let i = 0; i < window.size[0]; i++) {
          for (let j = 0; j < window.size[1]; j++) {
            const at: [number, number] = [y * window.stride + i - top, x * window.stride + j - left];
            if (at[0] < 0 || at[0] >= height || at[1] < 0 || at[1] >= width) continue;
            visit(b, [y, x], [i, j], at);
          }
        }
      }
    }
  }
}

/** Calls `visit` with the places in x, filter and output of each product that a convolution adds up. */
function forEachProduct(
  x: Picture,
  filter: Picture,
  window: Window,
  out: Picture,
  visit: (x: number, filter: number, out: number) => void,
): void {
  const [, , inChannels, outChannels] = filter.shape;
  forEachMeeting(x, window, (b, [y, column], [i, j], at) => {
    for (let c = 0; c < inChannels; c++) {
      for (let o = 0; o < outChannels; o++) {
        visit(place(x, b, at[0], at[1], c), place(filter, i, j, c, o), place(out, b, y, column, o));
      }
    }
  });
}

export function convolution(x: Picture, filter: Picture, window: Window): Picture {
  const out = zeros([x.shape[0], ...outputSize(x, window), filter.shape[3]]);
  forEachProduct(x, filter, window, out, (i, f, o) => {
    out.values[o] += x.values[i] * filter.values[f];
  });
  return out;
}

export function convolutionGradients(
  x: Picture,
  filter: Picture,
  window: Window,
  dy: Picture,
): { x: Picture; filter: Picture } {
  const gradients = { x: zeros(x.shape), filter: zeros(filter.shape) };
  forEachProduct(x, filter, window, dy, (i, f, o) => {
    gradients.x.values[i] += filter.values[f] * dy.values[o];
    gradients.filter.values[f] += x.values[i] * dy.values[o];
  });
  return gradients;
}

/** The gradient of pooling by its input: of means over the values in the window, or of the first maximum. */
export function poolingGradient(kind: 'mean' | 'max', x: Picture, window: Window, dy: Picture): Picture {
  const dx = zeros(x.shape);
  const members = new Map<number, number[]>();
  forEachMeeting(x, window, (b, out, _tap, at) => {
    for (let c = 0; c < x.shape[3]; c++) {
      const key = place(dy, b, out[0], out[1], c);
      members.set(key, [...(members.get(key) ?? []), place(x, b, at[0], at[1], c)]);
    }
  });
  for (const [key, places] of members) {
    const greatest = Math.max(...places.map((at) => x.values[at]));
    const chosen = kind === 'mean' ? places : [places.find((at) => x.values[at] === greatest) as number];
    for (const at of chosen) dx.values[at] += dy.values[key] / chosen.length;
  }
  return dx;
}

/** GroupNorm, group by group; `beta` has a row of channels for each image. */
export function groupNormalisation(
  x: Picture,
  gamma: Float64Array,
  beta: Float64Array,
  groups: number,
  epsilon: number,
): Picture {
  const [batch, height, width, channels] = x.shape;
  const out = zeros(x.shape);
  const groupOf = (channel: number) => Math.floor((channel * groups) / channels);
  for (let b = 0; b < batch; b++) {
    for (let group = 0; group < groups; group++) {
      const places = Array.from(
        { length: height * width * channels },
        (_, i) => b * height * width * channels + i,
      );
      const own = places.filter((at) => groupOf(at % channels) === group);
      const mean = own.reduce((sum, at) => sum + x.values[at], 0) / own.length;
      const variance = own.reduce((sum, at) => sum + (x.values[at] - mean) ** 2, 0) / own.length;
      for (const at of own) {
        const normal = (x.values[at] - mean) / Math.sqrt(variance + epsilon);
        out.values[at] = normal * gamma[at % channels] + beta[b * channels + (at % channels)];
      }
    }
  }
  return out;
}

export function sigmoidLinear(x: number): number {
  return x / (1 + Math.exp(-x));
}

/** out[rows, columns] = a[rows, inner] b[inner, columns]. */
export function product(
  a: Float64Array,
  b: Float64Array,
  [rows, inner, columns]: [number, number, number],
): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += a[row * inner + k] * b[k * columns + column];
    return sum;
  });
}
