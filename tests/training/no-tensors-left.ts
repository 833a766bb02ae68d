import { afterEach, beforeEach, expect } from 'vitest';
import type { Tensors } from '../../src/training/index.ts';

/** Each test of the file must leave as many tensors as it found. */
export function expectNoTensorsLeft(tf: Tensors): void {
  let before = 0;
  beforeEach(() => {
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });
}
