// What a page downloads for each entry: bundled, minified, chunks that no current browser asks for apart. Into
// build/size, for size-limit.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const entries = {
  core: "export { createEngine } from 'seedspan'",
  external: "export { createEngine } from 'seedspan/external'",
  diffusion: "export { precomputeScores } from 'seedspan/diffusion'",
};
const root = fileURLToPath(new URL('..', import.meta.url));
for (const [name, contents] of Object.entries(entries)) {
  await build({
    stdin: { contents, resolveDir: root, sourcefile: `${name}.js` },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    outdir: 'build/size',
    entryNames: name,
    chunkNames: `${name}-chunks/[name]-[hash]`,
    logLevel: 'error',
  });
}
