import type { Settings } from '../settings.ts';

/** A way of drawing dots on a canvas. */
export interface DotDrawer {
  readonly name: string;
  /**
   * @param points - `[count, 2]`: rows and columns, as shares of the sides
   * @param radius - in the canvas's pixels
   */
  draw(points: Float32Array, radius: number, ink: Settings['ink']): void;
  /** Waits until all is drawn, for measuring. */
  finish(): void;
}

export const PAPER: Readonly<Record<Settings['ink'], number>> = { dark: 255, light: 0 };
