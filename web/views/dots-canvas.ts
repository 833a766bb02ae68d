import { context2d } from '../dom.ts';
import type { Settings } from '../settings.ts';
import { type DotDrawer, PAPER } from './dot-drawer.ts';

/** Steps of cover that are told apart, and the last of them: it leaves less than a grey level. */
const FINENESS = 64;
const DARKEST = 6.5 * FINENESS;
/** Share of the paper that is left, by cover. */
const LEFT = Float64Array.from({ length: DARKEST + 1 }, (_, k) => Math.exp(-k / FINENESS));

/**
 * Dots as shares of the paper, pixel by pixel: each spreads its area over the four pixels around it, and what `s` in
 * sum covers of a pixel leaves `exp(-s)` of it, as dots that fall at random do.
 */
export class CanvasDots implements DotDrawer {
  readonly name = 'Canvas 2D';
  readonly #context: CanvasRenderingContext2D;
  #covered = new Float32Array(0);
  #image: ImageData | undefined;

  constructor(canvas: HTMLCanvasElement) {
    this.#context = context2d(canvas);
  }

  draw(points: Float32Array, radius: number, ink: Settings['ink']): void {
    const { width, height } = this.#context.canvas;
    if (this.#image?.width !== width || this.#image.height !== height) {
      this.#image = this.#context.createImageData(width, height);
      this.#covered = new Float32Array(width * height);
    }
    spread(points, Math.PI * radius * radius, this.#covered, height, width);
    const paper = PAPER[ink];
    const shades = Uint32Array.from(LEFT, (left) => {
      const grey = Math.round(paper * left + (255 - paper) * (1 - left));
      return 0xff000000 | (grey << 16) | (grey << 8) | grey;
    });
    const pixels = new Uint32Array(this.#image.data.buffer);
    const covered = this.#covered;
    for (let k = 0; k < pixels.length; k++)
      pixels[k] = shades[Math.min(DARKEST, (covered[k] * FINENESS) | 0)];
    this.#context.putImageData(this.#image, 0, 0);
  }

  /** `putImageData` has written when it returns. */
  finish(): void {}
}

/** covered <- the area of all dots, each spread bilinearly over the four pixels whose middles are around it. */
export function spread(
  points: Float32Array,
  area: number,
  covered: Float32Array,
  height: number,
  width: number,
): void {
  covered.fill(0);
  for (let k = 0; k < points.length; k += 2) {
    const y = points[k] * height - 0.5;
    const x = points[k + 1] * width - 0.5;
    const top = Math.min(height - 2, Math.max(0, Math.floor(y)));
    const left = Math.min(width - 2, Math.max(0, Math.floor(x)));
    const down = Math.min(1, Math.max(0, y - top));
    const right = Math.min(1, Math.max(0, x - left));
    const at = top * width + left;
    covered[at] += area * (1 - down) * (1 - right);
    covered[at + 1] += area * (1 - down) * right;
    covered[at + width] += area * down * (1 - right);
    covered[at + width + 1] += area * down * right;
  }
}
