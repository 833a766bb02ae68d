/** The README's table of a kept run. */
export function table({ digests, results }) {
  const checks = Object.keys(digests).length;
  const rows = results.map(({ name, version, build, deviations, note }) => {
    if (build === undefined) return [name, version, note];
    const relaxed = deviations['relaxed-simd'];
    const other = relaxed === null ? 'no relaxed SIMD' : `relaxed SIMD within ${relaxed.toExponential(0)}`;
    return [name, version, `${checks} of ${checks} the same digits; ${other}`];
  });
  return [['where', 'version', 'found'], ['---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('');
}
