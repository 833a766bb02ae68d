/** The README's account of a kept run: a table of where the suite ran, and a line for each thing else that was tried. */
export function table({ digests, results }) {
  const checks = Object.keys(digests).length;
  const rows = results
    .filter(({ build }) => build !== undefined)
    .map(({ name, version, deviations }) => [
      name,
      version,
      `${checks} of ${checks}`,
      ...Object.values(deviations).map(far),
    ]);
  const others = results
    .filter(({ note }) => note !== undefined)
    .map(({ name, version, note }) => `- ${name} (${version}): ${note}`);
  return [
    ['where', 'version', 'same digits', 'scalar', 'relaxed SIMD'],
    ['---', '---', '---', '---', '---'],
    ...rows,
  ]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .concat('\n', ...others.map((line) => `${line}\n`))
    .join('');
}

/** How far a build's results are from those of plain SIMD. */
function far(deviation) {
  if (deviation === null) return '';
  return deviation === 0 ? 'the same' : `within ${deviation.toExponential(0)}`;
}
