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
}

/** Radius with which `count` dots cover that share of a canvas in sum, in its pixels. */
export function dotRadius(count: number, cover: number, height: number, width: number): number {
  return Math.sqrt((cover * height * width) / (Math.PI * count));
}

/** Draws by WebGL 2 where it is there, and by the canvas's own pixels where it is not or was lost. */
export class Dots {
  readonly #sizes = new ResizeObserver(() => this.redraw());
  #canvas: HTMLCanvasElement;
  #drawer: DotDrawer;
  #style: DotStyle | undefined;
  #points: Float32Array | undefined;
  /** Told when another drawer took over. */
  onChange: (() => void) | undefined;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#sizes.observe(canvas);
    this.#drawer = this.#choose();
  }

  get canvas(): HTMLCanvasElement {
    return this.#canvas;
  }

  get drawerName(): string {
    return this.#drawer.name;
  }

  set style(style: DotStyle) {
    this.#style = style;
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
    this.#drawer.draw(this.#points, radius, ink);
  }

  finish(): void {
    this.#drawer.finish();
  }

  #choose(): DotDrawer {
    const drawer = GlDots.make(this.#canvas);
    if (drawer === undefined) return this.#plainDrawer();
    this.#canvas.addEventListener('webglcontextlost', () => this.#fallBack(), { once: true });
    return drawer;
  }

  #fallBack(): void {
    this.#drawer = this.#plainDrawer();
    this.redraw();
    this.onChange?.();
  }

  /** A canvas that has had WebGL gives no other context, so it is replaced. */
  #plainDrawer(): DotDrawer {
    const fresh = this.#canvas.cloneNode() as HTMLCanvasElement;
    this.#sizes.unobserve(this.#canvas);
    this.#canvas.replaceWith(fresh);
    this.#canvas = fresh;
    this.#sizes.observe(fresh);
    return new CanvasDots(fresh);
  }
}
