import { PointMover } from '../../src/diffusion/field/point-mover.ts';
import { stepVariances, takeStep } from '../../src/diffusion/field/sample-field.ts';
import type { PointField } from '../../src/diffusion/index.ts';
import { createEngine, type Engine } from '../../src/index.ts';
import { Scope } from '../../src/memory/scope.ts';
import type { Settings } from '../settings.ts';
import type { Job } from './protocol.ts';

export interface StartInput {
  field: PointField;
  count: number;
  frames: number;
  way: Settings['way'];
  seed: number;
}

export interface MoveInput {
  /** Of a frame that was drawn, to be filled again. */
  buffer: ArrayBuffer | undefined;
}

export interface PointsFrame {
  /** `[count, 2]`, rows and columns as shares of the grid's sides; f32, for drawing. */
  points: Float32Array;
  /** How many steps are done, of how many. */
  frame: number;
  of: number;
  /** Of the noise that is left, as a share of the longer side. */
  deviation: number;
  /** Milliseconds of the step itself, without copies. */
  time: number;
}

/** Points on their way. There is one set of them a worker: a start ends the one before. */
interface Journey {
  engine: Engine;
  scope: Scope;
  mover: PointMover;
  field: PointField;
  way: Settings['way'];
  variances: Float64Array;
  frame: number;
}

let journey: Journey | undefined;

export const startPoints: Job<'start'> = async ({ field, count, frames, way, seed }) => {
  const engine = journey?.engine ?? (await createEngine());
  journey?.scope.dispose();
  journey = undefined;
  const scope = new Scope(engine.kernel);
  try {
    const mover = new PointMover(scope, field, { count, seed, firstPoint: 0 });
    const levels = field.variances;
    const variances = stepVariances(levels[levels.length - 1], 0, frames, levels[1]);
    const began = performance.now();
    mover.draw(variances[0]);
    journey = { engine, scope, mover, field, way, variances, frame: 0 };
    return frameOf(journey, undefined, performance.now() - began);
  } catch (error) {
    scope.dispose();
    engine.dispose();
    throw error;
  }
};

export const movePoints: Job<'move'> = async ({ buffer }) => {
  if (journey === undefined) throw new Error('movePoints: no points were started');
  const { mover, way, variances, frame } = journey;
  const began = performance.now();
  if (frame + 1 < variances.length) {
    takeStep(mover, way, frame, variances[frame], variances[frame + 1], 0, 0);
    journey.frame++;
  }
  return frameOf(journey, buffer, performance.now() - began);
};

function frameOf({ mover, field, variances, frame }: Journey, buffer: ArrayBuffer | undefined, time: number) {
  const { height, width, spacing, origin } = field;
  const sides = [height * spacing[0], width * spacing[1]];
  const placed = mover.points();
  const room = buffer !== undefined && buffer.byteLength === 4 * placed.length;
  const points = room ? new Float32Array(buffer) : new Float32Array(placed.length);
  for (let k = 0; k < placed.length; k += 2) {
    points[k] = (placed[k] - origin[0]) / sides[0];
    points[k + 1] = (placed[k + 1] - origin[1]) / sides[1];
  }
  const deviation = Math.sqrt(variances[frame]) / Math.max(...sides);
  const result: PointsFrame = { points, frame, of: variances.length - 1, deviation, time };
  return { result, transfer: [points.buffer] };
}
