import type { PrecomputeOutput } from '../compute/precompute.ts';
import type { PointsFrame } from '../compute/travel.ts';
import { announce, byId } from '../dom.ts';
import { duration, figure, whole } from '../figures.ts';
import type { Settings } from '../settings.ts';
import { wasCancelled } from '../words.ts';
import { WorkerClient, WorkerLost } from '../worker-client.ts';
import { Dots } from './dots.ts';
import { FrameCounter } from './frame-counter.ts';

/** The first few frames, and then every so many, the drawing is waited for, to be measured to its end. */
const MEASURED = 15;

/** Points on their way from noise to the picture, a step of the sampler a frame. */
export class TravelView {
  readonly #client = new WorkerClient();
  readonly #dots = new Dots(byId<HTMLCanvasElement>('dots'));
  readonly #play = byId<HTMLButtonElement>('play');
  readonly #step = byId<HTMLButtonElement>('step');
  readonly #counter = new FrameCounter();
  readonly #failed: (error: unknown) => void;
  #result: PrecomputeOutput | undefined;
  #settings: Settings | undefined;
  #frame: PointsFrame | undefined;
  /** Asked for ahead, so that the worker computes while the page draws. */
  #coming: Promise<PointsFrame> | undefined;
  #spare: ArrayBuffer | undefined;
  #playing = false;
  /** Playing when the tab was hidden. */
  #resume = false;
  #starting = new AbortController();
  #samplerTimes: number[] = [];
  #drawingTimes: number[] = [];

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
    this.#play.addEventListener('click', () => this.#toggle());
    this.#step.addEventListener('click', () => void this.#stepOnce());
    byId('again').addEventListener('click', () => void this.#restart(false));
    document.addEventListener('visibilitychange', () => this.#visibility());
    this.#dots.onChange = () => this.#tell();
    window.addEventListener('pagehide', () => this.#pause());
  }

  get canvas(): HTMLCanvasElement {
    this.#dots.redraw();
    return this.#dots.canvas;
  }

  /** The points as they are, in the grid's coordinates: rows and columns, the longer side 1. */
  get points(): Float32Array | undefined {
    const { height, width } = this.#result ?? { height: 1, width: 1 };
    const longest = Math.max(height, width);
    return this.#frame?.points.map((value, k) => (value * (k % 2 === 0 ? height : width)) / longest);
  }

  /** Takes a new field. Motion starts by itself only where the user's system does not ask for less of it. */
  async show(result: PrecomputeOutput, settings: Settings): Promise<void> {
    this.#result = result;
    this.#settings = settings;
    const { height, width } = result;
    byId('dots-stage').style.aspectRatio = `${width} / ${height}`;
    await this.#restart(false);
  }

  /** Other settings of the points: from the beginning. */
  async set(settings: Settings): Promise<void> {
    this.#settings = settings;
    if (this.#result !== undefined) await this.#restart(false);
  }

  async #restart(play: boolean): Promise<void> {
    const [result, settings] = [this.#result, this.#settings];
    if (result === undefined || settings === undefined) return;
    this.#pause();
    this.#starting.abort();
    this.#starting = new AbortController();
    const { signal } = this.#starting;
    this.#coming = undefined;
    const { field, height, width, cover } = result;
    const { points: count, frames, way, seed, ink, draw } = settings;
    this.#dots.style = { height, width, cover, ink, draw };
    this.#samplerTimes = [];
    this.#drawingTimes = [];
    this.#counter.restart();
    this.#wait(true);
    const start = () => this.#client.run('start', { field, count, frames, way, seed }, { signal });
    try {
      const frame = await start().catch((error: unknown) => {
        // Lost while it had nothing to do: a new one can do it.
        if (error instanceof WorkerLost) return start();
        throw error;
      });
      this.#wait(false);
      this.#take(frame);
      if (play) this.#start();
    } catch (error) {
      if (!wasCancelled(error)) this.#failed(error);
    }
  }

  /** There are no points to move yet. */
  #wait(waiting: boolean): void {
    this.#play.disabled = waiting;
    this.#step.disabled = waiting;
  }

  get #atEnd(): boolean {
    return this.#frame === undefined || this.#frame.frame === this.#frame.of;
  }

  #toggle(): void {
    if (this.#playing) this.#pause();
    else if (this.#atEnd) void this.#restart(true);
    else this.#start();
  }

  #start(): void {
    this.#playing = true;
    this.#counter.restart();
    this.#label();
    requestAnimationFrame((now) => void this.#animate(now));
  }

  #pause(): void {
    this.#playing = false;
    this.#label();
  }

  #label(): void {
    this.#play.textContent = this.#playing ? 'Pause' : 'Play';
  }

  #visibility(): void {
    if (document.hidden) {
      this.#resume = this.#playing;
      this.#pause();
    } else if (this.#resume) {
      this.#resume = false;
      this.#start();
    }
  }

  /** The next frame; one after it is asked for at once. */
  async #next(): Promise<void> {
    const frame = await (this.#coming ?? this.#ask());
    this.#samplerTimes.push(frame.time);
    this.#coming = frame.frame < frame.of ? this.#ask() : undefined;
    this.#take(frame);
  }

  #ask(): Promise<PointsFrame> {
    const buffer = this.#spare;
    this.#spare = undefined;
    const { signal } = this.#starting;
    const coming = this.#client.run(
      'move',
      { buffer },
      { signal, transfer: buffer === undefined ? [] : [buffer] },
    );
    // Whoever waits for it hears of it; asked for ahead, that may be nobody.
    coming.catch(() => {});
    return coming;
  }

  async #animate(now: number): Promise<void> {
    if (!this.#playing) return;
    try {
      await this.#next();
    } catch (error) {
      this.#stop(error);
      return;
    }
    this.#counter.tick(now);
    if (this.#atEnd) {
      this.#pause();
      this.#tell();
      announce('All points have arrived.');
    } else requestAnimationFrame((time) => void this.#animate(time));
  }

  async #stepOnce(): Promise<void> {
    this.#pause();
    if (this.#frame === undefined || this.#atEnd) return;
    try {
      await this.#next();
      announce(byId('travel-text').textContent ?? '');
    } catch (error) {
      this.#stop(error);
    }
  }

  #stop(error: unknown): void {
    if (wasCancelled(error)) return;
    this.#pause();
    this.#coming = undefined;
    this.#failed(error);
    // A new worker has no points; they start again where they began.
    if (error instanceof WorkerLost) void this.#restart(false);
  }

  #take(frame: PointsFrame): void {
    // Its numbers are drawn and the figure's no more: room for a frame to come.
    this.#spare = this.#frame?.points.buffer as ArrayBuffer | undefined;
    this.#frame = frame;
    const { drawerName } = this.#dots;
    if (frame.frame < 4 || frame.frame % MEASURED === 0) {
      this.#drawingTimes.push(this.#dots.drawMeasured(frame.points));
      if (drawerName !== this.#dots.drawerName) this.#drawingTimes = [];
    } else this.#dots.draw(frame.points);
    if (frame.frame % 5 === 0 || this.#atEnd || !this.#playing) this.#tell();
  }

  #tell(): void {
    const frame = this.#frame;
    if (frame === undefined) return;
    byId<HTMLProgressElement>('travel').value = frame.frame / frame.of;
    byId('travel-text').textContent = `step ${whole(frame.frame)} of ${whole(frame.of)}`;
    byId('deviation').textContent = figure(frame.deviation);
    const rate = this.#playing ? this.#counter.rate : this.#counter.mean;
    byId('frame-rate').textContent = rate === 0 ? '–' : `${rate.toFixed(0)}`;
    byId('sampler-time').textContent = ofTimes(this.#samplerTimes);
    byId('drawing-time').textContent = ofTimes(this.#drawingTimes);
    byId('drawn-by').textContent = this.#dots.drawerName;
  }
}

/** The median. */
function ofTimes(times: readonly number[]): string {
  if (times.length === 0) return '–';
  const sorted = [...times].sort((a, b) => a - b);
  return duration(sorted[sorted.length >> 1]);
}
