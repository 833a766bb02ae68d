/** Plain version of the score network of points of the plane. Parameters in order: weight `[from, to]`, bias `[to]`. */
export function mlpScore(
  parameters: readonly ArrayLike<number>[],
  options: {
    variances: readonly [number, number];
    rectangle: { origin: readonly [number, number]; sides: readonly [number, number] };
    frequencies: number;
  },
  x: readonly [number, number],
  t: number,
): number[] {
  const { variances, rectangle, frequencies } = options;
  const place = [0, 1].map((axis) => (x[axis] - rectangle.origin[axis]) / rectangle.sides[axis]);
  const angles: number[] = [];
  for (const p of place) for (let k = 1; k <= frequencies; k++) angles.push(k * Math.PI * p);
  for (let k = 1; k <= 4; k++) angles.push(k * Math.PI * t);
  let y = [...[...place, t].map((p) => 2 * p - 1), ...angles.map(Math.sin), ...angles.map(Math.cos)];
  for (let layer = 0; layer < parameters.length; layer += 2) {
    const [weight, bias] = [parameters[layer], parameters[layer + 1]];
    const z = Array.from(bias);
    for (const [i, value] of y.entries()) {
      for (let j = 0; j < z.length; j++) z[j] += value * weight[i * z.length + j];
    }
    y = layer + 2 < parameters.length ? z.map((value) => value / (1 + Math.exp(-value))) : z;
  }
  const deviation = Math.sqrt(variances[0] ** (1 - t) * variances[1] ** t);
  return y.map((value) => value / deviation);
}
