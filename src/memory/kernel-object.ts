import { SeedspanError } from '../errors.ts';
import type { Kernel } from '../wasm/kernel.ts';
import { Disposable } from './disposable.ts';
import { Scope } from './scope.ts';

/** Something that lives in kernel memory, until it or its kernel is disposed of. */
export abstract class KernelObject extends Disposable {
  /** @internal */
  readonly kernel: Kernel;
  #scope: Scope | undefined;
  #users = 0;

  /** @internal */
  constructor(kernel: Kernel) {
    super();
    this.kernel = kernel;
  }

  /**
   * Runs `make` in the scope of this object. When it throws, nothing stays behind.
   *
   * @internal
   */
  protected hold<T>(make: (scope: Scope) => T): T {
    const scope = new Scope(this.kernel);
    try {
      const made = make(scope);
      // A matrix-free function may have done it.
      if (this.kernel.closed) throw new SeedspanError('DISPOSED', 'the engine was disposed of meanwhile');
      this.#scope = scope;
      this.kernel.objects.add(this);
      return made;
    } catch (error) {
      scope.dispose();
      throw error;
    }
  }

  /**
   * Keeps the memory until as many calls of `letGo`, also when disposed of in between: a matrix-free function, or
   * whoever runs between two slices of a `solveAsync`, may dispose of what the solve still reads.
   *
   * @internal
   */
  keep(): void {
    this.#users++;
  }

  /** @internal */
  letGo(): void {
    this.#users--;
    if (this.#users === 0 && this.disposed) this.#scope?.dispose();
  }

  protected onDispose(): void {
    this.kernel.objects.delete(this);
    if (this.#users === 0) this.#scope?.dispose();
  }
}
