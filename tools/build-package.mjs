// Builds what is published, into build/package: ES modules that share their chunks, the same as CommonJS in cjs/, and
// the types of both.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'build', 'package');

/** The kernel comes by the condition that `imports` of package.json names, and edge runtimes load its file. */
const kernelByRuntime = {
  name: 'kernel-by-runtime',
  setup({ onResolve }) {
    onResolve({ filter: /\/kernels\/bytes\.ts$/ }, ({ importer }) =>
      importer.endsWith('load.ts') ? { path: '#kernels', external: true } : undefined,
    );
    onResolve({ filter: /\.wasm$/ }, ({ importer }) => {
      const [variant] = importer.match(/(workerd|edge-light)\.ts$/) ?? [];
      if (variant === undefined) return undefined;
      const query = variant === 'edge-light.ts' ? '?module' : '';
      return { path: `../../../kernel/simd.wasm${query}`, external: true };
    });
  },
};

const entries = [
  'index',
  'external',
  'diffusion/index',
  'training/index',
  'onnx/index',
  'formats/index',
  'node/index',
  'dataset/index',
  'dataset/thread',
  'cli/main',
];
const variants = ['bytes', 'deflated', 'workerd', 'edge-light'];

rmSync(out, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: [
    ...entries.map((name) => `src/${name}.ts`),
    ...variants.map((name) => `src/wasm/kernels/${name}.ts`),
  ],
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  external: ['node:*'],
  packages: 'external',
  loader: { '.wasm': 'binary', '.z': 'binary', '.worker.js': 'text' },
  outbase: 'src',
  outdir: out,
  logLevel: 'warning',
  plugins: [kernelByRuntime],
});
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});

// The workers' script is neither kind of module: a classic script, served or given as text.
writeFileSync(join(root, 'build', 'worker', 'package.json'), '{ "type": "commonjs" }\n');

// `require` reads these; relative names in them lead to files with the same ending.
const esm = readdirSync(out, { recursive: true }).map((name) => name.replaceAll('\\', '/'));
for (const name of esm) {
  if (/^(cli\/|dataset\/thread)/.test(name) || /kernels\/(workerd|edge-light)/.test(name)) continue;
  const [, stem, ending] = name.match(/^(.*?)(\.js|\.d\.ts)$/) ?? [];
  if (stem === undefined) continue;
  const text = readFileSync(join(out, name), 'utf8');
  const file = join(out, 'cjs', `${stem}${ending === '.js' ? '.cjs' : '.d.cts'}`);
  mkdirSync(dirname(file), { recursive: true });
  if (ending === '.d.ts') {
    writeFileSync(file, text.replaceAll(/((?:from |import\()['"]\.[^'"]*)\.ts(?=['"])/g, '$1.cts'));
  } else {
    const { code } = await transform(text, {
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      define: { 'import.meta.url': 'moduleUrl' },
      banner: text.includes('import.meta.url')
        ? "const moduleUrl = require('node:url').pathToFileURL(__filename).href;"
        : '',
    });
    // What is imported later is required later: `import()` would hide a default export behind another.
    const later = code.replaceAll(/\bimport\(("\.[^"]*")\)/g, 'Promise.resolve().then(() => require($1))');
    writeFileSync(file, later.replaceAll(/(require\("\.[^"]*)\.js(?="\))/g, '$1.cjs'));
  }
}
