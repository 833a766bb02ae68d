// After the compiler: writes into each kernel which build and version it is, in a custom section `seedspan`, and puts
// a deflated copy beside it, for the browsers' entry.
import { readFileSync, writeFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

for (const build of ['scalar', 'simd', 'relaxed-simd']) {
  const file = new URL(`../build/kernel/${build}.wasm`, import.meta.url);
  const section = [...text('seedspan'), ...Buffer.from(`${build} ${version}`)];
  const bytes = Buffer.concat([readFileSync(file), Buffer.from([0, section.length, ...section])]);
  if (section.length > 127) throw new Error('the section is longer than its length can say');
  writeFileSync(file, bytes);
  writeFileSync(new URL(`${file}.z`), deflateSync(bytes, { level: 9 }));
}

/** Length, and characters. */
function text(name) {
  return [name.length, ...Buffer.from(name)];
}
