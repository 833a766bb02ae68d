// What a page downloads for each entry: bundled, minified, with all chunks that are imported at once, and without those
// that are imported when they are needed (other builds, workers). Into build/size, for size-limit.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const entries = {
  core: "export { createEngine } from 'seedspan'",
  external: "export { createEngine } from 'seedspan/external'",
  diffusion: "export { precomputeScores } from 'seedspan/diffusion'",
};
const root = fileURLToPath(new URL('..', import.meta.url));
mkdirSync(join(root, 'build', 'size'), { recursive: true });
for (const [name, contents] of Object.entries(entries)) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: root, sourcefile: `${name}.js` },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    splitting: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    outdir: 'build/size',
    entryNames: name,
    logLevel: 'error',
  });
  const needed = new Set([`build/size/${name}.js`]);
  for (const file of needed) {
    for (const { kind, path } of metafile.outputs[file].imports)
      if (kind === 'import-statement') needed.add(path);
  }
  const texts = outputFiles.filter(({ path }) => [...needed].some((file) => path.endsWith(file)));
  writeFileSync(join(root, 'build', 'size', `${name}.js`), texts.map(({ text }) => text).join('\n'));
}
