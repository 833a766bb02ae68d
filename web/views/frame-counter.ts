/** Frames of the last second, and mean times of their parts. */
export class FrameCounter {
  readonly #times: number[] = [];
  #first: number | undefined;
  #count = 0;

  /** A frame was drawn at that time, in milliseconds. */
  tick(now: number): void {
    this.#first ??= now;
    this.#count++;
    this.#times.push(now);
    while (this.#times[0] < now - 1000) this.#times.shift();
  }

  /** After a pause: the time that it took is nobody's. */
  restart(): void {
    this.#times.length = 0;
    this.#first = undefined;
    this.#count = 0;
  }

  /** Frames a second of the last second, 0 before there are two. */
  get rate(): number {
    return rateOf(this.#times.length, this.#times[0], this.#times.at(-1));
  }

  /** The same, since the start or the last pause. */
  get mean(): number {
    return rateOf(this.#count, this.#first, this.#times.at(-1));
  }
}

function rateOf(count: number, first: number | undefined, last: number | undefined): number {
  if (first === undefined || last === undefined || count < 2 || last <= first) return 0;
  return (1000 * (count - 1)) / (last - first);
}
