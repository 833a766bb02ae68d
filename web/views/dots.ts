import { fitToScreen } from '../dom.ts';
import type { Settings } from '../settings.ts';
import type { DotDrawer } from './dot-drawer.ts';
import { CanvasDots } from './dots-canvas.ts';
import { GlDots } from './dots-gl.ts';

/** How dots are drawn. */
export interface DotStyle {
  /** The rectangle's sides; any unit. */
  height: number;
  width: number;
  /** Share of the paper that the dots cover in sum. */
  cover: number;
  ink: Settings['ink'];
  draw: Settings['draw'];
}

/** Radius with which `count` dots cover that share of a canvas in sum, in its pixels. */
export function dotRadius(count: number, cover: number, height: number, width: number): number {
  return Math.sqrt((cover * height * width) / (Math.PI * count));
}

/** Milliseconds of a drawing that leave no 30 frames a second, and how often that is borne. */
const SLOW = 25;
const PATIENCE = 3;

/** Draws by WebGL 2 where there is a graphics processor for it, and by the canvas's own pixels where not, or it was lost. */
export class Dots {
  readonly #sizes = new ResizeObserver(() => this.redraw());
  #canvas: HTMLCanvasElement;
  #drawer: DotDrawer | undefined;
  /** What the drawer was chosen by. */
  #wanted: Settings['draw'] = 'auto';
  #style: DotStyle | undefined;
  #points: Float32Array | undefined;
  /** Measured drawings by WebGL, one after the other, that took too long. */
  #slow = 0;
  /** Told when another drawer took over. */
  onChange: (() => void) | undefined;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#sizes.observe(canvas);
  }

  get canvas(): HTMLCanvasElement {
    return this.#canvas;
  }

  get drawerName(): string {
    return this.#drawer?.name ?? '–';
  }

  set style(style: DotStyle) {
    this.#style = style;
    if (this.#drawer !== undefined && style.draw === this.#wanted) return;
    if (this.#drawer !== undefined) this.#renewCanvas();
    this.#wanted = style.draw;
    this.#slow = 0;
    this.#drawer = style.draw === 'canvas' ? new CanvasDots(this.#canvas) : this.#byGl(style.draw === 'auto');
  }

  draw(points: Float32Array): void {
    this.#points = points;
    this.redraw();
  }

  /** Also right before the canvas is read: WebGL keeps no picture. */
  redraw(): void {
    if (this.#style === undefined || this.#points === undefined) return;
    const { height, width, cover, ink } = this.#style;
    fitToScreen(this.#canvas, height, width);
    const count = this.#points.length / 2;
    const radius = dotRadius(count, cover, this.#canvas.height, this.#canvas.width);
    this.#drawer?.draw(this.#points, radius, ink);
  }

  /**
   * As `draw`, to the last pixel.
   *
   * @returns how many milliseconds it took. Where the drawing was left to the page and WebGL is slow time and again
   *   (on the processor, which few browsers own up to), the canvas's own pixels take over.
   */
  drawMeasured(points: Float32Array): number {
    const began = performance.now();
    this.draw(points);
    this.#drawer?.finish();
    const time = performance.now() - began;
    if (this.#wanted === 'auto' && this.#drawer instanceof GlDots) {
      this.#slow = time > SLOW ? this.#slow + 1 : 0;
      if (this.#slow === PATIENCE) this.#fallBack();
    }
    return time;
  }

  #byGl(fastOnly: boolean): DotDrawer {
    const drawer = GlDots.make(this.#canvas, fastOnly);
    this.#canvas.addEventListener('webglcontextlost', () => this.#fallBack(), { once: true });
    return drawer ?? this.#byCanvas();
  }

  #fallBack(): void {
    this.#drawer = this.#byCanvas();
    this.redraw();
    this.onChange?.();
  }

  #byCanvas(): DotDrawer {
    this.#renewCanvas();
    return new CanvasDots(this.#canvas);
  }

  /** A canvas that has had one context gives no other, so it is replaced. */
  #renewCanvas(): void {
    const fresh = this.#canvas.cloneNode() as HTMLCanvasElement;
    this.#sizes.unobserve(this.#canvas);
    this.#canvas.replaceWith(fresh);
    this.#canvas = fresh;
    this.#sizes.observe(fresh);
  }
}
