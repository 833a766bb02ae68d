import { type NdArray, type RandomStream, randomStream } from '../src/diffusion/index.ts';
import type { PointSet } from './samples.ts';

/** One point, `[row, column]`: component 0 runs down the page. */
const DRAW: Readonly<Record<PointSet, (random: RandomStream) => readonly [number, number]>> = {
  /** Two half circles of radius 1 that reach into each other, with normal noise of 0.08. */
  moons(random) {
    const angle = Math.PI * random.uniform();
    const upper = random.uniform() < 0.5;
    const [x, y] = upper ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)];
    return [0.08 * random.normal() - y, x + 0.08 * random.normal()];
  },
  /** An Archimedean spiral of two turns and a half, evenly filled along its length. */
  spiral(random) {
    const turn = 5 * Math.PI * Math.sqrt(random.uniform());
    return [turn * Math.sin(turn) + 0.3 * random.normal(), turn * Math.cos(turn) + 0.3 * random.normal()];
  },
  /** The dark fields of a board of 4 x 4. */
  checkerboard(random) {
    const row = Math.floor(4 * random.uniform());
    const column = 2 * Math.floor(2 * random.uniform()) + (row % 2);
    return [row + random.uniform(), column + random.uniform()];
  },
};

/**
 * Points of a set, `[count, 2]`.
 *
 * @param seed - of the random stream: the same points for the same seed
 */
export function pointSet(name: PointSet, count: number, seed = 0): NdArray {
  const random = randomStream(seed, 0);
  const data = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) data.set(DRAW[name](random), 2 * k);
  return { data, shape: [count, 2] };
}
