/** A batch of pictures, or with one pixel each of vectors. */
export interface Volume {
  /** Batch, height, width, channels. */
  shape: [number, number, number, number];
  data: Float64Array;
}

/** Parameters by name, with shapes. */
export type Parameters = ReadonlyMap<string, { shape: readonly number[]; data: ArrayLike<number> }>;

export interface TwinOptions {
  blocks: string;
  levels: number;
  blocksPerLevel: number;
  groups: number;
  downsampling: string;
  timeScale: number;
}

const volume = (shape: Volume['shape']): Volume => ({
  shape,
  data: new Float64Array(shape.reduce((product, size) => product * size)),
});

const map = (x: Volume, f: (value: number, k: number) => number): Volume => ({
  shape: x.shape,
  data: x.data.map(f),
});

const silu = (x: Volume) => map(x, (value) => value / (1 + Math.exp(-value)));
const plus = (x: Volume, y: Volume) => map(x, (value, k) => value + y.data[k]);

/** Adds a vector for each image to all its pixels. */
const plusVector = (x: Volume, vector: Volume) => {
  const [, height, width, channels] = x.shape;
  return map(x, (value, k) => {
    const image = Math.floor(k / (height * width * channels));
    return value + vector.data[image * channels + (k % channels)];
  });
};

function concatenate(x: Volume, y: Volume): Volume {
  const [batch, height, width, a] = x.shape;
  const b = y.shape[3];
  const out = volume([batch, height, width, a + b]);
  for (let pixel = 0; pixel < batch * height * width; pixel++) {
    for (let c = 0; c < a; c++) out.data[pixel * (a + b) + c] = x.data[pixel * a + c];
    for (let c = 0; c < b; c++) out.data[pixel * (a + b) + a + c] = y.data[pixel * b + c];
  }
  return out;
}

function double(x: Volume): Volume {
  const [batch, height, width, channels] = x.shape;
  const out = volume([batch, 2 * height, 2 * width, channels]);
  for (let b = 0, to = 0; b < batch; b++) {
    for (let i = 0; i < 2 * height; i++) {
      for (let j = 0; j < 2 * width; j++) {
        const from = ((b * height + (i >> 1)) * width + (j >> 1)) * channels;
        for (let c = 0; c < channels; c++) out.data[to++] = x.data[from + c];
      }
    }
  }
  return out;
}

function pool(x: Volume, kind: string): Volume {
  const [batch, height, width, channels] = x.shape;
  const out = volume([batch, height / 2, width / 2, channels]);
  for (let b = 0, to = 0; b < batch; b++) {
    for (let i = 0; i < height; i += 2) {
      for (let j = 0; j < width; j += 2) {
        for (let c = 0; c < channels; c++) {
          const at = (di: number, dj: number) =>
            x.data[((b * height + i + di) * width + j + dj) * channels + c];
          const four = [at(0, 0), at(0, 1), at(1, 0), at(1, 1)];
          out.data[to++] = kind === 'max' ? Math.max(...four) : four.reduce((sum, v) => sum + v) / 4;
        }
      }
    }
  }
  return out;
}

/** The network in plain loops and double precision, by the names of its parameters. */
export class UnetTwin {
  readonly #parameters: Parameters;
  readonly #options: TwinOptions;

  constructor(parameters: Parameters, options: TwinOptions) {
    this.#parameters = parameters;
    this.#options = options;
  }

  apply(x: Volume, t: readonly number[], index: readonly number[] = []): Volume {
    const told = this.#told(t, index);
    return this.#options.blocks === 'plain' ? this.#plain(x, told) : this.#residual(x, told);
  }

  #parameter(name: string) {
    const parameter = this.#parameters.get(name);
    if (parameter === undefined) throw new Error(`no parameter ${name}`);
    return parameter;
  }

  #has = (name: string) => this.#parameters.has(`${name}.weight`);

  #told(t: readonly number[], index: readonly number[]): Volume | undefined {
    let told: Volume | undefined;
    if (this.#has('time.1')) {
      const length = this.#parameter('time.1.weight').shape[0];
      let embedded: Volume = { shape: [t.length, 1, 1, 1], data: Float64Array.from(t) };
      if (this.#has('time.0')) embedded = this.#dense('time.0', embedded);
      else {
        const half = length / 2;
        const data = t.flatMap((time) => {
          const angles = Array.from(
            { length: half },
            (_, k) => (this.#options.timeScale * time) / 10000 ** (k / (half - 1)),
          );
          return [...angles.map(Math.sin), ...angles.map(Math.cos)];
        });
        embedded = { shape: [t.length, 1, 1, length], data: Float64Array.from(data) };
      }
      told = this.#dense('time.2', silu(this.#dense('time.1', embedded)));
    }
    if (this.#has('image')) {
      const { shape, data } = this.#parameter('image.weight');
      const rows = index.flatMap((row) =>
        Array.from({ length: shape[1] }, (_, k) => (row < shape[0] ? data[row * shape[1] + k] : 0)),
      );
      const image: Volume = { shape: [index.length, 1, 1, shape[1]], data: Float64Array.from(rows) };
      told = told === undefined ? image : plus(told, image);
    }
    return told && silu(told);
  }

  #dense(name: string, x: Volume): Volume {
    const { shape, data } = this.#parameter(`${name}.weight`);
    const bias = this.#parameter(`${name}.bias`).data;
    const [from, to] = shape;
    const out = volume([x.shape[0], 1, 1, to]);
    for (let row = 0; row < x.shape[0]; row++) {
      for (let c = 0; c < to; c++) {
        let sum = bias[c];
        for (let k = 0; k < from; k++) sum += x.data[row * from + k] * data[k * to + c];
        out.data[row * to + c] = sum;
      }
    }
    return out;
  }

  /** Zeros around the picture; with stride 2 and even sides one row below and one column to the right. */
  #conv(name: string, x: Volume, stride = 1): Volume {
    const { shape, data } = this.#parameter(`${name}.weight`);
    const bias = this.#parameter(`${name}.bias`).data;
    const [side, , from, to] = shape;
    const [batch, height, width] = x.shape;
    const out = volume([batch, height / stride, width / stride, to]);
    const before = Math.floor(Math.max(0, side - stride) / 2);
    for (let b = 0, at = 0; b < batch; b++) {
      for (let i = 0; i < height; i += stride) {
        for (let j = 0; j < width; j += stride) {
          for (let c = 0; c < to; c++) {
            let sum = bias[c];
            for (let di = 0; di < side; di++) {
              for (let dj = 0; dj < side; dj++) {
                const [row, column] = [i + di - before, j + dj - before];
                if (row < 0 || row >= height || column < 0 || column >= width) continue;
                const pixel = ((b * height + row) * width + column) * from;
                const filter = (di * side + dj) * from * to + c;
                for (let k = 0; k < from; k++) sum += x.data[pixel + k] * data[filter + k * to];
              }
            }
            out.data[at++] = sum;
          }
        }
      }
    }
    return out;
  }

  #norm(name: string, x: Volume): Volume {
    const gamma = this.#parameter(`${name}.weight`).data;
    const beta = this.#parameter(`${name}.bias`).data;
    const [batch, height, width, channels] = x.shape;
    let groups = this.#options.groups;
    while (groups > 1 && (channels % groups !== 0 || channels / groups < 4)) groups--;
    const members = channels / groups;
    const out = map(x, (value) => value);
    for (let b = 0; b < batch; b++) {
      for (let group = 0; group < groups; group++) {
        const places: number[] = [];
        for (let pixel = 0; pixel < height * width; pixel++) {
          for (let c = group * members; c < (group + 1) * members; c++) {
            places.push((b * height * width + pixel) * channels + c);
          }
        }
        const mean = places.reduce((sum, at) => sum + x.data[at], 0) / places.length;
        const variance = places.reduce((sum, at) => sum + (x.data[at] - mean) ** 2, 0) / places.length;
        for (const at of places) {
          const c = at % channels;
          out.data[at] = ((x.data[at] - mean) / Math.sqrt(variance + 1e-5)) * gamma[c] + beta[c];
        }
      }
    }
    return out;
  }

  #attention(name: string, x: Volume): Volume {
    if (!this.#has(`${name}.norm`)) return x;
    const normal = this.#norm(`${name}.norm`, x);
    const [query, key, value] = ['query', 'key', 'value'].map((part) =>
      this.#conv(`${name}.${part}`, normal),
    );
    const [batch, height, width, channels] = x.shape;
    const pixels = height * width;
    const mixed = volume(x.shape);
    for (let b = 0; b < batch; b++) {
      for (let p = 0; p < pixels; p++) {
        const row = (q: number) => (b * pixels + q) * channels;
        const scores = Array.from({ length: pixels }, (_, q) => {
          let sum = 0;
          for (let c = 0; c < channels; c++) sum += query.data[row(p) + c] * key.data[row(q) + c];
          return Math.exp(sum / Math.sqrt(channels));
        });
        const total = scores.reduce((sum, score) => sum + score);
        for (let c = 0; c < channels; c++) {
          const sum = scores.reduce((part, score, q) => part + score * value.data[row(q) + c], 0);
          mixed.data[row(p) + c] = sum / total;
        }
      }
    }
    return plus(x, this.#conv(`${name}.out`, mixed));
  }

  #half(name: string, x: Volume): Volume {
    return this.#has(name) ? this.#conv(name, x, 2) : pool(x, this.#options.downsampling);
  }

  #doubled(name: string, x: Volume): Volume {
    return this.#has(name) ? this.#conv(name, double(x)) : double(x);
  }

  #plainLevel(name: string, x: Volume, told: Volume | undefined): Volume {
    let y = x;
    for (let k = 0; k < this.#options.blocksPerLevel; k++) {
      y = this.#norm(`${name}.${k}.norm`, this.#conv(`${name}.${k}.conv`, y));
      if (k === 0 && told) y = plusVector(y, this.#dense(`${name}.told`, told));
      y = silu(y);
    }
    return this.#attention(`${name}.attention`, y);
  }

  #plain(x: Volume, told: Volume | undefined): Volume {
    const below = (level: number, input: Volume): Volume => {
      const y = this.#plainLevel(`down.${level}`, input, told);
      if (level === this.#options.levels - 1) return y;
      const risen = this.#doubled(
        `up.${level}.double`,
        below(level + 1, this.#half(`down.${level}.half`, y)),
      );
      return this.#plainLevel(`up.${level}`, concatenate(y, risen), told);
    };
    return this.#conv('out', below(0, x));
  }

  #block(name: string, x: Volume, told: Volume | undefined): Volume {
    let y = this.#conv(`${name}.conv1`, silu(this.#norm(`${name}.norm1`, x)));
    if (told) y = plusVector(y, this.#dense(`${name}.told`, told));
    y = this.#conv(`${name}.conv2`, silu(this.#norm(`${name}.norm2`, y)));
    const straight = this.#has(`${name}.shortcut`) ? this.#conv(`${name}.shortcut`, x) : x;
    return this.#attention(`${name}.attention`, plus(straight, y));
  }

  #residual(x: Volume, told: Volume | undefined): Volume {
    const { levels, blocksPerLevel } = this.#options;
    const skips = [this.#conv('in', x)];
    const top = () => skips[skips.length - 1];
    for (let level = 0; level < levels; level++) {
      for (let k = 0; k < blocksPerLevel; k++) skips.push(this.#block(`down.${level}.${k}`, top(), told));
      if (level < levels - 1) skips.push(this.#half(`down.${level}.half`, top()));
    }
    let y = this.#block('middle.1', this.#block('middle.0', top(), told), told);
    for (let level = levels - 1; level >= 0; level--) {
      for (let k = 0; k <= blocksPerLevel; k++) {
        y = this.#block(`up.${level}.${k}`, concatenate(y, skips.pop() as Volume), told);
      }
      if (level > 0) y = this.#doubled(`up.${level}.double`, y);
    }
    return this.#conv('out.conv', silu(this.#norm('out.norm', y)));
  }
}
