import type { Scope } from '../memory/scope.ts';
import { multigridCosts } from '../solver/auto.ts';
import { MULTIGRID_SWEEPS } from '../solver/multigrid.ts';
import { OperatorPolicy } from '../solver/sharing-policy.ts';
import type { Pointer } from '../wasm/exports.ts';
import type { Kernel } from '../wasm/kernel.ts';
import type { SharingDecision } from './types.ts';

/** Beyond this ratio of spacings multigrid may join cells along the finer axis alone. */
const STRETCHED = 1.8;

/** A preconditioner is not kept for levels where diffusion is so much stronger or weaker (measured). */
const CHANGE = 1.1;

/** One image, level and channel. */
export interface Place {
  image: number;
  level: number;
  channel: number;
}

/** Who gets a preconditioner of its own. */
export interface OperatorSettings {
  /** `none`: each image at each level; `seed-operator`: the seed at each level; `auto`: whoever it pays for. */
  mode: 'none' | 'seed-operator' | 'auto';
  /** -1: none of the images. */
  seed: number;
  /** The loops take one cycle a step, not two an iteration of a Krylov method. */
  accelerated: boolean;
}

export const REASONS = {
  own: 'each image has its own at each level',
  seed: "the seed image's serves all of a level",
  first: 'there was none to share yet',
  outdated: 'the diffusion of a time step had changed',
  grown: 'iterations had grown until a new one paid',
  unlike: 'sharing had not paid, and was to be tried again later',
  failed: 'an earlier one did not lead to convergence',
} as const;

/**
 * The multigrid preconditioner of a run, made of the matrix of one image and level and kept for others. All channels
 * and fixed-point iterations of an image at a level have the same one, unless they do not converge with it.
 */
export class SharedOperator {
  /** What was made where, and why; neighbours with the same reason are one entry. */
  readonly decisions: SharingDecision[] = [];
  readonly #kernel: Kernel;
  readonly #levels: Pointer;
  readonly #preconditioner: Pointer;
  readonly #settings: OperatorSettings;
  /** Of `auto`. */
  readonly #policy: OperatorPolicy | undefined;
  /** Whether the present level gets it, and the present place can have it. */
  #wanted = false;
  /** Of the level, and of that which it was made at. */
  #coupling = 0;
  #madeCoupling = 0;
  #outdated = false;
  #possible = true;
  /** The present image is to have its own: asked for, or for want of another. */
  #own = false;
  #place: Place = { image: -1, level: -1, channel: -1 };
  /** Whose it is; none at first, and where making failed. */
  #made: { image: number; level: number; ofSeed: boolean } | undefined;
  /** Made of the present place's own matrix. */
  #fresh = false;
  #failed = false;
  /** Images and levels that it has served, the present one not counted. */
  #age = 0;
  /** Of the present image and level. */
  #used = false;
  #iterations = 0;
  #digits = 0;

  constructor(
    scope: Scope,
    { height, width }: { height: number; width: number },
    [dx, dy]: readonly [number, number],
    settings: OperatorSettings,
  ) {
    const { exports } = scope.kernel;
    const stretched = Math.max(dx, dy) > STRETCHED * Math.min(dx, dy);
    this.#kernel = scope.kernel;
    this.#settings = settings;
    this.#levels = scope.bytes(
      exports.multigridSize(height, width, stretched),
      'the levels of the multigrid',
    );
    exports.multigridInit(this.#levels, height, width, MULTIGRID_SWEEPS, stretched);
    this.#preconditioner = scope.bytes(exports.preconditionerSize(), 'a preconditioner');
    exports.makeMultigrid(this.#preconditioner, this.#levels);
    if (settings.mode === 'auto') this.#policy = new OperatorPolicy(multigridCosts(settings.accelerated));
  }

  /** The record that a method takes; 0: the present systems get none. */
  get pointer(): Pointer {
    return this.#wanted && this.#possible ? this.#preconditioner : 0;
  }

  /**
   * @param wanted - whether the systems that follow get it.
   * @param coupling - sum of the other entries of a row over what the diagonal one has beyond it.
   */
  enterLevel(wanted: boolean, coupling: number): void {
    this.#leave();
    this.#wanted = wanted;
    this.#coupling = coupling;
    const ratio = coupling / this.#madeCoupling;
    this.#outdated = this.#made !== undefined && !(ratio < CHANGE && ratio > 1 / CHANGE);
    if (this.#outdated) this.#policy?.outdate();
  }

  /** Goes on to the next place. True where the seed's matrix is to be taken first. */
  enter(place: Place): boolean {
    const { image, level } = this.#place;
    if (place.image !== image || place.level !== level) {
      this.#leave();
      this.#own = this.#settings.mode === 'none';
    }
    this.#place = place;
    this.#possible = true;
    this.#fresh = false;
    if (!this.#wanted || this.#own || this.#settings.mode !== 'seed-operator') return false;
    return !(this.#made?.ofSeed && this.#made.level === place.level);
  }

  /** Books an image and level, from which the next may learn. */
  #leave(): void {
    if (this.#used) {
      this.#age++;
      this.#policy?.observe({ iterations: this.#iterations, digits: this.#digits });
    }
    this.#used = false;
    this.#iterations = 0;
    this.#digits = 0;
  }

  /** A system is about to be solved whose matrix should be taken. */
  get due(): boolean {
    if (this.pointer === 0) return false;
    const { image, level } = this.#place;
    if (this.#made === undefined) return true;
    if (this.#made.image === image && this.#made.level === level) return false;
    return this.#own || (!this.#used && this.#policy?.renew === true);
  }

  /** Takes the present place's matrix, or with `seed` the seed's at its level. */
  take(data: Pointer, seed = false): void {
    const row = this.#kernel.exports.multigridUpdate(this.#levels, data);
    const { image, level } = this.#place;
    this.#made = undefined;
    // A seed that is not among these images has had it, too.
    this.#age = seed && this.#settings.seed < 0 ? 1 : 0;
    if (row >= 0) {
      // A zero on the diagonal, or a number that is not finite: the seed's others have their own, or go without.
      if (seed) this.#own = true;
      else this.#possible = false;
      return;
    }
    this.#fresh = !seed;
    this.#made = { image: seed ? this.#settings.seed : image, level, ofSeed: seed };
    this.#madeCoupling = this.#coupling;
    this.#log(this.#reason(seed));
    this.#failed = false;
    this.#outdated = false;
  }

  #reason(seed: boolean): string {
    if (seed) return REASONS.seed;
    if (this.#settings.mode === 'none') return REASONS.own;
    if (this.#failed || this.#settings.mode === 'seed-operator') return REASONS.failed;
    if (this.decisions.length === 0) return REASONS.first;
    if (this.#policy?.pausing) return REASONS.unlike;
    return this.#outdated ? REASONS.outdated : REASONS.grown;
  }

  #log(reason: string): void {
    const { image, level } = this.#place;
    let last = this.decisions.at(-1);
    if (last?.reason !== reason) {
      last = { level, image, operators: 0, served: 0, reason };
      this.decisions.push(last);
    }
    last.operators++;
  }

  /** A system is solved with it now. Returns how many images and levels it has served before. */
  use(): number {
    if (!this.#used) this.decisions[this.decisions.length - 1].served++;
    this.#used = true;
    return this.#age;
  }

  /** Most iterations with one of another place, for as many digits; beyond, it is given up. */
  limit(digits: number): number {
    if (this.#policy === undefined || this.#fresh || this.due || this.#age === 0) return Infinity;
    return this.#policy.limit(digits);
  }

  observe(iterations: number, digits: number): void {
    this.#iterations += iterations;
    this.#digits += digits;
    this.#fresh = false;
  }

  /** It did not converge. True where the present matrix is to be tried: it is due then. */
  retry(): boolean {
    if (this.pointer === 0) return false;
    if (this.#fresh) {
      this.#fresh = false;
      return false;
    }
    this.#policy?.failed();
    this.#iterations = 0;
    this.#digits = 0;
    if (this.#used) this.decisions[this.decisions.length - 1].served--;
    this.#used = false;
    this.#own = true;
    this.#failed = true;
    this.#made = undefined;
    return true;
  }
}
