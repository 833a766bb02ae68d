import { SeedspanError } from '../errors.ts';

/** `Symbol.dispose` where the runtime has it, else the stand-in that compilers' helpers look for. */
const disposeSymbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

/** Something that must be given back. Disposing twice does nothing; using it afterwards throws `DISPOSED`. */
export abstract class Disposable {
  #disposed = false;

  /** Whether it was given back. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /** Gives everything back that this holds. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.onDispose();
  }

  /** For `using`. */
  [disposeSymbol](): void {
    this.dispose();
  }

  protected abstract onDispose(): void;

  /** @internal */
  checkAlive(what: string): void {
    if (this.#disposed) throw new SeedspanError('DISPOSED', `${what} was disposed of and cannot be used`);
  }
}
