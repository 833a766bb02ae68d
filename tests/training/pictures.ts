import { loadTensors, type Tensors } from '../../src/training/index.ts';

/** Smooth pictures in colour, no two alike. */
export function madeUpPictures(images: number, side: number) {
  const data = Float32Array.from({ length: images * 3 * side * side }, (_, k) => {
    const [i, j] = [Math.floor(k / side) % side, k % side];
    const plane = Math.floor(k / (side * side));
    return 0.5 + 0.4 * Math.sin((i * (1 + plane)) / side + plane) * Math.cos((3 * j) / side - plane);
  });
  return { data, shape: [images, 3, side, side] };
}

/** Small enough for tests. */
export const TINY = { width: 4, multipliers: [1, 2] };

/** Runs `work` and says how many tensors it left. */
export async function tensorsLeft(work: (tf: Tensors) => Promise<void>): Promise<number> {
  const tf = await loadTensors();
  const before = tf.memory().numTensors;
  await work(tf);
  return tf.memory().numTensors - before;
}
