import type { Network } from '../network/types.ts';

/**
 * Averages of a network's weights that grow with the training: after step n, step k counts in proportion to
 * `k^power`, so that the average forgets the beginning and needs no choice of a length (Karras, Aittala, Lehtinen,
 * Hellsten, Aila and Laine, "Analyzing and improving the training dynamics of diffusion models", 2024, section 3.1).
 */
export class WeightAverage {
  readonly #network: Network;
  readonly #power: number;
  readonly #means: Float32Array[];

  constructor(network: Network, power: number) {
    this.#network = network;
    this.#power = power;
    this.#means = this.#read();
  }

  /** Takes the weights after step `step`, from 1, into the average. */
  update(step: number): void {
    const share = 1 - (1 - 1 / step) ** (this.#power + 1);
    for (const [k, values] of this.#read().entries()) {
      const mean = this.#means[k];
      for (let i = 0; i < mean.length; i++) mean[i] += share * (values[i] - mean[i]);
    }
  }

  /** Runs `use` while the network has the averages; a promise is waited for. */
  while<T>(use: () => T): T {
    const own = this.#read();
    this.#write(this.#means);
    let result: T;
    try {
      result = use();
    } catch (error) {
      this.#write(own);
      throw error;
    }
    if (result instanceof Promise) return result.finally(() => this.#write(own)) as T;
    this.#write(own);
    return result;
  }

  /** Gives the network the averages for good. */
  keep(): void {
    this.#write(this.#means);
  }

  #read(): Float32Array[] {
    return [...this.#network.parameters.values()].map((variable) => Float32Array.from(variable.dataSync()));
  }

  #write(values: readonly Float32Array[]): void {
    const { tf, parameters } = this.#network;
    for (const [k, variable] of [...parameters.values()].entries()) {
      const tensor = tf.tensor(values[k], variable.shape);
      variable.assign(tensor);
      tensor.dispose();
    }
  }
}
