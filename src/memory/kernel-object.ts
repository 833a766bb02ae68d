import type { Kernel } from '../wasm/kernel.ts';
import { Disposable } from './disposable.ts';
import { Scope } from './scope.ts';

/** Something that lives in kernel memory, until it or its kernel is disposed of. */
export abstract class KernelObject extends Disposable {
  /** @internal */
  readonly kernel: Kernel;
  #scope: Scope | undefined;

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
      this.#scope = scope;
      this.kernel.objects.add(this);
      return made;
    } catch (error) {
      scope.dispose();
      throw error;
    }
  }

  protected onDispose(): void {
    this.#scope?.dispose();
    this.kernel.objects.delete(this);
  }
}
