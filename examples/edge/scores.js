import { parseSde, precomputeScores } from 'seedspan/diffusion';
import { readNpy, writeNpy } from 'seedspan/formats';
import { readBody } from './body.js';
import { LIMITS } from './limits.js';
import { Problem } from './problem.js';

/** POST /scores: a picture as .npy, `[H, W]` or `[C, H, W]` in [0, 1]; its score field as .npy. */
export async function scores(request, engine, signal) {
  const parameters = new URL(request.url).searchParams;
  const { data, shape } = readNpy(await readBody(request));
  const [channels, height, width] = shape.length === 2 ? [1, ...shape] : shape;
  if (![2, 3].includes(shape.length) || channels > 4 || !/^Float/.test(data.constructor.name)) {
    throw new Problem(
      400,
      'malformed request',
      'a picture is an array [H, W] or [C, H, W] of floating-point numbers, C at most 4',
    );
  }
  if (height * width > LIMITS.pixels) {
    throw new Problem(413, 'too large', `${height * width} pixels; at most ${LIMITS.pixels}`, {
      limit: LIMITS.pixels,
    });
  }
  const steps = Number(parameters.get('steps') ?? 20);
  if (steps > LIMITS.steps) throw new Problem(413, 'too large', `${steps} steps; at most ${LIMITS.steps}`);
  const result = await precomputeScores({
    images: { data, shape: [1, channels, height, width] },
    scheme: parameters.get('scheme') ?? 'consistent',
    sde: parseSde(parameters.get('sde') ?? 'constant:0.5'),
    steps,
    engine,
    signal,
  });
  if (result.report.status !== 'converged') {
    const detail = `the pre-computation ended with ${result.report.status}`;
    throw new Problem(422, 'no solution', detail, { precomputation: result.report.status });
  }
  // Without the axis of images, of which there is one.
  const field = { data: result.scores.data, shape: result.scores.shape.slice(1) };
  return new Response(writeNpy(field), { headers: { 'content-type': 'application/x-npy' } });
}
