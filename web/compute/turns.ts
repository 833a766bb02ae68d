/**
 * Runs that take turns on one thread: whoever has used the least time goes on, so that all are equally far by the same
 * clock at any moment.
 */
export class Turns {
  readonly #used: number[];
  readonly #waiting: (() => void)[][];
  readonly #out: boolean[];

  constructor(runs: number) {
    this.#used = new Array(runs).fill(0);
    this.#waiting = Array.from({ length: runs }, () => []);
    this.#out = new Array(runs).fill(false);
  }

  /** The run has used so much time in all; comes back when it is its turn, at once where it has used the least. */
  async next(run: number, used: number): Promise<void> {
    this.#used[run] = used;
    const turn = new Promise<void>((resolve) => this.#waiting[run].push(resolve));
    this.#call();
    await turn;
  }

  /** The run needs no more turns. */
  leave(run: number): void {
    this.#out[run] = true;
    this.#call();
  }

  /** Lets the one that is behind go on, if it waits; else it is at work. */
  #call(): void {
    let behind = -1;
    for (let run = 0; run < this.#used.length; run++) {
      if (!this.#out[run] && (behind < 0 || this.#used[run] < this.#used[behind])) behind = run;
    }
    if (behind >= 0) this.#waiting[behind].shift()?.();
  }
}
