/** Milliseconds in which notices of one kind are counted instead of said. */
const QUIET = 10_000;

/** Says things once in a while: of the same kind, the first at once, then how many more there were. */
export class Notices {
  readonly #say: ((message: string) => void) | undefined;
  readonly #kinds = new Map<string, { said: number; more: number }>();

  constructor(say: ((message: string) => void) | undefined) {
    this.#say = say;
  }

  say(kind: string, message: string): void {
    const now = performance.now();
    const last = this.#kinds.get(kind);
    if (last !== undefined && now - last.said < QUIET) {
      last.more++;
      return;
    }
    // Kinds that are no longer heard of are forgotten: texts of errors may be many.
    for (const [other, { said }] of this.#kinds) if (now - said > 10 * QUIET) this.#kinds.delete(other);
    const more = last === undefined || last.more === 0 ? '' : ` (and ${last.more} more such since)`;
    this.#kinds.set(kind, { said: now, more: 0 });
    this.#say?.(`${message}${more}`);
  }
}
